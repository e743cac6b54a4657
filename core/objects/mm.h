// core/objects/mm.h - an address space.
#pragma once
#include <array>
#include <cstdint>

#include "core/base/list.h"
#include "core/base/types.h"
#include "core/memory/mmu.h"
#include "core/objects/lock_classes.h"
#include "core/objects/maple_tree.h"
#include "core/objects/mmlist.h"
#include "core/objects/mmu_notifier.h"
#include "core/objects/vma.h"
#include "core/sync/atomic.h"
#include "core/sync/ref_count.h"
#include "core/sync/rw_semaphore.h"
#include "core/sync/spin_lock.h"
#include "core/sync/wait_queue.h"

namespace racier {

// A number that tasks change under different locks; to change it is no step.
// Kernel: mm_counter_t, v2.6.15.
class MmCounter {
 public:
  void operator++() { add(1); }
  void operator--() { add(-1); }
  operator std::int64_t() const { return value_.raw().load(std::memory_order_relaxed); }

 private:
  void add(std::int64_t change) {
    value_.raw().fetch_add(change, std::memory_order_relaxed);
  }
  Atomic<std::int64_t> value_{0};
};

struct AddressSpace;

// Kernel: MMF_*, mm->flags; kKilled is what a fatal signal of all its users is there.
enum class MmFlag : std::uint32_t {
  kKilled = 1,    // everybody who uses it is to die; it may be reaped
  kUnstable = 2,  // MMF_UNSTABLE: private memory may be gone, and does not come back
  kOomSkip = 4,   // MMF_OOM_SKIP: there is nothing left to reap
};

// Kernel: struct mm_struct, v2.6.9.
struct Mm {
  explicit Mm(std::uint32_t id) : id(id) { context.asid = id; }

  const std::uint32_t id;       // from 1, in the order of creation; also its asid
  std::uint32_t parent_id = 0;  // of the mm it was forked from; 0: none
  MmuContext context;

  // Users of the address space; at 0 it is torn down (exit_mmap).
  RefCount mm_users{1};
  // References to this object: one for all users together, and one per other holder.
  RefCount mm_count{1};

  RwSemaphore mmap_sem{lock_class::kMmapSem};
  // The vmas.  Changed under mmap_sem (write) and page_table_lock; so read under
  // either.
  VmaTree vmas;
  int map_count = 0;  // vmas; guarded by mmap_sem
  // With lookup=mmap_cache: the vma that was found last, or null.  Read and written
  // under mmap_sem (read), so by many at once; cleared under mmap_sem (write).
  Atomic<Vma*> mmap_cache{nullptr};
  // With lookup=kamezawa and per_vma: odd while mmap_sem is held for writing, and each
  // time another number.  Kernel, of the latter: mm_lock_seq.
  Atomic<std::uint32_t> vma_version{0};
  // The program that it was started with, with a reference; null: none.  Changed while
  // nobody else has the mm.  Kernel: exe_file.
  AddressSpace* exe_file = nullptr;
  VirtAddr start_brk = 0;  // where the heap starts, and where it ends now;
  VirtAddr brk = 0;        // guarded by mmap_sem

  SpinLock page_table_lock{lock_class::kPageTableLock};
  // Present ptes, but those of the zero page; and of them those of anonymous pages.
  // Changed under the lock of the pte.
  MmCounter rss;
  MmCounter anon_rss;
  // How often a flush of the TLBs was put off, and how often it had been at the last
  // flush that somebody made up for: core/mm/tlb_batch.h.  Kernel: tlb_flush_batched.
  Atomic<std::uint32_t> tlb_flush_pending{0};
  Atomic<std::uint32_t> tlb_flushed{0};
  // With flush=cpumask (core/mm/tlb.h): which CPUs have it loaded; how many flushes were
  // begun; and how many of them each CPU need not make up for, at least.
  // Kernel: mm_cpumask(), context.tlb_gen, cpu_tlbstate.ctxs[].tlb_gen.
  Atomic<CpuSet> cpumask{0};
  Atomic<std::uint32_t> tlb_gen{0};
  std::array<Atomic<std::uint32_t>, kCpusMax> cpu_tlb_gen;

  // MmFlags.  kKilled is set by who has a user reference, or the task_lock of a task
  // that has one: nobody sets it once there is no user.
  Atomic<std::uint32_t> flags{0};
  // Requests of asynchronous I/O (aio.h): whether there ever was one, set by who has a
  // user reference; and how many are being done, guarded by ctx_lock.
  Atomic<bool> uses_aio{false};
  int aio_running = 0;
  int exit_mmaps = 0;  // how often it was torn down; guarded by page_table_lock

  // Returns whether a flag is set; no step.
  bool is(MmFlag flag) const {
    note_side_effects();
    return (flags.peek() & static_cast<std::uint32_t>(flag)) != 0;
  }
  void set(MmFlag flag) { flags.fetch_or(static_cast<std::uint32_t>(flag)); }

  MmuNotifiers notifiers;  // who else translates its addresses

  MmListNode mmlist{this};  // it may have pages in swap; guarded by mmlist_lock
  ListNode all_mms;         // in Machine::mms; guarded by its lock

  // With lookup=per_vma (core/mm/vma_lock.h): the vmas once more, changed as `vmas` is,
  // and also read under RCU; and who waits for the readers of a vma.
  MapleTree mm_mt;
  WaitQueue vma_writer_wait{lock_class::kVmaWait};
  // With lookup=vmacache (core/mm/vmacache.h): raised when a vma goes; guarded by
  // mmap_sem.
  std::uint32_t vmacache_seqnum = 0;
};

inline constexpr int kMapCountMax = 65536;  // Kernel: DEFAULT_MAX_MAP_COUNT

}  // namespace racier
