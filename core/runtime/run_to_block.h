// core/runtime/run_to_block.h - the fixed rule alone: nobody is interrupted.
#pragma once
#include "core/runtime/strategy.h"

namespace racier {

class RunToBlock final : public Strategy {
 public:
  void begin_run(int) override {}
  bool next_execution() override { return false; }
  int next(const Scene& scene) override { return scene.by_rule(); }
};

}  // namespace racier
