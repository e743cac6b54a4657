// core/memory/swap_file.cc - reads and writes pages of a file.  Tested by
// swap_file_test.cc.
//
// Through a buffer on the stack and by raw system calls: a sanitizer would take what
// the host writes to a frame for a plain access, where user bytes are accessed
// atomically.
#include "core/memory/swap_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <system_error>

#include "core/base/require.h"
#include "core/memory/mmu.h"

namespace racier {
namespace {

int open_file(const std::string& path) {
  if (path.empty()) return memfd_create("racier-swap", MFD_CLOEXEC);
  return open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
}

off_t offset_of(std::uint32_t slot) { return static_cast<off_t>(slot * kPageSize); }

}  // namespace

SwapFile::SwapFile(std::uint32_t slots, const std::string& path)
    : fd_(open_file(path)), state_(slots, kUntouched) {
  if (fd_ >= 0) return;
  throw std::system_error(errno, std::generic_category(), "swap file " + path);
}

SwapFile::~SwapFile() { close(fd_); }

bool SwapFile::write(std::uint32_t slot, const std::byte* frame) {
  require(slot < slots(), "a slot of this file");
  alignas(8) std::byte buffer[kPageSize];
  copy_user_frame(buffer, frame);
  const auto written =
      syscall(SYS_pwrite64, fd_, &buffer[0], kPageSize, offset_of(slot));
  if (written != static_cast<long>(kPageSize)) return false;
  mark_written(slot);
  return true;
}

bool SwapFile::read(std::uint32_t slot, std::byte* frame) const {
  require(slot < slots(), "a slot of this file");
  const auto state = std::atomic_ref(state_[slot]).load(std::memory_order_relaxed);
  if (state == kUntouched) {
    clear_user_frame(frame);
    return true;
  }
  alignas(8) std::byte buffer[kPageSize];
  const auto got = syscall(SYS_pread64, fd_, &buffer[0], kPageSize, offset_of(slot));
  // (Of a slot that is lost there is a hole where others were written behind it.)
  if (got != static_cast<long>(kPageSize) || state == kLost) return false;
  copy_user_frame(frame, buffer);
  return true;
}

void SwapFile::lose() {
  require(ftruncate(fd_, 0) == 0, "a swap file can be cut off");
  const std::uint32_t end = std::atomic_ref(end_).load(std::memory_order_relaxed);
  for (std::uint32_t slot = 0; slot < end; ++slot) {
    std::uint8_t written = kWritten;
    std::atomic_ref(state_[slot])
        .compare_exchange_strong(written, kLost, std::memory_order_relaxed);
  }
}

void SwapFile::reset() {
  std::fill_n(state_.begin(), end_, std::uint8_t{kUntouched});
  end_ = 0;
}

void SwapFile::mark_written(std::uint32_t slot) {
  // Relaxed: who reads a slot knows by the kernel's own order that it was written.
  std::atomic_ref(state_[slot]).store(kWritten, std::memory_order_relaxed);
  std::atomic_ref end(end_);
  std::uint32_t before = end.load(std::memory_order_relaxed);
  while (before <= slot &&
         !end.compare_exchange_weak(before, slot + 1, std::memory_order_relaxed)) {
  }
}

}  // namespace racier
