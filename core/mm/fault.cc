// core/mm/fault.cc - page faults.
//
// Each handler gets the pte that the fault saw, makes what it needs without
// page_table_lock, takes the lock, and gives up if the pte has changed: the access is
// then tried again.  That is the shape of 2.6.15; in 2.6.9 the lock was held from the
// look at the pte on, and dropped around allocations, with the same second look.
//
// Tested by fault_test.cc and corpus/programs.
#include "core/mm/fault.h"

#include <utility>

#include "core/base/bug.h"
#include "core/base/mark.h"
#include "core/mm/filemap.h"
#include "core/mm/migrate.h"
#include "core/mm/mmu_notifier.h"
#include "core/mm/page_alloc.h"
#include "core/mm/swap.h"
#include "core/mm/tlb.h"
#include "core/mm/vma_cache.h"
#include "core/mm/writeback.h"
#include "core/objects/page_table.h"
#include "core/objects/ptl.h"
#include "core/rmap/scheme.h"
#include "core/sync/maybe_guard.h"
#include "core/sync/sites.h"

namespace racier {
namespace {

// A fault on its way.
struct Fault {
  Machine& m;
  Vma& vma;
  Mm& mm;
  VirtAddr addr;  // of the page
  bool write;
};

// A reference to a page that is dropped on every way out, unless it was handed over.
class PageRef {
 public:
  PageRef(Machine& m, Page* page) : m_(m), page_(page) {}
  ~PageRef() noexcept(false) {
    if (page_ != nullptr && !run_is_over()) put_page(m_, *page_);
  }
  PageRef(const PageRef&) = delete;
  PageRef& operator=(const PageRef&) = delete;

  explicit operator bool() const { return page_ != nullptr; }
  Page& operator*() const { return *page_; }
  Page* operator->() const { return page_; }
  // Hands the reference over: to a pte, mostly.
  Page& release() { return *std::exchange(page_, nullptr); }

