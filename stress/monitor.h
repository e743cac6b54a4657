// stress/monitor.h - a thread that watches rounds: shows progress, ends what is stuck.
#pragma once
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "core/base/finding.h"
#include "stress/round_runner.h"

namespace racier::stress {

struct MonitorOptions {
  std::chrono::milliseconds stuck_after{20000};
  // How long threads have to leave a round that was ended.
  std::chrono::milliseconds patience{10000};
  std::chrono::milliseconds interval{500};  // of progress
  std::function<void()> show_progress = [] {};
  // The round does not end although it was told to.  Should not return.
  std::function<void(const Finding&)> hung = [](const Finding&) {};
};

// Watches while it lives.  A round is stuck if no call ends for some time, although
// threads are running: it ends with the finding kNoProgress, which says where they
// wait.
class Monitor {
 public:
  Monitor(NativeRuntime& runtime, const CallCounts& counts, MonitorOptions options);
  ~Monitor();
  Monitor(const Monitor&) = delete;
  Monitor& operator=(const Monitor&) = delete;

 private:
  using Clock = std::chrono::steady_clock;
  void watch();
  void look(Clock::time_point now);
  Finding stuck_finding() const;

  NativeRuntime& runtime_;
  const CallCounts& counts_;
  const MonitorOptions options_;

  // Of the thread.
  std::uint64_t calls_ = 0;
  Clock::time_point moved_;  // when it last saw a call end, or no round
  Clock::time_point shown_;
  bool cancelled_ = false;

  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace racier::stress
