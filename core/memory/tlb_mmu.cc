// core/memory/tlb_mmu.cc - caches translations, walks page tables, flushes.
//
// A CPU's Interlock is held from the look-up of a translation to the end of the access
// that it is for.  A flush takes the Interlock of each CPU in turn: when it has been
// through, no access through the old translation is under way, which is what the answer
// to the interrupt of a TLB shootdown says on hardware.  Tested by mmu_test.cc.
#include "core/memory/tlb_mmu.h"

#include <atomic>
#include <bit>
#include <source_location>
#include <string>

#include "core/base/require.h"
#include "core/memory/accuse.h"
#include "core/sync/task.h"

namespace racier {
namespace {

constexpr int kVpnBits = 47 - static_cast<int>(kPageShift);

constexpr std::uint64_t tag_of(std::uint32_t asid, VirtAddr addr) {
  return std::uint64_t{asid} << kVpnBits | addr >> kPageShift;
}
constexpr std::uint32_t asid_of(std::uint64_t tag) {
  return static_cast<std::uint32_t>(tag >> kVpnBits);
}
constexpr VirtAddr addr_of(std::uint64_t tag) {
  return (tag & ((1ull << kVpnBits) - 1)) << kPageShift;
}
// Neighbours in one address space get different places; so do equal pages of two.
constexpr std::size_t place_of(std::uint64_t tag, std::size_t entries) {
  return (tag + asid_of(tag) * 7ull) % entries;
}

std::uint64_t peek(std::uint64_t& word) {
  return std::atomic_ref(word).load(std::memory_order_relaxed);
}
void poke(std::uint64_t& word, std::uint64_t value) {
  std::atomic_ref(word).store(value, std::memory_order_relaxed);
}

constexpr std::uint32_t error_code(UserAccess access, bool present) {
  return PageFault::kUser | (writes(access) ? PageFault::kWrite : 0) |
         (access == UserAccess::kExecute ? PageFault::kExecute : 0) |
         (present ? PageFault::kPresent : 0);
}

constexpr Access step_kind(UserAccess access) {
  if (access == UserAccess::kWrite) return Access::kWrite;
  return access == UserAccess::kReadModifyWrite ? Access::kRmw : Access::kRead;
}

// Where a user access is made: the name of a step is that of its function.
std::source_location user_load() { return std::source_location::current(); }
std::source_location user_store() { return std::source_location::current(); }
std::source_location user_add() { return std::source_location::current(); }
std::source_location user_fetch() { return std::source_location::current(); }

std::source_location place(UserAccess access) {
  switch (access) {
    case UserAccess::kRead:
      return user_load();
    case UserAccess::kWrite:
      return user_store();
    case UserAccess::kReadModifyWrite:
      return user_add();
    case UserAccess::kExecute:
      return user_fetch();
  }
  return std::source_location::current();
}

std::string about(const MmuContext& context, VirtAddr addr, Pfn pfn) {
  return "asid " + std::to_string(context.asid) + " page " +
         std::to_string(addr >> kPageShift) + " pfn " + std::to_string(pfn);
}

}  // namespace

TlbMmu::TlbMmu(FrameArena& arena, int cpus) : arena_(arena), cpus_count_(cpus) {
  require(0 < cpus && cpus <= kCpusMax, "a machine has 1 to kCpusMax CPUs");
}

bool TlbMmu::access(int cpu, const MmuContext& context, VirtAddr addr,
                    UserAccess access, std::uint64_t& value, PageFault& fault) {
  require(0 <= cpu && cpu < cpus_count_, "a CPU of this machine");
  require(0 < context.asid && context.asid <= kAsidMax, "an asid from 1 to kAsidMax");
  require(addr % sizeof value == 0, "user accesses are aligned");
  mark_used(cpu);
  Cpu& on = cpus_[cpu];
  if (Task* const self = current(); self != nullptr) {
    if (self->steps_off == 0) {
      step({step_address(on, context, addr), step_kind(access),
            std::memory_order_relaxed, place(access)});
    }
    if (self->weak != nullptr) [[unlikely]]
      self->weak->settle_fills(*self);
  }
  if (addr >= kUserEnd) {
    fault.error_code = error_code(access, false);
    return false;
  }
  const InterlockGuard guard(on.lock);
  const std::uint64_t tag = tag_of(context.asid, addr);
  const std::size_t index = place_of(tag, kEntries);
  return reach({cpu, index, tag, on.entries[index]}, context, addr, access, value,
               fault);
}

// The name of the user word, so that a strategy sees which accesses of two tasks
// conflict, on whatever CPU and in whatever address space they are.  Not its direct-map
// address: by the time the step is made the page may have been unmapped, flushed and
// freed, in order, and the access will fault; a dead address would be a finding that is
// not one.  A word that cannot be translated has no name yet, and the access will read
// tables: the root's entry, which lives as long as the address space.
const std::byte* TlbMmu::step_address(const Cpu& on, const MmuContext& context,
                                      VirtAddr addr) const {
  const std::uint64_t tag = tag_of(context.asid, addr);
  Entry& entry = on.entries[place_of(tag, kEntries)];
  // Without the Interlock: an entry that changes meanwhile only gives another name.
  if (peek(entry.tag) == tag) {
    const Pfn pfn = Pte(peek(entry.bits)).pfn();
    if (pfn < arena_.frames()) return arena_.word_name(pfn, addr % kPageSize);
  }
  // With it, because tables are freed behind a flush.
  const InterlockGuard guard(on.lock);
  if (addr < kUserEnd) {
    if (std::uint64_t* const word = find_pte(context, addr).word; word != nullptr) {
      const Pte pte(peek(*word));
      if (pte.present() && pte.pfn() < arena_.frames()) {
        return arena_.word_name(pte.pfn(), addr % kPageSize);
      }
    }
  }
  return arena_.data(context.root) +
         table_index(addr, kTableLevels - 1) * sizeof(std::uint64_t);
}

std::optional<Pte> TlbMmu::translate(const Place& place, const MmuContext& context,
                                     VirtAddr addr) const {
  if (peek(place.entry.tag) != place.tag) return std::nullopt;
  const Pte cached(peek(place.entry.bits));
  if (arena_.is_free(cached.pfn())) [[unlikely]] {
    accuse(FindingKind::kTlb, "stale TLB entry: access to a freed frame",
           about(context, addr, cached.pfn()));
  }
  return cached;
}

std::optional<Pte> TlbMmu::fill(const Place& place, const MmuContext& context,
                                VirtAddr addr, UserAccess access, PageFault& fault) {
  if (peek(place.entry.tag) == place.tag) forget(place.cpu, place.index);
  const std::optional<Pte> pte = walk(context, addr, access, fault);
  if (pte) {
    poke(place.entry.bits, pte->bits());
    poke(place.entry.tag, place.tag);
  }
  return pte;
}

bool TlbMmu::is_taken(const Place& place) {
  const std::uint64_t tag = peek(place.entry.tag);
  return tag != 0 && tag != place.tag;
}

void TlbMmu::forget(int cpu, std::size_t index) {
  Entry& entry = cpus_[cpu].entries[index];
  if (peek(entry.tag) == 0) return;
  poke(entry.tag, 0);
  forgotten(cpu, index);
}

std::optional<Pte> TlbMmu::walk(const MmuContext& context, VirtAddr addr,
                                UserAccess access, PageFault& fault) {
  const std::uint64_t marks = Pte::kAccessed | (writes(access) ? Pte::kDirty : 0);
  for (;;) {
    const Walk found = find_pte(context, addr);
    if (found.table_is_free) [[unlikely]] {
      accuse(FindingKind::kUseAfterFree, "page walk through a freed page table",
             about(context, addr, context.root));
    }
    std::uint64_t bits = 0;
    if (found.word != nullptr) {
      bits = std::atomic_ref(*found.word).load(std::memory_order_acquire);
    }
    const Pte pte(bits);
    const bool present = (bits & Pte::kPresent) != 0;
    const bool allowed =
        (bits & Pte::kUser) != 0 && (!writes(access) || pte.writable());
    if (!present || !allowed) {
      fault.error_code = error_code(access, present);
      return std::nullopt;
    }
    if (arena_.is_free(pte.pfn())) [[unlikely]] {
      accuse(FindingKind::kUseAfterFree, "page table maps a freed frame",
             about(context, addr, pte.pfn()));
    }
    const Pte marked = pte.with(marks);
    if (marked == pte ||
        std::atomic_ref(*found.word)
            .compare_exchange_strong(bits, marked.bits(), std::memory_order_acq_rel,
                                     std::memory_order_relaxed)) {
      return marked;
    }  // Somebody changed the pte: what it allows now is to be read again.
  }
}

TlbMmu::Walk TlbMmu::find_pte(const MmuContext& context, VirtAddr addr) const {
  Pfn table = context.root;
  for (int level = kTableLevels - 1;; --level) {
    if (arena_.is_free(table)) [[unlikely]]
      return {nullptr, true};
    auto* const words = reinterpret_cast<std::uint64_t*>(arena_.data(table));
    std::uint64_t* const word = words + table_index(addr, level);
    if (level == 0) return {word, false};
    const Pte entry(std::atomic_ref(*word).load(std::memory_order_acquire));
    if ((entry.bits() & Pte::kPresent) == 0) return {nullptr, false};
    table = entry.pfn();
  }
}

// A CPU says that it is used before it looks at a pte or a table; who flushes has
// changed the pte, and then asks who is used.  So either the flush meets the CPU, or
// the CPU meets the new pte.
void TlbMmu::mark_used(int cpu) {
  const CpuSet bit = CpuSet{1} << cpu;
  const std::atomic_ref used(used_);
  if ((used.load(std::memory_order_relaxed) & bit) == 0) used.fetch_or(bit);
}

template <typename Visit>
void TlbMmu::for_each_used_cpu(CpuSet cpus, Visit visit) const {
  // Not a load: that could come before the stores of who flushes.
  for (CpuSet rest = std::atomic_ref(used_).fetch_or(0) & cpus; rest != 0;
       rest &= rest - 1) {
    const int cpu = std::countr_zero(rest);
    const InterlockGuard guard(cpus_[cpu].lock);
    visit(cpu);
  }
}

void TlbMmu::flush_range(const MmuContext& context, VirtRange range, CpuSet cpus) {
  step({&cpus_, Access::kWrite, std::memory_order_seq_cst,
        std::source_location::current()});
  for_each_used_cpu(cpus, [&](int cpu) {
    auto& entries = cpus_[cpu].entries;
    if (range.pages() < kEntries) {
      for (VirtAddr addr = range.start; addr < range.end; addr += kPageSize) {
        const std::uint64_t tag = tag_of(context.asid, addr);
        const std::size_t index = place_of(tag, kEntries);
        if (peek(entries[index].tag) == tag) forget(cpu, index);
      }
      return;
    }
    for (std::size_t index = 0; index < kEntries; ++index) {
      const std::uint64_t tag = peek(entries[index].tag);
      if (asid_of(tag) == context.asid && range.contains(addr_of(tag))) {
        forget(cpu, index);
      }
    }
  });
}

void TlbMmu::for_each_entry(FunctionRef<void(const TlbEntry&)> visit) const {
  for_each_used_cpu(kAllCpus, [&](int cpu) {
    for (Entry& entry : cpus_[cpu].entries) {
      const std::uint64_t tag = peek(entry.tag);
      const Pte pte(peek(entry.bits));
      if (tag != 0) visit({cpu, asid_of(tag), addr_of(tag), pte.pfn(), pte.writable()});
    }
  });
}

void TlbMmu::reset() {
  for_each_used_cpu(kAllCpus, [&](int cpu) {
    for (std::size_t index = 0; index < kEntries; ++index) forget(cpu, index);
  });
  std::atomic_ref(used_).store(0, std::memory_order_relaxed);
}

}  // namespace racier