 private:
  Machine& m_;
  Page* page_;
};

// What a pte of `vma` for `page` allows: everything but writing.
Pte read_only_pte(const Vma& vma, const Page& page) {
  const bool access = (vma.vm_flags & kVmAccess) != 0;
  return Pte::page(page.pfn, access ? Pte::kPresent | Pte::kUser : Pte::kProtNone);
}

Pte maybe_writable_pte(const Vma& vma, const Page& page) {
  const Pte pte = read_only_pte(vma, page);
  return vma.is(kVmWrite) ? pte.with(Pte::kWrite) : pte;
}

PteSlot slot_of(const Fault& f) { return find_pte(f.m.frames, f.mm.context, f.addr); }

// Returns a page with the zero-filled or copied content that a private write needs;
// `from` is nullptr or the zero page for zeroes.
Page* new_private_page(const Fault& f, const Page* from) {
  if (from == nullptr || f.m.is_zero_page(from->pfn)) {
    return alloc_zeroed_page(f.m, Gfp::kKernel);
  }
  Page* const page = alloc_page(f.m, Gfp::kKernel);
  if (page == nullptr) return nullptr;
  std::byte* const frame = f.m.frames.data(page->pfn);
  const WeakFill fill(frame, kPageSize);
  copy_user_frame(frame, f.m.frames.data(from->pfn));
  mark::hit(Mark::kCowCopy);
  return page;
}

// Returns whether memory that was private may be gone: then nothing may come in its
// place.  Context: the lock of the pte is held.  Kernel: check_stable_address_space().
bool is_unstable(const Fault& f,
                 std::source_location where = std::source_location::current()) {
  const bool unstable =
      f.mm.is(MmFlag::kUnstable) && !bug::armed(Bug::kUnstableNotTested);
  return !still(!unstable, where);
}

// Maps the zero page, until somebody writes.
FaultResult map_zero_page(const Fault& f) {
  const PtlGuard guard(f.m, f.mm, f.addr);
  if (is_unstable(f)) return FaultResult::kSigbus;
  const PteSlot slot = slot_of(f);
  if (still(slot.get().none())) slot.set(read_only_pte(f.vma, f.m.zero_page()));
  return FaultResult::kMinor;
}

// Maps `fresh`, a private page that nobody else can see, over `expected`.  Takes over
// the reference if it could.  Returns the page that was there before, or nullptr.
Page* install_private_page(const Fault& f, rmap::Ticket ticket, PageRef& fresh,
                           Pte expected) REQUIRES(f.vma.vm_mm->page_table_lock) {
  const PteSlot slot = slot_of(f);
  if (!still(slot.get() == expected)) {
    f.m.scheme().refund(ticket);
    return nullptr;
  }
  Page* const before = expected.present() ? &f.m.page(expected.pfn()) : nullptr;
  const bool before_counts = before != nullptr && !f.m.is_zero_page(before->pfn);
  const bool early = before_counts && bug::armed(Bug::kCowRmapRemovedEarly);
  if (early) f.m.scheme().remove(*before, f.vma, f.addr);
  Mm& mm = *f.vma.vm_mm;
  if (!before_counts) ++f.vma.vm_mm->rss;
  if (!(before_counts && before->is_anon())) ++f.vma.vm_mm->anon_rss;
  Page& page = fresh.release();
  page.set_uptodate();
  f.m.scheme().add_anon(page, f.vma, f.addr, ticket);
  lru_cache_add_active(f.m, page);
  const Pte pte = maybe_writable_pte(f.vma, page).with(Pte::kDirty | Pte::kAccessed);
  if (before == nullptr) {
    slot.set(pte);
    return nullptr;
  }
  // Nobody may see the new page while somebody still writes to the old one through a
  // cached translation; and the old page's mapcount falls only when nobody can reach it
  // through here: a sharer that sees itself alone writes in place (2.6.26).
  slot.get_and_clear();
  flush_tlb_page(f.m, mm, f.addr);
  slot.set(pte);
  mmu_notifier_change_pte(f.m, mm, f.addr, pte);
  if (!before_counts) return nullptr;
  if (!early) f.m.scheme().remove(*before, f.vma, f.addr);
  return before;
}

// Gives a private mapping a page of its own, with the content of `from`, over
// `expected`.
FaultResult make_private_page(const Fault& f, Page* from, Pte expected)
    REQUIRES_SHARED(f.vma.vm_mm->mmap_sem) {
  const Result<rmap::Ticket> ticket = f.m.scheme().prepare(f.vma);
  if (!ticket.ok()) return FaultResult::kOom;
  PageRef fresh(f.m, new_private_page(f, from));
  if (!fresh) {
    f.m.scheme().refund(*ticket);
    return FaultResult::kOom;
  }
  Page* before = nullptr;
  {
    // Nobody may read the old page when somebody stores to the new one.
    const bool copies = expected.present() && !bug::armed(Bug::kCowChangePteAlone);
    const NotifiedRange notified(f.m, f.mm, {f.addr, f.addr + kPageSize}, copies);
    const PtlGuard guard(f.m, *f.vma.vm_mm, f.addr);
    if (is_unstable(f)) {
      f.m.scheme().refund(*ticket);
      return FaultResult::kSigbus;
    }
    before = install_private_page(f, *ticket, fresh, expected);
  }
  if (before != nullptr) put_page(f.m, *before);  // the pte's reference
  return FaultResult::kMinor;
}

// A page of private anonymous memory that was never touched.  Kernel:
// do_anonymous_page().
FaultResult do_anonymous_page(const Fault& f) REQUIRES_SHARED(f.vma.vm_mm->mmap_sem) {
  if (!f.write) return map_zero_page(f);
  return make_private_page(f, nullptr, Pte{});
}

// Returns the pte with which `f` maps `page` of the page cache.  A clean page of a file
// is mapped read-only, so that its first store is noticed.
Pte file_pte(const Fault& f, const Page& page) {
  if (!f.vma.is(kVmShared)) return read_only_pte(f.vma, page);
  if (!vma_wants_writenotify(f.vma)) return maybe_writable_pte(f.vma, page);
  if (!f.write) return read_only_pte(f.vma, page);
  return maybe_writable_pte(f.vma, page).with(Pte::kDirty | Pte::kAccessed);
}

// Maps `page` of the page cache, locked, as it is.
FaultResult map_file_page(const Fault& f, Page& page)
    REQUIRES_SHARED(f.vma.vm_mm->mmap_sem) {
  const Result<rmap::Ticket> ticket = f.m.scheme().prepare(f.vma);
  if (!ticket.ok()) return FaultResult::kOom;
  const PtlGuard guard(f.m, *f.vma.vm_mm, f.addr);
  const PteSlot slot = slot_of(f);
  const bool unstable = is_unstable(f) && !f.vma.is(kVmShared);
  if (unstable || !still(slot.get().none())) {
    f.m.scheme().refund(*ticket);
    return unstable ? FaultResult::kSigbus : FaultResult::kMinor;
  }
  get_page(page);
  ++f.vma.vm_mm->rss;
  f.m.scheme().add_file(page, f.vma, f.addr, *ticket);
  slot.set(file_pte(f, page));
  return FaultResult::kMinor;
}

// A page of a file that was never touched here.  Kernel: do_no_page(), in the shape of
// 2.6.23's __do_fault(): truncation cannot come between finding the page and mapping it
// or its copy, as the page is locked.
FaultResult do_no_page(const Fault& f) REQUIRES_SHARED(f.vma.vm_mm->mmap_sem) {
  const Result<Page*> found =
      filemap_fault(f.m, *f.vma.vm_file, f.vma.index_of(f.addr));
  if (!found.ok()) {
    if (found.status() == Status::kNoMemory) return FaultResult::kOom;
    // What the file has not got, nobody else has.
    if (!bug::armed(Bug::kAnonPageInFileVma)) return FaultResult::kSigbus;
    return do_anonymous_page(f);
  }
  const PageRef cached(f.m, *found);
  const bool copy = f.write && !f.vma.is(kVmShared);
  const FaultResult result =
      copy ? make_private_page(f, &*cached, Pte{}) : map_file_page(f, *cached);
  unlock_page(f.m, *cached);
  const bool stores = f.write && vma_wants_writenotify(f.vma);
  if (stores && result == FaultResult::kMinor) dirty_shared_page(f.m, *cached);
  return result;
}

// Maps `page`, locked and back from swap, over its swap entry.  Takes over the
// reference.
void map_swapped_page(const Fault& f, rmap::Ticket ticket, Page& page, PteSlot slot)
    REQUIRES(f.vma.vm_mm->page_table_lock) {
  ++f.vma.vm_mm->rss;
  ++f.vma.vm_mm->anon_rss;
  const bool exclusive = f.write && can_share_swap_page(f.m, page);
  const Pte pte = exclusive ? maybe_writable_pte(f.vma, page).with(Pte::kDirty)
                            : read_only_pte(f.vma, page);
  f.m.scheme().add_anon(page, f.vma, f.addr, ticket);
  if (exclusive) f.m.scheme().move_anon(page, f.vma);
  slot.set(pte.with(Pte::kAccessed));
}

// Holds a page lock for a scope.
class PageLock {
 public:
  PageLock(Machine& m, Page& page,
           std::source_location where = std::source_location::current())
      : m_(m), page_(page), where_(where) {
    lock_page(m, page, where);
  }
  ~PageLock() noexcept(false) { unlock_page(m_, page_, where_); }
  PageLock(const PageLock&) = delete;
  PageLock& operator=(const PageLock&) = delete;

