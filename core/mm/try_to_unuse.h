// core/mm/try_to_unuse.h - brings back what is in a swap area.  For mm/ only.
#pragma once
#include "core/base/status.h"
#include "core/objects/machine.h"

namespace racier {

// Frees every slot of `area`, which hands out no more: who has a page there gets it
// mapped, or back in its file.
//
// Looks for who refers to a slot in shared memory and in the mms of the mmlist, a
// parent before its child.  What nobody can find for the moment (its mm is exiting) it
// waits for: whoever drops it wakes. Errors: kNoMemory; kIo (a page cannot be read);
// kInterrupted (a signal is pending).  What is back stays back then.
// Context: may sleep; area.unuser is the running task.  Kernel: try_to_unuse(),
// mm/swapfile.c, v2.6.9, which goes round where we wait, and starts at the mm where it
// found the last entry.
Status try_to_unuse(Machine& m, SwapArea& area);

}  // namespace racier
