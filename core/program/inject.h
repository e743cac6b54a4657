// core/program/inject.h - fails each allocation of a program in turn.
#pragma once
#include <cstdint>
#include <optional>

#include "core/base/function_ref.h"
#include "core/program/program.h"
#include "core/program/runner.h"

namespace racier::program {

// Told of each run, and which allocations failed in it.  Returns whether to go on.
using OnInjected = FunctionRef<bool(const FailAlloc&, const RunResult&)>;

// Runs `program` with its first allocation failing, its second and so on until there is
// none left: each once by itself, and once with all that come behind it.  `runtime`
// starts the same schedule anew with each run.  What calls are expected to give is no
// matter.  Returns how many allocations were tried so.
std::uint32_t inject(const Program& program, Runner& runner, Runtime& runtime,
                     RunOptions options, OnInjected on_injected);

// Returns `program` with the `fail_nth` of one call set, such that the allocation fails
// which did so in `result`; nothing if the text cannot say that: more failed, or it was
// no call's, or the call has such a number already.
std::optional<Program> as_fail_nth(const Program& program, const FailAlloc& fail,
                                   const RunResult& result);

}  // namespace racier::program
