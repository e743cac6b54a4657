// core/memory/host_mmu.cc - maps frames at windows, and lets the host decide.
//
// The system calls are made past the sanitizers: to them these mappings would be new
// memory, whose history they would clear.  Tested by mmu_test.cc.
#include "core/memory/host_mmu.h"

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "core/base/require.h"
#include "core/memory/host_access.h"

namespace racier {
namespace {

// Maps a page at `at`, in the place of what is there.
void map_page(std::byte* at, int protection, int flags, int fd, off_t offset) {
  const long mapped =
      syscall(SYS_mmap, at, kPageSize, protection, flags | MAP_FIXED, fd, offset);
  if (mapped == -1) {
    throw std::system_error(errno, std::generic_category(), "mmap of a window");
  }
}

bool touch(std::byte* at, UserAccess access, std::uint64_t& value) {
  switch (access) {
    case UserAccess::kRead:
    case UserAccess::kExecute:
      return host_load(at, value);
    case UserAccess::kWrite:
      return host_store(at, value);
    case UserAccess::kReadModifyWrite:
      return host_add(at, value);
  }
  return false;
}

}  // namespace

HostMmu::HostMmu(FrameArena& arena, int cpus) : TlbMmu(arena, cpus) {
  handle_host_faults();
  const std::size_t pages = 1 + static_cast<std::size_t>(cpus) * kEntries;
  void* const all = mmap(nullptr, pages * kPageSize, PROT_NONE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (all == MAP_FAILED) {
    throw std::system_error(errno, std::generic_category(), "mmap of windows");
  }
  windows_ = static_cast<std::byte*>(all) + kPageSize;
}

HostMmu::~HostMmu() {
  munmap(nowhere(), (1 + static_cast<std::size_t>(cpus_count_) * kEntries) * kPageSize);
}

bool HostMmu::reach(const Place& place, const MmuContext& context, VirtAddr addr,
                    UserAccess access, std::uint64_t& value, PageFault& fault) {
  const std::uint64_t offset = addr % kPageSize;
  static_cast<void>(
      translate(place, context, addr));  // a frame that is free is a finding
  std::byte* const page = window(place.cpu, place.index);
  if (touch((is_taken(place) ? nowhere() : page) + offset, access, value)) return true;
  const std::optional<Pte> pte = fill(place, context, addr, access, fault);
  if (!pte) return false;
  // A pte that is not dirty may not be written through: the first write has to ask.
  const int write = pte->writable() && pte->dirty() ? PROT_WRITE : 0;
  map_page(page, PROT_READ | write, MAP_SHARED, arena_.fd(),
           static_cast<off_t>(pte->pfn() * kPageSize));
  require(touch(page + offset, access, value), "the host allows what the pte allows");
  return true;
}

void HostMmu::forgotten(int cpu, std::size_t index) {
  map_page(window(cpu, index), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
           -1, 0);
}

}  // namespace racier
