// core/memory/host_mmu.h - the MMU of the host: accesses go through real mappings.
#pragma once
#include <memory>

#include "core/memory/tlb_mmu.h"

namespace racier {

// A translation that a CPU has cached is a mapping of the frame, with the rights that
// it gives, at a page of the host's that belongs to its place in the TLB; to forget it
// is to take the mapping away.  A user access is one load or store there.  If the
// host's MMU refuses it, the page tables are asked, as the hardware asks them.
//
// AddressSanitizer and ThreadSanitizer do not see these accesses.
class HostMmu final : public TlbMmu {
 public:
  // Throws std::system_error if the host refuses the windows.
  HostMmu(FrameArena& arena, int cpus);
  ~HostMmu() override;

 private:
  bool reach(const Place& place, const MmuContext& context, VirtAddr addr,
             UserAccess access, std::uint64_t& value, PageFault& fault) override;
  void forgotten(int cpu, std::size_t index) override;

  std::byte* window(int cpu, std::size_t index) const {
    return windows_ + (static_cast<std::size_t>(cpu) * kEntries + index) * kPageSize;
  }
  // The page in front of the windows is never there.
  std::byte* nowhere() const { return windows_ - kPageSize; }

  std::byte* windows_ = nullptr;
};

}  // namespace racier
