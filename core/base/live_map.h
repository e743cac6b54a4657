// core/base/live_map.h - which bytes of the simulated machine's memory are alive.
//
// A byte of state for every 16 bytes of one region.  It is racier's own shadow memory,
// beside AddressSanitizer's: a step that touches dead memory is the same finding in
// every build, and it does not kill the process.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

namespace racier {

class LiveMap {
 public:
  static constexpr std::size_t kGranule = 16;

  LiveMap() = default;
  // Covers [base, base + size); everything starts dead.
  LiveMap(const void* base, std::size_t size)
      : base_(reinterpret_cast<std::uintptr_t>(base)),
        size_(size),
        dead_(size / kGranule, 1) {}

  // Marks [at, at + size) as alive or dead.  `at` and `size` are multiples of kGranule.
  void set_alive(const void* at, std::size_t size) { set(at, size, 0); }
  void set_dead(const void* at, std::size_t size) { set(at, size, 1); }

  // Returns whether `at` lies in the region and is dead.
  bool is_dead(const void* at) const {
    const std::uintptr_t offset = reinterpret_cast<std::uintptr_t>(at) - base_;
    return offset < size_ && dead_[offset / kGranule] != 0;
  }
  // Returns the offset of `at` in the region, or -1 outside: a name for an address that
  // is the same on every host.
  std::ptrdiff_t offset_of(const void* at) const {
    const std::uintptr_t offset = reinterpret_cast<std::uintptr_t>(at) - base_;
    return offset < size_ ? static_cast<std::ptrdiff_t>(offset) : -1;
  }

 private:
  void set(const void* at, std::size_t size, std::uint8_t value) {
    const std::uintptr_t offset = reinterpret_cast<std::uintptr_t>(at) - base_;
    std::memset(dead_.data() + offset / kGranule, value, size / kGranule);
  }

  std::uintptr_t base_ = 0;
  std::size_t size_ = 0;
  std::vector<std::uint8_t> dead_;
};

}  // namespace racier
