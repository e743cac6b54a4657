// core/rmap/anon_vma_rwsem_test.cc - what anon_vma_rwsem does beyond the contract.
#include "core/rmap/anon_vma_rwsem.h"

#include <gtest/gtest.h>

#include "core/base/invariant.h"
#include "core/rmap/scheme_for_test.h"

namespace racier::rmap {
namespace {

class AnonVmaRwsemTest : public SchemeTest {
 protected:
  AnonVmaRwsemTest() : SchemeTest("anon_vma_rwsem") {}

  static CountedAnonVma* anon_vma_of(const Vma& vma) {
    return reinterpret_cast<CountedAnonVma*>(vma.rmap.anchor.load());
  }
};

TEST_F(AnonVmaRwsemTest, NeighboursThatCouldMergeShareOneAnonVma) {
  EXPECT_EQ(run([&] {
              Mm& mine = mm();
              Vma& lower = vma(mine, kAt, 2);
              Vma& upper = vma(mine, kAt + 2 * kPageSize, 2);
              Vma& apart = vma(mine, kAt + 8 * kPageSize, 1);
              anchor(lower);
              anchor(upper);
              EXPECT_EQ(anon_vma_of(upper), anon_vma_of(lower));
              anchor(apart);
              EXPECT_NE(anon_vma_of(apart), anon_vma_of(lower));
              audit();
            }),
            std::nullopt);
}

TEST_F(AnonVmaRwsemTest, AuditSeesAReferenceTooMany) {
  const auto finding = run([&] {
    Vma& area = vma(mm(), kAt, 1);
    anchor(area);
    audit();  // clean so far
    anon_vma_of(area)->refs.inc();
    audit();
  });
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->title, inv::row(Inv::kAnonVmaCountIsItsUsers).sentence);
}

TEST_F(AnonVmaRwsemTest, AddWithoutPrepareIsAFinding) {
  const auto finding = run([&] {
    Vma& area = vma(mm(), kAt, 1);
    Page& fresh = page();
    const SpinGuard guard(area.vm_mm->page_table_lock);
    scheme().add_anon(fresh, area, kAt, Ticket{});
  });
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->title, inv::row(Inv::kAnonPageNeedsAnonVma).sentence);
}

TEST_F(AnonVmaRwsemTest, ForkNeedsNoMemory) {
  EXPECT_EQ(run([&] {
              Vma& parent = vma(mm(), kAt, 1);
              anchor(parent);
              Vma& child = vma(mm(), kAt, 1);
              current()->fail_nth = 1;
              link(child, parent, Why::kFork);
              current()->fail_nth = 0;
              EXPECT_EQ(scheme().live_objects(), 1u);
              EXPECT_EQ(anon_vma_of(parent)->refs.read(), 2);
            }),
            std::nullopt);
}

TEST_F(AnonVmaRwsemTest, AuditSeesAVmaThatFellOffItsList) {
  const auto finding = run([&] {
    Vma& parent = vma(mm(), kAt, 1);
    anchor(parent);
    Vma& child = fork(parent);
    child.rmap.node.unlink();
    audit();
  });
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->title, inv::row(Inv::kVmaIsOnItsAnonVma).sentence);
}

TEST_F(AnonVmaRwsemTest, AuditSeesAVmaThatIsNoMore) {
  const auto finding = run([&] {
    prepare(vma(mm(), kAt, 1));
    scheme().audit({});
  });
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->title, inv::row(Inv::kVmaIsOnItsAnonVma).sentence);
}

}  // namespace
}  // namespace racier::rmap
