// core/program/mutate.h - small random changes to programs, for a fuzzer.
//
// Every result fits bytes (bytes.h: fit()) and is valid.  The same numbers from
// `random` give the same change.
#pragma once
#include "core/base/random.h"
#include "core/program/program.h"

namespace racier::program {

// Changes the calls (inserts, erases, doubles, moves, alters some), or the machine.
void mutate_calls(Program& program, Random& random);
// Changes the schedule alone.
void mutate_schedule(Program& program, Random& random);
// Changes one or the other, now and then both.
void mutate(Program& program, Random& random);

// Returns a program with parts of both: calls of `a`, spliced with calls of `b`; the
// machine and the schedule of one of them.
Program cross(const Program& a, const Program& b, Random& random);

}  // namespace racier::program
