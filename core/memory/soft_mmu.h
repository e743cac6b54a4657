// core/memory/soft_mmu.h - the MMU in software: a small TLB per CPU over the page
// tables.
#pragma once
#include <array>
#include <cstdint>
#include <optional>

#include "core/base/thread_annotations.h"
#include "core/memory/mmu.h"
#include "core/sync/interlock.h"

namespace racier {

// As Mmu promises.  Each CPU's TLB is direct-mapped; a translation also goes when
// another one needs its place.
class SoftMmu final : public Mmu {
 public:
  SoftMmu(FrameArena& arena, int cpus);

  [[nodiscard]] bool access(int cpu, const MmuContext& context, VirtAddr addr,
                            UserAccess access, std::uint64_t& value,
                            PageFault& fault) override;
  void flush_page(const MmuContext& context, VirtAddr addr) override;
  void flush_range(const MmuContext& context, VirtRange range) override;
  void flush_mm(const MmuContext& context) override;
  void for_each_entry(FunctionRef<void(const TlbEntry&)> visit) const override;
  void reset() override;

 private:
  static constexpr std::size_t kEntries = 64;

  // Both words are written under the CPU's Interlock, and are atomic because a step is
  // named after what they say before it is taken.
  struct Entry {
    std::uint64_t tag = 0;   // asid and page number; 0: empty
    std::uint64_t bits = 0;  // the pte, as it was when it was cached
  };
  struct alignas(64) Cpu {
    mutable Interlock lock;
    mutable std::array<Entry, kEntries> entries;
  };

  // What it took to find the place of a pte.
  struct Walk {
    std::uint64_t* word = nullptr;  // null: a table is missing
    bool table_is_free = false;     // ... because it was freed under us
  };

  const std::byte* step_address(const Cpu& on, const MmuContext& context,
                                VirtAddr addr) const;
  std::optional<Pte> translate(Cpu& on, const MmuContext& context, VirtAddr addr,
                               UserAccess access, PageFault& fault) REQUIRES(on.lock);
  std::optional<Pte> walk(const MmuContext& context, VirtAddr addr, UserAccess access,
                          PageFault& fault);
  Walk find_pte(const MmuContext& context, VirtAddr addr) const;
  void mark_used(int cpu);
  // Calls `visit(cpu)` with the Interlock of each CPU that may have entries, in turn.
  template <typename Visit>
  void for_each_used_cpu(Visit visit) const;

  FrameArena& arena_;
  int cpus_count_;
  std::array<Cpu, kCpusMax> cpus_;
  mutable std::uint32_t used_ = 0;  // bit i: CPU i may have entries; atomic
};

}  // namespace racier
