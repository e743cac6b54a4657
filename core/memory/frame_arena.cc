// core/memory/frame_arena.cc - a stack of freed frames over a mark of fresh ones.
//
// A frame that no run has used is never touched, so the host need not back it.  The
// pattern is written when a frame is freed, and when it is handed out for the first
// time in a run, unless the run before left it there: reset() need not touch frames.
// Both are done outside the Interlock by the frame's only owner; the passage through
// the Interlock orders them.  Tested by frame_arena_test.cc.
#include "core/memory/frame_arena.h"

#include <algorithm>
#include <atomic>
#include <string>

#include "core/base/invariant.h"
#include "core/memory/accuse.h"
#include "core/memory/fault_injection.h"
#include "core/sync/task.h"

namespace racier {

FrameArena::FrameArena(Region& region)
    : region_(region), states_(region.frames(), kFresh) {
  const InterlockGuard guard(lock_);
  freed_.reserve(region.frames());
  holds_pattern_.resize(region.frames());
}

std::uint8_t FrameArena::state(Pfn pfn) const {
  return std::atomic_ref(states_[pfn]).load(std::memory_order_relaxed);
}

bool FrameArena::is_free(Pfn pfn) const {
  return pfn >= frames() || state(pfn) != kAllocated;
}

std::uint32_t FrameArena::free_count() const {
  const InterlockGuard guard(lock_);
  return frames() - fresh_ + static_cast<std::uint32_t>(freed_.size());
}

Pfn FrameArena::alloc() { return should_fail() ? kNoPfn : take(); }

Pfn FrameArena::take() {
  Taken taken;
  {
    const InterlockGuard guard(lock_);
    taken = freed_.empty() ? take_fresh() : take_freed(freed_.size() - 1);
  }
  return hand_out(taken);
}

Pfn FrameArena::alloc_below(Pfn limit) {
  if (should_fail()) return kNoPfn;
  Taken taken;
  {
    const InterlockGuard guard(lock_);
    const auto lowest = std::min_element(freed_.begin(), freed_.end());
    if (lowest != freed_.end() && *lowest < limit) {
      taken = take_freed(static_cast<std::size_t>(lowest - freed_.begin()));
    } else if (fresh_ < limit) {
      taken = take_fresh();
    }
  }
  return hand_out(taken);
}

FrameArena::Taken FrameArena::take_freed(std::size_t place) {
  const Taken taken{.pfn = freed_[place]};
  freed_.erase(freed_.begin() + static_cast<std::ptrdiff_t>(place));
  checked_ = false;
  std::atomic_ref(states_[taken.pfn]).store(kAllocated, std::memory_order_relaxed);
  return taken;
}

FrameArena::Taken FrameArena::take_fresh() {
  if (fresh_ == frames()) return {};
  const Taken taken{.pfn = fresh_, .fresh = true, .clean = holds_pattern_[fresh_]};
  ++fresh_;
  checked_ = false;
  std::atomic_ref(states_[taken.pfn]).store(kAllocated, std::memory_order_relaxed);
  return taken;
}

Pfn FrameArena::hand_out(const Taken& taken) {
  if (taken.pfn == kNoPfn) return kNoPfn;
  weak_barrier();  // behind what its last owner did
  region_.set_alive(data(taken.pfn), kPageSize);
  if (!taken.fresh) {
    check_pattern(taken.pfn);
  } else if (!taken.clean) {
    fill_pattern(data(taken.pfn), kPageSize, kPatternFree);
  }
  return taken.pfn;
}

void FrameArena::free(Pfn pfn) {
  // Relaxed: only who frees a frame twice meets another here; the Interlock orders
  // owners.
  std::uint8_t expected = kAllocated;
  if (pfn >= frames() ||
      !std::atomic_ref(states_[pfn])
           .compare_exchange_strong(expected, kFreed, std::memory_order_relaxed)) {
    const inv::Row& row = inv::row(Inv::kFrameFreedOnce);
    accuse(row.kind, row.sentence, "pfn " + std::to_string(pfn));
    return;
  }
  weak_free(data(pfn), kPageSize);
  fill_pattern(data(pfn), kPageSize, kPatternFree);
  region_.set_dead(data(pfn), kPageSize);
  const InterlockGuard guard(lock_);
  checked_ = false;
  freed_.push_back(pfn);
}

// Returns whether it is whole.
bool FrameArena::check_pattern(Pfn pfn) const {
  const std::size_t at = pattern_damage(data(pfn), kPageSize);
  if (at == kPageSize) return true;
  const int byte = std::to_integer<int>(data(pfn)[at]);
  accuse(FindingKind::kUseAfterFree,
         "pagealloc: memory corruption: free frame was written to",
         "pfn " + std::to_string(pfn) + ": offset " + std::to_string(at) + " holds " +
             std::to_string(byte));
  return false;
}

// The pattern is looked at where no sanitizer watches: it may stay dead meanwhile.
void FrameArena::check_free_frames() {
  const InterlockGuard guard(lock_);
  checked_ = false;
  bool whole = true;
  for (const Pfn pfn : freed_) whole = check_pattern(pfn) && whole;
  checked_ = whole;
}

void FrameArena::for_each_allocated(FunctionRef<void(Pfn)> visit) const {
  const InterlockGuard guard(lock_);
  for (Pfn pfn = 0; pfn < fresh_; ++pfn) {
    if (state(pfn) == kAllocated) visit(pfn);
  }
}

void FrameArena::reset() {
  const InterlockGuard guard(lock_);
  for (Pfn pfn = 0; pfn < fresh_; ++pfn) {
    if (state(pfn) == kAllocated) region_.set_dead(data(pfn), kPageSize);
    holds_pattern_[pfn] = checked_ && state(pfn) == kFreed;
    states_[pfn] = kFresh;
  }
  freed_.clear();
  fresh_ = 0;
  checked_ = false;
}

}  // namespace racier
