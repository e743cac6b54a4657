// core/program/inject.cc - fails each allocation in turn.  Tested by inject_test.cc.
#include "core/program/inject.h"

#include <limits>

namespace racier::program {

std::uint32_t inject(const Program& program, Runner& runner, Runtime& runtime,
                     RunOptions options, OnInjected on_injected) {
  FailAlloc fail;
  for (std::uint32_t tried = 0;; ++tried) {
    fail.nth = tried + 1;
    for (const bool onwards : {false, true}) {
      fail.onwards = onwards;
      options.fail_alloc = fail;
      const RunResult& result = runner.run(program, runtime, options);
      if (!result.failed) return tried;
      if (!on_injected(fail, result)) return fail.nth;
    }
  }
}

std::optional<Program> as_fail_nth(const Program& program, const FailAlloc& fail,
                                   const RunResult& result) {
  if (fail.onwards || !result.failed) return std::nullopt;
  const AllocFailures::Place place = *result.failed;
  using Nth = decltype(Call::fail_nth);
  if (place.nth > std::numeric_limits<Nth>::max()) return std::nullopt;
  Program copy = program;
  std::uint32_t number = 0;
  for (int list = 0; list < copy.lists(); ++list) {
    for (Call& call : copy.list(list)) {
      if (number++ != place.call) continue;
      if (call.fail_nth != 0) return std::nullopt;
      call.fail_nth = static_cast<Nth>(place.nth);
      return copy;
    }
  }
  return std::nullopt;
}

}  // namespace racier::program
