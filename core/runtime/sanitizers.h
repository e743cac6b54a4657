// core/runtime/sanitizers.h - how fibers and runs tell sanitizers of themselves.
//
// Declared weak: in a program without the sanitizer they are null, so one library
// serves every build.  A sanitizer's runtime is always linked whole, so weak finds it.
//
// Why this room is compiled without instrumentation: what the scheduler shares between
// fibers is not shared by the simulated kernel and must not be reported, nor may its
// atomics order anything; and a switch of TSan's fiber inside an instrumented function
// unbalances TSan's shadow call stack.  Inline functions of headers would leak in both
// directions through the linker's merging; core/uninstrumented.cmake gives this archive
// its own copies.
#pragma once
#include <cstddef>

extern "C" {
[[gnu::weak]] void __sanitizer_start_switch_fiber(void** fake_stack, const void* bottom,
                                                  std::size_t size);
[[gnu::weak]] void __sanitizer_finish_switch_fiber(void* fake_stack,
                                                   const void** bottom,
                                                   std::size_t* size);
[[gnu::weak]] void* __tsan_get_current_fiber();
[[gnu::weak]] void* __tsan_create_fiber(unsigned flags);
[[gnu::weak]] void __tsan_destroy_fiber(void* fiber);
[[gnu::weak]] void __tsan_switch_to_fiber(void* fiber, unsigned flags);
[[gnu::weak]] void __tsan_set_fiber_name(void* fiber, const char* name);
[[gnu::weak]] void __tsan_acquire(void* address);
[[gnu::weak]] void __tsan_release(void* address);
}

namespace racier::sanitizers {

inline bool asan() { return __sanitizer_start_switch_fiber != nullptr; }
inline bool tsan() { return __tsan_switch_to_fiber != nullptr; }

// What happened before a release(edge) happens before what follows an acquire(edge).
inline void release(void* edge) {
  if (__tsan_release != nullptr) __tsan_release(edge);
}
inline void acquire(void* edge) {
  if (__tsan_acquire != nullptr) __tsan_acquire(edge);
}

}  // namespace racier::sanitizers
