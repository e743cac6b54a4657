// core/objects/page.h - a page frame, as the kernel sees it.
#pragma once
#include <cstdint>

#include "core/base/bug.h"
#include "core/base/list.h"
#include "core/base/types.h"
#include "core/memory/pte.h"
#include "core/objects/lock_classes.h"
#include "core/sync/atomic.h"
#include "core/sync/rcu.h"
#include "core/sync/ref_count.h"
#include "core/sync/spin_lock.h"

namespace racier {

struct AddressSpace;
struct Vma;

// Bits of Page::flags.  Kernel: include/linux/page-flags.h.
enum class PageFlag : int {
  kLocked = 0,  // the page lock; sleeping bit lock
  kReferenced,  // used since reclaim looked last
  kUptodate,    // its content is valid
  kDirty,       // its content is newer than its backing store
  kLru,         // on one of the two LRU lists; guarded by lru_lock when changed
  kActive,      // on the active list
  kSwapCache,   // in the swap cache: `private_data` is its entry
  kWriteback,   // being written to its backing store
  kSwapBacked,  // a page of shared anonymous memory: its backing store is swap
  kChainLock,   // guards `rmap` where the scheme has chains; bit spinlock
  kLazyFree,    // anonymous, and may be dropped while it is clean (MADV_FREE)
};
constexpr std::uint64_t bit_of(PageFlag flag) { return 1ull << static_cast<int>(flag); }

// The low bit of Page::mapping: it points to what the rmap scheme anchors anonymous
// pages with, not to an AddressSpace.
inline constexpr std::uintptr_t kPageMappingAnon = 1;

// Kernel: struct page, v2.6.9.
struct Page {
  Atomic<std::uint64_t> flags{0};
  RefCount count{0};  // references; 0: the frame is free.  Kernel: _count
  Atomic<std::int32_t> mapcount{-1};  // ptes that map it, minus one.  Kernel: _mapcount
  // The file mapping, or the scheme's anchor with kPageMappingAnon, or 0.  Only the
  // scheme looks behind the tag.  Of an anonymous page it stays after the last unmap,
  // and means something only while the page is mapped.
  Atomic<std::uintptr_t> mapping{0};
  // Index in the file, or the linear index of an anonymous page in its vma.
  Atomic<std::uint64_t> index{0};
  // The swap slot while kSwapCache is set; guarded by the swap cache's tree_lock.
  Atomic<std::uint32_t> private_data{0};
  ListNode lru;  // guarded by lru_lock
  // What the rmap scheme keeps in a page, of a page table too.  Nobody else reads it;
  // guarded by the scheme's own locks.
  std::uintptr_t rmap = 0;
  ListNode rmap_node;
  SpinLock ptl{lock_class::kPteLock};  // of a table of ptes, with ptl=split: ptl.h
  // Of a table of ptes, with lookup=kamezawa: the vma of the last fault in its range,
  // or null.  Changed under the lock of its ptes.  Kernel: page->cache.
  Atomic<Vma*> cached_vma{nullptr};
  RcuHead rcu;  // of a table that is freed behind a grace period (core/mm/gather.h)
  // Returns the page whose `rcu` that is.
  static Page& of(RcuHead& head);
  Pfn pfn = 0;

  bool test(PageFlag flag,
            std::source_location where = std::source_location::current()) const {
    return (flags.load(where) & bit_of(flag)) != 0;
  }
  // Each returns whether the flag was set before.
  bool set(PageFlag flag,
           std::source_location where = std::source_location::current()) {
    return (flags.fetch_or(bit_of(flag), where) & bit_of(flag)) != 0;
  }
  bool clear(PageFlag flag,
             std::source_location where = std::source_location::current()) {
    return (flags.fetch_and(~bit_of(flag), where) & bit_of(flag)) != 0;
  }
  // Says that the content is valid: who sees the flag sees the content.
  // Kernel: SetPageUptodate(), 2.6.25.
  void set_uptodate(std::source_location where = std::source_location::current()) {
    flags.fetch_or(bit_of(PageFlag::kUptodate),
                   bug::weaken(Bug::kUptodateBeforeData, std::memory_order_acq_rel),
                   where);
  }
  // Returns whether the flag is set, without a step: for audits, and for a page that
  // nobody else can see.
  bool peek(PageFlag flag) const { return (flags.peek() & bit_of(flag)) != 0; }

  // Returns whether any pte maps it: a hint, unless something keeps it so.
  // Kernel: page_mapped().
  bool is_mapped(std::source_location where = std::source_location::current()) const {
    return mapcount.load(where) >= 0;
  }
  // Returns whether it is an anonymous page.  Kernel: PageAnon().
  bool is_anon(std::source_location where = std::source_location::current()) const {
    return (mapping.load(where) & kPageMappingAnon) != 0;
  }
  SwapEntry swap_entry(
      std::source_location where = std::source_location::current()) const {
    return {private_data.load(where)};
  }
};

}  // namespace racier
