// stress/value_audit.cc - follows loaded words to their stores.
// Tested by value_audit_test.cc.
#include "stress/value_audit.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include "core/base/invariant.h"
#include "core/check/values.h"
#include "core/program/ops.h"
#include "core/program/print.h"

namespace racier::stress {
namespace {

using program::Call;
using program::Outcome;
using program::Program;
using program::Variable;

// Where a heap or a stack is: no outcome tells.
constexpr std::uint64_t kSomewhere = 1ull << 63;

// A call of the program, with its number's worth of context.
struct Place {
  const Call* call;
  std::string_view op;
  int list;
};

class ValueAudit {
 public:
  ValueAudit(const Program& program, std::span<const Outcome> outcomes)
      : outcomes_(outcomes) {
    const program::Scope scope = program::scope_of(program);
    parents_.resize(scope.of(Variable::kProcess), program::kNoVariable);
    originals_.resize(scope.of(Variable::kProcess), program::kNoVariable);
    for (int list = 0; list < program.lists(); ++list) {
      for (const Call& call : program.list(list)) add(list, call);
    }
    for (const std::size_t move : moves_) {
      const Range from = moved_by(move);
      const VirtAddr to = moved_to(move);
      if (from.start >= kSomewhere) {
        from_a_heap_.push_back({to, to + (from.end - from.start)});
      }
    }
    note_where_it_moves(from_a_heap_);
    note_where_it_moves(shared_);
    for (const std::size_t move : moves_) note_what_grew(move);
    note_where_it_moves(grown_);
    note_where_it_moves(of_files_);
  }

  std::optional<Finding> run() const {
    for (std::size_t i = 0; i < places_.size(); ++i) {
      if (places_[i].op != "read" || outcomes_[i].kind != Outcome::Kind::kValue) {
        continue;
      }
      const char* const wrong = what_is_wrong(i);
      if (wrong != nullptr) return finding(i, wrong);
    }
    return std::nullopt;
  }

 private:
  struct Range {
    VirtAddr start;
    VirtAddr end;
  };

  void add(int list, const Call& call) {
    const program::Op& op = program::op_of(call);
    const Outcome& outcome = outcomes_[places_.size()];
    places_.push_back({&call, op.name, list});
    const std::string_view name = op.name;
    if (op.defines == Variable::kMapping) {
      // A stack's mapping begins below what the outcome tells.
      const bool told = name != "brk" && name != "mmap_growsdown" && name != "exec";
      const bool placed = outcome.kind == Outcome::Kind::kValue && told;
      starts_.push_back(placed ? outcome.value : kSomewhere);
      const bool shares = name == "mmap" || name == "mmap_over";
      if (placed && shares && call.arguments[name == "mmap" ? 3 : 5] != 0) {
        const std::uint64_t pages = call.arguments[name == "mmap" ? 1 : 3];
        shared_.push_back({outcome.value, outcome.value + (pages << kPageShift)});
      }
      // One that ran out of memory half-way has moved pages, and moved them back.
      const bool undone = outcome.status == Status::kNoMemory;
      if (name.starts_with("mremap") && (placed || undone)) {
        moves_.push_back(places_.size() - 1);
      }
      // One page of a file may be seen at many addresses.
      if (placed && name == "mmap_file_shared") {
        const std::uint64_t pages = call.arguments[1];
        of_files_.push_back({outcome.value, outcome.value + (pages << kPageShift)});
      }
    }
    if (op.defines == Variable::kProcess) {
      if (name == "fork") parents_[processes_] = call.arguments[0];
      const bool shares = name == "clone" || name == "vfork";
      if (shares) originals_[processes_] = call.arguments[0];
      ++processes_;
    }
  }

  // What a successful mremap took the pages from; they went to its outcome.
  Range moved_by(std::size_t move) const {
    const auto& arguments = places_[move].call->arguments;
    // What is shared goes on behind the old pages, if it grows.
    if (places_[move].op.ends_with("_at")) {
      const std::uint64_t pages = std::max(arguments[2], arguments[3]);
      return {arguments[1], arguments[1] + (pages << kPageShift)};
    }
    const VirtAddr mapping =
        arguments[1] < starts_.size() ? starts_[arguments[1]] : kSomewhere;
    const VirtAddr start = mapping + (arguments[2] << kPageShift);
    const std::uint64_t pages = std::max(arguments[3], arguments[4]);
    return {start, start + (pages << kPageShift)};
  }

