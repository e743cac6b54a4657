// core/mm/oom.h - what is done when there is no memory: somebody is killed, and what he
// has is taken away.
//
// Kernel: mm/oom_kill.c, v4.20.
#pragma once
#include "core/base/status.h"
#include "core/objects/machine.h"

namespace racier {

// Kills the process with the most pages in memory, of those the first in the table of
// tasks, with all who share its address space; and takes from that what nobody else
// can see.  Returns false if there is nobody left to be killed.
// Context: may sleep; no lock is held.
bool out_of_memory(Machine& m);

// Kills all whose address space `mm` is: the next thing that they do is to end.
// Context: the caller has a user reference, or the task_lock of a task that has.
void kill_users(Mm& mm);

// Takes the private memory of a killed process away, before its last user does.
// Errors: kNoProcess (it has no address space), kInvalid (it was not killed).
// Context: may sleep.  Kernel: process_mrelease(), v5.15.
Status process_mrelease(Machine& m, TaskStruct& task);

}  // namespace racier
