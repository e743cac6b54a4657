// core/mm/tlb.cc - raises the number first, asks who is there then; who comes does both
// the other way round.
//
// Mm::cpu_tlb_gen says of a CPU up to which flush it has lost what it had to lose.  It
// may say too little, which costs a flush.  Tested by tlb_test.cc and corpus/programs.
#include "core/mm/tlb.h"

#include <bit>

#include "core/base/bug.h"
#include "core/base/mark.h"
#include "core/sync/sites.h"

namespace racier {
namespace {

constexpr CpuSet bit_of(int cpu) { return CpuSet{1} << cpu; }

bool by_cpumask(const Machine& m) { return m.options().period.mm_cpumask; }

template <typename Visit>
void for_each_cpu(CpuSet cpus, Visit visit) {
  for (CpuSet rest = cpus; rest != 0; rest &= rest - 1) visit(std::countr_zero(rest));
}

CpuTlb& tlb_of(Machine& m, int cpu) { return m.cpus[static_cast<std::size_t>(cpu)]; }

// To look at it or change it is no step.
Atomic<std::uint32_t>& gen_of(Mm& mm, int cpu) {
  return mm.cpu_tlb_gen[static_cast<std::size_t>(cpu)];
}

bool has_loaded(CpuTlb& tlb, const Mm& mm) {
  const InterlockGuard guard(tlb.lock);
  return tlb.loaded == &mm;
}

// Flushes that come now pass the CPU by; it keeps what it has cached.
void unload(CpuTlb& tlb, int cpu) REQUIRES(tlb.lock) {
  if (tlb.loaded == nullptr) return;
  tlb.loaded->cpumask.raw().fetch_and(~bit_of(cpu), std::memory_order_seq_cst);
  tlb.loaded = nullptr;
}

// Makes up for what `cpu` has missed before flush number `gen`.
void catch_up(Machine& m, Mm& mm, int cpu, std::uint32_t gen) {
  note_side_effects();
  if (gen_of(mm, cpu).raw().load(std::memory_order_relaxed) == gen) return;
  m.mmu->flush_mm(mm.context, bit_of(cpu));
  gen_of(mm, cpu).raw().store(gen, std::memory_order_relaxed);
  mark::hit(Mark::kTlbCaughtUp);
}

std::uint32_t gen_now(const Mm& mm) {
  return mm.tlb_gen.load(std::memory_order_seq_cst);
}

// Returns those of `cpus` that have to be told of a flush.
CpuSet without_lazy(Machine& m, CpuSet cpus) {
  CpuSet told = cpus;
  for_each_cpu(cpus, [&](int cpu) {
    if (!tlb_of(m, cpu).is_lazy.load(std::memory_order_seq_cst)) return;
    told &= ~bit_of(cpu);
    mark::hit(Mark::kTlbLazySkipped);
  });
  return told;
}

// Comes back to the mm that has stayed loaded.
void leave_lazy_tlb(Machine& m, Mm& mm, int cpu) {
  if (bug::armed(Bug::kLazyTlbNotCompared)) return;
  catch_up(m, mm, cpu, gen_now(mm));
}

void load(Machine& m, Mm& next, int cpu) {
  CpuTlb& tlb = tlb_of(m, cpu);
  {
    const InterlockGuard guard(tlb.lock);
    unload(tlb, cpu);
  }
  const bool early = bug::armed(Bug::kSwitchMmReadsGenFirst);
  const std::uint32_t before = early ? gen_now(next) : 0;
  // Whoever flushes has raised the number before he asks who is there: either he finds
  // the CPU, or the CPU finds the number.
  next.cpumask.fetch_or(bit_of(cpu), std::memory_order_seq_cst);
  catch_up(m, next, cpu, early ? before : gen_now(next));
  const InterlockGuard guard(tlb.lock);
  tlb.loaded = &next;
}

}  // namespace

void switch_mm(Machine& m, Mm& next, int cpu) {
  if (!by_cpumask(m)) return;
  CpuTlb& tlb = tlb_of(m, cpu);
  const bool was_lazy = tlb.is_lazy.peek();
  // Likewise, of who asks whether the CPU is lazy.
  if (was_lazy) tlb.is_lazy.exchange(false, std::memory_order_seq_cst);
  if (!has_loaded(tlb, next)) {
    load(m, next, cpu);
  } else if (was_lazy) {
    leave_lazy_tlb(m, next, cpu);
  }
}

void enter_lazy_tlb(Machine& m, int cpu) {
  if (!by_cpumask(m)) return;
  CpuTlb& tlb = tlb_of(m, cpu);
  const bool has_any = [&] {
    const InterlockGuard guard(tlb.lock);
    return tlb.loaded != nullptr;
  }();
  // Not a store that may be late: whichever task comes to the CPU next has to see it.
  if (has_any && !tlb.is_lazy.peek()) tlb.is_lazy.exchange(true);
}

void shoot_lazy_tlbs(Machine& m, Mm& mm) {
  if (!by_cpumask(m)) return;
  // Acquire: a CPU that has gone by itself touches the mm no more.
  for_each_cpu(mm.cpumask.peek(std::memory_order_acquire), [&](int cpu) {
    CpuTlb& tlb = tlb_of(m, cpu);
    const InterlockGuard guard(tlb.lock);
    if (tlb.loaded == &mm) unload(tlb, cpu);
  });
}

void flush_tlb_range(Machine& m, Mm& mm, VirtRange range, std::source_location where) {
  if (flush_is_left_out("flush_tlb", where)) return;
  if (!by_cpumask(m)) return m.mmu->flush_range(mm.context, range);
  const std::uint32_t gen = mm.tlb_gen.fetch_add(1, std::memory_order_seq_cst) + 1;
  const CpuSet cpus = without_lazy(m, mm.cpumask.load(std::memory_order_seq_cst));
  if (cpus == 0) return;
  m.mmu->flush_range(mm.context, range, cpus);
  note_side_effects();
  for_each_cpu(cpus, [&](int cpu) {
    // Only who had missed none before has missed none now.
    std::uint32_t before = gen - 1;
    gen_of(mm, cpu).raw().compare_exchange_strong(before, gen,
                                                  std::memory_order_relaxed);
  });
}

void flush_tlb_page(Machine& m, Mm& mm, VirtAddr addr, std::source_location where) {
  flush_tlb_range(m, mm, {page_floor(addr), page_floor(addr) + kPageSize}, where);
}

void flush_tlb_mm(Machine& m, Mm& mm, std::source_location where) {
  flush_tlb_range(m, mm, {0, kUserEnd}, where);
}

CpuSet put_off_flush(Machine& m, Mm& mm) {
  if (!by_cpumask(m)) return kAllCpus;
  mm.tlb_gen.fetch_add(1, std::memory_order_seq_cst);
  return mm.cpumask.load(std::memory_order_seq_cst);
}

void flush_tlb_put_off(Machine& m, const MmuContext& context, CpuSet cpus) {
  const CpuSet told = by_cpumask(m) ? without_lazy(m, cpus) : cpus;
  if (told != 0) m.mmu->flush_mm(context, told);
}

}  // namespace racier
