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

namespace racier {
namespace {

bool caches(const Machine& m) {
  return m.options().period.lookup == VmaLookup::kMmapCache;
}

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

Vma* find_vma(const Machine& m, Mm& mm, VirtAddr addr) {
  if (m.options().period.lookup == VmaLookup::kPerVma) return mm.mm_mt.find(addr);
  if (!caches(m)) return mm.vmas.find(addr);
  if (Vma* const cached = cached_vma(mm, addr)) return cached;
  Vma* const vma = mm.vmas.find(addr);
  if (vma != nullptr) mm.mmap_cache.store(vma, kRelaxed);
  return vma;
}

void forget_found_vma(const Machine& m, Mm& mm, const Vma& vma) {
  if (!caches(m) || mm.mmap_cache.load(kRelaxed) != &vma) return;
  mm.mmap_cache.store(nullptr, kRelaxed);
}

}  // namespace racier
