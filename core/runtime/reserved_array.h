// core/runtime/reserved_array.h - an array that grows without moving or malloc.
#pragma once
#include <sys/mman.h>

#include <cstddef>
#include <span>
#include <type_traits>

#include "core/base/require.h"

namespace racier {

// Reserves address space for all it may ever hold; memory comes with the first touch
// and is kept.  Safe to append to on a fiber: the sanitizers see no allocation and no
// copy.
template <typename T>
class ReservedArray {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  explicit ReservedArray(std::size_t capacity) : capacity_(capacity) {
    void* const memory = mmap(nullptr, capacity * sizeof(T), PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    require(memory != MAP_FAILED, "there is address space for a recording");
    entries_ = static_cast<T*>(memory);
  }
  ~ReservedArray() { munmap(entries_, capacity_ * sizeof(T)); }
  ReservedArray(const ReservedArray&) = delete;
  ReservedArray& operator=(const ReservedArray&) = delete;

  // Appends, unless it is full; returns whether it did.
  bool push(const T& entry) {
    if (size_ == capacity_) return false;
    entries_[size_++] = entry;
    return true;
  }
  // Takes the last one off.
  void pop() { --size_; }
  void clear() { size_ = 0; }
  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }
  T& operator[](std::size_t index) { return entries_[index]; }
  const T& operator[](std::size_t index) const { return entries_[index]; }
  T& back() { return entries_[size_ - 1]; }
  std::size_t capacity() const { return capacity_; }
  std::span<const T> entries() const { return {entries_, size_}; }

 private:
  T* entries_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_;
};

}  // namespace racier
