// core/memory/frame_arena.h - hands out page frames.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/base/function_ref.h"
#include "core/base/thread_annotations.h"
#include "core/base/types.h"
#include "core/memory/region.h"
#include "core/sync/interlock.h"

namespace racier {

// The allocator of page frames of a Region.  A free frame is dead (touching it is a
// finding) and filled with a pattern that the next allocation checks.
class FrameArena {
 public:
  explicit FrameArena(Region& region);

  // Returns a frame of undefined content, or kNoPfn if none is free (or the task's
  // fail_nth struck).  Which one, and what it holds, is the same in every run of a
  // program.  What the frame's last owner did to it is visible to the caller.  Never
  // sleeps; no step.  A damaged pattern is a finding: somebody wrote to a free frame.
  Pfn alloc();
  // Likewise for a caller who has asked should_fail(), and may try more than once.
  Pfn take();
  // Likewise the one of the lowest number, if that is below `limit`.
  Pfn alloc_below(Pfn limit);
  // Context: any; no step.  A frame that is free already is a finding ("Bad page
  // state").
  void free(Pfn pfn);

  std::byte* data(Pfn pfn) const { return region_.frame(pfn); }
  // The file whose n-th page is frame n.
  int fd() const { return region_.fd(); }
  // An address that stands for a user word in a step.  See Region::word_name().
  const std::byte* word_name(Pfn pfn, std::uint64_t offset) const {
    return region_.word_name(pfn, offset);
  }
  // Returns whether `pfn` is not allocated (or no frame at all); as of some moment, if
  // others allocate and free.
  bool is_free(Pfn pfn) const;
  std::uint32_t free_count() const;
  std::uint32_t frames() const { return region_.frames(); }

  // Checks the pattern of every frame that was freed in this run.  At quiescence.
  void check_free_frames();
  // Shows every frame that is allocated, in order of number.  At quiescence.
  void for_each_allocated(FunctionRef<void(Pfn)> visit) const;

  // Frees everything, in time proportional to what was used since the last reset.
  void reset();

 private:
  // kFresh: not used in this run.
  enum State : std::uint8_t { kFresh, kAllocated, kFreed };

  // A frame that was taken, and what is known of its content.
  struct Taken {
    Pfn pfn = kNoPfn;
    bool fresh = false;  // not used in this run
    bool clean = false;  // fresh, and holds the pattern
  };

  Taken take_freed(std::size_t place) REQUIRES(lock_);
  Taken take_fresh() REQUIRES(lock_);
  Pfn hand_out(const Taken& taken);
  std::uint8_t state(Pfn pfn) const;
  bool check_pattern(Pfn pfn) const;

  Region& region_;
  mutable Interlock lock_;
  // The last one freed is the next one handed out.
  std::vector<Pfn> freed_ GUARDED_BY(lock_);
  // From here on no frame was used in this run.
  Pfn fresh_ GUARDED_BY(lock_) = 0;
  // check_free_frames() found nothing, and nobody has taken or freed one since.
  bool checked_ GUARDED_BY(lock_) = false;
  // Whether a frame that is fresh holds the pattern already: it was free and checked when
  // an earlier run ended, and nobody has had it since.
  std::vector<bool> holds_pattern_ GUARDED_BY(lock_);
  // A State for each frame, as an atomic word: looked at without the lock.
  mutable std::vector<std::uint8_t> states_;
};

}  // namespace racier
