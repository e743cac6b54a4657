// core/rmap/anon_vma_spin_test.cc - what anon_vma_spin does beyond the contract.
#include "core/rmap/anon_vma_spin.h"

#include <gtest/gtest.h>

#include "core/base/invariant.h"
#include "core/rmap/scheme_for_test.h"

namespace racier::rmap {
namespace {

class AnonVmaSpinTest : public SchemeTest {
 protected:
  AnonVmaSpinTest() : SchemeTest("anon_vma_spin") {}
};

TEST_F(AnonVmaSpinTest, NeighboursThatCouldMergeShareOneAnonVma) {
  EXPECT_EQ(run([&] {
              Mm& mine = mm();
              Vma& lower = vma(mine, kAt, 2);
              Vma& upper = vma(mine, kAt + 2 * kPageSize, 2);
              Vma& apart = vma(mine, kAt + 8 * kPageSize, 1);
              anchor(lower);
              anchor(upper);
              EXPECT_EQ(scheme().live_objects(), 1u);
              anchor(apart);
              EXPECT_EQ(scheme().live_objects(), 2u);
            }),
            std::nullopt);
}

TEST_F(AnonVmaSpinTest, AuditSeesAVmaThatFellOffItsList) {
  const auto finding = run([&] {
    Vma& parent = vma(mm(), kAt, 1);
    anchor(parent);
    Vma& child = fork(parent);
    Vma* const vmas[] = {&parent, &child};
    scheme().audit(vmas);  // clean so far
    child.rmap.node.unlink();
    scheme().audit(vmas);
  });
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->title, inv::row(Inv::kVmaIsOnItsAnonVma).sentence);
}

TEST_F(AnonVmaSpinTest, AuditSeesAnAnonVmaThatNobodyHas) {
  const auto finding = run([&] {
    Vma& area = vma(mm(), kAt, 1);
    anchor(area);
    scheme().audit({});
  });
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->title, inv::row(Inv::kAnonVmaHasVmas).sentence);
}

TEST_F(AnonVmaSpinTest, AddWithoutPrepareIsAFinding) {
  const auto finding = run([&] {
    Vma& area = vma(mm(), kAt, 1);
    Page& fresh = page();
    const SpinGuard guard(area.vm_mm->page_table_lock);
    scheme().add_anon(fresh, area, kAt, Ticket{});
  });
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->title, inv::row(Inv::kAnonPageNeedsAnonVma).sentence);
}

TEST_F(AnonVmaSpinTest, WalkOfAFilePageNeedsThePageLock) {
  const auto finding = run([&] {
    Page& cached = page();
    cached.mapping.store(reinterpret_cast<std::uintptr_t>(&machine_.file(0)));
    walk(cached);
  });
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->title, inv::row(Inv::kFileWalkHoldsPageLock).sentence);
}

TEST_F(AnonVmaSpinTest, LocksInTheWrongOrderAreFoundWithoutADeadlock) {
  run_.bugs.arm(Bug::kPreparePtlBeforeAnonLock);
  const auto finding = run([&] { prepare(vma(mm(), kAt, 1)); });
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->kind, FindingKind::kLockOrder);
}

}  // namespace
}  // namespace racier::rmap
