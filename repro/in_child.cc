// repro/in_child.cc - waits for child processes.  Tested by in_child_test.cc.
#include "repro/in_child.h"

#include <poll.h>

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "repro/shared_symbolizer.h"
#include "stress/stop_signals.h"

namespace racier::repro {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kLook{200};  // for somebody who wants to stop

// Listens until the child has no more to say; false: the deadline came first.
bool hear_out(ChildProcess& child, Clock::time_point deadline) {
  bool told = false;
  for (;;) {
    const auto left = std::chrono::duration_cast<milliseconds>(deadline - Clock::now());
    if (left <= milliseconds::zero()) return false;
    if (stress::stop_requested() && !std::exchange(told, true)) child.ask();
    pollfd wait{child.output(), POLLIN, 0};
    const int ready = ::poll(&wait, 1, static_cast<int>(std::min(left, kLook).count()));
    if (ready > 0 && !child.listen()) return true;
  }
}

// Those that run, of many.
class Crew {
 public:
  explicit Crew(const Works& works) : works_(works) {}

  void carry_out_all() {
    for (;;) {
      while (next_ < works_.count && running_.size() < works_.jobs &&
             !stress::stop_requested()) {
        begin(next_++);
      }
      if (running_.empty()) return;
      if (stress::stop_requested() && !std::exchange(told_, true)) {
        for (const Running& running : running_) running.child->ask();
      }
      listen();
      works_.waiting();
    }
  }

 private:
  struct Running {
    std::size_t work;
    Clock::time_point deadline;
    std::unique_ptr<ChildProcess> child;
  };

  void begin(std::size_t work) {
    works_.begins(work);
    running_.push_back(
        {work, Clock::now() + works_.limit,
         std::make_unique<ChildProcess>([&](const ChildProcess::Say& say) {
           leave_symbolizer();  // others run beside it
           works_.carry_out(work, say);
         })});
  }

  // Listens to all for a while, and lets go those that have ended, or are late.
  void listen() {
    std::vector<pollfd> waits;
    waits.reserve(running_.size());
    for (const Running& running : running_) {
      waits.push_back({running.child->output(), POLLIN, 0});
    }
    const int ready =
        ::poll(waits.data(), waits.size(), static_cast<int>(kLook.count()));
    for (std::size_t i = running_.size(); i-- > 0;) {
      ChildProcess& child = *running_[i].child;
      const bool said = ready > 0 && waits[i].revents != 0;
      const bool late = Clock::now() >= running_[i].deadline;
      if (late) child.kill();
      if (!late && (!said || child.listen())) continue;
      const Running done = std::move(running_[i]);
      running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(i));
      works_.ended(done.work, done.child->result());
    }
  }

  const Works& works_;
  std::size_t next_ = 0;
  bool told_ = false;
  std::vector<Running> running_;
};

}  // namespace

ChildResult run_in_child(const std::function<std::string()>& work,
                         Clock::time_point deadline) {
  const ChildProcess::Work says = [&](const ChildProcess::Say& say) { say(work()); };
  return run_in_child(says, deadline);
}

ChildResult run_in_child(const ChildProcess::Work& work, Clock::time_point deadline) {
  start_symbolizer();
  ChildProcess child(work);
  if (!hear_out(child, deadline)) {
    child.kill();
    leave_symbolizer();
  }
  return child.result();
}

std::string last_line(const std::string& said) {
  const std::size_t end = said.rfind('\n');
  if (end == said.npos) return "";
  const std::size_t before = end == 0 ? said.npos : said.rfind('\n', end - 1);
  const std::size_t begin = before == said.npos ? 0 : before + 1;
  return said.substr(begin, end - begin);
}

void run_in_children(const Works& works) { Crew(works).carry_out_all(); }

}  // namespace racier::repro
