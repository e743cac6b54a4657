// stress/monitor.cc - watches rounds.  Tested by monitor_test.cc.
#include "stress/monitor.h"

#include <algorithm>

#include "core/runtime/describe.h"

namespace racier::stress {

Monitor::Monitor(NativeRuntime& runtime, const CallCounts& counts,
                 MonitorOptions options)
    : runtime_(runtime), counts_(counts), options_(std::move(options)) {
  moved_ = shown_ = Clock::now();
  thread_ = std::thread(&Monitor::watch, this);
}

Monitor::~Monitor() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void Monitor::watch() {
  constexpr std::chrono::milliseconds kLook{250};
  const auto rest = std::min({kLook, options_.stuck_after / 4, options_.interval});
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    wake_.wait_until(lock, std::chrono::system_clock::now() + rest);
    if (stopping_) return;
    lock.unlock();
    look(Clock::now());
    lock.lock();
  }
}

void Monitor::look(Clock::time_point now) {
  const std::uint64_t calls = counts_.total();
  if (calls != calls_ || !runtime_.running()) {
    calls_ = calls;
    moved_ = now;
    cancelled_ = false;
  }
  if (!cancelled_ && now - moved_ >= options_.stuck_after) {
    runtime_.cancel(stuck_finding());
    cancelled_ = true;
    moved_ = now;
  } else if (cancelled_ && now - moved_ >= options_.patience) {
    options_.hung(stuck_finding());
  }
  if (now - shown_ >= options_.interval) {
    shown_ = now;
    options_.show_progress();
  }
}

Finding Monitor::stuck_finding() const {
  const std::vector<Stuck> waiting = runtime_.waiting();
  Finding finding;
  finding.kind = is_cycle(waiting) ? FindingKind::kDeadlock : FindingKind::kNoProgress;
  finding.title =
      waiting.empty() ? "BUG: soft lockup: no progress" : hung_title(waiting);
  const auto seconds =
      std::chrono::duration_cast<std::chrono::seconds>(options_.stuck_after);
  finding.detail = "no call ended for " + std::to_string(seconds.count()) + " s\n" +
                   describe(waiting);
  if (!waiting.empty()) finding.where = waiting.front().where;
  return finding;
}

}  // namespace racier::stress
