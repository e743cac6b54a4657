// repro/thread_hunter.cc - see thread_hunter.h.  Tested by thread_hunter_test.cc.
#include "repro/thread_hunter.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "repro/files.h"
#include "repro/hunt_progress.h"
#include "repro/in_child.h"
#include "stress/monitor.h"
#include "stress/round_runner.h"
#include "stress/stop_signals.h"
#include "stress/workload.h"

namespace racier::repro {
namespace {

using Clock = std::chrono::steady_clock;
using Json = nlohmann::ordered_json;

// A round in which no call ends for so long is ended, and one that does not end then
// after so long again takes its process with it.
constexpr std::chrono::seconds kStuckAfter{5};
constexpr std::chrono::seconds kGrace{30};  // more than both

// What a child has done so far, where its parent finds it however the child ends.
struct Done {
  std::uint64_t rounds = 0;  // begun
  std::uint64_t others = 0;  // findings that are not what is looked for
};
class Note {
 public:
  Note() : file_(::memfd_create("rounds", MFD_CLOEXEC)) {
    if (file_.get() < 0) throw CannotRun("no file in memory");
  }
  void write(const Done& done) {
    const bool written =
        ::pwrite(file_.get(), &done, sizeof done, 0) == ssize_t{sizeof done};
    if (!written) throw CannotRun("a file in memory cannot be written");
  }
  Done read() const {
    Done done;
    if (::pread(file_.get(), &done, sizeof done, 0) != ssize_t{sizeof done}) return {};
    return done;
  }

 private:
  Descriptor file_;
};

Json json_of(const Finding& finding) {
  return {{"kind", finding_kind_name(finding.kind)},
          {"title", finding.title},
          {"signature", finding.signature()}};
}

// Rounds of one program until one has a finding that is wanted.
class RoundSearch {
 public:
  using Wanted = std::function<bool(FindingKind)>;
  using WantedDeath = std::function<bool(const std::string& death)>;

  RoundSearch(const program::Program& program, Wanted wanted, WantedDeath wanted_death)
      : program_(program),
        wanted_(std::move(wanted)),
        wanted_death_(std::move(wanted_death)) {}

  SearchResult search(std::uint64_t seed, const SearchLimits& limits, Hunted& hunted) {
    const auto begin = Clock::now();
    SearchResult search;
    search.seed = seed;
    for (;;) {
      search.seconds = hunt_seconds(begin);
      if (const auto end = end_of(search, limits)) {
        search.end = *end;
        break;
      }
      const SearchLimits left{limits.executions - search.executions,
                              limits.time - (Clock::now() - begin)};
      if (one_child(search, left, hunted)) break;
    }
    search.seconds = hunt_seconds(begin);
    return search;
  }

 private:
  // Adds what a child does to `search` and `hunted`.  Returns whether it has found it.
  bool one_child(SearchResult& search, const SearchLimits& left, Hunted& hunted) {
    note_.write({});
    const auto time = std::chrono::ceil<std::chrono::milliseconds>(left.time);
    const ChildProcess::Work work = [&](const ChildProcess::Say& say) {
      run_rounds(search.seed, search.executions, left, say);
    };
    const ChildResult result = run_in_child(work, Clock::now() + time + kGrace);
    const Done done = note_.read();
    search.executions += done.rounds;
    hunted.others += done.others;
    std::string_view lines = result.said;
    for (auto end = lines.find('\n'); end != lines.npos; end = lines.find('\n')) {
      const Json said = Json::parse(lines.substr(0, end));
      lines.remove_prefix(end + 1);
      if (said.at("wanted")) return found(search, said.at("kind"), said.at("title"));
      if (hunted.other.empty()) hunted.other = said.at("signature");
    }
    const std::string death = death_of(result);
    if (death.empty()) return false;
    if (wanted_death_(death)) return found(search, "death", death);
    ++hunted.others;
    if (hunted.other.empty()) hunted.other = "death | " + death;
    return false;
  }

  static bool found(SearchResult& search, std::string kind, std::string title) {
    search.end = SearchEnd::kFound;
    search.kind = std::move(kind);
    search.title = std::move(title);
    return true;
  }

  // In the child.  Says the first finding, and the one that is wanted.
  void run_rounds(std::uint64_t seed, std::uint64_t first, const SearchLimits& limits,
                  const ChildProcess::Say& say) {
    const auto begin = Clock::now();
    Done done;
    const auto tell = [&](const Finding& finding) {
      const bool wanted = wanted_(finding.kind);
      if (!wanted) note_.write({done.rounds, ++done.others});
      if (!wanted && done.others > 1) return false;
      Json json = json_of(finding);
      json["wanted"] = wanted;
      say(json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
      return wanted;
    };
    stress::RoundRunner runner;
    stress::MonitorOptions watching;
    watching.stuck_after = watching.patience = kStuckAfter;
    watching.hung = [&](Finding finding) {
      finding.title = "hung: " + finding.title;
      tell(finding);
      std::_Exit(0);  // threads do not leave the round
    };
    const stress::Monitor monitor(runner.runtime(), runner.counts(), watching);
    while (done.rounds < limits.executions && Clock::now() - begin < limits.time &&
           !stress::stop_requested()) {
      const std::uint64_t round = stress::round_seed(seed, first + done.rounds);
      ++done.rounds;
      note_.write(done);
      const auto result = runner.run(program_, round, stress::draw_jitter(round));
      if (result.finding && tell(*result.finding)) return;
    }
  }

  const program::Program& program_;
  const Wanted wanted_;
  const WantedDeath wanted_death_;
  Note note_;
};

}  // namespace

Hunted hunt_on_threads(const program::Program& program, const bug::Row& row,
                       const HuntLimits& limits,
                       const std::function<void(const Hunted&)>& tell) {
  Hunted hunted;
  program::Program quarry = without_its_schedule(program);
  RoundSearch unarmed(
      quarry, [](FindingKind) { return true; },
      [](const std::string&) { return true; });
  hunted.unarmed =
      unarmed.search(limits.seed, {limits.clean, limits.search.time}, hunted);
  tell(hunted);
  if (!hunted.clean()) return hunted;

  quarry.bugs.arm(row.bug);
  RoundSearch armed(
      quarry, [&](FindingKind kind) { return is_shown_by(row, kind); },
      [&](const std::string& death) { return is_shown_by_death(row, death); });
  for (std::uint64_t i = 0; i < limits.repeat && !stress::stop_requested(); ++i) {
    hunted.searches.push_back(armed.search(limits.seed + i, limits.search, hunted));
    tell(hunted);
  }
  return hunted;
}

}  // namespace racier::repro
