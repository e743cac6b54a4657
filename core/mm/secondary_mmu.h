// core/mm/secondary_mmu.h - accesses of a device to the memory of a process.
//
// It finds the page of an address by get_user_pages(), lets go of it, and goes on
// accessing it until its mmu notifier says that the page goes: so it never keeps a
// page from being reclaimed, copied or moved.  What was invalidated while it was
// looking for a page, it looks for again.
//
// Kernel: virt/kvm/kvm_main.c, mmu_notifier_retry(), v2.6.27 (e930bffe95e1, Arcangeli).
#pragma once
#include "core/base/status.h"
#include "core/objects/machine.h"

namespace racier {

// Returns a secondary MMU for `mm`, registered, with one reference.  Where `sleeps`,
// its notifier's callbacks do, and it accesses private anonymous memory only. Errors:
// kNoMemory; and as mmu_notifier_register().  Context: as that.
Result<SecondaryMmu*> secondary_mmu_create(Machine& m, Mm& mm, bool sleeps);
// Unregisters it, once.  Who has a reference still has the object, which translates
// nothing more.  Context: may sleep; no lock is held.
void secondary_mmu_unregister(Machine& m, SecondaryMmu& mmu);
// Drops a reference.  Context: any; the last one of an unregistered one.
void secondary_mmu_put(Machine& m, SecondaryMmu& mmu);

// Loads the word at `addr`, or stores `value` there; returns what was loaded or stored.
// In the same step as the access it is a user access to tracepoints.
// Errors: as get_user_page(); kFault: the mm has no user any more, or it was
// unregistered.
// Context: may sleep; no lock is held.
Result<std::uint64_t> secondary_read(Machine& m, SecondaryMmu& mmu, VirtAddr addr);
Result<std::uint64_t> secondary_write(Machine& m, SecondaryMmu& mmu, VirtAddr addr,
                                      std::uint64_t value);

}  // namespace racier
