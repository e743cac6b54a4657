// core/objects/machine.cc - puts a computer together, and makes it as new.
//
// What a run leaves behind may be in any state: its tasks may have ended in the middle
// of anything.  So nothing is taken apart; each part is made anew where it stands, its
// locks included, and what owns host memory gives that back first.
//
// Tested by machine_test.cc.
#include "core/objects/machine.h"

#include <algorithm>

#include "core/memory/host_mmu.h"
#include "core/memory/soft_mmu.h"

namespace racier {
namespace {

constexpr std::size_t kPageWaits = 16;

// The tracepoints of a machine that nobody watches.
Tracepoints nobody;

std::unique_ptr<Mmu> make_mmu(FrameArena& frames, bool of_the_host) {
  if (of_the_host) return std::make_unique<HostMmu>(frames, kCpusMax);
  return std::make_unique<SoftMmu>(frames, kCpusMax);
}

}  // namespace

Machine::Machine(const MachineOptions& options)
    : rcu(options.period.rcu),
      region(options.frames, options.slab_pages),
      frames(region),
      slab_pages(region),
      mm_cache("mm_struct", SlabKind::kPlain, slab_pages, rcu),
      vma_cache("vm_area_struct", SlabKind::kPlain, slab_pages, rcu),
      shmem_cache("shmem_inode", SlabKind::kPlain, slab_pages, rcu),
      kiocb_cache("kiocb", SlabKind::kPlain, slab_pages, rcu),
      swap_map_cache("swap_map", SlabKind::kPlain, slab_pages, rcu),
      maple_cache("maple_node", SlabKind::kPlain, slab_pages, rcu),
      secondary_cache("secondary_mmu", SlabKind::kPlain, slab_pages, rcu),
      mmu(make_mmu(frames, options.host_mmu)),
      swap(options.swap_areas, options.swap_slots, options.period.swap_lock),
      swapper(-1, std::uint64_t{swap.count()} * swap.slots, true),
      file_store(std::max(options.files * options.file_pages, 1u)),
      lock_checker(lock_class::order_2_6_9()),
      tracepoints(&nobody),
      options_(options),
      pages_(new Page[options.frames]) {
  for (Pfn pfn = 0; pfn < options.frames; ++pfn) pages_[pfn].pfn = pfn;
  for (std::size_t i = 0; i < kPageWaits; ++i) {
    page_waits_.push_back(std::make_unique<WaitQueue>(lock_class::kPageWait));
  }
  for (std::uint32_t id = 0; id < options.files; ++id) {
    files_.push_back(std::make_unique<AddressSpace>(static_cast<int>(id),
                                                    options.file_pages, false));
    files_.back()->store = &file_store;
    files_.back()->store_first = id * options.file_pages;
  }
}

Machine::~Machine() { wipe(); }

MachineOptions MachineOptions::without_knobs() const {
  MachineOptions options = *this;
  options.period = {};
  options.weak_memory = false;
  options.chosen_failures = false;
  options.swap_map_max = kSwapMapMax;
  options.swap_bad = 0;
  options.page_cluster = 0;
  return options;
}

void Machine::install(std::shared_ptr<rmap::Scheme> scheme) {
  scheme_ = std::move(scheme);
}

void Machine::reset(RunState& run) {
  wipe();
  run.live = &region.live();
  run.lock_checker = &lock_checker;
}

// No task is running, so no lock is needed.
void Machine::wipe() NO_THREAD_SAFETY_ANALYSIS {
  rcu.reset(options_.period.rcu);
  wipe_files();
  slab_pages.reset();
  const bool stable = options_.period.lookup == VmaLookup::kPerVma;
  vma_cache.set_kind(stable ? SlabKind::kTypesafeByRcu : SlabKind::kPlain);
  wipe_pages();
  mmu->reset();
  for (CpuTlb& cpu : cpus) std::construct_at(&cpu);
  lru.reset();
  swap.reset(options_.period.swap_lock);
  std::construct_at(&mms_lock, lock_class::kMmListLock);
  mms.reset();
  std::construct_at(&mmlist_lock, lock_class::kMmlistLock);
  mmlist.reset();
  mms_made_.raw().store(0, std::memory_order_relaxed);
  std::construct_at(&notifier_srcu, lock_class::kSrcuMutex, lock_class::kSrcuWait);
  tasks = {};
  std::construct_at(&task_wait, lock_class::kTaskWait);
  std::construct_at(&aio);
  for (Vmacache& cache : vmacaches) std::construct_at(&cache);
  for (auto& queue : page_waits_) std::construct_at(queue.get(), lock_class::kPageWait);
  lock_checker.reset();
}

// A frame that is free was left as a free one is.
void Machine::wipe_pages() {
  frames.for_each_allocated([this](Pfn pfn) {
    std::construct_at(&pages_[pfn]);
    pages_[pfn].pfn = pfn;
  });
  frames.reset();
  zero_page_ = nullptr;
}

// As wipe().  A shmem file's slots are host memory, unknown to the slab cache.
void Machine::wipe_files() NO_THREAD_SAFETY_ANALYSIS {
  for (auto& file : files_) file->reset();
  file_store.reset();
  swapper.reset();
  const InterlockGuard guard(shmem_lock_);
  for (AddressSpace* const file : shmem_files_) file->slots.reset();
  shmem_files_.clear();
  shmem_made_ = 0;
}

WaitQueue& Machine::page_wait(const Page& page) {
  return *page_waits_[page.pfn % kPageWaits];
}

AddressSpace* Machine::create_shmem(std::uint64_t pages) {
  if (pages > kShmemPagesMax) return nullptr;
  const int id = [this] {
    const InterlockGuard guard(shmem_lock_);
    return static_cast<int>(options_.files) + shmem_made_++;
  }();
  AddressSpace* const file = shmem_cache.create(id, pages, true);
  if (file == nullptr) return nullptr;
  const InterlockGuard guard(shmem_lock_);
  shmem_files_.push_back(file);
  return file;
}

void Machine::destroy_shmem(AddressSpace& file) {
  {
    const InterlockGuard guard(shmem_lock_);
    std::erase(shmem_files_, &file);
  }
  shmem_cache.destroy(&file);
}

AddressSpace* Machine::get_shmem_behind(int id) {
  const StepsOff one_step;
  const InterlockGuard guard(shmem_lock_);
  for (;;) {
    AddressSpace* best = nullptr;
    for (AddressSpace* const file : shmem_files_) {
      const bool nearer = file->id > id && (best == nullptr || file->id < best->id);
      if (nearer) best = file;
    }
    if (best == nullptr || best->count.inc_not_zero()) return best;
    id = best->id;
  }
}

void Machine::for_each_file(FunctionRef<void(AddressSpace&)> visit) {
  for (auto& file : files_) visit(*file);
  const InterlockGuard guard(shmem_lock_);
  for (AddressSpace* const file : shmem_files_) visit(*file);
}

bool Machine::is_file(std::uintptr_t address) {
  const auto has = [&](const auto& file) {
    return reinterpret_cast<std::uintptr_t>(std::to_address(file)) == address;
  };
  if (std::any_of(files_.begin(), files_.end(), has)) return true;
  const InterlockGuard guard(shmem_lock_);
  return std::any_of(shmem_files_.begin(), shmem_files_.end(), has);
}

std::uint32_t Machine::next_mm_id() {
  note_side_effects();
  return mms_made_.raw().fetch_add(1, std::memory_order_relaxed) + 1;
}

}  // namespace racier
