// core/memory/slab_pages.cc - hands pages to slab caches.  Tested by slab_test.cc.
#include "core/memory/slab_pages.h"

#include <algorithm>
#include <atomic>

#include "core/base/require.h"
#include "core/memory/slab.h"

namespace racier {

SlabPages::SlabPages(Region& region)
    : region_(region), pages_(new SlabPage[region.slab_pages()]) {
  for (std::uint32_t i = 0; i < region.slab_pages(); ++i) pages_[i].index = i;
  const InterlockGuard guard(lock_);
  free_.reserve(region.slab_pages());
}

SlabPage* SlabPages::page_of(const void* at) const {
  const auto offset = reinterpret_cast<std::uintptr_t>(at) -
                      reinterpret_cast<std::uintptr_t>(region_.slab_page(0));
  const std::uintptr_t index = offset >> kPageShift;
  return index < region_.slab_pages() ? &pages_[index] : nullptr;
}

SlabPage* SlabPages::take(SlabCache& owner) {
  const InterlockGuard guard(lock_);
  std::uint32_t index = fresh_;
  if (!free_.empty()) {
    index = free_.back();
    free_.pop_back();
  } else if (fresh_ < region_.slab_pages()) {
    ++fresh_;
  } else {
    return nullptr;
  }
  SlabPage& page = pages_[index];
  std::atomic_ref(page.owner).store(&owner, std::memory_order_relaxed);
  page.objects_seen = page.in_use = 0;
  page.waiting = page.emptied_again = false;
  return &page;
}

void SlabPages::give_back(SlabPage& page) {
  require(page.node.empty(), "a page that is given back is on no list");
  std::atomic_ref(page.owner).store(nullptr, std::memory_order_relaxed);
  const InterlockGuard guard(lock_);
  free_.push_back(page.index);
}

std::uint32_t SlabPages::free_count() const {
  const InterlockGuard guard(lock_);
  return region_.slab_pages() - fresh_ + static_cast<std::uint32_t>(free_.size());
}

std::size_t SlabPages::live_bytes() const {
  std::size_t bytes = 0;
  for (const SlabCache* const cache : caches_) {
    bytes += cache->live_objects() * cache->stride();
  }
  return bytes;
}

void SlabPages::reset() {
  for (SlabCache* const cache : caches_) cache->reset();
  const InterlockGuard guard(lock_);
  require(free_.size() == fresh_, "after its caches' reset no page is out");
  free_.clear();
  fresh_ = 0;
}

void SlabPages::join(SlabCache& cache) { caches_.push_back(&cache); }

void SlabPages::leave(SlabCache& cache) { std::erase(caches_, &cache); }

}  // namespace racier
