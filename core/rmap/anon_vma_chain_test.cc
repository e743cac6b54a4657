// core/rmap/anon_vma_chain_test.cc - what anon_vma_chain does beyond the contract.
#include "core/rmap/anon_vma_chain.h"

#include <gtest/gtest.h>

#include "core/base/invariant.h"
#include "core/rmap/scheme_for_test.h"

namespace racier::rmap {
namespace {

class AnonVmaChainTest : public SchemeTest {
 protected:
  AnonVmaChainTest() : SchemeTest("anon_vma_chain") {}

  static ChainedAnonVma* anon_vma_of(const Vma& vma) {
    return reinterpret_cast<ChainedAnonVma*>(vma.rmap.anchor.load());
  }
};

TEST_F(AnonVmaChainTest, NeighboursThatCouldMergeShareOneAnonVma) {
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

TEST_F(AnonVmaChainTest, AuditSeesAReferenceTooMany) {
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

TEST_F(AnonVmaChainTest, AddWithoutPrepareIsAFinding) {
  const auto finding = run([&] {
    Vma& area = vma(mm(), kAt, 1);
    Page& fresh = page();
    const SpinGuard guard(area.vm_mm->page_table_lock);
    scheme().add_anon(fresh, area, kAt, Ticket{});
  });
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->title, inv::row(Inv::kAnonPageNeedsAnonVma).sentence);
}

TEST_F(AnonVmaChainTest, APageThatIsNewInAChildIsSoughtThereOnly) {
  EXPECT_EQ(run([&] {
              Vma& parent = vma(mm(), kAt, 1);
              anchor(parent);
              Vma& child = fork(parent);
              fork(parent);
              Page& own = page();
              map(own, child, kAt);
              EXPECT_EQ(walk(own), (Places{{2, kAt}}));
              Page& parents = page();
              map(parents, parent, kAt);
              EXPECT_EQ(walk(parents), (Places{{1, kAt}, {2, kAt}, {3, kAt}}));
              audit();
            }),
            std::nullopt);
}

TEST_F(AnonVmaChainTest, APageBackFromSwapIsSoughtInTheWholeFamily) {
  EXPECT_EQ(run([&] {
              Vma& parent = vma(mm(), kAt, 1);
              anchor(parent);
              Vma& child = fork(parent);
              Page& swapped = page();
              swapped.set(PageFlag::kSwapCache);
              map(swapped, child, kAt);
              map(swapped, parent, kAt);
              EXPECT_EQ(walk(swapped), (Places{{1, kAt}, {2, kAt}}));
            }),
            std::nullopt);
}

TEST_F(AnonVmaChainTest, APageKeepsItsAnonVmaWhileItIsInTheSwapCache) {
  EXPECT_EQ(run([&] {
              Vma& parent = vma(mm(), kAt, 1);
              anchor(parent);
              Vma& child = fork(parent);
              Page& own = page();
              map(own, child, kAt);
              unmap(own, child, kAt);
              own.set(PageFlag::kSwapCache);
              map(own, child, kAt);
              EXPECT_EQ(walk(own), (Places{{2, kAt}}));
            }),
            std::nullopt);
}

TEST_F(AnonVmaChainTest, APageLeftToAChildIsSoughtThereOnlyOnceItHasMoved) {
  EXPECT_EQ(run([&] {
              Vma& parent = vma(mm(), kAt, 1);
              Page& inherited = page();
              map(inherited, parent, kAt);
              Vma& child = fork(parent);
              fork(parent);
              dup(inherited, child, kAt);
              unmap(inherited, parent, kAt);
              EXPECT_EQ(walk(inherited), (Places{{1, kAt}, {2, kAt}, {3, kAt}}));
              move_anon(inherited, child);
              EXPECT_EQ(walk(inherited), (Places{{2, kAt}}));
              audit();
            }),
            std::nullopt);
}

TEST_F(AnonVmaChainTest, ToMoveAPageThatIsNotLockedIsAFinding) {
  const auto finding = run([&] {
    Vma& area = vma(mm(), kAt, 1);
    Page& own = page();
    map(own, area, kAt);
    const SpinGuard guard(area.vm_mm->page_table_lock);
    scheme().move_anon(own, area);
  });
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->title, inv::row(Inv::kMoveAnonLocksPage).sentence);
}

TEST_F(AnonVmaChainTest, WalkSkipsVmasWithoutRoomForThePage) {
  EXPECT_EQ(run([&] {
              Mm& mine = mm();
              std::deque<Vma*> parts{&vma(mine, kAt, 16)};
              anchor(*parts.front());
              std::deque<Page*> pages;
              for (int i = 0; i < 16; ++i) {
                pages.push_back(&page());
                map(*pages.back(), *parts.front(), kAt + i * kPageSize);
              }
              for (int i = 15; i > 0; --i) {
                parts.push_back(&split(*parts.front(), kAt + i * kPageSize));
              }
              for (int i = 0; i < 16; ++i) {
                EXPECT_EQ(walk(*pages[i]), (Places{{1, kAt + i * kPageSize}}));
              }
            }),
            std::nullopt);
}

TEST_F(AnonVmaChainTest, AnAnonVmaThatNobodyHasForHisOwnIsUsedAgain) {
  EXPECT_EQ(run([&] {
              Vma* last = &vma(mm(), kAt, 1);
              anchor(*last);
              for (int generation = 0; generation < 10; ++generation) {
                Vma& child = fork(*last);
                audit();
                scheme().unlink(*last);
                last = &child;
                audit();
              }
              EXPECT_LE(scheme().live_objects(), 6u) << "three anon_vmas, three avcs";
              scheme().unlink(*last);
              EXPECT_EQ(scheme().live_objects(), 0u);
            }),
            std::nullopt);
}

TEST_F(AnonVmaChainTest, AnAnonVmaIsNotSharedByTwoFamiliesOfChildren) {
  EXPECT_EQ(run([&] {
              Vma& oldest = vma(mm(), kAt, 1);
              anchor(oldest);
              Vma& middle = fork(oldest);
              ChainedAnonVma* const of_middle = anon_vma_of(middle);
              Vma& first = fork(middle);
              fork(middle);
              EXPECT_EQ(of_middle->num_children, 2u);
              scheme().unlink(middle);
              Vma& youngest = fork(first);
              EXPECT_NE(anon_vma_of(youngest), of_middle);
              audit();
            }),
            std::nullopt);
}

TEST_F(AnonVmaChainTest, ANeighbourWithAncestorsIsNotShared) {
  EXPECT_EQ(run([&] {
              Vma& parent = vma(mm(), kAt, 2);
              anchor(parent);
              Mm& of_child = mm();
              Vma& child = vma(of_child, kAt, 2);
              link(child, parent, Why::kFork);
              Vma& next = vma(of_child, kAt + 2 * kPageSize, 2);
              anchor(next);
              EXPECT_NE(anon_vma_of(next), anon_vma_of(child));
              audit();
            }),
            std::nullopt);
}

TEST_F(AnonVmaChainTest, AuditSeesAVmaThatLostItsAnonVma) {
  const auto finding = run([&] {
    Vma& area = vma(mm(), kAt, 1);
    anchor(area);
    area.rmap.anchor.store(0);
    audit();
  });
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->title, inv::row(Inv::kVmaChainIsSound).sentence);
}

TEST_F(AnonVmaChainTest, AuditSeesAChildThatIsNotCounted) {
  const auto finding = run([&] {
    Vma& parent = vma(mm(), kAt, 1);
    anchor(parent);
    fork(parent);
    --anon_vma_of(parent)->num_children;
    audit();
  });
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->title, inv::row(Inv::kAnonVmaDegreesMatch).sentence);
}

TEST_F(AnonVmaChainTest, AuditSeesAVmaThatIsNoMore) {
  const auto finding = run([&] {
    prepare(vma(mm(), kAt, 1));
    scheme().audit({});
  });
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->title, inv::row(Inv::kVmaChainIsSound).sentence);
}

}  // namespace
}  // namespace racier::rmap
