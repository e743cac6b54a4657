// core/check/walk_audit.h - did a walk that must be complete see everything?
//
// Keeps a reverse map of its own, from what the scheme was told, with the moment when
// each mapping came.  A walk that was not stopped must have been shown every mapping of
// its page that was there before it began and is still there when it ends.
//
// Walks that are held (rmap::Scheme::walk_held()) are not told of: no pte maps their
// page.  What they must find, and whether they did, MigrationAudit knows.
//
// Tested by walk_audit_test.cc.
#pragma once
#include <array>
#include <cstdint>
#include <vector>

#include "core/base/function_ref.h"
#include "core/base/types.h"
#include "core/sync/task.h"

namespace racier::check {

class WalkAudit {
 public:
  // The pte at `addr` of mm `mm_id` maps frame `pfn`, or does no more.  Told twice, or
  // taken back without having been told, is a finding.
  void added(Pfn pfn, std::uint32_t mm_id, VirtAddr addr);
  void removed(Pfn pfn, std::uint32_t mm_id, VirtAddr addr);

  // The pte at `from` that maps frame `pfn` is at `to` now: it is the same mapping, and
  // a walk must be shown it at one of the two, while it is there.
  void moved(Pfn pfn, std::uint32_t mm_id, VirtAddr from, VirtAddr to);

  // The running task's walk over `pfn`.  A task makes one walk at a time; several tasks
  // may walk the same page.
  void walk_begin(Pfn pfn);
  void walk_shown(Pfn pfn, std::uint32_t mm_id, VirtAddr addr);
  void walk_end(Pfn pfn, bool stopped);

  // Shows every mapping of `pfn`.
  void for_each(Pfn pfn, FunctionRef<void(std::uint32_t mm_id, VirtAddr)> visit) const;
  // Returns how many mappings there are of all pages.
  std::uint32_t mappings() const { return live_; }
  // Returns whether (mm_id, addr) is a mapping of `pfn`.
  bool has(Pfn pfn, std::uint32_t mm_id, VirtAddr addr) const;

  void reset();

 private:
  static constexpr std::uint32_t kNone = ~0u;
  struct Entry {
    VirtAddr addr;
    std::uint64_t since;  // the moment when it came
    std::uint32_t mm_id;
    std::uint32_t next;      // of the same frame, or the next free one
    std::uint32_t shown_to;  // bit for each task whose walk was shown it
  };
  static constexpr int kOutside =
      kTasksMax;  // the slot of walks made outside of any task
  static int walker();
  std::uint32_t* find(Pfn pfn, std::uint32_t mm_id, VirtAddr addr);

  std::vector<std::uint32_t> heads_;  // by frame; kNone: not mapped
  std::vector<Pfn> touched_;          // frames whose head was set since the last reset
  std::vector<Entry> entries_;
  std::uint32_t free_ = kNone;
  std::uint32_t live_ = 0;
  std::uint64_t now_ = 0;
  std::array<std::uint64_t, kTasksMax + 1>
      begun_{};  // moment when each task's walk began
};

}  // namespace racier::check
