// stress/stress.cc - the life of racier-stress.  Tested by racier_stress_test.sh.
#include "stress/stress.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "stress/duration.h"
#include "stress/finding_text.h"
#include "stress/monitor.h"
#include "stress/stop_signals.h"
#include "stress/whole_file.h"

namespace racier::stress {

Stress::Stress(const StressOptions& options) : options_(options) {
  note_name_ =
      (options_.findings / fmt::format("stress-running-{}.txt", ::getpid())).string();
  note_ = ::open(note_name_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
}

Stress::~Stress() {
  if (note_ < 0) return;
  ::close(note_);
  ::unlink(note_name_.c_str());
}

int Stress::run() {
  const std::string length =
      (options_.rounds != 0 ? fmt::format("{} rounds", options_.rounds) : "") +
      (options_.rounds != 0 && options_.duration.count() != 0 ? ", " : "") +
      (options_.duration.count() != 0 ? print_duration(options_.duration) : "") +
      (options_.rounds == 0 && options_.duration.count() == 0 ? "until it is stopped"
                                                              : "");
  screen_.line(fmt::format("--- Start of test: " RACIER_PRESET " {}: {}",
                           print_options(options_), length));
  MonitorOptions watching;
  watching.stuck_after = options_.stuck_after;
  watching.interval = screen_.interval();
  watching.show_progress = [this] { show_progress(); };
  watching.hung = [this](const Finding& finding) { hung(finding); };
  {
    const Monitor monitor(runner_.runtime(), runner_.counts(), watching);
    for (std::uint64_t rounds = 0; goes_on(rounds); ++rounds) {
      run_round(options_.round.value_or(rounds));
    }
  }
  return finish();
}

bool Stress::goes_on(std::uint64_t rounds) const {
  if (stop_requested()) return false;
  if (options_.abort && failed_ != 0) return false;
  if (options_.rounds != 0 && rounds >= options_.rounds) return false;
  return options_.duration.count() == 0 || Clock::now() - start_ < options_.duration;
}

void Stress::run_round(std::uint64_t round) {
  note_round(round);
  round_ = round;
  program_ = round_program(options_.round_options(round));
  const std::uint64_t seed = round_seed(options_.seed, round);
  const RoundResult result =
      runner_.run(program_, seed, options_.jitter.value_or(draw_jitter(seed)));
  ++rounds_;
  tally_.add(result.tally);
  if (result.finding) record(*result.finding, result.phase);
}

// Leaves word of what is about to run, for the case that the process does not survive
// it.
void Stress::note_round(std::uint64_t round) {
  const std::string replay = replay_command(options_, round);
  set_last_words("");
  last_words_ = fmt::format("racier-stress: !!! died in round {}: {}\n", round, replay);
  set_last_words(last_words_.c_str());
  const std::string note = replay + "\n";
  if (note_ < 0) return;
  const bool written =
      ::pwrite(note_, note.data(), note.size(), 0) == static_cast<ssize_t>(note.size());
  if (written) [[maybe_unused]]
    const int ok = ::ftruncate(note_, ssize_t(note.size()));
}

void Stress::record(const Finding& finding, program::Phase phase) {
  const std::lock_guard lock(mutex_);
  ++failed_;
  Known& known = known_[finding.signature()];
  if (++known.count > 1) return;
  known.finding = finding;
  known.round = round_;
  known.seconds = seconds();
  screen_.complain(fmt::format("round {} (seed {}): {}", known.round, options_.seed,
                               finding_report(finding, phase)));
  write_program(known, phase);
}

void Stress::write_program(Known& known, program::Phase phase) {
  const std::string replay = replay_command(options_, known.round);
  const std::string text = finding_program(program_, known.finding, phase, replay);
  const auto file =
      options_.findings / ("stress-" + finding_slug(known.finding) + ".racier");
  const std::string error = write_whole(file, text);
  if (error.empty()) {
    known.file = file.string();
    screen_.complain("written to " + known.file + "; once more: " + replay);
  } else {
    screen_.complain(error + "; once more: " + replay);
  }
}

void Stress::hung(const Finding& finding) {
  record(finding, program::Phase::kTasks);
  screen_.complain("the threads do not leave the round: giving up");
  finish();
  ::unlink(note_name_.c_str());
  ::_exit(1);
}

double Stress::seconds() const {
  return std::chrono::duration<double>(Clock::now() - start_).count();
}

std::string Stress::totals() const {
  std::uint64_t most = 0;
  std::uint64_t least = ~0ull;
  for (int i = 0; i < options_.threads; ++i) {
    most = std::max(most, runner_.counts().of(i));
    least = std::min(least, runner_.counts().of(i));
  }
  const std::uint64_t total = runner_.counts().total();
  // rcutorture's mark of unfairness
  const bool unfair = most / 2 > least && total > 1000;
  return fmt::format(
      "Calls: Total: {}  Max/Min: {}/{}{}  Fail: {}{}  Rounds: {}  {:.0f}/s", total,
      most, least, unfair ? " ???" : "", failed_.load(), failed_ != 0 ? " !!!" : "",
      rounds_.load(), static_cast<double>(total) / std::max(seconds(), 0.001));
}

void Stress::show_progress() {
  const std::chrono::seconds now(static_cast<std::int64_t>(seconds()));
  std::string text = totals() + "  " + print_duration(now);
  if (options_.duration.count() != 0) {
    text += " of " + print_duration(options_.duration);
  }
  screen_.progress(text);
}

int Stress::finish() {
  const bool idle = tally_.done() == 0 && failed_ == 0 && !stop_requested();
  if (idle) screen_.complain("0 operations done");
  const char* const verdict = failed_ == 0 && !idle ? "SUCCESS" : "FAILURE";
  const int json = options_.json.empty() ? 0 : write_json(verdict);
  const std::lock_guard lock(mutex_);
  screen_.line(totals());
  for (const auto& [signature, known] : known_) {
    screen_.line(fmt::format("!!! {} times, first in round {} after {:.1f} s: {}",
                             known.count, known.round, known.seconds, signature));
  }
  screen_.line(fmt::format("--- End of test: {}: " RACIER_PRESET " {} {}", verdict,
                           print_options(options_),
                           stop_requested() ? "(stopped)" : ""));
  if (failed_ != 0) return 1;
  return idle ? 3 : json;
}

int Stress::write_json(const char* verdict) {
  nlohmann::ordered_json report;
  report["program"] = "racier-stress";
  report["preset"] = RACIER_PRESET;
  report["compiler"] = __VERSION__;
  report["options"] = print_options(options_);
  report["seed"] = options_.seed;
  report["workload"] = options_.workload->name;
  report["threads"] = options_.threads;
  report["seconds"] = seconds();
  report["rounds"] = rounds_.load();
  report["calls"] = runner_.counts().total();
  report["calls_that_did_something"] = tally_.done();
  report["calls_skipped"] = tally_.skipped;
  for (std::size_t i = 0; i < kStatuses; ++i) {
    if (tally_.calls[i] == 0) continue;
    report["outcomes"][status_name(static_cast<Status>(i))] = tally_.calls[i];
  }
  for (const mark::Row& row : mark::rows()) {
    report["marks"][row.name] = tally_.marks[static_cast<std::size_t>(row.mark)];
  }
  report["calls_per_second"] =
      static_cast<double>(runner_.counts().total()) / std::max(seconds(), 0.001);
  report["calls_of_threads"] = nlohmann::json::array();
  for (int i = 0; i < options_.threads; ++i) {
    report["calls_of_threads"].push_back(runner_.counts().of(i));
  }
  report["failed_rounds"] = failed_.load();
  report["findings"] = nlohmann::json::array();
  const std::lock_guard lock(mutex_);
  for (const auto& [signature, known] : known_) {
    report["findings"].push_back({{"signature", signature},
                                  {"kind", finding_kind_name(known.finding.kind)},
                                  {"title", known.finding.title},
                                  {"count", known.count},
                                  {"first_round", known.round},
                                  {"first_after_seconds", known.seconds},
                                  {"program", known.file},
                                  {"replay", replay_command(options_, known.round)}});
  }
  report["stopped"] = stop_requested();
  report["verdict"] = verdict;
  const std::string text =
      report.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  const std::string error = write_whole(options_.json, text);
  if (error.empty()) return 0;
  screen_.complain(error);
  return 3;
}

}  // namespace racier::stress
