// core/memory/page_store.h - pages on a disk: what backs files.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/base/types.h"
#include "core/memory/host_memory.h"

namespace racier {

// A disk of `slots` pages, numbered from 0.  A slot that was not written since the last
// reset holds zeroes.  No step; who reads and writes one slot at once gets a mixture of
// words, as from a disk.
class PageStore {
 public:
  explicit PageStore(std::uint32_t slots);

  std::uint32_t slots() const { return static_cast<std::uint32_t>(written_.size()); }
  // Copies a frame to a slot, and back, as copy_user_frame() does.
  void write(std::uint32_t slot, const std::byte* frame);
  void read(std::uint32_t slot, std::byte* frame) const;
  // Returns one word of 8 bytes of a slot.
  std::uint64_t word(std::uint32_t slot, std::uint64_t number) const;
  // Makes a slot hold zeroes.
  void clear(std::uint32_t slot);
  // Returns whether the slot was written or cleared since the last reset.
  bool is_written(std::uint32_t slot) const;
  // Wipes all slots, in time proportional to the highest one that was written.
  void reset();

 private:
  // What became of a slot since the last reset.
  enum : std::uint8_t { kUntouched, kWritten, kCleared };

  std::byte* page(std::uint32_t slot) const {
    return memory_.data() + slot * kPageSize;
  }
  void mark(std::uint32_t slot, std::uint8_t state);

  HostMemory memory_;
  mutable std::vector<std::uint8_t> written_;  // state of each slot, an atomic word
  std::uint32_t end_ = 0;                      // behind the last slot marked; atomic
};

}  // namespace racier
