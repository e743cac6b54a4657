// core/objects/address_space.cc - what files contain; an empty page cache.
// Tested by machine_test.cc.
#include "core/objects/address_space.h"

#include <algorithm>

namespace racier {

// No task is running, so no lock is needed; the locks themselves may be held by tasks
// that are no more.
void AddressSpace::reset() NO_THREAD_SAFETY_ANALYSIS {
  count.set(1);
  std::construct_at(&tree_lock, lock_class::kTreeLock);
  std::construct_at(&i_mmap_lock, lock_class::kIMmapLock);
  std::construct_at(&i_mmap);
  std::fill(slots.get(), slots.get() + size, CacheSlot{});
  nrpages = 0;
}

std::uint64_t file_word(int id, std::uint64_t index, std::uint64_t word) {
  // The top byte marks it as a file's; tags of stores have it zero (core/check).
  return (0xf1ull << 56) | (static_cast<std::uint64_t>(id) << 48) | (index << 16) |
         word;
}

}  // namespace racier
