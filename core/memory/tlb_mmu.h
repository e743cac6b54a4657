// core/memory/tlb_mmu.h - what both MMUs have in common: a small TLB per CPU over the
// page tables.
#pragma once
#include <array>
#include <cstdint>
#include <optional>

#include "core/base/thread_annotations.h"
#include "core/memory/mmu.h"
#include "core/sync/interlock.h"

namespace racier {

// As Mmu promises.  Each CPU's TLB is direct-mapped; a translation also goes when
// another one needs its place.  A subclass says how an access gets to memory.
class TlbMmu : public Mmu {
 public:
  [[nodiscard]] bool access(int cpu, const MmuContext& context, VirtAddr addr,
                            UserAccess access, std::uint64_t& value,
                            PageFault& fault) final;
  void flush_range(const MmuContext& context, VirtRange range, CpuSet cpus) final;
  void for_each_entry(FunctionRef<void(const TlbEntry&)> visit) const final;
  void reset() final;

 protected:
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
  // Where on which CPU the translation of a page is cached, if it is.
  struct Place {
    int cpu;
    std::size_t index;
    std::uint64_t tag;
    Entry& entry;
  };

  TlbMmu(FrameArena& arena, int cpus);

  // Makes the access through the translation that is cached, or through what the tables
  // say.  Context: the Interlock of the CPU held.  See Mmu::access().
  virtual bool reach(const Place& place, const MmuContext& context, VirtAddr addr,
                     UserAccess access, std::uint64_t& value, PageFault& fault) = 0;
  // Called when a translation is forgotten, and none takes its place.  Context: as
  // reach().
  virtual void forgotten(int, std::size_t) {}

  // Returns the translation that is cached, or nothing.  A frame that is free is a
  // finding.
  std::optional<Pte> translate(const Place& place, const MmuContext& context,
                               VirtAddr addr) const;
  // Walks the tables as the hardware does, and caches what it finds, with accessed and
  // dirty bits set.  Returns nothing, and the reason, if they do not allow the access.
  std::optional<Pte> fill(const Place& place, const MmuContext& context, VirtAddr addr,
                          UserAccess access, PageFault& fault);
  void forget(int cpu, std::size_t index);
  // Returns whether the place has the translation of another page.
  static bool is_taken(const Place& place);

  FrameArena& arena_;
  const int cpus_count_;

 private:
  // What it took to find the place of a pte.
  struct Walk {
    std::uint64_t* word = nullptr;  // null: a table is missing
    bool table_is_free = false;     // ... because it was freed under us
  };

  const std::byte* step_address(const Cpu& on, const MmuContext& context,
                                VirtAddr addr) const;
  std::optional<Pte> walk(const MmuContext& context, VirtAddr addr, UserAccess access,
                          PageFault& fault);
  Walk find_pte(const MmuContext& context, VirtAddr addr) const;
  void mark_used(int cpu);
  // Calls `visit(cpu)` with the Interlock of each CPU of `cpus` that may have entries,
  // in turn.
  template <typename Visit>
  void for_each_used_cpu(CpuSet cpus, Visit visit) const;

  std::array<Cpu, kCpusMax> cpus_;
  mutable CpuSet used_ = 0;  // bit i: CPU i may have entries; atomic
};

}  // namespace racier
