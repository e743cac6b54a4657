// core/check/vma_lookup_audit_test.cc - a cache that leads to a vma that is gone is
// found, and so is a user who has forgotten to let go.
#include <gtest/gtest.h>

#include "core/check/machine_for_test.h"
#include "core/mm/maple_store.h"
#include "core/mm/vma_cache.h"

namespace racier::check {
namespace {

constexpr VirtAddr kBase = 0x1'0000'0000;

struct Looked : Bench {
  explicit Looked(VmaLookup lookup) {
    MachineOptions options = m.options();
    options.period.lookup = lookup;
    m.set_knobs(options);
    boot(m, run);
    m.tracepoints = &watcher;
    in_task([&] {
      mm = mm_create(m);
      other = mm_create(m);
      for (Mm* const each : {mm, other}) {
        map(*each, kBase, 2, kVmRead | kVmWrite);
        write(*each, kBase);
      }
    });
  }
  Atomic<Vma*>& cached() {
    return m.page(find_pte_table(m.frames, mm->context, kBase)).cached_vma;
  }

  Mm* mm = nullptr;
  Mm* other = nullptr;
};

TEST(VmaLookupAudit, FindsNothingWrongAtRest) {
  for (const VmaLookup lookup :
       {VmaLookup::kTree, VmaLookup::kMmapCache, VmaLookup::kKamezawa,
        VmaLookup::kPerVma, VmaLookup::kVmacache}) {
    EXPECT_EQ(Looked(lookup).audit(), "");
  }
}

TEST(VmaLookupAudit, TheCacheOfAnMmIsOneOfItsVmas) {
  Looked world(VmaLookup::kMmapCache);
  ASSERT_EQ(world.mm->mmap_cache.peek(), world.mm->vmas.first());
  world.mm->mmap_cache.poke(world.other->vmas.first());
  EXPECT_EQ(world.audit(), "cached_vma_is_live");
}

// Returns the cache of a task that has found a vma of `world.other`, and has one of
// `world.mm` there.
Vmacache& damaged_vmacache(Looked& world) {
  Vmacache& cache = world.m.vmacaches[0];
  EXPECT_EQ(cache.mm.peek(), world.other->id);
  Atomic<Vma*>& slot = cache.vmas[Vmacache::slot_of(kBase)];
  EXPECT_EQ(slot.peek(), world.other->vmas.first());
  slot.poke(world.mm->vmas.first());
  return cache;
}

TEST(VmaLookupAudit, TheCacheOfATaskHasVmasOfItsMm) {
  Looked world(VmaLookup::kVmacache);
  damaged_vmacache(world);
  EXPECT_EQ(world.audit(), "cached_vma_is_live");
}

TEST(VmaLookupAudit, ACacheThatIsOutOfDateMayHaveAnything) {
  Looked world(VmaLookup::kVmacache);
  Vmacache& cache = damaged_vmacache(world);
  cache.seqnum.poke(cache.seqnum.peek() + 1);
  EXPECT_EQ(world.audit(), "");
}

TEST(VmaLookupAudit, TheCacheOfATableIsOneOfTheMmsVmas) {
  Looked world(VmaLookup::kKamezawa);
  ASSERT_EQ(world.cached().peek(), world.mm->vmas.first());
  world.cached().poke(world.other->vmas.first());
  EXPECT_EQ(world.audit(), "cached_vma_is_live");
}

TEST(VmaLookupAudit, AtRestNobodyUsesAVma) {
  for (const VmaLookup lookup : {VmaLookup::kKamezawa, VmaLookup::kPerVma}) {
    Looked world(lookup);
    Vma* used = nullptr;
    world.in_task([&] { used = lookup_vma_cache(world.m, *world.mm, kBase); });
    ASSERT_NE(used, nullptr);
    EXPECT_EQ(world.audit(), "vma_users_are_none");
  }
}

TEST(VmaLookupAudit, TheTreeThatIsReadUnderRcuIsTheVmas) {
  Looked moved(VmaLookup::kPerVma);
  moved.mm->vmas.first()->vm_end -= kPageSize;
  EXPECT_EQ(moved.audit(), "maple_tree_is_its_vmas");
  Looked gone(VmaLookup::kPerVma);
  gone.in_task([&] { destroy_maple_tree(gone.m, *gone.mm); });
  EXPECT_EQ(gone.audit(), "maple_tree_is_its_vmas");
}

}  // namespace
}  // namespace racier::check
