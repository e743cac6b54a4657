// stress/campaign_options.cc - reads the command line.  Tested by
// campaign_options_test.cc.
#include "stress/campaign_options.h"

#include <sstream>

#include "stress/read_options.h"
#include "stress/words.h"

namespace racier::stress {
namespace {

namespace po = boost::program_options;

struct Words {
  std::string duration, turns, out, seed, jobs, rmap, builds, slice, grace;
  std::vector<std::string> bugs;
};

po::options_description description(Words& words) {
  po::options_description all("options", 88, 50);
  const auto text = [](std::string& to, const char* usual = nullptr) {
    auto* const value = po::value(&to)->value_name("WORD");
    return usual == nullptr ? value : value->default_value(usual);
  };
  // clang-format off
  all.add_options()
      ("for", text(words.duration, "2m"),
       "how long in all: 90s, 10m, 8h; a campaign that goes on counts what it has had; "
       "0: until it is stopped")
      ("turns", text(words.turns), "how many programs are run, one after the other")
      ("out", text(words.out, "campaign"), "the folder of the campaign")
      ("seed", text(words.seed), "of everything random (another one each campaign)")
      ("jobs", text(words.jobs), "programs at once (all processors)")
      ("bug", po::value(&words.bugs)->value_name("NAME"),
       "arm a bug, by name or id; may be repeated")
      ("rmap", text(words.rmap), "the design of the reverse map")
      ("slice", text(words.slice, "0"),
       "how long a program runs at a time; 0: what fits")
      ("grace", text(words.grace, "60s"),
       "how long a program may take to end when its time is over")
      ("build-root", text(words.builds, "build"),
       "where the builds are (set by ./racier)")
      ("help", "this text");
  // clang-format on
  return all;
}

CampaignOptions options_of(const Words& words, int cores) {
  CampaignOptions options;
  options.duration = duration_option("for", words.duration);
  if (!words.turns.empty()) {
    options.turns = number_option("turns", words.turns, 1, ~0ull);
  }
  if (words.out.empty()) throw WrongOption("out", words.out, "a folder");
  options.places.out = std::filesystem::absolute(words.out);
  options.places.builds = std::filesystem::absolute(words.builds);
  if (!words.seed.empty()) options.seed = number_option("seed", words.seed, 0, ~0ull);
  constexpr int kJobsMax = 1024;
  options.jobs = words.jobs.empty()
                     ? cores
                     : static_cast<int>(number_option("jobs", words.jobs, 1, kJobsMax));
  for (const std::string& name : words.bugs) {
    options.arming.bugs.emplace_back(bug::row(bug_option(name)).name);
  }
  options.arming.rmap = rmap_option(words.rmap);
  options.slice = duration_option("slice", words.slice);
  options.grace = duration_option("grace", words.grace);
  return options;
}

std::string help(const po::options_description& all) {
  std::ostringstream text;
  text
      << "usage: racier campaign [options]\n\n"
         "Fuzzes and stresses, under AddressSanitizer and ThreadSanitizer, in turns.\n"
         "What is found is in OUT/findings, a folder each; OUT/report.json tells all.\n"
         "Stopped or killed, it goes on when it is started again with the same OUT.\n"
         "Exit codes: 0 clean, 1 finding, 2 wrong use, 3 could not run.\n\n"
      << all;
  return text.str();
}

}  // namespace

ParsedCampaignOptions parse_campaign_options(int argc, const char* const* argv,
                                             int cores) {
  Words words;
  const po::options_description all = description(words);
  try {
    const po::variables_map map = read_options(all, argc, argv);
    if (map.count("help") != 0) return {{}, 0, help(all)};
    return {options_of(words, cores), std::nullopt, ""};
  } catch (const std::exception& error) {
    return {{}, 2, std::string("racier-campaign: ") + error.what() + " (--help)\n"};
  }
}

}  // namespace racier::stress
