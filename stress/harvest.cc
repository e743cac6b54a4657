// stress/harvest.cc - reads what jobs leave.  Tested by harvest_test.cc.
#include "stress/harvest.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>
#include <sstream>

#include "core/program/bytes.h"
#include "core/program/print.h"
#include "stress/stress_options.h"
#include "stress/whole_file.h"

namespace racier::stress {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kReportMax = 200000;  // of a log that goes into a report

std::vector<fs::path> files_in(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
    if (entry.is_regular_file(error)) files.push_back(entry.path());
  }
  std::ranges::sort(files);
  return files;
}

std::string_view line_with(std::string_view text, std::string_view word) {
  const std::size_t at = text.rfind(word);
  if (at == text.npos) return "";
  const std::size_t start = at == 0 ? 0 : text.rfind('\n', at) + 1;
  return text.substr(start, text.find('\n', at) - start);
}

std::string_view behind(std::string_view text, std::string_view word) {
  const std::size_t at = text.find(word);
  return at == text.npos ? "" : text.substr(at + word.size());
}

// Returns a program of ours that failed, from its text: the first line of its comment
// is the signature.  Nothing if it is none.
std::optional<Found> found_in(std::string program) {
  const std::string_view line = std::string_view(program).substr(0, program.find('\n'));
  const std::size_t bar = line.find(" | ");
  if (!line.starts_with("# ") || bar == line.npos) return std::nullopt;
  Found found;
  found.kind = line.substr(2, bar - 2);
  found.title = line.substr(bar + 3);
  found.program = std::move(program);
  return found;
}

// The end of it says most.
std::string report_of(const std::string& log) {
  if (log.size() <= kReportMax) return log;
  return "[...]\n" + log.substr(log.size() - kReportMax);
}

// Returns `text` with each number replaced by N, and paths by the names of files.
std::string stable(std::string_view text) {
  std::string result;
  std::istringstream words{std::string(text)};
  for (std::string word; words >> word;) {
    const std::size_t slash = word.rfind('/');
    if (slash != word.npos) {
      word = word.substr(slash + 1, word.find(':', slash) - slash - 1);
    }
    std::string without;
    for (const char c : word) {
      const bool digit = c >= '0' && c <= '9';
      if (!digit) without += c;
      if (digit && !without.ends_with('N')) without += 'N';
    }
    result += (result.empty() ? "" : " ") + without;
  }
  return result;
}

// Returns the program of the round that racier-stress was in when it died.
std::string running_round(const fs::path& folder, std::string& replay) {
  for (const fs::path& file : files_in(folder)) {
    if (!file.filename().string().starts_with("stress-running-")) continue;
    replay = read_whole(file).value_or("");
    std::istringstream stream(replay);
    std::vector<std::string> words{std::istream_iterator<std::string>(stream), {}};
    constexpr std::size_t kFront = 4;  // racier stress --preset P
    if (words.size() <= kFront) return "";
    words.erase(words.begin() + 1, words.begin() + kFront);
    std::vector<const char*> arguments;
    for (const std::string& word : words) arguments.push_back(word.c_str());
    const auto parsed =
        parse_stress_options(static_cast<int>(arguments.size()), arguments.data(), 0);
    if (parsed.exit_code || !parsed.options.round) return "";
    const StressOptions& options = parsed.options;
    return program::print(round_program(options.round_options(*options.round)));
  }
  return "";
}

// Returns the input on which the fuzzer died, if it left one.
std::string artifact(const fs::path& folder) {
  constexpr std::string_view kNames[] = {"crash-", "timeout-", "oom-", "leak-"};
  for (const fs::path& file : files_in(folder)) {
    const std::string name = file.filename();
    const bool is_one = std::ranges::any_of(
        kNames, [&](std::string_view start) { return name.starts_with(start); });
    if (is_one) return read_whole(file).value_or("");
  }
  return "";
}

std::string how_to_replay(const Job& job, const Places& places, const Arming& arming,
                          const Found& found, const std::string& on_threads) {
  const std::string folder = (places.findings() / found.slug()).string();
  std::string text;
  if (!found.program.empty()) {
    text += "racier repro run " + folder + "/program.racier\n";
  }
  if (!found.input.empty()) {
    text += fmt::format("racier repro --preset {} run", job.cell->preset);
    for (const std::string& bug : arming.bugs) text += " --bug " + bug;
    if (!arming.rmap.empty()) text += " --rmap " + arming.rmap;
    text += fmt::format(" {}/input\n", folder);
  }
  text += on_threads;
  if (!text.empty() && !text.ends_with('\n')) text += '\n';
  return text + "# found by " + job.name() + "\n";
}

