// core/objects/machine.h - one simulated computer.
//
// Everything that a run works on hangs off a Machine; there are no globals.  A machine
// is made once and reset between runs, in time proportional to what the last run used.
#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/base/list.h"
#include "core/memory/frame_arena.h"
#include "core/memory/mmu.h"
#include "core/memory/page_store.h"
#include "core/memory/region.h"
#include "core/memory/slab.h"
#include "core/objects/address_space.h"
#include "core/objects/aio.h"
#include "core/objects/cpu_tlb.h"
#include "core/objects/lock_classes.h"
#include "core/objects/lru.h"
#include "core/objects/mm.h"
#include "core/objects/page.h"
#include "core/objects/page_table.h"
#include "core/objects/secondary_mmu.h"
#include "core/objects/swap_area.h"
#include "core/objects/task_struct.h"
#include "core/objects/tracepoints.h"
#include "core/objects/vmacache.h"
#include "core/sync/lock_checker.h"
#include "core/sync/rcu.h"
#include "core/sync/srcu.h"
#include "core/sync/wait_queue.h"

namespace racier {

namespace rmap {
class Scheme;
}

// Whether an mmu_gather is in atomic context from its begin to its end: it was an area
// of its CPU's, until it could be preempted (2.6.39).
enum class GatherContext : std::uint8_t { kAtomic, kPreemptible };

// How a fault finds the vma of an address.
enum class VmaLookup : std::uint8_t {
  kTree,       // it walks the tree, under mmap_sem
  kMmapCache,  // and asks mm->mmap_cache first, the vma found last (2.4 to 3.14)
  // It takes the vma of the last fault from the page of the table of ptes, without
  // mmap_sem, and goes on without (KAMEZAWA Hiroyuki, lockless vma caching, 2009):
  // core/mm/vma_cache.h.
  kKamezawa,
  // It finds the vma in a tree under RCU, and locks it, and nothing else (6.4):
  // core/mm/vma_lock.h.
  kPerVma,
  // It walks the tree under mmap_sem, and asks first which vmas its task has found
  // lately (3.15 to 6.0): core/mm/vmacache.h.
  kVmacache,
};

// The locking of a kernel's time.  A machine that is at rest may be given another one.
struct Period {
  RcuFlavour rcu = RcuFlavour::kClassic;
  SwapLocking swap_lock = SwapLocking::kDevice;
  // A fault holds mmap_sem for writing, so that there is one at a time (until 2.4.2),
  // or shares it.
  bool exclusive_faults = false;
  // Each table of ptes has a lock of its own (since 2.6.15): core/objects/ptl.h.
  bool split_ptl = false;
  GatherContext gather = GatherContext::kAtomic;
  // Reclaim flushes the TLBs once for a page, not for each pte (since 4.3).
  bool batched_unmap = false;
  VmaLookup lookup = VmaLookup::kTree;
  // A flush of the TLBs goes to those CPUs only that may need it, or to all.
  bool mm_cpumask = false;
  bool operator==(const Period&) const = default;
};

// What a machine is built of.  Part of a program: its text names what differs from
// here.
struct MachineOptions {
  std::string rmap = "anon_vma_spin";
  std::uint32_t frames = 256;      // page frames, page tables included
  std::uint32_t slab_pages = 256;  // pages for slab caches
  std::uint32_t swap_slots = 64;   // of each area; 0: no swap.  Slot 0 is never used
  std::uint32_t files = 2;
  std::uint32_t file_pages = 16;  // size of each file
  std::uint32_t swap_areas = 1;   // the first is on from the start
  // As many references a swap slot can have; then its count stays.
  std::uint32_t swap_map_max = kSwapMapMax;
  std::uint32_t swap_bad = 0;  // every so-manieth slot of an area is bad; 0: none
  // A swap-in reads 1 << page_cluster slots together.
  std::uint32_t page_cluster = 0;
  // User accesses are loads and stores through mappings of the host's: host_mmu.h.
  bool host_mmu = false;
  Period period{};
  // The tasks' memory is weakly ordered: core/runtime/store_buffers.h.  On fibers only.
  bool weak_memory = false;
  // Each allocation of the tasks fails if choose() says so.
  bool chosen_failures = false;

  bool operator==(const MachineOptions&) const = default;
  // Returns them without those that a machine may be given later.
  MachineOptions without_knobs() const;
};

// The largest shared anonymous mapping: 1 GiB.
inline constexpr std::uint64_t kShmemPagesMax = 1 << 18;

class Machine {
 public:
  // A machine without a scheme: install() one before anything is mapped.
  explicit Machine(const MachineOptions& options);
  ~Machine();
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  // Gives the machine its reverse map; it lives as long as the machine.
  void install(std::shared_ptr<rmap::Scheme> scheme);

