// core/program/agree.cc - runs a program on every design, and compares.
// Tested by agree_test.cc.
#include "core/program/agree.h"

#include <algorithm>
#include <cstring>

#include "core/base/random.h"
#include "core/check/brute_force.h"
#include "core/mm/fault.h"
#include "core/mm/madvise.h"
#include "core/program/edit.h"
#include "core/program/ops.h"
#include "core/program/print.h"
#include "core/rmap/scheme.h"

namespace racier::program {
namespace {

// More than a program of a fuzzer's size can use.
constexpr std::uint32_t kFrames = 4096;
constexpr std::uint32_t kSlabPages = 2048;
constexpr std::uint32_t kSwapSlots = 64;
// So many pages of a mapping of a file are looked at.
constexpr std::uint64_t kFilePagesMax = 16;

constexpr const char* kTitle = "two designs of the reverse map disagree";

// ---- Order --------------------------------------------------------------------------

// Returns which list the next call is taken from: any that has one left, as far as
// `random` says, but the set-up first.
int draw_list(const Program& program, Random& random) {
  int choices[kProgramTasksMax] = {};
  std::uint64_t count = 0;
  if (program.list(0).empty()) {
    for (int list = 2; list < program.lists(); ++list) {
      if (!program.list(list).empty()) choices[count++] = list;
    }
  }
  return count == 0 ? 0 : choices[random.below(count)];
}

// ---- What a run shows ---------------------------------------------------------------

// Looks at a machine on behalf of its users, when the last call has been made.
class Look {
 public:
  Look(Machine& m, check::BruteForce& found, Seen& seen)
      : m_(m), found_(found), seen_(seen) {}

  void take() {
    seen_.short_of_memory = m_.frames.free_count() < kFrames / 4 ||
                            m_.slab_pages.free_count() < kSlabPages / 4;
    found_.scan(m_);
    for (const check::FoundMm& of : found_.mms()) {
      for (const Vma* const vma : found_.vmas(of)) note_mapping(*of.mm, *vma);
      note_ptes(of);
    }
    for (const check::FoundMm& of : found_.mms()) {
      for (const Vma* const vma : found_.vmas(of)) note_file_pages(*of.mm, *vma);
    }
    read_pages();
  }

 private:
  struct Owner {
    Mm* mm;
    std::size_t page;  // in seen_.pages
  };

  void note_mapping(const Mm& mm, const Vma& vma) {
    SeenMapping now{mm.id, vma.range(), vma.vm_flags, -1, 0};
    if (vma.vm_file != nullptr) {
      now.file = vma.vm_file->id;
      now.file_page = vma.vm_pgoff;
    }
    if (!seen_.mappings.empty() && is_continued(seen_.mappings.back(), now)) {
      seen_.mappings.back().range.end = now.range.end;
    } else {
      seen_.mappings.push_back(now);
    }
  }

  static bool is_continued(const SeenMapping& before, const SeenMapping& now) {
    const bool alike = before.mm == now.mm && before.range.end == now.range.start &&
                       before.vm_flags == now.vm_flags && before.file == now.file;
    if (!alike || now.file < 0) return alike;
    return now.file_page == before.file_page + before.range.pages();
  }

  // Returns what the pte stands for, one number for all that share it; 0: no anonymous
  // page.  A page that is in the swap cache is its slot.
  std::uint64_t name_of(Pte pte) const {
    if (!pte.present()) return std::uint64_t{pte.swap_entry().val} << 1;
    const Page& page = m_.page(pte.pfn());
    if (m_.is_zero_page(page.pfn) || (page.mapping.peek() & kPageMappingAnon) == 0) {
      return 0;
    }
    if (page.peek(PageFlag::kSwapCache)) {
      return std::uint64_t{page.private_data.peek()} << 1;
    }
    return std::uint64_t{page.pfn} << 1 | 1;
  }

