// stress/bench_designs.h - `racier bench designs`: what each reverse map costs, as
// curves.
#pragma once

namespace racier {

// Returns the exit code of the program; argv[0] is not looked at.
int bench_designs(int argc, char** argv);

}  // namespace racier
