// core/objects/secondary_mmu.h - the MMU of a device, or of a virtual machine.
//
// It translates addresses of an mm by itself, without a reference to any page: an mmu
// notifier tells it what to forget.  core/mm/secondary_mmu.h makes it work.
//
// Kernel: virt/kvm/kvm_main.c, v2.6.27 (mmu_lock, mmu_notifier_seq and _count); where
// it sleeps, drivers/infiniband/core/umem_odp.c, v3.19 (umem_mutex).
#pragma once
#include <array>
#include <cstdint>

#include "core/objects/mmu_notifier.h"
#include "core/sync/mutex.h"
#include "core/sync/ref_count.h"
#include "core/sync/wait_queue.h"

namespace racier {

// A spinlock, or a mutex where the notifier's callbacks may sleep.
class CAPABILITY("secondary mmu lock") SecondaryLock {
  using Where = std::source_location;

 public:
  explicit SecondaryLock(bool sleeps) : sleeps_(sleeps) {}

  void lock(Where where) ACQUIRE() NO_THREAD_SAFETY_ANALYSIS {
    if (sleeps_) {
      umem_mutex_.lock(0, where);
    } else {
      mmu_lock_.lock(0, where);
    }
  }
  void unlock(Where where) RELEASE() NO_THREAD_SAFETY_ANALYSIS {
    if (sleeps_) {
      umem_mutex_.unlock(where);
    } else {
      mmu_lock_.unlock(where);
    }
  }
  // Returns whether anybody holds it; no step.
  bool is_locked() const { return mmu_lock_.is_locked() || umem_mutex_.is_locked(); }

 private:
  const bool sleeps_;
  SpinLock mmu_lock_{lock_class::kMmuLock};
  Mutex umem_mutex_{lock_class::kUmemMutex};
};

class SCOPED_CAPABILITY SecondaryGuard {
  using Where = std::source_location;

 public:
  explicit SecondaryGuard(SecondaryLock& lock, Where where = Where::current())
      ACQUIRE(lock)
      : lock_(lock), where_(where) {
    lock.lock(where);
  }
  ~SecondaryGuard() noexcept(false) RELEASE() { lock_.unlock(where_); }
  SecondaryGuard(const SecondaryGuard&) = delete;
  SecondaryGuard& operator=(const SecondaryGuard&) = delete;

 private:
  SecondaryLock& lock_;
  const Where where_;
};

struct SecondaryMmu : MmuNotifier {
  // A translation, and what accesses have left in it.
  struct Entry {
    VirtAddr addr = kUserEnd;  // of the page; kUserEnd: none
    Pfn pfn = kNoPfn;
    bool writable = false;
    bool young = false;
    bool dirty = false;
  };
  static constexpr std::size_t kEntries = 16;  // each page has its place

  SecondaryMmu(const MmuNotifierOps& ops, Mm& mm)
      : MmuNotifier(ops, mm), lock(ops.may_sleep) {}
  static SecondaryMmu& of(MmuNotifier& notifier) {
    return static_cast<SecondaryMmu&>(notifier);
  }

  RefCount refs{1};  // of who works with it
  SecondaryLock lock;
  std::array<Entry, kEntries> entries GUARDED_BY(lock);
  bool released GUARDED_BY(lock) = false;  // there is nothing to translate any more
  // Ranges that are being invalidated; and how often anything was, which also who does
  // not hold the lock reads.
  int mmu_notifier_count GUARDED_BY(lock) = 0;
  Atomic<std::uint32_t> mmu_notifier_seq{0};
  WaitQueue valid{lock_class::kSecondaryWait};  // for the count to be 0
};

}  // namespace racier