  void note_ptes(const check::FoundMm& of) {
    for (const check::FoundPte& found : found_.ptes(of)) {
      const std::uint64_t flags =
          found.pte.present() ? found.pte.bits() & ~kPageMask : 0;
      seen_.ptes.push_back({of.mm->id, found.addr, flags});
      const std::uint64_t name = name_of(found.pte);
      if (name == 0) continue;
      const auto known = std::find(names_.begin(), names_.end(), name);
      const auto number = static_cast<std::uint32_t>(known - names_.begin());
      names_.push_back(name);
      add_page(*of.mm, found.addr, number);
    }
  }

  // Whether such a page is mapped is not for users to see, so all are looked at.
  void note_file_pages(Mm& mm, const Vma& vma) {
    if (vma.vm_file == nullptr) return;
    const std::uint64_t pages = std::min(vma.pages(), kFilePagesMax);
    for (std::uint64_t i = 0; i < pages; ++i) {
      const VirtAddr addr = vma.vm_start + i * kPageSize;
      add_page(mm, addr, static_cast<std::uint32_t>(seen_.pages.size()));
    }
  }

  void add_page(Mm& mm, VirtAddr addr, std::uint32_t first_sharer) {
    owners_.push_back({&mm, seen_.pages.size()});
    seen_.pages.push_back({mm.id, addr, Status::kOk, 0, first_sharer});
  }

  // A page that may only be written to can be read as long as its pte is there.
  static bool may_read(const Mm& mm, VirtAddr addr) {
    const Vma* const vma = mm.vmas.find(addr);
    return vma == nullptr || (vma->vm_flags & (kVmRead | kVmExec)) != 0;
  }

  void read_pages() {
    for (const Owner& owner : owners_) {
      SeenPage& page = seen_.pages[owner.page];
      if (!may_read(*owner.mm, page.addr)) continue;
      const UserResult result =
          user_access(m_, *owner.mm, 0, page.addr, UserAccess::kRead);
      page.status = result.status;
      if (result.status != Status::kOk) continue;
      const Pte pte = find_pte(m_.frames, owner.mm->context, page.addr).peek();
      page.content = hash_of_frame(m_.frames.data(pte.pfn()));
    }
  }

  Machine& m_;
  check::BruteForce& found_;
  Seen& seen_;
  std::vector<std::uint64_t> names_;  // of the pages that have one, which come first
  std::vector<Owner> owners_;
};

// Looks when the last call has ended.
class LookAtTheEnd final : public CallObserver {
 public:
  LookAtTheEnd(const Runner& runner, std::size_t calls, check::BruteForce& found,
               Seen& seen)
      : runner_(runner), last_(calls - 1), found_(found), seen_(seen) {}

  void call_ends(int, std::uint32_t call) override {
    if (call == last_) Look(*runner_.machine(), found_, seen_).take();
  }