 private:
  Machine& m_;
  Page& page_;
  std::source_location where_;
};

// A page of private memory that reclaim took away.  Kernel: do_swap_page(); the page
// stays locked until it is mapped (2.6.13), and must still be that entry's (2.6.36).
FaultResult do_swap_page(const Fault& f, Pte orig)
    REQUIRES_SHARED(f.vma.vm_mm->mmap_sem) {
  const SwapEntry entry = orig.swap_entry();
  swapin_readahead(f.m, entry);
  PageRef cached(f.m, read_swap_cache(f.m, entry));
  if (!cached) {
    const PtlGuard guard(f.m, *f.vma.vm_mm, f.addr);
    return slot_of(f).get() == orig ? FaultResult::kOom : FaultResult::kMinor;
  }
  mark_page_accessed(f.m, *cached);
  const Result<rmap::Ticket> ticket = f.m.scheme().prepare(f.vma);
  if (!ticket.ok()) return FaultResult::kOom;
  const PageLock lock(f.m, *cached);
  const bool still_there =
      still(bug::armed(Bug::kSwapinStaleSwapcache) ? cached->test(PageFlag::kSwapCache)
                                                   : is_cached_as(*cached, entry));
  const bool readable = cached->test(PageFlag::kUptodate);
  const PtlGuard guard(f.m, *f.vma.vm_mm, f.addr);
  const PteSlot slot = slot_of(f);
  if (!still_there || !readable || !still(slot.get() == orig)) {
    f.m.scheme().refund(*ticket);
    return still_there && !readable ? FaultResult::kSigbus : FaultResult::kMinor;
  }
  get_page(*cached);  // the pte's; ours lasts until the page is unlocked
  map_swapped_page(f, *ticket, *cached, slot);
  swap_free(f.m, entry);
  mark::hit(Mark::kSwapIn);
  return FaultResult::kMajor;
}

// Whether somebody has the page's lock, and holds up who may have it alone.
enum class Contended : bool { kNo, kYes };

// Returns whether references say that somebody else uses `page`, mapped here.
bool is_referenced_elsewhere(const Fault& f, const Page& page) {
  const int cached = page.test(PageFlag::kSwapCache) ? 1 : 0;
  const int own = cached + f.m.scheme().own_refs(page);
  return page.count.read() > page.mapcount.load() + 1 + own;
}

// Returns whether `page`, anonymous and mapped by the faulting pte alone, is the vma's
// own now.  Context: page lock and page_table_lock held.
bool make_own(const Fault& f, Page& page) REQUIRES(f.vma.vm_mm->page_table_lock) {
  const bool by_count = bug::armed(Bug::kGupSwappedPageCopied);
  if (by_count && is_referenced_elsewhere(f, page)) return false;
  if (!reuse_swap_page(f.m, page)) return false;
  f.m.scheme().move_anon(page, f.vma);
  return true;
}

// Returns whether `page`, mapped read-only by the faulting pte, may be written in
// place.
// Context: page_table_lock held, so the page lock may only be tried.
bool can_write_in_place(const Fault& f, Page& page, Contended& contended)
    REQUIRES(f.vma.vm_mm->page_table_lock) {
  if (f.vma.is(kVmShared)) return true;
  if (!page.is_anon()) return false;
  if (!trylock_page(page)) {
    contended = Contended::kYes;
    return false;
  }
  const bool own = make_own(f, page);
  unlock_page(f.m, page);
  return own;
}

void allow_writing(const Fault& f, PteSlot slot, Pte orig) {
  mark::hit(Mark::kCowReuse);
  slot.set(orig.with(Pte::kWrite | Pte::kDirty | Pte::kAccessed));
  flush_tlb_page(f.m, f.mm, f.addr);
}

// Makes the pte writable if the page need not be copied.  Else takes a reference to the
// page to copy.  Returns nullptr when there is nothing left to do.
Page* write_in_place(const Fault& f, Pte orig, Contended& contended) {
  const PtlGuard guard(f.m, *f.vma.vm_mm, f.addr);
  const PteSlot slot = slot_of(f);
  if (!still(slot.get() == orig)) return nullptr;
  Page& page = f.m.page(orig.pfn());
  if (f.m.is_zero_page(page.pfn)) return &page;
  if (!can_write_in_place(f, page, contended)) {
    get_page(page);
    return &page;
  }
  allow_writing(f, slot, orig);
  return nullptr;
}

// Likewise, now that the lock of `page` is held.  Returns whether there is nothing left
// to do.  A page that nobody shares must not be copied because its lock was taken:
// somebody may have it pinned (2.6.29).
bool wrote_in_place_locked(const Fault& f, Pte orig, Page& page) {
  const PtlGuard guard(f.m, *f.vma.vm_mm, f.addr);
  const PteSlot slot = slot_of(f);
  if (!still(slot.get() == orig)) return true;
  if (!make_own(f, page)) return false;
  allow_writing(f, slot, orig);
  return true;
}

// Makes the pte of a page of a file writable, and then the page dirty.
FaultResult make_shared_page_dirty(const Fault& f, Pte orig) {
  const PageRef page(f.m, [&]() -> Page* {
    const PtlGuard guard(f.m, *f.vma.vm_mm, f.addr);
    const PteSlot slot = slot_of(f);
    if (!still(slot.get() == orig)) return nullptr;
    Page& mapped = f.m.page(orig.pfn());
    get_page(mapped);
    slot.set(orig.with(Pte::kWrite | Pte::kDirty | Pte::kAccessed));
    flush_tlb_page(f.m, f.mm, f.addr);
    return &mapped;
  }());
  if (page) dirty_shared_page(f.m, *page);
  return FaultResult::kMinor;
}

// The lock hides what kCowRmapRemovedEarly, a bug of a time without it, shows.
bool copies_unlocked() {
  return bug::armed(Bug::kCowCopyUnlocked) || bug::armed(Bug::kCowRmapRemovedEarly);
}

// A write to a page that is mapped read-only in a vma that may write.  Kernel:
// do_wp_page().
FaultResult do_wp_page(const Fault& f, Pte orig)
    REQUIRES_SHARED(f.vma.vm_mm->mmap_sem) {
  if (vma_wants_writenotify(f.vma)) return make_shared_page_dirty(f, orig);
  Contended contended = Contended::kNo;
  Page* const shared = write_in_place(f, orig, contended);
  if (shared == nullptr) return FaultResult::kMinor;
  const bool zero = f.m.is_zero_page(shared->pfn);
  const PageRef source(f.m, zero ? nullptr : shared);
  // Until the copy is in place nobody may find himself the only user of the original:
  // he would store to it, and if it goes to swap and comes back the pte is as it was.
  MaybeGuard<PageLock> lock;
  const bool can_be_alone = !zero && shared->is_anon();
  if (can_be_alone && !copies_unlocked())
    lock.emplace(f.m, *shared, std::source_location::current());
  const bool look_again = lock.has_value() && contended == Contended::kYes;
  if (look_again && !bug::armed(Bug::kWpPageCopiedWhenLocked) &&
      wrote_in_place_locked(f, orig, *shared)) {
    return FaultResult::kMinor;
  }
  return make_private_page(f, shared, orig);
}

// Returns the pte of `addr`; page_table_lock only makes the look consistent.
Pte look_at_pte(const Fault& f) {
  const PtlGuard guard(f.m, *f.vma.vm_mm, f.addr);
  update_vma_cache(f.m, f.vma, f.addr);
  return slot_of(f).get();
}

}  // namespace

FaultResult handle_mm_fault(Machine& m, Vma& vma, VirtAddr addr, bool write) {
  const Fault f{m, vma, *vma.vm_mm, page_floor(addr), write};
  assert_vma_stays(f.vma);
  if (!pte_alloc(m, f.mm, f.addr)) return FaultResult::kOom;
  const Pte pte = look_at_pte(f);
  if (pte.none()) return vma.vm_file == nullptr ? do_anonymous_page(f) : do_no_page(f);
  if (pte.is_migration()) {
    migration_entry_wait(m, f.mm, f.addr);
    return FaultResult::kMinor;
  }
  if (pte.is_swap()) return do_swap_page(f, pte);
  if (write && !pte.writable()) return do_wp_page(f, pte);
  // Another thread was faster, or only a translation was stale.
  return FaultResult::kMinor;
}

bool pte_alloc(Machine& m, Mm& mm, VirtAddr addr) {
  for (;;) {
    int level = -1;
    {
      const SpinGuard guard(mm.page_table_lock);
      level = missing_table(m.frames, mm.context, addr);
    }
    if (level < 0) return true;
    PageRef table(m, alloc_zeroed_page(m, Gfp::kKernel));
    if (!table) return false;
    const SpinGuard guard(mm.page_table_lock);
    // Another thread may have put one there while the lock was not held.
    if (install_table(m.frames, mm.context, addr, level, table->pfn)) table.release();
  }
}

}  // namespace racier
