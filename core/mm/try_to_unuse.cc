// core/mm/try_to_unuse.cc - finds who refers to a slot, and gives him the page.
// Tested by swapoff_test.cc and corpus/programs/swapoff_*.racier.
#include "core/mm/try_to_unuse.h"

#include <optional>

#include "core/base/bug.h"
#include "core/base/invariant.h"
#include "core/base/mark.h"
#include "core/mm/filemap.h"
#include "core/mm/fork.h"
#include "core/mm/mmlist.h"
#include "core/mm/page_alloc.h"
#include "core/mm/swap.h"
#include "core/mm/swap_locks.h"
#include "core/objects/page_table.h"
#include "core/objects/ptl.h"
#include "core/rmap/scheme.h"
#include "core/sync/sites.h"

namespace racier {
namespace {

// One entry whose users are being found.
struct Search {
  Machine& m;
  SwapArea& area;
  SwapEntry entry;
  Page& page;          // of the entry, with a reference
  int& unused;         // references that were found and dropped, and slots freed
  bool dying = false;  // a mm was passed over that has no user any more
};

std::uint64_t changes_of(Machine& m, SwapArea& area) {
  const SwapDeviceGuard guard(m.swap, area);
  return area.changes;
}

// Returns the next slot from `offset` on that is in use, or 0.  Kernel:
// find_next_to_unuse().
std::uint32_t find_next_to_unuse(Machine& m, SwapArea& area, std::uint32_t offset) {
  const SwapDeviceGuard guard(m.swap, area);
  for (; offset < area.max; ++offset) {
    const std::uint16_t count = area.count(offset);
    if (count != 0 && count != kSwapMapBad) return offset;
  }
  return 0;
}

bool is_all_free(Machine& m, SwapArea& area) {
  const SwapDeviceGuard guard(m.swap, area);
  return area.inuse_pages == 0;
}

// ---- In an address space ------------------------------------------------------------

// Returns where in `vma` the entry is, or nothing.
std::optional<VirtAddr> find_entry(Search& s, Vma& vma) {
  std::optional<VirtAddr> at;
  for_each_locked_table(s.m, *vma.vm_mm, vma.range(), [&](VirtRange range) {
    if (at) return;
    for_each_pte(s.m.frames, vma.vm_mm->context, range,
                 [&](VirtAddr addr, PteSlot slot) {
                   if (slot.peek() == Pte::swap(s.entry)) at = addr;
                 });
  });
  return at;
}

// Maps the page where its entry is, for reading.  Kernel: unuse_pte().
void unuse_pte(Search& s, Vma& vma, VirtAddr addr, PteSlot slot, rmap::Ticket ticket)
    REQUIRES(vma.vm_mm->page_table_lock) {
  get_page(s.page);
  ++vma.vm_mm->rss;
  ++vma.vm_mm->anon_rss;
  s.m.scheme().add_anon(s.page, vma, addr, ticket);
  const bool access = (vma.vm_flags & kVmAccess) != 0;
  slot.set(Pte::page(s.page.pfn, access ? Pte::kPresent | Pte::kUser : Pte::kProtNone));
  swap_free(s.m, s.entry);
  ++s.unused;
}

// Errors: kNoMemory.  Kernel: unuse_vma().
Status unuse_vma(Search& s, Vma& vma, VirtAddr addr)
    REQUIRES_SHARED(vma.vm_mm->mmap_sem) {
  const Result<rmap::Ticket> ticket = s.m.scheme().prepare(vma);
  if (!ticket) return ticket.status();
  const PtlGuard guard(s.m, *vma.vm_mm, addr);
  // It may have been unmapped meanwhile.
  if (guard.slot() && still(guard.slot().get() == Pte::swap(s.entry))) {
    unuse_pte(s, vma, addr, guard.slot(), *ticket);
    mark::hit(Mark::kSwapUnused);
  } else {
    s.m.scheme().refund(*ticket);
  }
  return Status::kOk;
}

// Takes mmap_sem, which is outside of the page lock: lets go of that if it has to wait.
void down_read_with_page(Search& s, Mm& mm) ACQUIRE_SHARED(mm.mmap_sem) {
  if (mm.mmap_sem.down_read_trylock()) return;
  unlock_page(s.m, s.page);
  mm.mmap_sem.down_read();
  lock_page(s.m, s.page);
}

// Errors: kNoMemory.  Context: page lock held; it is let go of and taken again
// meanwhile.  Kernel: unuse_process().
Status unuse_process(Search& s, Mm& mm) {
  down_read_with_page(s, mm);
  const ReadGuard guard(mm.mmap_sem, kAdopt);
  if (!still(is_cached_as(s.page, s.entry))) return Status::kOk;
  for (Vma* vma = mm.vmas.first(); vma != nullptr; vma = VmaTree::next(*vma)) {
    const std::optional<VirtAddr> at = find_entry(s, *vma);
    // There is no way to have one page in swap twice in one mm.
    vma->vm_mm->mmap_sem.assert_held_shared();
    if (at) return unuse_vma(s, *vma, *at);
  }
  return Status::kOk;
}

// ---- In shared memory ---------------------------------------------------------------

// Returns the slot of `file` that holds the entry, or nothing.
std::optional<std::uint64_t> find_slot(AddressSpace& file, SwapEntry entry) {
  const SpinGuard guard(file.tree_lock);
  if (file.nrswapped == 0) return std::nullopt;
  for (std::uint64_t index = 0; index < file.size; ++index) {
    if (file.slots[index].swap == entry) return index;
  }
  return std::nullopt;
}

// Moves the page to the slot that holds its entry, if there is one.
// Context: page lock held.  Kernel: shmem_unuse_inode().
void unuse_shmem(Search& s, AddressSpace& file) {
  const std::optional<std::uint64_t> index = find_slot(file, s.entry);
  if (!index || !move_from_swap_cache(s.m, s.page, file, *index, s.entry)) return;
  ++s.unused;
  mark::hit(Mark::kSwapUnused);
}

// ---- One entry ----------------------------------------------------------------------

// Does `work` with the page locked, if it is still that entry's and somebody refers to
// it; returns whether it was.  What work needs is dropped behind that: it may be the
// last user, and what goes with it locks pages.
template <typename Work>
bool with_page_locked(Search& s, Work work) {
  lock_page(s.m, s.page);
  const bool cached = still(is_cached_as(s.page, s.entry));
  const bool wanted = cached && swap_count(s.m, s.entry) > 1;
  if (wanted) work();
  unlock_page(s.m, s.page);
  return wanted;
}

void search_shmem(Search& s) {
  int id = -1;
  while (AddressSpace* const file = s.m.get_shmem_behind(id)) {
    id = file->id;
    const bool wanted = with_page_locked(s, [&] { unuse_shmem(s, *file); });
    if (file->count.read() == 1) ++s.unused;  // what it has in swap goes with it
    fput(s.m, *file);
    if (!wanted) return;
  }
}

// Errors: kNoMemory.
Status search_mms(Search& s) {
  Status status = Status::kOk;
  Mm* mm = mmlist_next(s.m, s.m.mmlist, s.dying);
  while (mm != nullptr) {
    const bool wanted = with_page_locked(s, [&] { status = unuse_process(s, *mm); });
    const bool more = wanted && status == Status::kOk;
    Mm* const next = more ? mmlist_next(s.m, mm->mmlist, s.dying) : nullptr;
    if (mm->mm_users.read() == 1) ++s.unused;  // likewise
    mmput(s.m, *mm);
    mm = next;
  }
  return status;
}

// Everybody was asked, and nobody can have come to the entry meanwhile: a count that
// was lost is what the cache alone makes it.
void reset_overflow(Search& s) {
  const SwapDeviceGuard guard(s.m.swap, s.area);
  s.area.set_count(s.entry.offset(), 1);
  mark::hit(Mark::kSwapMapReset);
}

// Takes the page out of the swap cache, unless somebody refers to the entry still who
// was not found: he would read another page, and who has this one pinned would keep it.
// He is found the next time (5.1).
// Errors: kIo, with B82.  Context: page lock held.
Status leave_swap_cache(Search& s, std::uint64_t changes) {
  const std::uint16_t count = swap_count(s.m, s.entry);
  if (swap_count_is_stuck(s.m, count)) {
    if (s.dying || changes_of(s.m, s.area) != changes) return Status::kOk;
    reset_overflow(s);
  } else if (count > 1) {
    if (!bug::armed(Bug::kSwapoffOrphansPinnedPage)) return Status::kOk;
    const bool clean = !s.page.test(PageFlag::kDirty);
    if (!clean && !swap_writepage(s.m, s.page)) return Status::kIo;
  }
  if (swap_count(s.m, s.entry) == 1) ++s.unused;
  delete_from_swap_cache(s.m, s.page);
  return Status::kOk;
}

// Brings everybody who refers to the entry its page, as far as he can be found.
// Errors: as try_to_unuse().
Status unuse_page(Search& s) {
  const std::uint64_t changes = changes_of(s.m, s.area);
  wait_on_page_locked(s.m, s.page);
  if (!s.page.test(PageFlag::kUptodate)) return Status::kIo;
  search_shmem(s);
  Status status = search_mms(s);
  if (status != Status::kOk) return status;
  lock_page(s.m, s.page);
  // Its owner may have freed the slot, and put the page in swap elsewhere, where it was
  // not written yet (2.6.29).
  const bool ours =
      still(bug::armed(Bug::kUnusePageLeftSwapcache) ? s.page.test(PageFlag::kSwapCache)
                                                     : is_cached_as(s.page, s.entry));
  if (ours) status = leave_swap_cache(s, changes);
  // Nobody marked the ptes dirty, and the slot is gone, or will be.
  if (ours) s.page.set(PageFlag::kDirty);
  unlock_page(s.m, s.page);
  return status;
}

// Errors: as try_to_unuse().
Status unuse_entry(Machine& m, SwapArea& area, SwapEntry entry, int& unused) {
  Page* const page = read_swap_cache(m, entry);
  if (page == nullptr) {
    return swap_count(m, entry) == 0 ? Status::kOk : Status::kNoMemory;
  }
  Search search{m, area, entry, *page, unused};
  const Status status = unuse_page(search);
  put_page(m, *page);
  return status;
}

// Goes through the map once.  Errors: as try_to_unuse().
Status unuse_all(Machine& m, SwapArea& area, int& unused) {
  std::uint32_t offset = 1;
  while ((offset = find_next_to_unuse(m, area, offset)) != 0) {
    if (current()->signal_pending.load()) return Status::kInterrupted;
    const SwapEntry entry = SwapEntry::of(area.type, offset);
    const Status status = unuse_entry(m, area, entry, unused);
    if (status != Status::kOk) return status;
    ++offset;
  }
  return Status::kOk;
}

}  // namespace

Status try_to_unuse(Machine& m, SwapArea& area) {
  for (;;) {
    const std::uint64_t changes = changes_of(m, area);
    int unused = 0;
    Status status = unuse_all(m, area, unused);
    if (status == Status::kOk && is_all_free(m, area)) return Status::kOk;
    if (status == Status::kOk && unused == 0) {
      mark::hit(Mark::kSwapoffWaited);
      status = area.unuse_wait.wait_interruptible(
          [&] { return changes_of(m, area) != changes; });
    }
    if (status != Status::kOk) return status;
  }
}

}  // namespace racier
