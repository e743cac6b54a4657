// core/runtime/plain_steps.h - steps in front of plain loads and stores.
//
// In the preset `plain` the rooms of the simulated kernel are compiled so that each of
// their plain accesses to shared memory is a step, too: a strategy can let another task
// run in the middle of `count++`, and a missing lock shows as what it does.  Such steps
// count in a schedule, so the schedule says so (Schedule::plain_steps) and replays in a
// build that was compiled the same way only.
#pragma once
#include <string>

namespace racier {

// Returns "fault.cc:12 handle_mm_fault" for the return address of a traced access.
// Without a sanitizer's symbolizer: "plain access".
std::string describe_pc(const void* pc);

}  // namespace racier
