// core/mm/fork.h - the birth and the death of an address space.
//
// Kernel: kernel/fork.c, v2.6.9.
#pragma once
#include <source_location>

#include "core/base/status.h"
#include "core/objects/machine.h"

namespace racier {

// Returns an empty mm with one user, or nullptr: no memory.
[[nodiscard]] Mm* mm_create(Machine& m);
// Returns a copy of `parent`, copy-on-write, with one user.
// Errors: kNoMemory; kKilled: `parent` has been reaped.  Nothing is left behind then.
// Context: may sleep; the caller has a user reference of `parent`.  Kernel: dup_mm().
Result<Mm*> dup_mm(Machine& m, Mm& parent);

// Takes one more user reference; the caller has one.
void mmget(Mm& mm, std::source_location where = std::source_location::current());
// Takes a user reference unless there is no user any more.  The caller has what keeps
// the object.
[[nodiscard]] bool mmget_not_zero(
    Mm& mm, std::source_location where = std::source_location::current());
// Drops a user reference; the last one waits for kernel threads that work there, and
// unmaps everything.
// Context: may sleep; no lock is held that a page fault may take.
void mmput(Machine& m, Mm& mm);
// Takes one more reference to the object; the caller has one, or a user reference.
void mmgrab(Mm& mm, std::source_location where = std::source_location::current());
// Drops a reference to the object; the last one frees it.
void mmdrop(Machine& m, Mm& mm);

}  // namespace racier
