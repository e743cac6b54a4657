// core/memory/memory_for_test.h - a machine's memory without the machine, for tests.
#pragma once
#include <cstddef>

#include "core/base/run_state.h"
#include "core/memory/frame_arena.h"
#include "core/memory/region.h"
#include "core/memory/slab_pages.h"
#include "core/sync/rcu.h"

// Null unless the program is linked with AddressSanitizer.
extern "C" __attribute__((weak)) int __asan_address_is_poisoned(
    const volatile void* at);

namespace racier {

struct MemoryForTest {
  Region region{16, 8};
  FrameArena arena{region};
  Rcu rcu{RcuFlavour::kPreempt};
  SlabPages slab_pages{region};
  RunState run;

  MemoryForTest() { run.live = &region.live(); }

  // As a machine does it before each run.
  void reset() {
    run.reset();
    rcu.reset(RcuFlavour::kPreempt);
    slab_pages.reset();
    arena.reset();
  }

  // Returns whether the LiveMap says so, and AddressSanitizer, if there is one, too.
  bool alive(const void* at) const {
    return !region.live().is_dead(at) && !poisoned(at);
  }
  bool dead(const void* at) const {
    return region.live().is_dead(at) &&
           (__asan_address_is_poisoned == nullptr || poisoned(at));
  }
  static bool poisoned(const void* at) {
    return __asan_address_is_poisoned != nullptr && __asan_address_is_poisoned(at) != 0;
  }
};

}  // namespace racier
