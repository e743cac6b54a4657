// core/mm/munmap.h - unmaps under a lock that the caller has.  For mm/ only.
#pragma once
#include "core/base/status.h"
#include "core/objects/machine.h"

namespace racier {

// As do_munmap().
Status do_munmap_locked(Machine& m, Mm& mm, VirtRange range) REQUIRES(mm.mmap_sem);

}  // namespace racier
