// core/objects/vma.h - a stretch of a process's address space.
#pragma once
#include <cstdint>

#include "core/base/list.h"
#include "core/base/tree.h"
#include "core/base/types.h"
#include "core/objects/lock_classes.h"
#include "core/sync/atomic.h"
#include "core/sync/rcu.h"
#include "core/sync/wait_queue.h"

namespace racier {

struct AddressSpace;
struct Mm;
struct Vma;

// Bits of Vma::vm_flags.  Kernel: VM_READ and friends.
inline constexpr std::uint32_t kVmRead = 1u << 0;
inline constexpr std::uint32_t kVmWrite = 1u << 1;
inline constexpr std::uint32_t kVmExec = 1u << 2;
inline constexpr std::uint32_t kVmShared = 1u << 3;
// A stack: an access below it lets it grow.
inline constexpr std::uint32_t kVmGrowsDown = 1u << 8;
inline constexpr std::uint32_t kVmLocked = 1u << 13;      // not to be reclaimed
inline constexpr std::uint32_t kVmDontCopy = 1u << 17;    // not for children
inline constexpr std::uint32_t kVmWipeOnFork = 1u << 25;  // empty in children
inline constexpr std::uint32_t kVmAccess = kVmRead | kVmWrite | kVmExec;

// What the rmap scheme keeps in a vma.  Nobody else reads it.
struct RmapOfVma {
  explicit RmapOfVma(Vma& owner) : vma(&owner) {}
  Vma* const vma;
  Atomic<std::uintptr_t> anchor{0};
  ListNode node;
};

// Kernel: struct vm_area_struct, v2.6.9.
// vm_start, vm_end, vm_pgoff and vm_flags are read under mm->mmap_sem, or by a
// reverse-map walk under the lock of what it walks; they are changed under all of them.
struct Vma {
  Mm* vm_mm = nullptr;
  VirtAddr vm_start = 0;
  VirtAddr vm_end = 0;
  std::uint32_t vm_flags = 0;
  // Pages: of a file vma the index of its first page in the file; of an anonymous one
  // the index that its first page had where it was first mapped.
  std::uint64_t vm_pgoff = 0;
  AddressSpace* vm_file = nullptr;  // null: private anonymous memory

  TreeNode vm_rb;   // in mm->vmas; guarded by mmap_sem and page_table_lock
  TreeNode shared;  // in vm_file->i_mmap; guarded by i_mmap_lock
  std::uint64_t shared_last = 0;  // greatest last index in the subtree of `shared`
  RmapOfVma rmap{*this};
  Vma* detached_next = nullptr;  // of a munmap that took both out of mm->vmas

  // With lookup=kamezawa (core/mm/vma_cache.h): how many use it, or are about to find
  // out that they must not, without mmap_sem; who waits for them to stop; and a place
  // in the queue of what is freed behind a grace period.
  Atomic<std::int32_t> cache_access{0};
  WaitQueue cache_wait{lock_class::kVmaWait};
  RcuHead rcu;
  // Returns the vma whose `rcu` that is.
  static Vma& of(RcuHead& head);

  // With lookup=per_vma (core/mm/vma_lock.h): 0 while it is in no tree, 1 in one, and
  // one more for each who uses it without mmap_sem; and the mm's vma_version at which
  // it was locked for writing last.
  Atomic<std::uint32_t> vm_refcnt{0};
  Atomic<std::uint32_t> vm_lock_seq{kNeverLocked};
  static constexpr std::uint32_t kNeverLocked = ~0u;  // the version of no writer's time
  // Makes it as a new one that is in no tree, but for what others may still look at:
  // of type-stable memory.
  void renew();

  VirtRange range() const { return {vm_start, vm_end}; }
  bool contains(VirtAddr addr) const { return vm_start <= addr && addr < vm_end; }
  bool is(std::uint32_t flags) const { return (vm_flags & flags) == flags; }
  std::uint64_t pages() const { return (vm_end - vm_start) >> kPageShift; }
  // Returns the linear index of `addr`.  Kernel: linear_page_index().
  std::uint64_t index_of(VirtAddr addr) const {
    return ((addr - vm_start) >> kPageShift) + vm_pgoff;
  }
};

// Returns where a page of linear index `index` would be in `vma`, or kUserEnd if the
// vma does not reach it.  Kernel: vma_address().
inline VirtAddr vma_address(const Vma& vma, std::uint64_t index) {
  if (index < vma.vm_pgoff || index - vma.vm_pgoff >= vma.pages()) return kUserEnd;
  return vma.vm_start + ((index - vma.vm_pgoff) << kPageShift);
}

// The vmas of one mm, by address; they never overlap.
class VmaTree {
 public:
  // Returns the first vma that ends behind `addr`, which may start behind it, too;
  // nullptr if there is none.  Kernel: find_vma().
  Vma* find(VirtAddr addr) const;
  // Returns the first vma that overlaps `range`.  Kernel: find_vma_intersection().
  Vma* find_intersection(VirtRange range) const;
  void insert(Vma& vma);
  void erase(Vma& vma) { tree_.erase(vma); }
  Vma* first() const { return tree_.first(); }
  Vma* last() const { return tree_.last(); }
  static Vma* next(Vma& vma) { return Tree<Traits>::next(vma); }
  static Vma* prev(Vma& vma) { return Tree<Traits>::prev(vma); }
  bool empty() const { return tree_.empty(); }

 private:
  struct Traits {
    using Entry = Vma;
    static TreeNode& node(Vma& vma) { return vma.vm_rb; }
    static Vma& entry(TreeNode& node);
    static bool less(const Vma& a, const Vma& b) { return a.vm_start < b.vm_start; }
    static void update(Vma&, const Vma*, const Vma*) {}
  };
  Tree<Traits> tree_;
};

// The vmas that map one file, by the pages of it that they map.
// Kernel: mapping->i_mmap, a prio_tree in 2.6.9; an augmented tree here, as since 3.7.
class IMmapTree {
 public:
  void insert(Vma& vma);
  void erase(Vma& vma) { tree_.erase(vma); }
  bool empty() const { return tree_.empty(); }
  // Returns the first vma that maps any of the pages [first, last], or nullptr.
  Vma* first(std::uint64_t first, std::uint64_t last) const;
  // Returns the one after `vma` that does.
  static Vma* next(Vma& vma, std::uint64_t first, std::uint64_t last);

 private:
  struct Traits {
    using Entry = Vma;
    static TreeNode& node(Vma& vma) { return vma.shared; }
    static Vma& entry(TreeNode& node);
    static bool less(const Vma& a, const Vma& b) { return a.vm_pgoff < b.vm_pgoff; }
    static void update(Vma& vma, const Vma* left, const Vma* right);
  };
  Tree<Traits> tree_;
};

}  // namespace racier
