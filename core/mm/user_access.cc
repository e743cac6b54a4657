// core/mm/user_access.cc - accesses of user code, and what is done where they fault.
//
// Finds the vma, asks it, and has the fault handled, again and again until the access
// can be made or must not be: what a handler has made possible may be undone at once.
//
// Kernel: do_page_fault(), arch/i386/mm/fault.c, v2.6.9.
// Tested by fault_test.cc and corpus/programs.
#include "core/base/mark.h"
#include "core/mm/expand_stack.h"
#include "core/mm/fault.h"
#include "core/mm/find_vma.h"
#include "core/mm/oom.h"
#include "core/mm/tlb.h"
#include "core/mm/vma_cache.h"
#include "core/sync/maybe_guard.h"

namespace racier {
namespace {

// Returns whether a user access of that kind is allowed in `vma`.
bool vma_allows(const Vma& vma, UserAccess access) {
  switch (access) {
    case UserAccess::kWrite:
    case UserAccess::kReadModifyWrite:
      return vma.is(kVmWrite);
    case UserAccess::kExecute:
      return vma.is(kVmExec);
    case UserAccess::kRead:
      return (vma.vm_flags & (kVmRead | kVmExec)) != 0;
  }
  return false;
}

Status status_of(FaultResult result) {
  switch (result) {
    case FaultResult::kMinor:
    case FaultResult::kMajor:
      return Status::kOk;
    case FaultResult::kOom:
      return Status::kNoMemory;
    case FaultResult::kSigbus:
      return Status::kBusError;
  }
  return Status::kFault;
}

// Holds mmap_sem as faults of this machine do.
class SCOPED_CAPABILITY FaultGuard {
 public:
  FaultGuard(const Machine& m, Mm& mm,
             std::source_location where = std::source_location::current())
      ACQUIRE_SHARED(mm.mmap_sem) {
    if (m.options().period.exclusive_faults) {
      exclusive_.emplace(mm.mmap_sem, where);
    } else {
      shared_.emplace(mm.mmap_sem, where);
    }
  }
  ~FaultGuard() noexcept(false) RELEASE() {
    exclusive_.reset();
    shared_.reset();
  }
  FaultGuard(const FaultGuard&) = delete;
  FaultGuard& operator=(const FaultGuard&) = delete;

 private:
  MaybeGuard<WriteGuard> exclusive_;
  MaybeGuard<ReadGuard> shared_;
};

// Makes an access possible without mmap_sem, or tries to; kAgain: it cannot tell.
Status fault_in_speculatively(Machine& m, Mm& mm, VirtAddr addr, UserAccess access) {
  Vma* const vma = lookup_vma_cache(m, mm, addr);
  if (vma == nullptr) return Status::kAgain;
  Status status = Status::kAgain;
  if (vma_allows(*vma, access)) {
    assert_vma_stays(*vma);
    status = status_of(handle_mm_fault(m, *vma, addr, writes(access)));
    mark::hit(Mark::kSpeculativeFault);
  }
  vma_release(m, *vma);
  return status;
}

// Makes an access possible, or tries to; kAgain: something else has to happen first,
// under mmap_sem for writing.
Status fault_in(Machine& m, Mm& mm, VirtAddr addr, UserAccess access) {
  const FaultGuard guard(m, mm);
  Vma* const vma = find_vma(m, mm, addr);
  if (vma == nullptr) return Status::kFault;
  if (vma->vm_start > addr) {
    return vma->is(kVmGrowsDown) ? Status::kAgain : Status::kFault;
  }
  if (!vma_allows(*vma, access)) return Status::kFault;
  vma->vm_mm->mmap_sem.assert_held_shared();
  return status_of(handle_mm_fault(m, *vma, addr, writes(access)));
}

// Whether an allocation of the running task was made to fail (should_fail()).
class InjectedFailure {
 public:
  InjectedFailure() : before_(count()) {}
  // Returns whether one was since.
  bool struck() const { return count() != before_; }

 private:
  static std::uint32_t count() {
    const Task* const self = current();
    return self == nullptr ? 0 : self->failures_injected;
  }
  const std::uint32_t before_;
};

// Kernel: pagefault_out_of_memory().  Returns whether the fault is worth another try.
bool made_room(Machine& m, const Mm& mm, const InjectedFailure& failure) {
  return !failure.struck() && !mm.is(MmFlag::kKilled) && out_of_memory(m);
}

// Kernel: do_page_fault(), lock_mm_and_find_vma().
Status do_page_fault(Machine& m, Mm& mm, VirtAddr addr, UserAccess access) {
  const InjectedFailure failure;
  Status status = Status::kAgain;
  while (status == Status::kAgain) {
    status = fault_in_speculatively(m, mm, addr, access);
    if (status == Status::kAgain) status = fault_in(m, mm, addr, access);
    if (status == Status::kAgain) {
      status = expand_stack(m, mm, addr);
      if (status == Status::kOk) status = Status::kAgain;
    }
    if (status == Status::kNoMemory && made_room(m, mm, failure)) {
      status = Status::kAgain;
    }
  }
  // The signal is what a user sees of whatever went wrong.
  return status != Status::kOk && mm.is(MmFlag::kKilled) ? Status::kKilled : status;
}

}  // namespace

UserResult user_access(Machine& m, Mm& mm, int cpu, VirtAddr addr, UserAccess access,
                       std::uint64_t value) {
  UserResult result;
  for (;;) {
    result.value = value;
    PageFault fault;
    switch_mm(m, mm, cpu);
    if (m.mmu->access(cpu, mm.context, addr, access, result.value, fault)) {
      const bool add = access == UserAccess::kReadModifyWrite;
      m.tracepoints->accessed(mm, addr, access, result.value,
                              add ? result.value - value : 0);
      return result;
    }
    if (result.faults++ == 0) result.first_error_code = fault.error_code;
    result.status = do_page_fault(m, mm, addr, access);
    if (result.status != Status::kOk) return result;
  }
}

}  // namespace racier
