// repro/hunt_progress.h - how far a hunt is.
#pragma once
#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <map>
#include <string>

namespace racier::repro {

inline double hunt_seconds(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin)
      .count();
}

// A line that says how far the hunt is, on a terminal; elsewhere nothing.
class HuntProgress {
 public:
  explicit HuntProgress(std::size_t count) : count_(count) {}
  ~HuntProgress() { clear(); }

  void begins(std::size_t work, std::string what) { running_[work] = std::move(what); }
  void ended(std::size_t work) {
    running_.erase(work);
    ++done_;
  }
  void show() {
    if (!terminal_) return;
    std::string line =
        fmt::format("{} of {} in {:.0f} s:", done_, count_, hunt_seconds(begin_));
    for (const auto& [work, what] : running_) line += " " + what;
    constexpr std::size_t kColumns = 79;
    shown_ = true;
    fmt::print("\r\033[K{}", line.substr(0, kColumns));
    std::fflush(stdout);
  }
  void clear() {
    if (shown_) fmt::print("\r\033[K");
    shown_ = false;
  }

 private:
  const bool terminal_ = ::isatty(STDOUT_FILENO) == 1;
  const std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
  const std::size_t count_;
  std::size_t done_ = 0;
  std::map<std::size_t, std::string> running_;
  bool shown_ = false;
};

}  // namespace racier::repro