  // Throws away whatever there is, in whatever state, and makes it as new, but for what
  // the scheme keeps (mm/boot.h does all of it); `run` is the run to come.
  // Context: no task is running.
  void reset(RunState& run);

  const MachineOptions& options() const { return options_; }
  // Gives the machine other options from the next reset() on, which differ in knobs
  // only.  Context: no task is running.
  void set_knobs(const MachineOptions& options) { options_ = options; }
  rmap::Scheme& scheme() const { return *scheme_; }

  Page& page(Pfn pfn) { return pages_[pfn]; }
  const Page& page(Pfn pfn) const { return pages_[pfn]; }

  // The page that reads of untouched anonymous memory see.  Kernel: ZERO_PAGE.
  Page& zero_page() { return *zero_page_; }
  void set_zero_page(Page& page) { zero_page_ = &page; }
  bool is_zero_page(Pfn pfn) const { return zero_page_->pfn == pfn; }

  // The queue on which sleepers for `page`'s lock wait; shared by many pages.
  WaitQueue& page_wait(const Page& page);

  // Returns file `id` of the machine, with no reference taken.
  AddressSpace& file(std::uint32_t id) { return *files_[id]; }
  // Makes an unnamed file for shared anonymous memory; its one reference is the
  // caller's.
  // Returns nullptr if there is no memory, or for more than kShmemPagesMax pages.
  AddressSpace* create_shmem(std::uint64_t pages);
  // Destroys a shmem file whose last reference is gone and whose pages are gone.
  void destroy_shmem(AddressSpace& file);
  // Returns whether that is the address of one of the machine's files, or of a shmem
  // file that is not destroyed yet.  No step.
  bool is_file(std::uintptr_t address);
  // Returns the shmem file with the next number behind `id`, with a reference taken;
  // nullptr: there is none.  Who has no reference any more is passed over.  No step.
  AddressSpace* get_shmem_behind(int id);
  // Shows every file: those of the machine, and shmem.  At quiescence.
  void for_each_file(FunctionRef<void(AddressSpace&)> visit);

  // Returns a number for a new mm; from 1.  No step.
  std::uint32_t next_mm_id();
  // Returns the number of the newest one.  No step.
  std::uint32_t newest_mm_id() const { return mms_made_.peek(); }
  // All mms that are not freed yet.
  SpinLock mms_lock{lock_class::kMmListLock};
  List<Mm, &Mm::all_mms> mms GUARDED_BY(mms_lock);
  // Those that may have pages in swap (mm/mmlist.h).  Kernel: init_mm.mmlist.
  SpinLock mmlist_lock{lock_class::kMmlistLock};
  MmListNode mmlist{nullptr};

  // All tasks, those that do not exist yet included: whoever runs the machine gives it
  // the table behind the reset.  Each entry is guarded by its task_lock.
  std::span<TaskStruct> tasks;
  // Who waits for a task to let go of its parent's address space (vfork), by task.
  WaitQueue task_wait{lock_class::kTaskWait};
  AioQueue aio;

  Rcu rcu;
  Srcu notifier_srcu{lock_class::kSrcuMutex, lock_class::kSrcuWait};
  Region region;
  FrameArena frames;
  SlabPages slab_pages;
  Slab<Mm> mm_cache;
  Slab<Vma> vma_cache;
  Slab<AddressSpace> shmem_cache;
  Slab<Kiocb> kiocb_cache;
  Slab<SwapMapPart> swap_map_cache;
  Slab<MapleNode> maple_cache;
  Slab<SecondaryMmu> secondary_cache;
  std::array<Vmacache, kTasksMax> vmacaches;  // of the tasks of a run, by their number
  std::unique_ptr<Mmu> mmu;
  std::array<CpuTlb, kCpusMax> cpus;
  Lru lru;
  SwapAreas swap;
  AddressSpace swapper;  // the swap cache, by slot: SwapAreas::index_of()
  PageStore file_store;  // what is on disk of the machine's files
  LockChecker lock_checker;
  Tracepoints* tracepoints;  // never null; stays over a reset

 private:
  // Makes everything as new.
  void wipe();
  void wipe_pages();
  void wipe_files();

  MachineOptions options_;
  std::unique_ptr<Page[]> pages_;
  Page* zero_page_ = nullptr;
  std::vector<std::unique_ptr<WaitQueue>> page_waits_;
  std::vector<std::unique_ptr<AddressSpace>> files_;
  Interlock shmem_lock_;
  std::vector<AddressSpace*> shmem_files_ GUARDED_BY(shmem_lock_);
  int shmem_made_ GUARDED_BY(shmem_lock_) = 0;
  Atomic<std::uint32_t> mms_made_{0};
  // Shared only so that its type may stay unknown.
  std::shared_ptr<rmap::Scheme> scheme_;
};

}  // namespace racier
