// core/check/device_access.h - whose memory is it that a pinned page holds?
//
// Who has pinned a page goes on using it, whatever becomes of the mapping that it was
// found by.  The page may have left that mm since (copied on a write, unmapped), and
// may have gone to the children of it instead.
//
// Tested by device_access_test.cc and corpus/programs/pin_*.racier.
#pragma once
#include "core/check/shadow_memory.h"
#include "core/check/walk_audit.h"
#include "core/check/write_pins.h"
#include "core/objects/machine.h"

namespace racier::check {

// Tells `memory` of an access to a pinned page: as one to the words of those mms that
// have the page now, and were entitled to it when it was pinned: the mm itself, and who
// was forked since.  A store is sure where a pte allows to write the page; else a fault
// may be about to replace it by a copy that was made before.
// `walks` knows who has a page while a pte is empty because it is being changed;
// `pins`, whose it is where the change is done and late.
void note_device_access(ShadowMemory& memory, const WalkAudit& walks,
                        const WritePins& pins, Machine& m, const DeviceAccess& access);

// A finding if the mm that the page was pinned in has lost it where nobody asked for
// that, while `pins` says that it is still pinned to be written there.
void check_write_pins(const WritePins& pins, const WalkAudit& walks, Machine& m,
                      const DeviceAccess& access);

}  // namespace racier::check