  // Where they went; of one that was undone perhaps no outcome tells.
  VirtAddr moved_to(std::size_t move) const {
    if (outcomes_[move].kind == Outcome::Kind::kValue) return outcomes_[move].value;
    const auto& arguments = places_[move].call->arguments;
    if (places_[move].op == "mremap_over_at") return arguments[4];
    if (places_[move].op != "mremap_over") return kSomewhere;
    const VirtAddr mapping =
        arguments[5] < starts_.size() ? starts_[arguments[5]] : kSomewhere;
    return mapping + (arguments[6] << kPageShift);
  }

  // Adds to `ranges` where mremap may have moved them.
  void note_where_it_moves(std::vector<Range>& ranges) const {
    for (std::size_t again = 0; again < moves_.size(); ++again) {
      const std::size_t before = ranges.size();
      for (const std::size_t move : moves_) {
        const Range from = moved_by(move);
        const VirtAddr to = moved_to(move);
        for (VirtAddr at = from.start; at < from.end; at += kPageSize) {
          const VirtAddr there = to + (at - from.start);
          if (!is_in(ranges, at) || is_in(ranges, there)) continue;
          ranges.push_back({there, there + kPageSize});
        }
      }
      if (ranges.size() == before) return;
    }
  }

  // Adds the shared pages that a move showed for the first time: what they are goes by
  // the place in their file of those before them, which may have come from anywhere.
  void note_what_grew(std::size_t move) {
    const auto& arguments = places_[move].call->arguments;
    const bool at = places_[move].op.ends_with("_at");
    const VirtAddr old_size = arguments[at ? 2 : 3] << kPageShift;
    const Range from = moved_by(move);
    const VirtAddr to = moved_to(move);
    if (!is_in(shared_, to) || from.end - from.start <= old_size) return;
    grown_.push_back({to + old_size, to + (from.end - from.start)});
  }

  // Of an access: process, mapping, page, word.
  VirtAddr address(std::size_t number) const {
    const auto& arguments = places_[number].call->arguments;
    if (arguments[1] >= starts_.size()) return kSomewhere;
    const VirtAddr start = starts_[arguments[1]];
    return start + (arguments[2] << kPageShift) + arguments[3] * sizeof(std::uint64_t);
  }

  // Returns where a call stores, if it is of those that do; a place that nothing tells
  // has only its word.
  std::optional<VirtAddr> place_of_store(std::size_t number) const {
    if (number >= places_.size()) return std::nullopt;
    const std::string_view op = places_[number].op;
    const auto& arguments = places_[number].call->arguments;
    if (op == "write" || op == "remote_write" || op == "aio_read") {
      return address(number);
    }
    constexpr std::uint64_t kWord = sizeof(std::uint64_t);
    // (Whose memory it was, the variable does not tell.)
    if (op == "secondary_write") return kSomewhere + arguments[3] * kWord;
    if (op == "file_write") return kSomewhere + arguments[2] * kWord;
    if (op == "pin_write") return kSomewhere + arguments[1] * kWord;
    return std::nullopt;
  }

  const char* what_is_wrong(std::size_t number) const {
    const std::uint64_t value = outcomes_[number].value;
    if (value == 0 || check::is_file_word(value)) return nullptr;
    const std::uint64_t store = check::tag_of(value).call;
    // What a program is started with.
    if (store < places_.size() && places_[store].op == "exec") return nullptr;
    const std::optional<VirtAddr> place = place_of_store(store);
    if (!place) return "no call stored it";
    if (outcomes_[store].kind != Outcome::Kind::kValue ||
        outcomes_[store].value != value) {
      return "the call that it names stored something else";
    }
    if (places_[store].list == places_[number].list && store > number) {
      return "it is stored later in the same task";
    }
    const VirtAddr to = *place;
    const VirtAddr from = address(number);
    if (to >= kSomewhere || from >= kSomewhere || is_in(of_files_, to) ||
        is_in(from_a_heap_, from)) {
      return to % kPageSize == from % kPageSize ? nullptr
                                                : "it was stored to another word";
    }
    if (!may_move(to, from)) return "it was stored to another address";
    if (is_in(shared_, from)) return nullptr;
    const auto& stored = places_[store].call->arguments;
    const auto& loaded = places_[number].call->arguments;
    if (!descends(loaded[0], stored[0])) {
      return "it is of a process that is no ancestor";
    }
    return nullptr;
  }

