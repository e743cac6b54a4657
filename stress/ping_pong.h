// stress/ping_pong.h - raw context switches, the reference of benchmarks.
#pragma once
#include "core/runtime/fiber.h"

namespace racier {

// Two stacks that switch to each other and do nothing else.
class PingPong {
 public:
  PingPong() {
    here_.adopt_thread();
    there_.create(
        [](void* self) {
          auto& both = *static_cast<PingPong*>(self);
          Fiber::entered(both.here_);
          for (;;) both.there_.switch_to(both.here_);
        },
        this, "ping-pong");
  }
  // Switches there and back `times` times.
  void play(int times) {
    for (int i = 0; i < times; ++i) here_.switch_to(there_);
  }

 private:
  Fiber here_;
  Fiber there_;
};

}  // namespace racier
