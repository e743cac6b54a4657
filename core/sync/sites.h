// core/sync/sites.h - what a run is told to do without, at sites of the code.
//
// Each lock, each count, each atomic access asks here, if the run has anything to say.
// What is left out is left out for good: who does not take a lock does not let go of
// it, and asks nobody whether it holds it.
#pragma once
#include <array>
#include <atomic>
#include <cstdint>
#include <source_location>
#include <vector>

#include "core/base/site.h"
#include "core/sync/task.h"

namespace racier {

// Told of each site in the way of each task of a run.
class Sites {
 public:
  virtual ~Sites() = default;
  // Returns whether the site is left out.  `what` is there: a class of locks, an
  // operation; it lives as long as the program.
  virtual bool leaves_out(SiteKind kind, const char* what,
                          std::source_location where) = 0;

  // `task` takes a reference to `count`, or does without it.
  void takes(const Task& task, const void* count, bool left_out);
  // It drops one: the first that it has taken in this call, as what comes later is
  // mostly somebody else's, a pte's or a cache's.  Returns whether that was left out.
  bool drops(const Task& task, const void* count);
  // What `task` has not dropped by the end of a call belongs to somebody else.
  void call_ends(const Task& task) { taken_[index_of(task)].clear(); }

 private:
  static std::size_t index_of(const Task& task) {
    return static_cast<std::size_t>(task.id);
  }
  struct Reference {
    const void* count;
    bool left_out;
  };
  std::array<std::vector<Reference>, kTasksMax> taken_;  // each its own task's
};

// Leaves out one list of sites.
class LeftOut final : public Sites {
 public:
  explicit LeftOut(std::vector<SiteName> sites) : sites_(std::move(sites)) {}
  bool leaves_out(SiteKind kind, const char* what, std::source_location where) override;
  // How often anything was left out.
  std::uint64_t times() const { return times_.load(std::memory_order_relaxed); }

 private:
  const std::vector<SiteName> sites_;
  std::atomic<std::uint64_t> times_{0};
};

// Returns `holds`: what the caller has seen before it had the lock or the reference
// that keeps it so, is so still.
inline bool still(bool holds,
                  std::source_location where = std::source_location::current()) {
  return sync::is_left_out(current(), SiteKind::kRecheck, "look", where) || holds;
}

// Returns whether nobody is told of what goes out of a page table, or of a tree of
// vmas.
inline bool flush_is_left_out(const char* what, std::source_location where) {
  return sync::is_left_out(current(), SiteKind::kFlush, what, where);
}

}  // namespace racier