// Returns the program that the fuzzer made of `input`.
program::Program program_of(const std::string& input, const Arming& arming) {
  const auto* const bytes = reinterpret_cast<const std::uint8_t*>(input.data());
  program::Program program = program::decode({bytes, input.size()});
  for (const std::string& name : arming.bugs) {
    if (const auto bug = bug::find(name)) program.bugs.arm(*bug);
  }
  if (!arming.rmap.empty()) program.machine.rmap = arming.rmap;
  return program;
}

// Returns how often racier-stress has seen each signature.
std::uint64_t count_in(const nlohmann::json& result, const std::string& signature) {
  if (!result.is_object() || !result.contains("findings")) return 1;
  for (const auto& row : result["findings"]) {
    if (row.value("signature", "") == signature) return row.value("count", 1ull);
  }
  return 1;
}

bool ended_badly(const ChildEnd& end) {
  if (end.hung || end.signal != 0) return true;
  // Wrong use, could not run, libFuzzer was interrupted, could not be started.
  constexpr int kNoFinding[] = {0, 2, 3, 72, 127};
  return std::ranges::find(kNoFinding, end.exit_code) == std::end(kNoFinding);
}

}  // namespace

Found crash_in_log(std::string_view log, const Cell& cell, const ChildEnd& end) {
  Found found;
  const char* const tool = cell.tool == Tool::kFuzz ? "program_fuzz" : "racier-stress";
  const std::string_view summary = behind(line_with(log, "SUMMARY: "), "SUMMARY: ");
  std::string_view assertion = behind(line_with(log, ": Assertion '"), ": Assertion '");
  assertion = assertion.substr(0, assertion.rfind("' failed"));
  if (end.hung) {
    found.kind = "hang";
    found.title =
        fmt::format("{} ({}) did not end when its time was over", tool, cell.preset);
  } else if (!assertion.empty()) {
    found.kind = "assertion";
    found.title = assertion;
  } else if (!summary.empty() && summary != "libFuzzer: deadly signal") {
    found.kind = summary.starts_with("libFuzzer: timeout")         ? "timeout"
                 : summary.starts_with("libFuzzer: out-of-memory") ? "out-of-memory"
                                                                   : "sanitizer";
    found.title = stable(summary);
  } else if (end.signal == 9) {
    found.kind = "killed";
    found.title = fmt::format("{} ({}) was killed: out of memory?", tool, cell.preset);
  } else if (end.signal != 0) {
    found.kind = "crash";
    found.title =
        fmt::format("{} ({}): {}", tool, cell.preset, ::strsignal(end.signal));
  } else {
    found.kind = "crash";
    found.title = fmt::format("{} ({}) ended with exit code {}", tool, cell.preset,
                              end.exit_code);
  }
  return found;
}

Harvest read_harvest(const Job& job, const Places& places, const Arming& arming,
                     const std::optional<ChildEnd>& end) {
  Harvest harvest;
  const fs::path folder = job.folder(places);
  const std::string log = read_whole(job.log(places)).value_or("");
  const auto result = nlohmann::json::parse(
      read_whole(folder / "result.json").value_or(""), nullptr, false);
  harvest.work = work_in_log(job.cell->tool, log);
  harvest.inputs = files_in(folder / "corpus");
  const std::string input = artifact(folder);
  for (const fs::path& file : files_in(folder)) {
    if (file.extension() != ".racier") continue;
    auto found = found_in(read_whole(file).value_or(""));
    if (!found) continue;
    found->count = count_in(result, found->signature());
    found->input = input;
    found->report = report_of(log);
    const auto on_threads =
        behind(line_with(found->program, "racier stress --preset"), "# ");
    found->replay = how_to_replay(job, places, arming, *found, std::string(on_threads));
    harvest.found.push_back(std::move(*found));
  }
  // Of a job that nobody saw end (the campaign itself was killed) an input that
  // libFuzzer saved is proof enough: it saves one only when it dies of it.
  const bool died = end ? ended_badly(*end) : !input.empty();
  if (!harvest.found.empty() || !died) return harvest;
  Found found = crash_in_log(log, *job.cell, end.value_or(ChildEnd{}));
  std::string on_threads;
  if (!input.empty()) {
    found.program = program::print(program_of(input, arming));
  } else if (job.cell->tool == Tool::kStress) {
    found.program = running_round(folder, on_threads);
  }
  found.input = input;
  found.report = report_of(log);
  found.replay = how_to_replay(job, places, arming, found, on_threads);
  harvest.found.push_back(std::move(found));
  return harvest;
}

}  // namespace racier::stress
