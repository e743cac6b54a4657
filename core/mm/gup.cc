// core/mm/gup.cc - looks, faults, and looks again.
// Tested by gup_test.cc and corpus/programs/pin_*.racier.
#include "core/mm/gup.h"

#include "core/base/bug.h"
#include "core/mm/fault.h"
#include "core/mm/find_vma.h"
#include "core/mm/page_alloc.h"
#include "core/objects/ptl.h"
#include "core/sync/sites.h"

namespace racier {
namespace {

// Returns the page that `addr` maps, for writing if it may be written as it is, with a
// reference; or nullptr.  Kernel: follow_page().
Page* follow_page(Machine& m, Mm& mm, VirtAddr addr, bool write) {
  const PtlGuard guard(m, mm, addr);
  const PteSlot slot = find_pte(m.frames, mm.context, addr);
  const Pte pte = slot ? slot.get() : Pte();
  if (!pte.present() || !still(!write || pte.writable())) return nullptr;
  Page& page = m.page(pte.pfn());
  get_page(page);
  return &page;
}

bool vma_allows(const Vma& vma, Gup gup) {
  switch (gup) {
    case Gup::kRead:
      return (vma.vm_flags & (kVmRead | kVmExec)) != 0;
    case Gup::kWrite:
      return vma.is(kVmWrite);
    case Gup::kForceRead:
      return true;
  }
  return false;
}

// Only a pte that is writable says that the page is the mm's own: a fault may have done
// less than it was asked for, or what it did may be undone.
Result<Page*> fault_in(Machine& m, Vma& vma, VirtAddr addr, bool write)
    REQUIRES_SHARED(vma.vm_mm->mmap_sem) {
  for (;;) {
    if (Page* const page = follow_page(m, *vma.vm_mm, addr, write)) return page;
    const FaultResult result = handle_mm_fault(m, vma, addr, write);
    if (result == FaultResult::kOom) return Status::kNoMemory;
    if (result == FaultResult::kSigbus) return Status::kBusError;
    if (bug::armed(Bug::kGupWriteRetryAsRead)) write = false;
  }
}

// Context: mmap_sem held.
Result<PinnedPage> pin_locked(Machine& m, Mm& mm, VirtAddr addr, Gup gup,
                              GupVmas vmas = GupVmas::kAny)
    REQUIRES_SHARED(mm.mmap_sem) {
  Vma* const vma = find_vma(m, mm, addr);
  if (vma == nullptr || !vma->contains(addr) || !vma_allows(*vma, gup)) {
    return Status::kFault;
  }
  if (vmas == GupVmas::kAnon && vma->vm_file != nullptr) return Status::kFault;
  vma->vm_mm->mmap_sem.assert_held_shared();
  const bool write = gup == Gup::kWrite;
  const Result<Page*> page = fault_in(m, *vma, page_floor(addr), write);
  if (!page) return page.status();
  if (write) m.tracepoints->pinned_to_write(**page, *vma, page_floor(addr));
  return PinnedPage{*page, mm.id, m.newest_mm_id(), write};
}

// One access through the direct map: a step, under the name that user accesses to the
// word have, too.
std::uint64_t access_word(Machine& m, const PinnedPage& pinned, std::uint64_t offset,
                          bool write, std::uint64_t value) {
  const Pfn pfn = pinned.page->pfn;
  step({m.frames.word_name(pfn, offset), write ? Access::kWrite : Access::kRead,
        std::memory_order_relaxed, std::source_location::current(), sizeof value});
  std::byte* const at = m.frames.data(pfn) + offset;
  if (write) {
    store_user_word(at, value);
  } else {
    value = load_user_word(at);
  }
  m.tracepoints->device_accessed(
      m, {*pinned.page, offset, write, value, pinned.mm_id, pinned.newest_mm_id});
  return value;
}

// Kernel: set_page_dirty_lock().
void set_page_dirty_lock(Machine& m, Page& page) {
  lock_page(m, page);
  page.set(PageFlag::kDirty);
  unlock_page(m, page);
}

}  // namespace

Result<PinnedPage> get_user_page(Machine& m, Mm& mm, VirtAddr addr, Gup gup,
                                 GupVmas vmas) {
  const ReadGuard guard(mm.mmap_sem);
  return pin_locked(m, mm, addr, gup, vmas);
}

void put_user_page(Machine& m, const PinnedPage& pinned) {
  if (pinned.write) m.tracepoints->unpinned(*pinned.page, pinned.mm_id);
  put_page(m, *pinned.page);
}

std::uint64_t load_pinned(Machine& m, const PinnedPage& pinned, std::uint64_t offset) {
  return access_word(m, pinned, offset, false, 0);
}

void store_pinned(Machine& m, const PinnedPage& pinned, std::uint64_t offset,
                  std::uint64_t value) {
  access_word(m, pinned, offset, true, value);
  set_page_dirty_lock(m, *pinned.page);
}

Result<std::uint64_t> read_process_vm(Machine& m, Mm& mm, VirtAddr addr) {
  const ReadGuard guard(mm.mmap_sem);
  const Result<PinnedPage> pinned = pin_locked(m, mm, addr, Gup::kForceRead);
  if (!pinned) return pinned.status();
  const std::uint64_t value = load_pinned(m, *pinned, addr % kPageSize);
  put_user_page(m, *pinned);
  return value;
}

Status write_process_vm(Machine& m, Mm& mm, VirtAddr addr, std::uint64_t value) {
  const ReadGuard guard(mm.mmap_sem);
  const Result<PinnedPage> pinned = pin_locked(m, mm, addr, Gup::kWrite);
  if (!pinned) return pinned.status();
  store_pinned(m, *pinned, addr % kPageSize, value);
  put_user_page(m, *pinned);
  return Status::kOk;
}

}  // namespace racier
