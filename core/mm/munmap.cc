// core/mm/munmap.cc - unmaps part of an address space, or all of it.
//
// The order is what makes it safe: the vmas leave the tree, so that no fault brings a
// page back; their ptes go, then the tables, all under page_table_lock; the TLBs are
// flushed before a page is free; only then do the vmas leave the reverse map.  Until
// then a walk may come here, and finds no pte.
//
// Tested by munmap_test.cc.
#include "core/mm/munmap.h"

#include "core/base/bug.h"
#include "core/base/invariant.h"
#include "core/base/mark.h"
#include "core/mm/find_vma.h"
#include "core/mm/gather.h"
#include "core/mm/maple_store.h"
#include "core/mm/mmap.h"
#include "core/mm/mmu_notifier.h"
#include "core/mm/vma_cache.h"
#include "core/mm/vma_link.h"
#include "core/mm/zap.h"
#include "core/objects/ptl.h"
#include "core/rmap/scheme.h"
#include "core/sync/maybe_guard.h"

namespace racier {
namespace {

// Takes the vmas of `range`, which lie inside of it, out of the tree; returns the
// first, the others behind it.  Kernel: detach_vmas_to_be_unmapped().
Vma* detach_vmas(Machine& m, Mm& mm, VirtRange range, MapleStore& maple)
    REQUIRES(mm.page_table_lock) {
  Vma* first = nullptr;
  Vma** link = &first;
  Vma* vma = mm.vmas.find_intersection(range);
  while (vma != nullptr && vma->vm_start < range.end) {
    Vma* const next = VmaTree::next(*vma);
    mm.vmas.erase(*vma);
    forget_found_vma(m, mm, *vma);
    --mm.map_count;
    *link = vma;
    link = &vma->detached_next;
    vma = next;
  }
  maple.store();
  return first;
}

// Returns how far the space around `range` is free of vmas.
VirtRange free_space_around(const Mm& mm, VirtRange range) {
  Vma* const next = mm.vmas.find(range.start);
  const Vma* const prev = next != nullptr ? VmaTree::prev(*next) : mm.vmas.last();
  return {prev != nullptr ? prev->vm_end : 0,
          next != nullptr ? next->vm_start : kUserEnd};
}

// Frees the tables that only the detached `vmas` needed, in a `space` free of others.
// One that two of them share goes with the upper one.
void free_pgtables(Machine& m, MmuGather& tlb, Mm& mm, const Vma* vmas, VirtRange space)
    REQUIRES(mm.page_table_lock) {
  for (const Vma* vma = vmas; vma != nullptr; vma = vma->detached_next) {
    const Vma* const next = vma->detached_next;
    const VirtRange limits{space.start, next != nullptr ? next->vm_start : space.end};
    detach_tables(m.frames, mm.context, vma->range(), limits,
                  [&](Pfn table) { tlb.remove_table(table); });
  }
}

// Frees all that the detached `vmas` map, and the tables that nobody else needs.
// Kernel: unmap_region().
void unmap_region(Machine& m, MmuGather& tlb, Mm& mm, Vma* vmas, VirtRange range)
    REQUIRES(mm.page_table_lock) {
  for (Vma* vma = vmas; vma != nullptr; vma = vma->detached_next) {
    assert_pte_locked(m, *vma->vm_mm, vma->vm_start);
    unmap_page_range(m, tlb, *vma, vma->range());
  }
  free_pgtables(m, tlb, mm, vmas, free_space_around(mm, range));
  tlb.flush();
}

// Likewise with ptl=split: a walk does without page_table_lock, so before their tables
// go the vmas leave the reverse map.  Kernel: free_pgtables(), v2.6.15.
void unmap_region_split(Machine& m, Mm& mm, Vma* vmas, VirtRange range) {
  const auto hide = [&] {
    for (Vma* vma = vmas; vma != nullptr; vma = vma->detached_next) hide_vma(m, *vma);
  };
  const bool early = bug::armed(Bug::kUnlinkSleepsInMmuGather);
  {
    MmuGather tlb(m, mm);
    for (Vma* vma = vmas; vma != nullptr; vma = vma->detached_next) {
      for_each_locked_table(m, *vma->vm_mm, vma->range(), [&](VirtRange part) {
        assert_pte_locked(m, *vma->vm_mm, part.start);
        unmap_page_range(m, tlb, *vma, part);
      });
    }
    if (early) hide();
  }
  if (!early) hide();
  MmuGather tlb(m, mm);
  const SpinGuard guard(mm.page_table_lock);
  const VirtRange space = free_space_around(mm, range);
  invariant(Inv::kUnmappedStaysFree,
            space.start <= range.start && range.end <= space.end);
  free_pgtables(m, tlb, mm, vmas, space);
}

// Takes the vmas of `range` out of the reverse map.
void forget_vmas(Machine& m, Mm& mm, VirtRange range) {
  Vma* vma = mm.vmas.find_intersection(range);
  for (; vma != nullptr && vma->vm_start < range.end; vma = VmaTree::next(*vma)) {
    m.scheme().unlink(*vma);
  }
}

void unlink_vmas(Machine& m, Vma* vmas) {
  for (Vma* vma = vmas; vma != nullptr; vma = vma->detached_next) {
    m.scheme().unlink(*vma);
  }
}

// Keeps the vmas of `range` from those who have found them without mmap_sem: from here
// on they are in no tree, for them.
void mark_detached(const Machine& m, const Mm& mm, VirtRange range) {
  if (m.options().period.lookup != VmaLookup::kPerVma) return;
  Vma* vma = mm.vmas.find_intersection(range);
  for (; vma != nullptr && vma->vm_start < range.end; vma = VmaTree::next(*vma)) {
    vma_detach(m, *vma);
  }
}

// Returns whether nobody can come to `range`, which nothing is mapped in, as long as
// mmap_sem is held for reading: a stack above it grows under that alone, to 6.4.
bool stays_free(const Mm& mm, VirtRange range) {
  const Vma* const above = mm.vmas.find(range.start);
  return above == nullptr || !above->is(kVmGrowsDown) ||
         bug::armed(Bug::kMunmapDowngradeVsExpand);
}

// With the vmas out of the tree, the rest needs mmap_sem for reading only: what `held`
// says, if it is there.  Kernel: __do_munmap(), v5.8.
void unmap_whole_vmas_split(Machine& m, Mm& mm, VirtRange range, MapleStore& maple,
                            MmapWriteGuard* held) {
  Vma* vmas = nullptr;
  const bool late = held != nullptr && bug::armed(Bug::kVmaDetachedAfterDowngrade);
  if (!late) mark_detached(m, mm, range);
  {
    const SpinGuard guard(mm.page_table_lock);
    vmas = detach_vmas(m, mm, range, maple);
  }
  if (held != nullptr && stays_free(mm, range)) {
    held->downgrade();
    mark::hit(Mark::kMunmapDowngraded);
  }
  if (vmas != nullptr) unmap_region_split(m, mm, vmas, range);
  while (vmas != nullptr) {
    Vma& vma = *vmas;
    vmas = vma.detached_next;
    if (late) vma_detach(m, vma);
    free_vma(m, vma);
  }
}

// Unmaps the vmas of `range`, which lie inside of it; `maple` is without them.
// Context: mmap_sem held (write), or the mm has no user.
void unmap_whole_vmas(Machine& m, Mm& mm, VirtRange range, MapleStore& maple,
                      MmapWriteGuard* held = nullptr) {
  Vma* vmas = nullptr;
  if (bug::armed(Bug::kAnonPutBeforeUnmap)) forget_vmas(m, mm, range);
  if (m.options().period.split_ptl) {
    return unmap_whole_vmas_split(m, mm, range, maple, held);
  }
  mark_detached(m, mm, range);
  {
    MmuGather tlb(m, mm);
    const NotifiedRange late(m, mm, range, bug::armed(Bug::kNotifierCalledInGather));
    {
      const SpinGuard guard(mm.page_table_lock);
      vmas = detach_vmas(m, mm, range, maple);
      if (vmas != nullptr) unmap_region(m, tlb, mm, vmas, range);
    }
    if (bug::armed(Bug::kUnlinkSleepsInMmuGather)) unlink_vmas(m, vmas);
  }
  while (vmas != nullptr) {
    Vma& vma = *vmas;
    vmas = vma.detached_next;
    remove_vma(m, vma);
  }
}

// Splits the vma that `addr` lies inside of, if there is one.
Status split_at(Machine& m, Mm& mm, VirtAddr addr) REQUIRES(mm.mmap_sem) {
  Vma* const vma = mm.vmas.find(addr);
  if (vma == nullptr || vma->vm_start >= addr) return Status::kOk;
  vma->vm_mm->mmap_sem.assert_held();
  return split_vma(m, *vma, addr).status();
}

// As do_munmap(); `held` may be downgraded on the way.
Status unmap_locked(Machine& m, Mm& mm, VirtRange range, MmapWriteGuard* held)
    REQUIRES(mm.mmap_sem) {
  if (mm.vmas.find_intersection(range) == nullptr) return Status::kOk;
  vmas_start_write(m, mm, range);
  for (const VirtAddr end : {range.start, range.end}) {
    const Status status = split_at(m, mm, end);
    if (status != Status::kOk) return status;
  }
  MapleStore maple(m, mm);
  if (!maple.prepare(range, {})) return Status::kNoMemory;
  m.tracepoints->unmap_begin(mm, range);
  // (An mmu_gather must not sleep.)
  const NotifiedRange notified(m, mm, range, !bug::armed(Bug::kNotifierCalledInGather));
  unmap_whole_vmas(m, mm, range, maple, held);
  m.tracepoints->unmap_end(mm, range);
  return Status::kOk;
}

}  // namespace

Status do_munmap_locked(Machine& m, Mm& mm, VirtRange range) {
  return unmap_locked(m, mm, range, nullptr);
}

Status do_munmap(Machine& m, Mm& mm, VirtRange range) {
  const bool aligned = range.start % kPageSize == 0 && range.end % kPageSize == 0;
  if (!aligned || range.start >= range.end) return Status::kInvalid;
  if (range.end > kUserEnd) return Status::kInvalid;
  MmapWriteGuard guard(m, mm);
  return unmap_locked(m, mm, range, &guard);
}

// A reverse-map walk can still come here, and finds no pte; and so can a reaper, if the
// mm's users were killed: it must not look at vmas that are being freed.
void exit_mmap(Machine& m, Mm& mm) {
  mmu_notifier_release(m, mm);
  const bool killed = mm.is(MmFlag::kKilled);
  MaybeGuard<WriteGuard> no_reaper;
  if (killed && !bug::armed(Bug::kReaperVsExitMmap))
    no_reaper.emplace(mm.mmap_sem, std::source_location::current());
  destroy_maple_tree(m, mm);
  MapleStore none(m, mm);
  unmap_whole_vmas(m, mm, {0, kUserEnd}, none);
  if (killed) mm.set(MmFlag::kOomSkip);
  const SpinGuard guard(mm.page_table_lock);
  invariant(Inv::kRssZeroAtExit, mm.rss == 0 && mm.anon_rss == 0);
  invariant(Inv::kMapCountZeroAtExit, mm.map_count == 0);
  invariant(Inv::kExitMmapOnce, ++mm.exit_mmaps == 1);
}

}  // namespace racier
