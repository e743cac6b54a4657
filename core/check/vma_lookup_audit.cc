// core/check/vma_lookup_audit.cc - what remembers vmas remembers those that there are.
// Tested by vma_lookup_audit_test.cc.
#include "core/check/checks.h"

namespace racier::check {
namespace {

// Looks at no more than the pointer, which may lead nowhere.
bool is_vma_of(const Mm& mm, const Vma* cached) {
  for (Vma* vma = mm.vmas.first(); vma != nullptr; vma = VmaTree::next(*vma)) {
    if (vma == cached) return true;
  }
  return false;
}

void check_cached(const Mm& mm, const Atomic<Vma*>& cache, const std::string& where) {
  const Vma* const cached = cache.raw().load(std::memory_order_relaxed);
  if (cached == nullptr || is_vma_of(mm, cached)) return;
  broken(Inv::kCachedVmaIsLive, "mm " + std::to_string(mm.id) + ": " + where);
}

void check_users(const Mm& mm) {
  for (Vma* vma = mm.vmas.first(); vma != nullptr; vma = VmaTree::next(*vma)) {
    const std::int32_t users = vma->cache_access.raw().load(std::memory_order_relaxed);
    if (users == 0) continue;
    broken(Inv::kVmaUsersAreNone,
           differs("mm " + std::to_string(mm.id) + " page " +
                       std::to_string(vma->vm_start >> kPageShift) + " cache_access",
                   users, 0));
  }
}

void check_mm(Machine& m, const Mm& mm) {
  check_cached(mm, mm.mmap_cache, "mmap_cache");
  for_each_table(m.frames, mm.context, [&](Pfn table, int level) {
    if (level != 0) return;
    check_cached(mm, m.page(table).cached_vma,
                 "the table in pfn " + std::to_string(table));
  });
  check_users(mm);
}

}  // namespace

void check_vma_lookup(const Audit& audit) NO_THREAD_SAFETY_ANALYSIS {
  if (audit.m.options().period.lookup == VmaLookup::kTree) return;
  for (const Mm& mm : audit.m.mms) check_mm(audit.m, mm);
}

}  // namespace racier::check
