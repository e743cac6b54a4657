// fuzz/crash_fuzz.cc - a libFuzzer program that crashes, as $CRASH says.
//
// For program_fuzz_test.sh: whatever a fault is, and wherever, libFuzzer has to save
// the input.  A fault is made here and not sent by kill(1), because a signal from
// outside may come while a sanitizer holds its own locks, which a fault of ours never
// does.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "core/runtime/run_alone.h"

namespace {

int* volatile nowhere = nullptr;

void fault() { *nowhere = 1; }

int overflow(int depth) {
  volatile char frame[4096];
  frame[0] = static_cast<char>(depth);
  return depth < 1 << 20 ? overflow(depth + 1) + frame[0] : depth;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t*, std::size_t) {
  const char* const given = std::getenv("CRASH");
  const std::string_view crash = given == nullptr ? "" : given;
  if (crash == "fault") fault();
  if (crash == "abort") std::abort();
  if (crash == "task-fault") racier::run_alone([] { fault(); });
  if (crash == "task-abort") racier::run_alone([] { std::abort(); });
  if (crash == "task-overflow") racier::run_alone([] { overflow(0); });
  if (crash == "run-over-fault") {
    racier::run_alone([] {});
    fault();
  }
  return 0;
}
