// core/program/ops_pin.h - ops that use pages behind their owner's back: devices and
// debuggers.
#pragma once
#include "core/program/places.h"

namespace racier::program::ops {

Outcome pin(Run& run, NewPin result, ProcessRef process, PageInMapping place,
            PinAccess access);
Outcome unpin(Run& run, PinRef pin);
Outcome pin_read(Run& run, PinRef pin, WordNo word);
// Refused (inval) if the page was pinned to be read.
Outcome pin_write(Run& run, PinRef pin, WordNo word);
Outcome remote_read(Run& run, ProcessRef process, WordInMapping place);
Outcome remote_write(Run& run, ProcessRef process, WordInMapping place);

}  // namespace racier::program::ops
