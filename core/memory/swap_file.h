// core/memory/swap_file.h - a real file, or an unnamed one, that pages go to.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/base/types.h"

namespace racier {

// A file of `slots` pages, numbered from 0, read and written with the host's own system
// calls.  A slot that was not written since the last reset holds zeroes.  No step; who
// reads and writes one slot at once gets a mixture of words, as from a disk.
class SwapFile {
 public:
  // An empty `path`: a file that nobody else can name (a memfd).  Else that file is
  // made, or emptied.  Throws std::system_error if the host refuses.
  explicit SwapFile(std::uint32_t slots, const std::string& path = "");
  ~SwapFile();
  SwapFile(const SwapFile&) = delete;
  SwapFile& operator=(const SwapFile&) = delete;

  std::uint32_t slots() const { return static_cast<std::uint32_t>(state_.size()); }
  // Copies a frame to a slot, and back, as copy_user_frame() does.  Each returns false
  // if the host could not, or what was written is lost; a frame that was to be read
  // into is as it was then.
  [[nodiscard]] bool write(std::uint32_t slot, const std::byte* frame);
  [[nodiscard]] bool read(std::uint32_t slot, std::byte* frame) const;
  // Cuts the file off at its start: whatever is in it is lost.  A slot can be read
  // again once it has been written again.
  void lose();
  // Wipes all slots, in time proportional to the highest one that was written.
  void reset();

  int fd() const { return fd_; }

 private:
  // What became of a slot since the last reset.
  enum : std::uint8_t { kUntouched, kWritten, kLost };

  void mark_written(std::uint32_t slot);

  int fd_ = -1;
  mutable std::vector<std::uint8_t> state_;  // of each slot, an atomic word
  std::uint32_t end_ = 0;                    // behind the last slot written; atomic
};

}  // namespace racier
