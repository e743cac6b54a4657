// repro/import_report.cc - prints imports.  Tested by cli_test.sh.
#include "repro/import_report.h"

#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>

namespace racier::repro {
namespace {

using Json = nlohmann::ordered_json;

std::string row(const char* name, std::uint64_t value, const char* sentence = "") {
  return *sentence == '\0' ? fmt::format("  {:<26} {:>7}\n", name, value)
                           : fmt::format("  {:<26} {:>7}  {}\n", name, value, sentence);
}

std::string comparison_text(const Comparison& comparison) {
  std::string text = "run, all audits on\n";
  text += row("steps", comparison.steps);
  text += row("audits between calls", static_cast<std::uint64_t>(comparison.audits));
  text += row("faults", static_cast<std::uint64_t>(comparison.faults));
  text += row("  the page table likewise",
              static_cast<std::uint64_t>(comparison.faults_equal));
  text +=
      row("  named difference", static_cast<std::uint64_t>(comparison.faults_named));
  text += row("calls, all vmas compared", static_cast<std::uint64_t>(comparison.calls));
  text += row("  equal", static_cast<std::uint64_t>(comparison.calls_equal));
  text += row("  vmas compared", static_cast<std::uint64_t>(comparison.vmas));
  return text;
}

}  // namespace

std::vector<std::string> Import::unexplained() const {
  std::vector<std::string> all = translation.unexplained;
  if (!comparison) return all;
  all.insert(all.end(), comparison->unexplained.begin(), comparison->unexplained.end());
  if (comparison->finding) {
    all.push_back("the run ended in a finding: " + comparison->finding->signature() +
                  ": " + comparison->finding->detail);
  }
  return all;
}

std::string report_text(const Import& import) {
  const Translation& translation = import.translation;
  const auto number = [](auto value) { return static_cast<std::uint64_t>(value); };
  std::string text = "recording " + import.recording + "\n";
  text += row("events", import.events.events.size());
  text += row("processes", number(translation.processes));
  text += row("threads", number(translation.threads));
  text += row("images (exec)", number(translation.execs));
  text += row("faults", translation.faults.size());
  text += row("recorded vmas", number(translation.recorded_vmas));
  text += row("  as the calls make them", number(translation.equal_vmas));
  text += row("calls of the program", translation.lines.size());
  text += "named differences\n";
  for (int i = 0; i < kDifferences; ++i) {
    const auto difference = static_cast<Difference>(i);
    if (translation.count(difference) == 0) continue;
    text += row(difference_name(difference), number(translation.count(difference)),
                difference_sentence(difference));
  }
  for (const auto& [name, count] : import.events.ignored) {
    text += row(name.c_str(), number(count), "events that import does not know");
  }
  if (import.comparison) text += comparison_text(*import.comparison);
  const std::vector<std::string> unexplained = import.unexplained();
  text += row("unexplained", unexplained.size());
  for (const std::string& line : unexplained) {
    text += fmt::format("{}:{}\n", import.recording, line);
  }
  return text;
}

std::string report_json(const Import& import) {
  const Translation& translation = import.translation;
  Json differences = Json::object();
  for (int i = 0; i < kDifferences; ++i) {
    const auto difference = static_cast<Difference>(i);
    differences[difference_name(difference)] = translation.count(difference);
  }
  Json json = {{"recording", import.recording},
               {"events", import.events.events.size()},
               {"processes", translation.processes},
               {"threads", translation.threads},
               {"execs", translation.execs},
               {"faults", translation.faults.size()},
               {"recorded_vmas", translation.recorded_vmas},
               {"recorded_vmas_equal", translation.equal_vmas},
               {"calls", translation.lines.size()},
               {"differences", differences},
               {"ignored", import.events.ignored},
               {"unexplained", import.unexplained()}};
  if (const auto& comparison = import.comparison) {
    json["run"] = {{"steps", comparison->steps},
                   {"audits", comparison->audits + 1},
                   {"faults", comparison->faults},
                   {"faults_equal", comparison->faults_equal},
                   {"faults_named", comparison->faults_named},
                   {"calls", comparison->calls},
                   {"calls_equal", comparison->calls_equal},
                   {"vmas", comparison->vmas}};
  }
  return json.dump(2) + "\n";
}

std::string program_header(const Import& import) {
  const Translation& translation = import.translation;
  std::string text = fmt::format(
      "A recording of a real program: {}, by racier-repro import.\n"
      "Every access must take the page fault that the host's kernel recorded, but "
      "where a\n"
      "note names the difference:\n",
      std::filesystem::path(import.recording).filename().string());
  for (int i = 0; i < kDifferences; ++i) {
    const auto difference = static_cast<Difference>(i);
    if (translation.count(difference) == 0) continue;
    text += fmt::format("  {} ({}): {}\n", difference_name(difference),
                        translation.count(difference), difference_sentence(difference));
  }
  text += "Files:";
  for (std::size_t i = 0; i < translation.files.size(); ++i) {
    text += fmt::format("\n  f{} {}", i, translation.files[i]);
  }
  return text;
}

}  // namespace racier::repro
