// core/memory/soft_mmu.h - the MMU in software: accesses go to the direct map.
#pragma once
#include "core/memory/tlb_mmu.h"

namespace racier {

class SoftMmu final : public TlbMmu {
 public:
  SoftMmu(FrameArena& arena, int cpus) : TlbMmu(arena, cpus) {}

 private:
  bool reach(const Place& place, const MmuContext& context, VirtAddr addr,
             UserAccess access, std::uint64_t& value, PageFault& fault) override;
};

}  // namespace racier