 private:
  const Runner& runner_;
  std::size_t last_;
  check::BruteForce& found_;
  Seen& seen_;
};

// ---- Comparison ---------------------------------------------------------------------

bool takes_pages(const Program& program) {
  const Calls& calls = program.tasks.front();
  return std::any_of(calls.begin(), calls.end(), [](const Call& call) {
    return op_of(call).agrees == Agrees::kNever;
  });
}

bool same_outcome(const Op& op, const Outcome& a, const Outcome& b, bool exactly) {
  if (op.agrees == Agrees::kNever) return true;
  if (exactly) return a == b;
  if (op.agrees == Agrees::kWhileNothingIsTaken) return true;
  const bool refused = a.status == Status::kFault || b.status == Status::kFault;
  if (op.agrees == Agrees::kUnlessRefused && refused) return true;
  return a.kind == b.kind && a.status == b.status && a.value == b.value;
}

std::string str(const SeenMapping& mapping) {
  return "mm " + std::to_string(mapping.mm) + " pages " +
         std::to_string(mapping.range.start >> kPageShift) + " to " +
         std::to_string(mapping.range.end >> kPageShift) + " flags " +
         std::to_string(mapping.vm_flags) + " file " + std::to_string(mapping.file) +
         " from " + std::to_string(mapping.file_page);
}

std::string place(std::uint32_t mm, VirtAddr addr) {
  return "mm " + std::to_string(mm) + " page " + std::to_string(addr >> kPageShift);
}

std::string str(const SeenPage& page) {
  return place(page.mm, page.addr) + " " + status_word(page.status) + " content " +
         std::to_string(page.content) + " shared with number " +
         std::to_string(page.first_sharer);
}

std::string str(const SeenPte& pte) {
  return place(pte.mm, pte.addr) + " pte flags " + std::to_string(pte.flags);
}

// Returns where two lists differ, in words; "" if they do not.
template <typename T>
std::string first_difference(const char* noun, const std::vector<T>& a,
                             const std::vector<T>& b) {
  const auto at = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  if (at.first == a.end() && at.second == b.end()) return "";
  return std::string(noun) + " " + std::to_string(at.first - a.begin()) + ": " +
         (at.first == a.end() ? "none" : str(*at.first)) + " / " +
         (at.second == b.end() ? "none" : str(*at.second));
}

// Returns whether one design refused what the other did because it had not merged
// vmas: the rest cannot be compared.
bool parted_ways(const Op& op, const Outcome& a, const Outcome& b) {
  return op.agrees == Agrees::kOnOneVma &&
         (a.status == Status::kFault) != (b.status == Status::kFault);
}

// Returns the number of the first call whose outcomes differ, or the number of calls.
std::size_t first_outcome_that_differs(const Program& program, const Seen& a,
                                       const Seen& b, bool exactly) {
  const Calls& calls = program.tasks.front();
  std::size_t i = 0;
  while (i < calls.size() &&
         same_outcome(op_of(calls[i]), a.outcomes[i], b.outcomes[i], exactly)) {
    ++i;
  }
  return i;
}

std::string outcome_difference(const Program& program, const Seen& a, const Seen& b,
                               bool exactly) {
  const Calls& calls = program.tasks.front();
  const std::size_t differs = first_outcome_that_differs(program, a, b, exactly);
  Scope defined;
  for (std::size_t i = 0; i <= differs && i < calls.size(); ++i) {
    const Op& op = op_of(calls[i]);
    const std::uint64_t number = op.defines ? defined.of(*op.defines)++ : 0;
    if (i < differs) continue;
    return "`" + print_call(calls[i], number) + "`: " + a.outcomes[i].str() + " / " +
           b.outcomes[i].str();
  }
  return "";
}

// Erases what does not go with ops that take pages away.
void erase_alone(Program& program) {
  Calls& calls = program.tasks.front();
  for (std::size_t i = calls.size(); i-- > 0;) {
    if (op_of(calls[i]).agrees == Agrees::kAlone) erase_call(program, {1, i});
  }
}

// What is freed lazily may be there for any time.
void free_at_once(Call& call) {
  if (std::string_view(op_of(call).name) != "madvise") return;
  std::uint64_t& advice = call.arguments[4];
  if (advice == static_cast<std::uint64_t>(Advice::kFree)) {
    advice = static_cast<std::uint64_t>(Advice::kDontneed);
  }
}

// A notifier that sleeps is refused where walks must not.
void call_atomically(Call& call) {
  if (std::string_view(op_of(call).name) == "mmu_notifier_register") {
    call.arguments[1] = 0;
  }
}

}  // namespace

Program one_after_another(const Program& program) {
  Program ordered = program;
  ordered.machine.frames = std::max(ordered.machine.frames, kFrames);
  ordered.machine.slab_pages = std::max(ordered.machine.slab_pages, kSlabPages);
  ordered.machine.swap_slots = std::max(ordered.machine.swap_slots, kSwapSlots);
  ordered.machine.period.rcu = RcuFlavour::kClassic;
  ordered.machine.weak_memory = false;
  ordered.machine.chosen_failures = false;
  ordered.bugs = {};
  ordered.expectation.kind = Expectation::Kind::kAny;
  ordered.marks.clear();
  ordered.tasks.insert(ordered.tasks.begin(), Calls());
  Random random(program.schedule.seed);
  for (std::size_t calls = program.calls(); calls > 0; --calls) {
    const CallPlace end{1, ordered.tasks.front().size()};
    move_call(ordered, {draw_list(ordered, random), 0}, end);
  }
  ordered.tasks.resize(1);
  for (Call& call : ordered.tasks.front()) {
    call.fail_nth = 0;
    free_at_once(call);
    call_atomically(call);
  }
  if (takes_pages(ordered)) erase_alone(ordered);
  ordered.schedule = {};
  return ordered;
}

std::uint64_t hash_of_frame(const std::byte* frame) {
  std::uint64_t hash = 0;
  for (std::uint64_t at = 0; at < kPageSize; at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, frame + at, sizeof word);
    if (word != 0) hash += Random::mixed(word + at * 0x9e3779b97f4a7c15);
  }
  return hash;
}

