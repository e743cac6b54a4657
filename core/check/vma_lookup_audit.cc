// core/check/vma_lookup_audit.cc - what leads to vmas leads to those that there are.
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

// Returns how many use `vma` without mmap_sem, or have forgotten that they do not.
std::int64_t users_of(const Machine& m, const Vma& vma) {
  if (m.options().period.lookup != VmaLookup::kPerVma) {
    return vma.cache_access.raw().load(std::memory_order_relaxed);
  }
  return std::int64_t{vma.vm_refcnt.raw().load(std::memory_order_relaxed)} - 1;
}

void check_users(const Machine& m, const Mm& mm) {
  for (Vma* vma = mm.vmas.first(); vma != nullptr; vma = VmaTree::next(*vma)) {
    const std::int64_t users = users_of(m, *vma);
    if (users == 0) continue;
    broken(Inv::kVmaUsersAreNone,
           differs("mm " + std::to_string(mm.id) + " page " +
                       std::to_string(vma->vm_start >> kPageShift) + " users",
                   users, 0));
  }
}

// The tree that is read under RCU has the vmas, where they are.
void check_maple_tree(const Mm& mm) {
  Vma* vma = mm.vmas.first();
  const auto is_next = [&](const MapleEntry& entry) {
    const bool same = vma != nullptr && entry.vma() == vma &&
                      entry.start == vma->vm_start && entry.end == vma->vm_end;
    if (!same) {
      broken(Inv::kMapleTreeIsItsVmas, "mm " + std::to_string(mm.id) + " page " +
                                           std::to_string(entry.start >> kPageShift));
    }
    vma = VmaTree::next(*vma);
  };
  mm.mm_mt.for_each(is_next);
  if (vma == nullptr) return;
  broken(Inv::kMapleTreeIsItsVmas, "mm " + std::to_string(mm.id) + ": without page " +
                                       std::to_string(vma->vm_start >> kPageShift));
}

// What a task has found, and does not know to be out of date.
void check_vmacaches(const Machine& m, const Mm& mm) {
  for (const Vmacache& cache : m.vmacaches) {
    const bool valid =
        cache.mm.peek() == mm.id && cache.seqnum.peek() == mm.vmacache_seqnum;
    if (!valid) continue;
    for (const Atomic<Vma*>& slot : cache.vmas) check_cached(mm, slot, "vmacache");
  }
}

void check_mm(Machine& m, const Mm& mm) {
  check_cached(mm, mm.mmap_cache, "mmap_cache");
  check_vmacaches(m, mm);
  for_each_table(m.frames, mm.context, [&](Pfn table, int level) {
    if (level != 0) return;
    check_cached(mm, m.page(table).cached_vma,
                 "the table in pfn " + std::to_string(table));
  });
  check_users(m, mm);
  if (m.options().period.lookup == VmaLookup::kPerVma) check_maple_tree(mm);
}

}  // namespace

void check_vma_lookup(const Audit& audit) NO_THREAD_SAFETY_ANALYSIS {
  if (audit.m.options().period.lookup == VmaLookup::kTree) return;
  for (const Mm& mm : audit.m.mms) check_mm(audit.m, mm);
}

}  // namespace racier::check
