// core/mm/vmacache.cc - looks in the task's own cache, and makes caches out of date.
// Tested by find_vma_test.cc and corpus/programs/vmacache*.racier.
#include "core/mm/vmacache.h"

#include "core/base/bug.h"
#include "core/base/mark.h"
#include "core/sync/sites.h"
#include "core/sync/task.h"

namespace racier {
namespace {

// So many bits of the number count: few, so that it comes round in a short program.
constexpr std::uint32_t kSeqnumMask = 7;

// Returns the cache of the current task, made one of `mm` as that is now; nullptr
// outside of tasks.  Kernel: vmacache_valid().
Vmacache* cache_for(Machine& m, const Mm& mm) {
  const Task* const self = current();
  if (self == nullptr) return nullptr;
  Vmacache& cache = m.vmacaches[static_cast<std::size_t>(self->id)];
  const bool is_its = cache.mm.peek() == mm.id;
  if (is_its && still(cache.seqnum.peek() == mm.vmacache_seqnum)) return &cache;
  cache.clear();
  cache.mm.poke(mm.id);
  cache.seqnum.poke(mm.vmacache_seqnum);
  return &cache;
}

// Returns whether `vma` is what is looked for.  To look is a step, so that every build
// is asked whether it is alive.
bool is_wanted(const Vma& vma, const Mm& mm, VirtAddr addr) {
  step({&vma.vm_mm, Access::kRead, std::memory_order_relaxed,
        std::source_location::current()});
  return vma.vm_mm == &mm && vma.contains(addr);
}

// Returns whether there is but one task of `mm`: its reference, and that of who works
// for it now.
bool has_one_task(const Mm& mm) { return mm.mm_users.read() <= 2; }

// Kernel: vmacache_flush_all().
void flush_all(Machine& m, const Mm& mm) {
  // The cache of the only task is out of date, it seems, until the number comes round.
  if (bug::armed(Bug::kVmacacheFlushSkipped) && has_one_task(mm)) return;
  note_side_effects();
  for (Vmacache& cache : m.vmacaches) {
    if (cache.mm.peek() == mm.id) cache.clear();
  }
  mark::hit(Mark::kVmacacheFlushed);
}

}  // namespace

Vma* vmacache_find(Machine& m, const Mm& mm, VirtAddr addr) {
  const Vmacache* const cache = cache_for(m, mm);
  if (cache == nullptr) return nullptr;
  for (std::size_t i = 0; i < Vmacache::kSlots; ++i) {
    const std::size_t slot = (Vmacache::slot_of(addr) + i) % Vmacache::kSlots;
    Vma* const vma = cache->vmas[slot].peek();
    if (vma == nullptr || !is_wanted(*vma, mm, addr)) continue;
    mark::hit(Mark::kVmacacheHit);
    return vma;
  }
  return nullptr;
}

void vmacache_update(Machine& m, const Mm& mm, VirtAddr addr, Vma& vma) {
  Vmacache* const cache = cache_for(m, mm);
  if (cache != nullptr) cache->vmas[Vmacache::slot_of(addr)].poke(&vma);
}

void vmacache_invalidate(Machine& m, Mm& mm, std::source_location where) {
  if (flush_is_left_out("vmacache_invalidate", where)) return;
  mm.vmacache_seqnum = (mm.vmacache_seqnum + 1) & kSeqnumMask;
  if (mm.vmacache_seqnum == 0) flush_all(m, mm);
}

}  // namespace racier
