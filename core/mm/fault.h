// core/mm/fault.h - page faults, and user accesses that take them.
//
// Kernel: mm/memory.c, v2.6.9.
#pragma once
#include "core/base/status.h"
#include "core/memory/mmu.h"
#include "core/objects/machine.h"

namespace racier {

// What came of a fault.  Kernel: VM_FAULT_*.
enum class FaultResult : std::uint8_t { kMinor, kMajor, kOom, kSigbus };

// Makes the access at `addr` possible, or says why not: it need not be possible any
// more when this returns.  Context: may sleep; mmap_sem held.  Kernel:
// handle_mm_fault().
FaultResult handle_mm_fault(Machine& m, Vma& vma, VirtAddr addr, bool write)
    REQUIRES_SHARED(vma.vm_mm->mmap_sem);

// What came of a user access.
struct UserResult {
  // kFault: SIGSEGV, kBusError: SIGBUS, kKilled: SIGKILL; kNoMemory: an allocation was
  // made to fail, or nobody is left who could be killed for want of memory
  Status status = Status::kOk;
  std::uint64_t value = 0;             // what was read, or stored
  int faults = 0;                      // page faults on the way
  std::uint32_t first_error_code = 0;  // of the first of them (PageFault's bits)
};

// Makes an aligned 8-byte access of user code in `mm` on `cpu`, taking the faults it
// needs.  Where memory has run out, and reclaim and swap have no more either, processes
// are killed (oom.h), one after the other, until there is some.
// Context: may sleep; no lock is held; a user reference of `mm` is held, or it is not
// torn down meanwhile (exit_aio()).  Kernel: do_page_fault().
UserResult user_access(Machine& m, Mm& mm, int cpu, VirtAddr addr, UserAccess access,
                       std::uint64_t value = 0);

// Makes sure that the table of `addr`'s pte exists, for as long as mmap_sem is held:
// then find_pte() under page_table_lock finds a slot.  Returns false if there is no
// memory.
// Context: may sleep; mmap_sem held, page_table_lock not.  Kernel: pte_alloc_map().
[[nodiscard]] bool pte_alloc(Machine& m, Mm& mm, VirtAddr addr);

}  // namespace racier
