// core/memory/page_store.cc - copies pages to slots and back.  Tested by
// page_store_test.cc.
#include "core/memory/page_store.h"

#include <algorithm>
#include <atomic>

#include "core/base/require.h"
#include "core/memory/mmu.h"

namespace racier {

PageStore::PageStore(std::uint32_t slots)
    : memory_("racier-files", slots * kPageSize), written_(slots, 0) {}

void PageStore::write(std::uint32_t slot, const std::byte* frame) {
  require(slot < slots(), "a slot of this store");
  copy_user_frame(page(slot), frame);
  mark(slot, kWritten);
}

std::uint64_t PageStore::word(std::uint32_t slot, std::uint64_t number) const {
  require(slot < slots(), "a slot of this store");
  const std::atomic_ref state(written_[slot]);
  if (state.load(std::memory_order_relaxed) != kWritten) return 0;
  return load_user_word(page(slot) + number * sizeof(std::uint64_t));
}

void PageStore::clear(std::uint32_t slot) {
  require(slot < slots(), "a slot of this store");
  mark(slot, kCleared);
}

bool PageStore::is_written(std::uint32_t slot) const {
  require(slot < slots(), "a slot of this store");
  const std::atomic_ref state(written_[slot]);
  return state.load(std::memory_order_relaxed) != kUntouched;
}

void PageStore::mark(std::uint32_t slot, std::uint8_t state) {
  // Relaxed: who reads a slot knows by the kernel's own order that it was written.
  std::atomic_ref(written_[slot]).store(state, std::memory_order_relaxed);
  std::atomic_ref end(end_);
  std::uint32_t before = end.load(std::memory_order_relaxed);
  while (before <= slot &&
         !end.compare_exchange_weak(before, slot + 1, std::memory_order_relaxed)) {
  }
}

void PageStore::read(std::uint32_t slot, std::byte* frame) const {
  require(slot < slots(), "a slot of this store");
  if (std::atomic_ref(written_[slot]).load(std::memory_order_relaxed) != kWritten) {
    clear_user_frame(frame);
    return;
  }
  copy_user_frame(frame, page(slot));
}

void PageStore::reset() {
  std::fill_n(written_.begin(), end_, 0);
  end_ = 0;
}

}  // namespace racier
