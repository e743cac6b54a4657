// core/objects/address_space.cc - what files contain; an empty page cache.
// Tested by machine_test.cc.
#include "core/objects/address_space.h"

#include <algorithm>

#include "core/memory/mmu.h"

namespace racier {

// No task is running, so no lock is needed; the locks themselves may be held by tasks
// that are no more.
void AddressSpace::reset() NO_THREAD_SAFETY_ANALYSIS {
  count.set(1);
  i_size.raw().store(size, std::memory_order_relaxed);
  std::construct_at(&i_sem, lock_class::kISem);
  std::construct_at(&tree_lock, lock_class::kTreeLock);
  std::construct_at(&i_mmap_lock, lock_class::kIMmapLock);
  std::construct_at(&i_mmap);
  std::fill(slots.get(), slots.get() + size, CacheSlot{});
  nrpages = nrswapped = 0;
}

void AddressSpace::read_store(std::uint64_t index, std::byte* frame) const {
  if (is_stored(index)) return store->read(slot_of(index), frame);
  for (std::uint64_t word = 0; word < kPageSize / 8; ++word) {
    store_user_word(frame + word * 8, file_word(id, index, word));
  }
}

void AddressSpace::write_store(std::uint64_t index, const std::byte* frame) {
  store->write(slot_of(index), frame);
}

void AddressSpace::clear_store(std::uint64_t index) { store->clear(slot_of(index)); }

std::uint64_t AddressSpace::stored_word(std::uint64_t index, std::uint64_t word) const {
  if (!is_stored(index)) return file_word(id, index, word);
  return store->word(slot_of(index), word);
}

std::uint64_t file_word(int id, std::uint64_t index, std::uint64_t word) {
  // The top byte marks it as a file's; tags of stores have it zero (core/check).
  return (0xf1ull << 56) | (static_cast<std::uint64_t>(id) << 48) | (index << 16) |
         word;
}

}  // namespace racier
