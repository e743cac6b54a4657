// stress/bench_strategies.h - racier-bench strategies: which one finds what, how soon.
#pragma once

namespace racier {

// Returns the exit status.
int bench_strategies(int argc, char** argv);

}  // namespace racier
