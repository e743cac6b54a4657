// core/memory/host_memory.cc - maps a memfd.  Tested by region_test.cc.
#include "core/memory/host_memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>

#include "core/base/require.h"
#include "core/base/types.h"

namespace racier {
namespace {

[[noreturn]] void refuse(int error, const char* call, const char* name,
                         std::size_t size) {
  throw std::system_error(error, std::generic_category(),
                          std::string(call) + " of " + std::to_string(size) +
                              " bytes for \"" + name + "\"");
}

}  // namespace

HostMemory::HostMemory(const char* name, std::size_t size, std::size_t names)
    : size_(size), names_(names) {
  require(size != 0 && size % kPageSize == 0, "host memory comes in whole pages");
  fd_ = memfd_create(name, MFD_CLOEXEC);
  if (fd_ < 0) refuse(errno, "memfd_create", name, size);
  // The reservation comes first, so that memory and names are neighbours.
  void* const all = mmap(nullptr, size + names, PROT_NONE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  const char* failed = all == MAP_FAILED ? "mmap" : nullptr;
  int error = errno;
  if (failed == nullptr && ftruncate(fd_, static_cast<off_t>(size)) != 0) {
    failed = "ftruncate";
    error = errno;
  }
  if (failed == nullptr &&
      mmap(all, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED | MAP_NORESERVE,
           fd_, 0) == MAP_FAILED) {
    failed = "mmap";
    error = errno;
  }
  if (failed != nullptr) {
    if (all != MAP_FAILED) munmap(all, size + names);
    close(fd_);
    refuse(error, failed, name, size);
  }
  data_ = static_cast<std::byte*>(all);
}

HostMemory::~HostMemory() {
  munmap(data_, size_ + names_);
  close(fd_);
}

}  // namespace racier
