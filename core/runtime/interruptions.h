// core/runtime/interruptions.h - a strategy that notes whom another one interrupts.
#pragma once
#include <memory>

#include "core/runtime/reserved_array.h"
#include "core/runtime/strategy.h"

namespace racier {

// Does what `inner` does, which is its own.
class Interruptions final : public Strategy {
 public:
  // Notes `most` in a run.
  Interruptions(std::unique_ptr<Strategy> inner, std::uint32_t most);

  // Returns whether, in the last run, `task` was left for another one in front of its
  // step number `step`, though it could have gone on.
  bool has(int task, std::uint32_t step) const;

  void begin_run(int tasks) override;
  bool next_execution() override;
  int next(const Scene& scene) override;
  void on_executed(const Scene& scene, int task, const Step& step) override;
  void on_side_effects(int task) override;
  std::uint64_t choose(int task, std::uint32_t index, std::uint64_t limit) override;
  std::uint64_t choose_rarely(int task, std::uint32_t index,
                              std::uint64_t most) override;

 private:
  struct Place {
    int task;
    std::uint32_t step;
  };
  const std::unique_ptr<Strategy> inner_;
  ReservedArray<Place> places_;
};

}  // namespace racier
