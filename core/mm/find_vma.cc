// core/mm/find_vma.cc - asks the cache, and then the tree.
//
// All who hold mmap_sem for reading share the cache, without another lock: each looks
// at the vma that he has read from it, which stays as long as mmap_sem is held, and
// must not read it again.
//
// Tested by find_vma_test.cc and corpus/programs/mmap_cache*.racier.
#include "core/mm/find_vma.h"

#include "core/base/bug.h"
#include "core/base/mark.h"
#include "core/mm/vmacache.h"
#include "core/sync/sites.h"

namespace racier {
namespace {

VmaLookup lookup(const Machine& m) { return m.options().period.lookup; }

// Relaxed: what the cache points to was there when mmap_sem was taken.
constexpr auto kRelaxed = std::memory_order_relaxed;

// Returns the vma that was found last, if `addr` is in there, or nullptr.
Vma* cached_vma(const Mm& mm, VirtAddr addr) {
  Vma* cached = mm.mmap_cache.load(kRelaxed);
  if (cached == nullptr || !cached->contains(addr)) return nullptr;
  if (bug::armed(Bug::kMmapCacheRefetch)) cached = mm.mmap_cache.load(kRelaxed);
  mark::hit(Mark::kMmapCacheHit);
  return cached;
}

}  // namespace

Vma* find_vma(Machine& m, Mm& mm, VirtAddr addr) {
  if (lookup(m) == VmaLookup::kPerVma) return mm.mm_mt.find(addr);
  const bool shares = lookup(m) == VmaLookup::kMmapCache;
  const bool keeps = lookup(m) == VmaLookup::kVmacache;
  Vma* const cached = shares  ? cached_vma(mm, addr)
                      : keeps ? vmacache_find(m, mm, addr)
                              : nullptr;
  if (cached != nullptr) return cached;
  Vma* const vma = mm.vmas.find(addr);
  if (vma != nullptr && shares) mm.mmap_cache.store(vma, kRelaxed);
  if (vma != nullptr && keeps) vmacache_update(m, mm, addr, *vma);
  return vma;
}

void forget_found_vma(Machine& m, Mm& mm, const Vma& vma, std::source_location where) {
  if (lookup(m) == VmaLookup::kVmacache) return vmacache_invalidate(m, mm, where);
  if (lookup(m) != VmaLookup::kMmapCache) return;
  if (flush_is_left_out("mmap_cache", where)) return;
  if (mm.mmap_cache.load(kRelaxed) == &vma) mm.mmap_cache.store(nullptr, kRelaxed);
}

}  // namespace racier
