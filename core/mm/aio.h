// core/mm/aio.h - asynchronous I/O: a kernel thread reads or writes a user's memory.
//
// A request has no user reference, so it keeps no address space alive: the last user
// calls off what has not begun, and waits for what has.
//
// Kernel: fs/aio.c, v2.6.9.
#pragma once
#include "core/mm/fault.h"
#include "core/objects/machine.h"

namespace racier {

// Asks for `value` to be stored at `addr`, or for the word there to be loaded.
// Errors: kNoMemory.  Context: the caller has a user reference.  Kernel: io_submit().
Status aio_submit(Machine& m, Mm& mm, VirtAddr addr, bool store, std::uint64_t value);

// Does the oldest request, as `kthread` on `cpu`, and says what came of it: of a load
// the word.
// Errors: kNoEntry (there is none), else as user_access().
// Context: may sleep; the caller works as the thread.  Kernel: aio_kick_handler().
UserResult aio_run(Machine& m, TaskStruct& kthread, int cpu);

// Calls off the requests that nobody does yet, and waits for the others; there will be
// no more.
// Context: may sleep; `mm` has no user.  Kernel: exit_aio().
void exit_aio(Machine& m, Mm& mm);

}  // namespace racier
