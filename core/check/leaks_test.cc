// core/check/leaks_test.cc - what a teardown may leave behind: nothing.
#include <gtest/gtest.h>

#include "core/check/world_for_test.h"

namespace racier::check {
namespace {

TEST(Leaks, NothingIsLeftOfAMachine) {
  World world;
  world.tear_down();
  EXPECT_EQ(world.audit_leaks(), "");
}

struct Leak {
  const char* name;
  Inv found;
  void (*make)(World&);  // in a task, before the teardown
};
std::ostream& operator<<(std::ostream& out, const Leak& leak) {
  return out << leak.name;
}

class Leaked : public testing::TestWithParam<Leak> {};

TEST_P(Leaked, IsFound) {
  World world;
  world.in_task([&] { GetParam().make(world); });
  world.tear_down();
  EXPECT_EQ(world.audit_leaks(), name_of(GetParam().found));
}

const Leak kLeaks[] = {
    {"MmUser", Inv::kNoMmLeft, [](World& w) { mmget(*w.child); }},
    {"MmHolder", Inv::kNoMmLeft, [](World& w) { w.child->mm_count.inc(); }},
    {"SecondaryMmu", Inv::kNoSecondaryLeft,
     [](World& w) { EXPECT_TRUE(secondary_mmu_create(w.m, *w.child, false)); }},
    {"Vma", Inv::kNoVmaLeft,
     [](World& w) { copy_vma_struct(w.m, w.vma_at(*w.child, w.kAnon)); }},
    {"AnonVma", Inv::kNoRmapObjectLeft,
     [](World& w) {
       w.write(*w.child, w.kEmpty);
       RmapOfVma& rmap = w.vma_at(*w.child, w.kEmpty).rmap;
       rmap.node.unlink();
       rmap.anchor.store(0);
     }},
    {"MapleNode", Inv::kNoMapleNodeLeft,
     [](World& w) { (void)w.m.maple_cache.create(); }},
    {"Shmem", Inv::kNoShmemLeft, [](World& w) { w.m.create_shmem(1); }},
    {"SwapSlot", Inv::kNoSwapSlotLeft, [](World& w) { (void)get_swap_page(w.m); }},
    {"Page", Inv::kNoFrameLeft, [](World& w) { (void)alloc_page(w.m, Gfp::kKernel); }},
    {"PageReference", Inv::kNoFrameLeft, [](World& w) { get_page(w.anon(0)); }},
};
INSTANTIATE_TEST_SUITE_P(Leaks, Leaked, testing::ValuesIn(kLeaks),
                         [](const auto& info) { return info.param.name; });

TEST(Leaks, AreNamed) {
  World world;
  mmget(*world.child);
  world.tear_down();
  const auto finding = finding_of(world.run, [&] { world.auditor.audit_leaks(); });
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->kind, FindingKind::kLeak);
  EXPECT_EQ(finding->detail,
            "invariant no_mm_left: 1 left; mm 2 mm_users 1 mm_count 1");
}

}  // namespace
}  // namespace racier::check
