// fuzz/options.cc - the only list of a fuzz target's own options.
// Tested by options_test.cc.
#include "fuzz/options.h"

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <string_view>

#include "core/program/as_posted.h"
#include "core/program/machine_keys.h"
#include "core/program/text.h"

namespace racier::fuzz {
namespace {

// One option.  `set` returns what was expected if the value will not do, else nothing.
struct Row {
  const char* name;
  const char* value;
  const char* sentence;
  std::string (*set)(Options&, std::string_view);
  std::string (*get)(const Options&);
};

std::string known_bugs() {
  std::string text;
  for (const bug::Row& row : bug::rows()) {
    text += (text.empty() ? "" : ", ") + std::string(row.id) + " " + row.name;
  }
  return text;
}

std::string set_bugs(Options& options, std::string_view names) {
  while (!names.empty()) {
    const std::string_view name = names.substr(0, names.find(','));
    names.remove_prefix(std::min(names.size(), name.size() + 1));
    const auto bug = bug::find(name);
    if (!bug) return "one of " + known_bugs();
    options.bugs.arm(*bug);
  }
  return "";
}

std::string get_bugs(const Options& options) {
  std::string names;
  for (const bug::Row& row : bug::rows()) {
    if (!options.bugs.has(row.bug)) continue;
    names += (names.empty() ? "" : ",") + std::string(row.name);
  }
  return names;
}

std::string set_as_posted(Options& options, std::string_view name) {
  const program::AsPosted* const patch = program::find_as_posted(name);
  if (patch == nullptr) return "one of " + program::names_as_posted();
  options.as_posted = name;
  return "";
}

// `kMember` is the option of a machine of the same name.
template <std::string Options::*kMember>
std::string set_key(Options& options, const char* key_name, std::string_view name) {
  const program::MachineKey& key = program::machine_key(key_name);
  if (!key.parse(name)) return key.expected();
  options.*kMember = name;
  return "";
}

std::string set_rmap(Options& options, std::string_view name) {
  return set_key<&Options::rmap>(options, "rmap", name);
}

std::string set_memory(Options& options, std::string_view name) {
  return set_key<&Options::memory>(options, "memory", name);
}

std::string set_mmu(Options& options, std::string_view name) {
  return set_key<&Options::mmu>(options, "mmu", name);
}

std::string set_findings(Options& options, std::string_view folder) {
  if (folder.empty()) return "a folder";
  options.findings = folder;
  return "";
}

template <std::uint32_t Options::*kMember, std::uint32_t kMin>
std::string set_number(Options& options, std::string_view text) {
  constexpr std::uint32_t kMax = 1u << 26;
  const auto number = program::parse_number(text);
  if (!number || *number < kMin || *number > kMax) {
    return "a number from " + std::to_string(kMin) + " to " + std::to_string(kMax);
  }
  options.*kMember = static_cast<std::uint32_t>(*number);
  return "";
}

template <std::uint32_t Options::*kMember>
std::string get_number(const Options& options) {
  return std::to_string(options.*kMember);
}

constexpr Row kRows[] = {
    {"bug", "NAME", "arms a bug, by name or number (B07); may be given again",
     &set_bugs, &get_bugs},
    {"as-posted", "NAME",
     "runs every program on a patch as it was mailed, bugs and all", &set_as_posted,
     [](const Options& options) { return options.as_posted; }},
    {"rmap", "NAME", "runs every program on this design of the reverse map", &set_rmap,
     [](const Options& options) { return options.rmap; }},
    {"memory", "NAME",
     "runs every program on strong or on weak memory (a quarter weak)", &set_memory,
     [](const Options& options) { return options.memory; }},
    {"mmu", "NAME", "runs every program on the soft MMU (usual) or that of the host",
     &set_mmu, [](const Options& options) { return options.mmu; }},
    {"findings", "DIR", "where findings go (usually: where -artifact_prefix says)",
     &set_findings, [](const Options& options) { return options.findings.string(); }},
    {"steps-max", "N", "longer runs get 16 times that to make progress (1048576)",
     &set_number<&Options::steps_max, 1>, &get_number<&Options::steps_max>},
    {"check-determinism", "N", "runs every N-th input twice and compares (64); 0: none",
     &set_number<&Options::check_determinism, 0>,
     &get_number<&Options::check_determinism>},
    {"feedback", "N", "1: guided by who reads from whom, too; 0: by code coverage only",
     &set_number<&Options::feedback, 0>, &get_number<&Options::feedback>},
    {"measure", "N", "ends after N inputs and tells what libFuzzer costs (0: goes on)",
     &set_number<&Options::measure, 0>, &get_number<&Options::measure>},
};

std::string environment_name(const Row& row) {
  std::string name = std::string("RACIER_FUZZ_") + row.name;
  for (char& c : name) {
    if (c == '-') c = '_';
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return name;
}

const Row* find_row(std::string_view name) {
  for (const Row& row : kRows) {
    if (name == row.name) return &row;
  }
  return nullptr;
}

// Returns what is wrong with `value`, or nothing.
std::string set(Options& options, const Row& row, std::string_view said,
                std::string_view value) {
  const std::string expected = row.set(options, value);
  if (expected.empty()) return "";
  return std::string(said) + ": expected " + expected + ", not '" + std::string(value) +
         "'";
}

std::string take_environment(Options& options) {
  for (const Row& row : kRows) {
    const std::string name = environment_name(row);
    const char* const value = std::getenv(name.c_str());
    if (value == nullptr || *value == '\0') continue;
    std::string error = set(options, row, name, value);
    if (!error.empty()) return error;
  }
  return "";
}

// `argument` begins with two dashes.
std::string take_argument(ParsedOptions& parsed, std::string_view argument) {
  if (argument == "--help") {
    parsed.help = true;
    return "";
  }
  const std::string said(argument.substr(0, argument.find('=')));
  const Row* const row = find_row(std::string_view(said).substr(2));
  if (row == nullptr) return "no option " + said + " (--help lists them)";
  if (said.size() == argument.size()) {
    return said + " needs a value: " + said + "=" + row->value;
  }
  return set(parsed.options, *row, said, argument.substr(said.size() + 1));
}

bool is_ours(const std::string& argument) { return argument.starts_with("--"); }

}  // namespace

ParsedOptions take_options(std::vector<std::string>& arguments) {
  ParsedOptions parsed;
  parsed.error = take_environment(parsed.options);
  for (const std::string& argument : arguments) {
    if (!parsed.error.empty()) return parsed;
    if (is_ours(argument)) parsed.error = take_argument(parsed, argument);
  }
  std::erase_if(arguments, is_ours);
  return parsed;
}

void export_options(const Options& options) {
  for (const Row& row : kRows) {
    setenv(environment_name(row).c_str(), row.get(options).c_str(), 1);
  }
}

std::filesystem::path artifact_folder(const std::vector<std::string>& arguments) {
  std::string prefix;
  for (const std::string& argument : arguments) {
    for (const std::string_view flag : {"-artifact_prefix=", "-exact_artifact_path="}) {
      if (argument.starts_with(flag)) prefix = argument.substr(flag.size());
    }
  }
  const std::filesystem::path folder = std::filesystem::path(prefix).parent_path();
  return folder.empty() ? "." : folder;
}

std::string options_help(std::string_view target) {
  std::string text =
      "usage: " + std::string(target) +
      " [--OPTION=VALUE ...] [libFuzzer's flags] [corpus ...]\n\n"
      "Runs programs under schedules, both decoded from libFuzzer's bytes.  A finding\n"
      "is written as finding-KIND-HASH.racier beside libFuzzer's own crash file.\n\n";
  for (const Row& row : kRows) {
    std::string left = std::string("  --") + row.name + "=" + row.value;
    left.resize(std::max<std::size_t>(left.size() + 1, 26), ' ');
    text += left + row.sentence + "\n";
  }
  text += "\nbugs: " + known_bugs() +
          "\npatches as posted: " + program::names_as_posted() +
          "\n\nEach option can also be in the environment: RACIER_FUZZ_STEPS_MAX=N.\n"
          "libFuzzer's own flags have one dash: -help=1 lists them.\n"
          "Exit codes: 0 clean, 77 finding, 2 wrong use, 3 could not run; others are\n"
          "of libFuzzer (70 time-out, 71 no memory, 72 interrupted) or a sanitizer.\n";
  return text;
}

}  // namespace racier::fuzz
