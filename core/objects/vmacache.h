// core/objects/vmacache.h - the vmas that a task has found lately.
#pragma once
#include <array>
#include <cstdint>

#include "core/base/types.h"
#include "core/sync/atomic.h"

namespace racier {

struct Vma;

// With lookup=vmacache each task has one.  It is of one mm, and of one number of that
// mm's (Mm::vmacache_seqnum): with another one it is empty.  Read and filled by its
// task under mmap_sem of that mm (read); others empty it under mmap_sem (write).  No
// access is a step.  Kernel: struct vmacache of task_struct, v4.10.
struct Vmacache {
  static constexpr std::size_t kSlots = 4;

  Atomic<std::uint32_t> mm{0};  // its number; 0: none
  Atomic<std::uint32_t> seqnum{0};
  std::array<Atomic<Vma*>, kSlots> vmas;

  static std::size_t slot_of(VirtAddr addr) { return (addr >> kPageShift) % kSlots; }
  void clear() {
    for (Atomic<Vma*>& slot : vmas) slot.poke(nullptr);
  }
};

}  // namespace racier
