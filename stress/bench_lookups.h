// stress/bench_lookups.h - `racier bench lookups`: what each way to find a vma costs a
// fault, as curves.
#pragma once

namespace racier {

// Returns the exit code of the program; argv[0] is not looked at.
int bench_lookups(int argc, char** argv);

}  // namespace racier
