// core/memory/slab_pages.h - the pages that all slab caches of a machine share.
//
// What is known of a page and its objects stands here, apart from the page: all of an
// object that is free can be dead.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/base/list.h"
#include "core/base/thread_annotations.h"
#include "core/memory/region.h"
#include "core/sync/interlock.h"
#include "core/sync/rcu.h"

namespace racier {

class SlabCache;

// A page of a slab cache.  Fields are guarded by the Interlock of the cache that has
// it.
struct SlabPage {
  static constexpr int kObjectsMax = 128;
  enum State : std::uint8_t {
    kLive,
    kReady,  // free, and next to be handed out
    kHeld,   // free, and held back until nothing else is left
  };
  struct Link {
    std::uint32_t prev, next;
  };

  std::uint32_t index = 0;
  SlabCache* owner = nullptr;  // atomic: a wild pointer makes another cache look at it
  ListNode node;               // the pages of its owner
  int objects_seen = 0;        // the first so many have been handed out since it joined
  int in_use = 0;              // how many of them are live
  // Type-stable: the grace period before it may leave.
  RcuHead rcu;
  bool waiting = false;  // `rcu` is on its way
  bool emptied_again =
      false;  // ... and the page was in use and emptied since: wait anew
  // Of the first `objects_seen` objects; not initialised behind.
  State states[kObjectsMax];
  Link links[kObjectsMax];
};

class SlabPages {
 public:
  explicit SlabPages(Region& region);
  SlabPages(const SlabPages&) = delete;
  SlabPages& operator=(const SlabPages&) = delete;

  Region& region() const { return region_; }
  std::byte* data(const SlabPage& page) const { return region_.slab_page(page.index); }

  // Returns the page that holds `at`, or nullptr.
  SlabPage* page_of(const void* at) const;
  SlabPage& page(std::uint32_t index) const { return pages_[index]; }

  // Returns a page for `owner`, dead and of undefined content, or nullptr: none is
  // left.
  SlabPage* take(SlabCache& owner);
  // Takes back a page that is dead again and on no list.
  void give_back(SlabPage& page);
  std::uint32_t free_count() const;
  // Returns the bytes of all live objects of all caches.
  std::size_t live_bytes() const;

  // Resets every cache, then hands out pages as if new.  After Rcu::reset().
  void reset();

  // Caches come and go in a fixed order, outside of runs.
  void join(SlabCache& cache);
  void leave(SlabCache& cache);

 private:
  Region& region_;
  const std::unique_ptr<SlabPage[]> pages_;
  std::vector<SlabCache*> caches_;
  mutable Interlock lock_;
  // The last one is the next handed out.
  std::vector<std::uint32_t> free_ GUARDED_BY(lock_);
  // From here on never handed out.
  std::uint32_t fresh_ GUARDED_BY(lock_) = 0;
};

}  // namespace racier
