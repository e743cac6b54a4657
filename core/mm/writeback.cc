// core/mm/writeback.cc - makes pages of files clean, and writes them.
//
// A page is clean first, and then written: whoever stores to it meanwhile makes it
// dirty again.  That is noticed because no pte may write any more, and it is not undone
// because who noticed it waits until the page lock is free.
//
// Tested by writeback_test.cc and corpus/programs/writeback_*.racier.
#include "core/mm/writeback.h"

#include <algorithm>

#include "core/base/bug.h"
#include "core/base/invariant.h"
#include "core/base/mark.h"
#include "core/mm/filemap.h"
#include "core/mm/mmu_notifier.h"
#include "core/mm/page_alloc.h"
#include "core/mm/tlb.h"
#include "core/objects/ptl.h"
#include "core/sync/bit_lock.h"

namespace racier {
namespace {

constexpr int kWriteback = static_cast<int>(PageFlag::kWriteback);

AddressSpace* mapping_of(const Page& page) {
  return reinterpret_cast<AddressSpace*>(page.mapping.load());
}

// Kernel: end_page_writeback().
void end_page_writeback(Machine& m, Page& page) {
  const auto where = std::source_location::current();
  page.flags.fetch_and(~bit_of(PageFlag::kWriteback), std::memory_order_seq_cst);
  WaitQueue& queue = m.page_wait(page);
  if (queue.active_raw()) queue.wake_all(where, {&page.flags, kWriteback});
}

// Returns whether the pte of `vma` for `page` was dirty or writable.
bool page_mkclean_one(Machine& m, const Page& page, Vma& vma, VirtAddr addr) {
  Mm& mm = *vma.vm_mm;
  const PtlGuard guard(m, mm, addr);
  const PteSlot slot = guard.slot();
  if (!slot) return false;
  const Pte pte = slot.get();
  if (!pte.maps(page.pfn) || !(pte.dirty() || pte.writable())) return false;
  // Who still has a translation may store until the flush; it is before the write.
  const Pte before = slot.get_and_clear();
  flush_tlb_page(m, mm, addr);
  if (!bug::armed(Bug::kMkcleanNotNotified)) mmu_notifier_invalidate_page(m, mm, addr);
  slot.set(before.without(Pte::kWrite | Pte::kDirty));
  return true;
}

// Writes the content of `page`, which is under writeback, to its file.
void finish_writeback(Machine& m, AddressSpace& mapping, Page& page) {
  mapping.write_store(page.index.load(std::memory_order_relaxed),
                      m.frames.data(page.pfn));
  mark::hit(Mark::kPageWritten);
  end_page_writeback(m, page);
}

// Locks `page` if it is still of `mapping` and there is something to write.
bool lock_dirty_page(Machine& m, const AddressSpace& mapping, Page& page, WbSync sync) {
  if (sync == WbSync::kAll) {
    lock_page(m, page);
    wait_on_page_writeback(m, page);
  } else if (!trylock_page(page)) {
    return false;
  }
  if (mapping_of(page) == &mapping && !page.test(PageFlag::kWriteback) &&
      clear_page_dirty_for_io(m, page)) {
    return true;
  }
  unlock_page(m, page);
  return false;
}

// Returns whether it wrote the page at `index`.
bool write_cache_page(Machine& m, AddressSpace& mapping, std::uint64_t index,
                      WbSync sync) {
  Page* const page = find_get_page(mapping, index);
  if (page == nullptr) return false;
  const bool written =
      page->test(PageFlag::kDirty) && lock_dirty_page(m, mapping, *page, sync);
  if (written) {
    page->set(PageFlag::kWriteback);
    // Under writeback the page stays where it is, locked or not.
    unlock_page(m, *page);
    finish_writeback(m, mapping, *page);
  } else if (sync == WbSync::kAll) {
    wait_on_page_writeback(m, *page);
  }
  put_page(m, *page);
  return written;
}

// What msync() has to write of one vma.
struct FileRange {
  AddressSpace* file = nullptr;
  std::uint64_t first = 0;
  std::uint64_t end = 0;
};

// Returns what of `range` the first vma in it has to write, with a reference to the
// file, and moves `range.start` behind that vma.
// Errors: kNoMemory (there is none).
Result<FileRange> next_file_range(Mm& mm, VirtRange& range, bool& hole) {
  const ReadGuard guard(mm.mmap_sem);
  const Vma* const vma = mm.vmas.find(range.start);
  if (vma == nullptr || vma->vm_start >= range.end) return Status::kNoMemory;
  const VirtAddr start = std::max(range.start, vma->vm_start);
  const VirtAddr end = std::min(range.end, vma->vm_end);
  hole = hole || start > range.start;
  range.start = end;
  if (!vma_wants_writenotify(*vma)) return FileRange{};
  vma->vm_file->count.inc();
  const std::uint64_t first = vma->index_of(start);
  return FileRange{vma->vm_file, first, first + ((end - start) >> kPageShift)};
}

}  // namespace

bool vma_wants_writenotify(const Vma& vma) {
  return vma.is(kVmShared) && vma.vm_file != nullptr && !vma.vm_file->shmem;
}

void dirty_shared_page(Machine& m, Page& page) {
  // Whoever cleans the page may have seen our pte before it could write, and not have
  // cleared PG_dirty yet: its mark must not take ours away.
  if (!bug::armed(Bug::kMkcleanVsDoWpPage)) wait_on_page_locked(m, page);
  page.set(PageFlag::kDirty);
}

bool page_mkclean(Machine& m, Page& page) {
  invariant(Inv::kMkcleanHoldsPageLock, page.test(PageFlag::kLocked));
  if (!page.is_mapped()) return false;
  AddressSpace* const mapping = mapping_of(page);
  const std::uint64_t index = page.index.load(std::memory_order_relaxed);
  bool cleaned = false;
  const SpinGuard guard(mapping->i_mmap_lock);
  for (Vma* vma = mapping->i_mmap.first(index, index); vma != nullptr;
       vma = IMmapTree::next(*vma, index, index)) {
    if (!vma->is(kVmShared)) continue;
    if (page_mkclean_one(m, page, *vma, vma_address(*vma, index))) cleaned = true;
  }
  return cleaned;
}

bool clear_page_dirty_for_io(Machine& m, Page& page) {
  if (page_mkclean(m, page)) page.set(PageFlag::kDirty);
  return page.clear(PageFlag::kDirty);
}

void wait_on_page_writeback(Machine& m, Page& page) {
  bit_wait(page.flags, kWriteback, m.page_wait(page));
}

void write_locked_page(Machine& m, Page& page) {
  if (!clear_page_dirty_for_io(m, page)) return;
  page.set(PageFlag::kWriteback);
  finish_writeback(m, *mapping_of(page), page);
}

std::uint64_t write_cache_pages(Machine& m, AddressSpace& mapping, std::uint64_t first,
                                std::uint64_t end, std::uint64_t nr_to_write,
                                WbSync sync) {
  std::uint64_t written = 0;
  end = std::min(end, mapping.size);
  for (std::uint64_t index = first; index < end && written < nr_to_write; ++index) {
    if (write_cache_page(m, mapping, index, sync)) ++written;
  }
  return written;
}

Status do_msync(Machine& m, Mm& mm, VirtRange range, WbSync sync) {
  const bool aligned = range.start % kPageSize == 0 && range.end % kPageSize == 0;
  if (!aligned || range.start >= range.end) return Status::kInvalid;
  bool hole = false;
  while (range.start < range.end) {
    const Result<FileRange> found = next_file_range(mm, range, hole);
    if (!found) return found.status();
    if (found->file == nullptr) continue;
    write_cache_pages(m, *found->file, found->first, found->end, ~0ull, sync);
    fput(m, *found->file);
  }
  return hole ? Status::kNoMemory : Status::kOk;
}

}  // namespace racier
