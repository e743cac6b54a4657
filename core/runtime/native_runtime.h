// core/runtime/native_runtime.h - tasks as OS threads, which the host schedules.
#pragma once
#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <source_location>
#include <thread>
#include <vector>

#include "core/base/random.h"
#include "core/runtime/describe.h"
#include "core/runtime/sanitizer_reports.h"
#include "core/sync/runtime.h"
#include "core/sync/task.h"

namespace racier {

// For stress: as fast as the host allows, nothing replays.  A step only notices that
// the run is over, so sanitizers see what they would see of ordinary threads.  Threads
// are kept from run to run.  There is no clock here: who has one polls progress() and
// calls cancel().
class NativeRuntime final : public Runtime {
 public:
  explicit NativeRuntime(std::uint64_t seed = 0) : seed_(seed) {}
  ~NativeRuntime() override;

  // Of choices and jitter.  Takes effect with the next run, like set_jitter().
  void set_seed(std::uint64_t seed) { seed_ = seed; }
  // About one step in `one_in` yields or dawdles; 0: none does.
  void set_jitter(std::uint32_t one_in) { jitter_ = one_in; }

  // Returns the steps that all tasks have taken: it grows while a run makes progress.
  // Context: any thread, while run() runs on another.
  std::uint64_t progress() const;
  // Returns whether tasks are running.  Context: like progress().
  bool running() const;
  // Returns the tasks that sleep, or have done nothing lately but look at a word that
  // does not change, and where; see describe.h.  Context: like progress(), and nobody
  // ends the run.
  std::vector<Stuck> waiting() const;
  // Ends the run with `finding`, unless it has one; sleepers are woken and leave.
  // Context: like progress().
  void cancel(Finding finding);

  void run(RunState& run, std::span<const FunctionRef<void()>> bodies) override;
  void step(Task& self, const Step& where) override;
  void step_when_written(Task& self, const Step& where) override;
  void park(Task& self, std::source_location where) override;
  void unpark(Task& task) override;
  std::uint64_t choose(Task& self, std::uint64_t limit) override;
  Task& task(int index) override {
    return slots_[static_cast<std::size_t>(index)].task;
  }
  int tasks() const override { return tasks_; }

 private:
  // A task and what belongs to its thread; on cache lines of its own.
  struct alignas(128) Slot {
    Task task;
    std::atomic<std::uint32_t> bed{0};  // see park()
    sanitizer_reports::Watch* reports = nullptr;
    Random choices;
    Random jitter;
    // Where it sleeps; line 0: it does not.
    std::atomic<std::source_location> sleeps_at{};
    // Where it last waited for a word to change, and its steps by then.
    std::atomic<std::source_location> spins_at{};
    std::atomic<std::uint32_t> spins_since{0};
  };
  Slot& slot_of(const Task& task) { return slots_[static_cast<std::size_t>(task.id)]; }

  void begin(RunState& run, std::span<const FunctionRef<void()>> bodies);
  void work(std::size_t index, std::uint32_t runs_seen);
  void run_body(Task& self, const FunctionRef<void()>& body);
  void wake_all();
  bool inert(Task& self);
  void let_others_end();
  void dawdle(Slot& slot);

  std::uint64_t seed_;
  std::uint32_t jitter_ = 0;
  int tasks_ = 0;
  std::array<Slot, kTasksMax> slots_;

  // Runs are handed to threads by bare atomics and futexes, which ThreadSanitizer does
  // not see, and two edges that it does: so no thread of a run is ordered with another.
  std::vector<std::thread> threads_;
  std::span<const FunctionRef<void()>> bodies_;
  std::atomic<std::uint32_t> runs_{0};        // begun; one more ends the threads
  std::atomic<std::uint32_t> unfinished_{0};  // threads that are not done with the run
  std::atomic<bool> stopping_{false};
  char start_edge_ = 0;
  char join_edge_ = 0;

  mutable std::mutex mutex_;  // of run() against those who watch it
  RunState* run_ = nullptr;   // the current one; guarded by mutex_
};

}  // namespace racier
