// core/rmap/anon_vma_spin_test.cc - the promises of a scheme, asked of anon_vma_spin.
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

constexpr VirtAddr kAt = 0x10000;

TEST_F(AnonVmaSpinTest, WalkFindsTheOneWhoMapsThePage) {
  EXPECT_EQ(run([&] {
              Mm& mine = mm();
              Vma& area = vma(mine, kAt, 4);
              Page& fresh = page();
              map(fresh, area, kAt + kPageSize);
              EXPECT_EQ(walk(fresh), (Places{{1, kAt + kPageSize}}));
              EXPECT_EQ(fresh.mapcount.load(), 0);
            }),
            std::nullopt);
}

TEST_F(AnonVmaSpinTest, WalkFindsParentAndChildAfterFork) {
  EXPECT_EQ(run([&] {
              Vma& parent = vma(mm(), kAt, 4);
              Vma& child = vma(mm(), kAt, 4);
              Page& shared = page();
              map(shared, parent, kAt);
              link(child, parent, Why::kFork);
              dup(shared, child, kAt);
              EXPECT_EQ(walk(shared), (Places{{1, kAt}, {2, kAt}}));
              EXPECT_EQ(shared.mapcount.load(), 1);
              unmap(shared, parent, kAt);
              scheme().unlink(parent);
              EXPECT_EQ(walk(shared), (Places{{2, kAt}}));
            }),
            std::nullopt);
}

TEST_F(AnonVmaSpinTest, WalkOfAnUnmappedPageShowsNothing) {
  EXPECT_EQ(run([&] {
              Vma& area = vma(mm(), kAt, 4);
              Page& fresh = page();
              EXPECT_EQ(walk(fresh), Places{});
              map(fresh, area, kAt);
              unmap(fresh, area, kAt);
              EXPECT_EQ(walk(fresh), Places{});
              EXPECT_TRUE(fresh.is_anon()) << "mapping stays until the page is freed";
            }),
            std::nullopt);
}

TEST_F(AnonVmaSpinTest, WalkStopsWhenToldTo) {
  EXPECT_EQ(run([&] {
              Vma& parent = vma(mm(), kAt, 1);
              Vma& child = vma(mm(), kAt, 1);
              Page& shared = page();
              map(shared, parent, kAt);
              link(child, parent, Why::kFork);
              int shown = 0;
              EXPECT_FALSE(scheme().walk(shared, [&](const Mapping&) {
                ++shown;
                return Walk::kStop;
              }));
              EXPECT_EQ(shown, 1);
            }),
            std::nullopt);
}

TEST_F(AnonVmaSpinTest, NeighboursThatCouldMergeShareOneAnonVma) {
  EXPECT_EQ(run([&] {
              Mm& mine = mm();
              Vma& lower = vma(mine, kAt, 2);
              Vma& upper = vma(mine, kAt + 2 * kPageSize, 2);
              Vma& apart = vma(mine, kAt + 8 * kPageSize, 1);
              prepare(lower);
              prepare(upper);
              EXPECT_EQ(scheme().live_objects(), 1u);
              prepare(apart);
              EXPECT_EQ(scheme().live_objects(), 2u);
            }),
            std::nullopt);
}

TEST_F(AnonVmaSpinTest, PrepareWithoutMemoryLeavesTheVmaAsItWas) {
  EXPECT_EQ(run([&] {
              Vma& area = vma(mm(), kAt, 2);
              current()->fail_nth = 1;
              {
                const ReadGuard guard(area.vm_mm->mmap_sem);
                EXPECT_EQ(prepare_locked(area).status(), Status::kNoMemory);
              }
              EXPECT_EQ(area.rmap.anchor.load(), 0u);
              EXPECT_EQ(scheme().live_objects(), 0u);
            }),
            std::nullopt);
}

TEST_F(AnonVmaSpinTest, LastVmaTakesTheAnonVmaWithIt) {
  EXPECT_EQ(run([&] {
              Vma& parent = vma(mm(), kAt, 1);
              Vma& child = vma(mm(), kAt, 1);
              prepare(parent);
              link(child, parent, Why::kFork);
              scheme().unlink(parent);
              EXPECT_EQ(scheme().live_objects(), 1u);
              scheme().unlink(child);
              EXPECT_EQ(scheme().live_objects(), 0u);
            }),
            std::nullopt);
}

TEST_F(AnonVmaSpinTest, AuditSeesAVmaThatFellOffItsList) {
  const auto finding = run([&] {
    Vma& parent = vma(mm(), kAt, 1);
    Vma& child = vma(mm(), kAt, 1);
    prepare(parent);
    link(child, parent, Why::kFork);
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
    prepare(area);
    scheme().audit({});
  });
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->title, inv::row(Inv::kAnonVmaHasVmas).sentence);
}

TEST_F(AnonVmaSpinTest, AddOutsideOfTheVmaIsAFinding) {
  const auto finding = run([&] {
    Vma& area = vma(mm(), kAt, 1);
    map(page(), area, kAt + kPageSize);
  });
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->title, inv::row(Inv::kRmapAddInsideVma).sentence);
}

TEST_F(AnonVmaSpinTest, RemoveOfAPageThatIsNotMappedIsAFinding) {
  const auto finding = run([&] {
    Vma& area = vma(mm(), kAt, 1);
    unmap(page(), area, kAt);
  });
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->title, inv::row(Inv::kRmapRemoveMapped).sentence);
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

TEST_F(AnonVmaSpinTest, WalkOfAFilePageFindsEachVmaThatMapsIt) {
  EXPECT_EQ(run([&] {
              AddressSpace& file = machine_.file(0);
              Vma& first = vma(mm(), kAt, 4);
              Vma& second = vma(mm(), kAt, 2);
              first.vm_file = second.vm_file = &file;
              first.vm_pgoff = 0;
              second.vm_pgoff = 2;
              {
                const SpinGuard guard(file.i_mmap_lock);
                file.i_mmap.insert(first);
                file.i_mmap.insert(second);
              }
              Page& cached = page();
              cached.mapping.store(reinterpret_cast<std::uintptr_t>(&file));
              cached.index.store(3);
              cached.set(PageFlag::kLocked);
              EXPECT_EQ(walk(cached),
                        (Places{{1, kAt + 3 * kPageSize}, {2, kAt + kPageSize}}));
              cached.index.store(0);
              EXPECT_EQ(walk(cached), (Places{{1, kAt}}));
            }),
            std::nullopt);
}

TEST_F(AnonVmaSpinTest, LocksInTheWrongOrderAreFoundWithoutADeadlock) {
  run_.bugs.arm(Bug::kPreparePtlBeforeAnonLock);
  const auto finding = run([&] { prepare(vma(mm(), kAt, 1)); });
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->kind, FindingKind::kLockOrder);
}

}  // namespace
}  // namespace racier::rmap
