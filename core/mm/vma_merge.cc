// core/mm/vma_merge.cc - makes one vma of neighbours that are alike.
//
//         what            before            after
//        PPP....NNN      PPP    NNN      PPPPPPPPPP   prev takes what, and next
//        PPP....NNN      PPP    NNN      PPPPPPPNNN   prev takes it
//        PPP....NNN      PPP    NNN      PPPNNNNNNN   next takes it
//        PPP....NNN      PPPCCCCNNN      the same, and what was there (C) is gone
//        PPP....CCC      PPPCCCCCCC      PPPPPPPCCC   C is cut
//        CCC....NNN      CCCCCCCNNN      CCCNNNNNNN   likewise
//
// All bounds change at one moment for those who walk: under the locks of the reverse
// map and page_table_lock.  The vma that stays is first made findable for the pages
// that it takes over, the only step that needs memory.
//
// Tested by vma_merge_test.cc.
#include "core/mm/vma_merge.h"

#include <algorithm>
#include <array>

#include "core/base/bug.h"
#include "core/mm/find_vma.h"
#include "core/mm/maple_store.h"
#include "core/mm/mmap.h"
#include "core/mm/vma_cache.h"
#include "core/rmap/scheme.h"

namespace racier {
namespace {

// A few vmas.
struct Vmas {
  std::array<Vma*, 2> vmas{};
  std::size_t count = 0;
  void add(Vma* vma) { vmas[count++] = vma; }
  std::span<Vma* const> span() const { return std::span(vmas).first(count); }
};

// What is around and inside of the range that is to be merged.
struct Around {
  Vma* prev = nullptr;     // ends where the range starts
  Vma* covered = nullptr;  // has the range
  Vma* next = nullptr;     // starts where it ends
};

// What is to happen.
struct Plan {
  Vma* keep = nullptr;
  VirtRange to;  // of `keep`
  Vmas cut;
  Vmas gone;
};

std::uint64_t pgoff_behind(const Vma& vma) { return vma.vm_pgoff + vma.pages(); }

bool is_alike(const Vma& vma, const NewVma& what) {
  return vma.vm_flags == what.vm_flags && vma.vm_file == what.file;
}

Around look_around(const Mm& mm, VirtRange range) {
  Around around;
  around.covered = mm.vmas.find_intersection(range);
  Vma* const before = range.start == 0 ? nullptr : mm.vmas.find(range.start - 1);
  if (before != nullptr && before->vm_end == range.start) around.prev = before;
  Vma* const behind = mm.vmas.find(range.end);
  if (behind != nullptr && behind->vm_start == range.end) around.next = behind;
  return around;
}

// Leaves only those who can have the range.  Kernel: can_vma_merge_after(),
// can_vma_merge_before().
void drop_unlike(Machine& m, Around& around, const NewVma& what, const Vma* source) {
  const auto agrees = [&](const Vma& vma) {
    return is_alike(vma, what) &&
           (source == nullptr || m.scheme().can_merge(vma, *source));
  };
  Vma*& prev = around.prev;
  Vma*& next = around.next;
  if (prev != nullptr && !(agrees(*prev) && pgoff_behind(*prev) == what.pgoff)) {
    prev = nullptr;
  }
  const std::uint64_t behind = what.pgoff + what.range.pages();
  if (next != nullptr && !(agrees(*next) && next->vm_pgoff == behind)) next = nullptr;
  if (prev != nullptr && next != nullptr && !m.scheme().can_merge(*prev, *next)) {
    next = nullptr;
  }
}

Plan plan_of(const Around& around, VirtRange range) {
  Plan plan;
  plan.keep = around.prev != nullptr ? around.prev : around.next;
  plan.to = range;
  if (around.prev != nullptr) plan.to.start = around.prev->vm_start;
  if (around.next != nullptr) plan.to.end = around.next->vm_end;
  if (around.covered != nullptr) {
    const VirtRange covered = around.covered->range();
    const bool whole = range.start <= covered.start && covered.end <= range.end;
    (whole ? plan.gone : plan.cut).add(around.covered);
  }
  if (around.next != nullptr && plan.keep != around.next) plan.gone.add(around.next);
  return plan;
}

// Gives `vma` other bounds; its pages stay where they are in it.
void set_bounds(Vma& vma, VirtRange range) {
  vma.vm_pgoff += (range.start >> kPageShift) - (vma.vm_start >> kPageShift);
  vma.vm_start = range.start;
  vma.vm_end = range.end;
}

// Returns what is left of `vma` when `taken` is gone, at one of its ends.
VirtRange rest_of(const Vma& vma, VirtRange taken) {
  const bool lower = taken.start <= vma.vm_start;
  return lower ? VirtRange{taken.end, vma.vm_end}
               : VirtRange{vma.vm_start, taken.start};
}

// Allocates what it takes to have `plan` in the tree that is read under RCU.
bool prepare(MapleStore& maple, const Plan& plan) {
  const MapleEntry kept = entry_at(*plan.keep, plan.to);
  if (plan.cut.count == 0) return maple.prepare(plan.to, {kept});
  Vma& less = *plan.cut.vmas[0];
  const MapleEntry rest = entry_at(less, rest_of(less, plan.to));
  const bool below = rest.start < kept.start;
  const VirtRange range =
      below ? VirtRange{rest.start, kept.end} : VirtRange{kept.start, rest.end};
  return below ? maple.prepare(range, {rest, kept})
               : maple.prepare(range, {kept, rest});
}

// Makes sure that nobody uses, without mmap_sem, what changes or goes.
void start_writes(Machine& m, const Plan& plan, const Vma* behind) {
  vma_start_write(m, *plan.keep);
  for (Vma* const vma : plan.cut.span()) vma_start_write(m, *vma);
  for (Vma* const vma : plan.gone.span()) {
    const bool forgotten =
        vma == behind && bug::armed(Bug::kVmaMergeFreesUninvalidatedNext);
    if (!forgotten) vma_start_write(m, *vma);
  }
}

// Makes `keep` findable for the pages that it takes over.
Status import_anon(Machine& m, const Plan& plan, Vma* source)
    REQUIRES(plan.keep->vm_mm->mmap_sem) {
  const auto import = [&](Vma& from) {
    from.vm_mm->mmap_sem.assert_held();
    return m.scheme().link(*plan.keep, from, rmap::Why::kMerge);
  };
  for (Vma* const vma : plan.gone.span()) {
    const Status status = import(*vma);
    if (status != Status::kOk) return status;
  }
  if (source == nullptr || source == plan.keep) return Status::kOk;
  const bool moved = !source->range().overlaps(plan.to);
  if (moved && bug::armed(Bug::kMremapMergeUnfaultedTarget)) return Status::kOk;
  return import(*source);
}

// Kernel: vma_adjust().
void carry_out(Machine& m, Mm& mm, const Plan& plan, MapleStore& maple)
    REQUIRES(mm.mmap_sem) {
  Vmas stay = plan.cut;
  stay.add(plan.keep);
  m.scheme().adjust(stay.span(), plan.gone.span(), [&] {
    const SpinGuard ptl(mm.page_table_lock);
    for (Vma* const vma : plan.gone.span()) {
      mm.vmas.erase(*vma);
      forget_found_vma(m, mm, *vma);
      --mm.map_count;
    }
    for (Vma* const vma : plan.cut.span()) set_bounds(*vma, rest_of(*vma, plan.to));
    set_bounds(*plan.keep, plan.to);
    maple.store();
  });
  for (Vma* const vma : plan.gone.span()) {
    vma_detach(m, *vma);
    m.scheme().unlink(*vma);
    free_vma(m, *vma);
  }
}

}  // namespace

Vma* vma_merge(Machine& m, Mm& mm, const NewVma& what, Vma* source) {
  Around around = look_around(mm, what.range);
  drop_unlike(m, around, what, source);
  if (around.prev == nullptr && around.next == nullptr) return nullptr;
  const Plan plan = plan_of(around, what.range);
  MapleStore maple(m, mm);
  if (!prepare(maple, plan)) return nullptr;
  start_writes(m, plan, around.next);
  plan.keep->vm_mm->mmap_sem.assert_held();
  if (import_anon(m, plan, source) != Status::kOk) return nullptr;
  carry_out(m, mm, plan, maple);
  return plan.keep;
}

Result<Vma*> vma_modify_flags(Machine& m, Vma& vma, VirtRange range,
                              std::uint32_t vm_flags) {
  if (vm_flags == vma.vm_flags) return &vma;
  const NewVma what{range, vm_flags, vma.vm_file, vma.index_of(range.start)};
  if (Vma* const merged = vma_merge(m, *vma.vm_mm, what, &vma)) return merged;
  return change_vma_flags(m, vma, range, vm_flags);
}

}  // namespace racier