  // Returns whether what is stored at `to` may be at `from` later, moved by mremap; or
  // is there, in another process, which sees shared memory where it was.
  bool may_move(VirtAddr to, VirtAddr from) const {
    std::vector<VirtAddr> reached = {to};
    const auto reach = [&reached](VirtAddr there) {
      if (std::ranges::find(reached, there) == reached.end()) reached.push_back(there);
    };
    for (std::size_t next = 0; next < reached.size(); ++next) {
      const VirtAddr at = reached[next];
      if (at == from || at >= kSomewhere) return true;
      const bool grew = is_in(grown_, at) || is_in(grown_, from);
      if (grew && is_in(shared_, at) && is_in(shared_, from)) {
        return at % kPageSize == from % kPageSize;
      }
      for (const std::size_t move : moves_) {
        const Range old = moved_by(move);
        const VirtAddr went_to = moved_to(move);
        if (old.start <= at && at < old.end) reach(went_to + (at - old.start));
        // What was stored where nobody knows came back when that was undone.
        const bool came_back = old.start <= from && from < old.end;
        if (went_to >= kSomewhere && came_back) return true;
        const VirtAddr came_from = at - went_to + old.start;
        const bool moved = went_to <= at && at - went_to < old.end - old.start;
        if (moved && is_in(shared_, came_from)) reach(came_from);
      }
    }
    return false;
  }

  static bool is_in(const std::vector<Range>& ranges, VirtAddr addr) {
    return std::ranges::any_of(ranges, [&](const Range& range) {
      return range.start <= addr && addr < range.end;
    });
  }

  // Returns whether `process` is `ancestor`, a clone of it, or descends from it.
  bool descends(std::uint64_t process, std::uint64_t ancestor) const {
    ancestor = original(ancestor);
    process = original(process);
    while (process != ancestor) {
      if (process >= parents_.size()) return false;
      process = original(parents_[process]);
    }
    return true;
  }
  // Returns the variable of which this one is a clone: it names the same memory.
  std::uint64_t original(std::uint64_t process) const {
    while (process < originals_.size() && originals_[process] != program::kNoVariable) {
      process = originals_[process];
    }
    return process;
  }

  Finding finding(std::size_t number, const char* wrong) const {
    const std::uint64_t value = outcomes_[number].value;
    const inv::Row& row = inv::row(Inv::kDataIsLastStore);
    const auto line = [&](std::size_t of) {
      return program::print_call(*places_[of].call, 0) + " (call " +
             std::to_string(of) + ")";
    };
    Finding finding{.kind = row.kind, .title = row.sentence, .detail = {}, .where = {}};
    finding.detail =
        line(number) + " returned " + check::describe_value(value) + ":\n" + wrong;
    const std::uint64_t store = check::tag_of(value).call;
    if (store < places_.size()) finding.detail += "\nthat call: " + line(store);
    return finding;
  }

  std::span<const Outcome> outcomes_;
  std::vector<Place> places_;             // by number of the call
  std::vector<VirtAddr> starts_;          // by mapping
  std::vector<std::size_t> moves_;        // calls of mremap that were made
  std::vector<std::uint64_t> parents_;    // by process
  std::vector<std::uint64_t> originals_;  // by process: of a clone
  std::vector<Range> shared_;             // that were shared memory at any time
  std::vector<Range> grown_;              // shared memory that came when it moved
  std::vector<Range> of_files_;           // that were shared mappings of files
  std::vector<Range> from_a_heap_;        // to where mremap moved it, or parts of it
  std::uint64_t processes_ = 0;
};

}  // namespace

std::optional<Finding> audit_values(const Program& program,
                                    std::span<const Outcome> outcomes) {
  return ValueAudit(program, outcomes).run();
}

}  // namespace racier::stress
