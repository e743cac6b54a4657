// core/sync/seq_count.cc - odd while a write is under way.
//
// The fences are of Boehm, "Can seqlocks get along with programming language memory
// models?" (2012): the data are relaxed atomics, so nothing is a data race, and a
// reader that saw any datum of a writer sees its sequence too.
//
// Tested by seq_count_test.cc.
#include "core/sync/seq_count.h"

#include "core/sync/sites.h"

namespace racier {

// Acquire: pairs with the release of write_end().
std::uint32_t SeqCount::read_begin(Where where) const {
  std::uint32_t sequence = sequence_.load(OwnOrder{std::memory_order_acquire}, where);
  while ((sequence & 1) != 0) {
    sequence_.wait_until_written(where);
    sequence = sequence_.peek(std::memory_order_acquire);
  }
  return sequence;
}

bool SeqCount::read_retry(std::uint32_t sequence, Where where) const {
  fence(std::memory_order_acquire);  // pairs with the fence of write_begin()
  return !still(sequence_.load(std::memory_order_relaxed, where) == sequence, where);
}

void SeqCount::write_begin(Where where) {
  note_side_effects();
  const std::uint32_t sequence = sequence_.peek();
  sequence_.store(sequence + 1, std::memory_order_relaxed, where);
  fence(std::memory_order_release);  // pairs with the fence of read_retry()
}

void SeqCount::write_end(Where where) {
  note_side_effects();
  const std::uint32_t sequence = sequence_.peek();
  sequence_.store(sequence + 1, OwnOrder{std::memory_order_release}, where);
}

}  // namespace racier
