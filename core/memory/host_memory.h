// core/memory/host_memory.h - a stretch of real host memory, from a memfd.
#pragma once
#include <cstddef>
#include <cstdint>

namespace racier {

// A memfd of `size` bytes, mapped once, shared and writable, for the life of the
// object.  The host backs a page of it when it is first touched.
class HostMemory {
 public:
  // `size` is a multiple of kPageSize.  Throws std::system_error if the host refuses.
  // The `names` bytes behind the memory are reserved and can never be touched:
  // addresses that nothing else has.
  HostMemory(const char* name, std::size_t size, std::size_t names = 0);
  ~HostMemory();
  HostMemory(const HostMemory&) = delete;
  HostMemory& operator=(const HostMemory&) = delete;

  std::byte* data() const { return data_; }
  std::size_t size() const { return size_; }
  int fd() const { return fd_; }

 private:
  int fd_ = -1;
  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t names_ = 0;
};

}  // namespace racier
