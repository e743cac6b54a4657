// core/runtime/replay.h - does what a list of switches and choices says.
#pragma once
#include <vector>

#include "core/runtime/strategy.h"

namespace racier {

// Follows the lists of a schedule of kind kReplay, and the fixed rule where they are
// silent. A place is a task and the number of its step, so the order between tasks'
// entries does not matter, and an entry whose step never comes is passed over.
class Replay final : public Strategy {
 public:
  explicit Replay(const Schedule& schedule);

  void begin_run(int tasks) override;
  bool next_execution() override { return false; }
  int next(const Scene& scene) override;
  std::uint64_t choose(int task, std::uint32_t index, std::uint64_t limit) override;
  std::uint32_t missed() const override { return entries_ - applied_; }

 private:
  // The entries of one task, by step or index, and how far the run has come.
  template <typename Entry>
  struct Lane {
    std::vector<Entry> entries;
    std::size_t at = 0;
  };
  std::array<Lane<Switch>, kTasksMax> switches_;
  std::array<Lane<Choice>, kTasksMax> choices_;
  std::uint32_t entries_ = 0;
  std::uint32_t applied_ = 0;  // in this run
};

}  // namespace racier
