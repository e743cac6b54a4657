// repro/hunt_progress.h - how far a hunt is, and what its children have said.
#pragma once
#include <chrono>
#include <cstddef>
#include <map>
#include <string>

#include "repro/child_process.h"
#include "repro/hunter.h"

namespace racier::repro {

// Returns the seconds since then.
inline double hunt_seconds(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin)
      .count();
}

// A line that says how far the hunt is, on a terminal; elsewhere nothing.
class HuntProgress {
 public:
  explicit HuntProgress(std::size_t count);
  ~HuntProgress() { clear(); }
  HuntProgress(const HuntProgress&) = delete;
  HuntProgress& operator=(const HuntProgress&) = delete;

  void begins(std::size_t work, std::string what) { running_[work] = std::move(what); }
  void ended(std::size_t work) {
    running_.erase(work);
    ++done_;
  }
  void show();
  void clear();
  // Since it was made.
  double seconds() const { return hunt_seconds(begin_); }

 private:
  const bool terminal_;
  const std::chrono::steady_clock::time_point begin_;
  const std::size_t count_;
  std::size_t done_ = 0;
  std::map<std::size_t, std::string> running_;
  bool shown_ = false;
};

// Returns how long a child may take: one that takes longer than all its searches may
// hangs.
std::chrono::seconds limit_of(const HuntLimits& limits);
// Returns how it ended, if not in order; else "".
std::string death_of(const ChildResult& result);

}  // namespace racier::repro