std::string difference(const Program& program, const Seen& a, const Seen& b) {
  const bool exactly = !takes_pages(program);
  std::string text = outcome_difference(program, a, b, exactly);
  if (text.empty()) text = first_difference("mapping", a.mappings, b.mappings);
  if (text.empty()) text = first_difference("page", a.pages, b.pages);
  if (text.empty() && exactly) text = first_difference("pte", a.ptes, b.ptes);
  return text.empty() ? "" : a.rmap + " / " + b.rmap + ": " + text;
}

bool Agreement::parted(const Program& program, const Seen& a, const Seen& b) {
  const std::size_t i =
      first_outcome_that_differs(program, a, b, !takes_pages(program));
  const Calls& calls = program.tasks.front();
  return i < calls.size() && parted_ways(op_of(calls[i]), a.outcomes[i], b.outcomes[i]);
}

Seen Agreement::see(const Program& ordered, std::string_view rmap) {
  Program program = ordered;
  program.machine.rmap = rmap;
  Seen seen;
  seen.rmap = rmap;
  LookAtTheEnd look(runner_, program.calls(), found_, seen);
  options_.observer = &look;
  options_.watch = false;
  options_.teardown = false;
  const RunResult& result = runner_.run(program, tasks_, options_);
  options_.observer = nullptr;
  steps_ += result.steps;
  seen.finding = result.finding;
  seen.phase = result.phase;
  seen.outcomes = result.outcomes;
  return seen;
}

std::optional<Disagreement> Agreement::check(const Program& program) {
  steps_ = 0;
  if (program.calls() == 0) {
    ++counts_.empty;
    return std::nullopt;
  }
  Program ordered = one_after_another(program);
  std::optional<Seen> first;
  for (const rmap::SchemeRow& row : rmap::schemes()) {
    Seen seen = see(ordered, row.name);
    ordered.machine.rmap = row.name;
    if (seen.finding) {
      return Disagreement{*seen.finding, seen.phase, std::move(ordered), true};
    }
    if (seen.short_of_memory) {
      ++counts_.short_of_memory;
      return std::nullopt;
    }
    if (!first) {
      first = std::move(seen);
      continue;
    }
    if (parted(ordered, *first, seen)) {
      ++counts_.parted;
      return std::nullopt;
    }
    std::string text = difference(ordered, *first, seen);
    if (text.empty()) continue;
    Finding finding;
    finding.kind = FindingKind::kRmap;
    finding.title = kTitle;
    finding.detail = std::move(text);
    finding.where = std::source_location::current();
    return Disagreement{std::move(finding), Phase::kTasks, std::move(ordered), false};
  }
  ++counts_.compared;
  return std::nullopt;
}

}  // namespace racier::program
