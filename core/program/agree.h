// core/program/agree.h - one program on every design of the reverse map: do users see
// the same?
//
// What a user may see is no matter of the design: the outcomes of calls, the bytes of
// memory, what is mapped where, and who shares a page with whom.  A program whose tasks
// run together may differ in all of it, for the designs take different steps, and one
// schedule is another interleaving.  So the calls are made one after another, by one
// task, in an order that the program's seed draws; and nothing may differ that memory
// decides: there is plenty of it, more than a fuzzer's program can use; no allocation
// is made to fail; what is freed lazily is freed at once; no notifier sleeps; nothing
// is pinned where pages are taken away; and a program that comes near its end all the
// same is not compared.
//
// What is compared always:
//   - outcomes of calls: status and value; not those of ops that take pages away
//     (unmap_page, reclaim), nor, once such an op was there, what page_referenced says,
//     nor whether a load is refused that its mapping does not allow;
//   - mappings: where, what they allow, of which file; two that touch and are alike
//     count as one, for whether they may be merged is the design's affair (so a program
//     in which one design refuses an mremap of two vmas is not compared, either);
//   - for every page of every process that was written to, and for the first pages of
//     its mappings of files: the bytes, as a user access gets them;
//   - for every anonymous page: with whom it is shared.
// Not compared, because a walk has no order and an LRU list holds what a design keeps:
//   which pages reclaim takes, and of a page that somebody uses, which ptes lose it
//   before the walk comes to that one; so, once pages were taken away, neither who
//   takes a fault on an access, nor ptes.
// A program that takes no pages away must agree in these, too: the faults of every
// access with their codes, and every pte with all its marks.
//
// That each design shows exactly the mappings that the page tables hold is what the
// audit looks for, at the end of each run.
#pragma once
#include <array>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/check/brute_force.h"
#include "core/program/program.h"
#include "core/program/runner.h"

namespace racier::program {

struct SeenMapping {
  std::uint32_t mm = 0;
  VirtRange range;
  std::uint32_t vm_flags = 0;
  int file = -1;                // -1: private anonymous memory
  std::uint64_t file_page = 0;  // the first
  bool operator==(const SeenMapping&) const = default;
};

struct SeenPage {
  std::uint32_t mm = 0;
  VirtAddr addr = 0;
  Status status = Status::kOk;  // of a load
  std::uint64_t content = 0;    // a hash of it
  // Of an anonymous page, the number in the list of the first page that is the same
  // one.
  std::uint32_t first_sharer = 0;
  bool operator==(const SeenPage&) const = default;
};

struct SeenPte {
  std::uint32_t mm = 0;
  VirtAddr addr = 0;
  std::uint64_t flags = 0;  // kPresent and its kin
  bool operator==(const SeenPte&) const = default;
};

// What a run has shown.
struct Seen {
  std::string rmap;
  std::optional<Finding> finding;
  Phase phase = Phase::kSetup;
  bool short_of_memory = false;
  std::vector<Outcome> outcomes;
  std::vector<SeenMapping> mappings;
  std::vector<SeenPage> pages;
  std::vector<SeenPte> ptes;
};

// Returns `program` as it is compared: all its calls in one task, in an order drawn
// from its seed, each task's own order kept; with plenty of memory, strongly ordered.
Program one_after_another(const Program& program);

// Returns the first thing in which two runs of `program` differ and may not, a
// sentence; "": they agree.
std::string difference(const Program& program, const Seen& a, const Seen& b);

// Returns a hash of the bytes of a frame, quickly where most of them are 0.
std::uint64_t hash_of_frame(const std::byte* frame);

struct Disagreement {
  Finding finding;  // of one design, or that two disagree
  Phase phase = Phase::kSetup;
  Program program;  // one after another, on the design that found it, or the second
  bool of_one_design = false;  // a run by itself shows it
};

// How many programs were compared, and why others were not.
struct AgreementCounts {
  std::uint64_t compared = 0;
  std::uint64_t empty = 0;            // of no call
  std::uint64_t short_of_memory = 0;  // near its end, on one design at least
  std::uint64_t parted = 0;           // over two vmas that one design had merged
  std::uint64_t not_compared() const { return empty + short_of_memory + parted; }
};

// Runs programs on every design.  Belongs to one OS thread.
class Agreement {
 public:
  // `tasks` follows the fixed rule, as `alone` does (runner.h).
  Agreement(Runtime& alone, Runtime& tasks) : runner_(alone), tasks_(tasks) {}

  // Armed in every run.
  void arm(BugSet bugs) { options_.bugs = bugs; }

  // Returns what was found, or on what two designs disagree.
  std::optional<Disagreement> check(const Program& program);
  // Returns what `ordered`, the result of one_after_another(), shows on a design.
  Seen see(const Program& ordered, std::string_view rmap);

  const AgreementCounts& counts() const { return counts_; }
  std::uint64_t steps() const { return steps_; }  // of the last check()

 private:
  static bool parted(const Program& program, const Seen& a, const Seen& b);

  Runner runner_;
  Runtime& tasks_;
  RunOptions options_;
  check::BruteForce found_;
  AgreementCounts counts_;
  std::uint64_t steps_ = 0;
};

}  // namespace racier::program
