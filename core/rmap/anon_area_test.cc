// core/rmap/anon_area_test.cc - what anon_area does beyond the contract.
#include "core/rmap/anon_area.h"

#include "core/base/invariant.h"
#include "core/rmap/scheme_for_test.h"

namespace racier::rmap {
namespace {

class AnonAreaTest : public SchemeTest {
 protected:
  AnonAreaTest() : SchemeTest("anon_area") {}

  // Drops the reference that a page was made with: its ptes' and its area's are left.
  void let_go(Page& page) { EXPECT_FALSE(page.count.dec_and_test()); }
  bool is_free(const Page& page) { return machine_.frames.is_free(page.pfn); }
};

TEST_F(AnonAreaTest, APageIsWhereItsIndexSaysAfterTheVmaHasMoved) {
  EXPECT_EQ(run([&] {
              Vma& area = vma(mm(), kAt, 4);
              Page& fresh = page();
              map(fresh, area, kAt + 3 * kPageSize);
              area.vm_start += 2 * kPageSize;
              area.vm_pgoff += 2;
              EXPECT_EQ(walk(fresh), (Places{{1, kAt + 3 * kPageSize}}));
              area.vm_start += 16 * kPageSize;
              area.vm_end += 16 * kPageSize;
              EXPECT_EQ(walk(fresh), (Places{{1, kAt + 19 * kPageSize}}));
            }),
            std::nullopt);
}

TEST_F(AnonAreaTest, TheAreaHasAReferenceOfItsOwn) {
  EXPECT_EQ(run([&] {
              Vma& area = vma(mm(), kAt, 4);
              Page& fresh = page();
              EXPECT_EQ(scheme().own_refs(fresh), 0);
              map(fresh, area, kAt);
              EXPECT_EQ(scheme().own_refs(fresh), 1);
              EXPECT_EQ(fresh.count.read(), 3) << "ours, the pte's, the area's";
              unmap(fresh, area, kAt);
              let_go(fresh);
              EXPECT_EQ(fresh.count.read(), 1) << "the area keeps it";
              audit();
            }),
            std::nullopt);
}

TEST_F(AnonAreaTest, ThePagesGoWithTheLastVma) {
  EXPECT_EQ(run([&] {
              Vma& area = vma(mm(), kAt, 4);
              Page& fresh = page();
              map(fresh, area, kAt);
              unmap(fresh, area, kAt);
              let_go(fresh);
              scheme().unlink(area);
              EXPECT_TRUE(is_free(fresh));
              EXPECT_EQ(scheme().live_objects(), 0u);
            }),
            std::nullopt);
}

TEST_F(AnonAreaTest, AVmaThatGoesTrimsWhatNobodyElseHas) {
  EXPECT_EQ(run([&] {
              Vma& parent = vma(mm(), kAt, 4);
              Page& mine = page();
              Page& shared = page();
              map(mine, parent, kAt);
              map(shared, parent, kAt + kPageSize);
              Vma& child = fork(parent);
              dup(shared, child, kAt + kPageSize);
              unmap(mine, parent, kAt);
              unmap(shared, parent, kAt + kPageSize);
              let_go(mine);
              let_go(shared);
              scheme().unlink(parent);
              EXPECT_TRUE(is_free(mine));
              EXPECT_FALSE(is_free(shared));
              EXPECT_EQ(walk(shared), (Places{{2, kAt + kPageSize}}));
            }),
            std::nullopt);
}

TEST_F(AnonAreaTest, TrimLetsGoOfAPageThatNobodyMaps) {
  EXPECT_EQ(run([&] {
              Vma& area = vma(mm(), kAt, 4);
              Page& fresh = page();
              map(fresh, area, kAt);
              scheme().trim(fresh);
              EXPECT_EQ(scheme().own_refs(fresh), 1) << "it is mapped";
              unmap(fresh, area, kAt);
              scheme().trim(fresh);
              EXPECT_EQ(scheme().own_refs(fresh), 0);
              EXPECT_EQ(fresh.count.read(), 1);
              EXPECT_TRUE(fresh.is_anon());
              EXPECT_EQ(walk(fresh), Places{});
              map(fresh, area, kAt);  // back from swap
              EXPECT_EQ(scheme().own_refs(fresh), 1);
              EXPECT_EQ(walk(fresh), (Places{{1, kAt}}));
              audit();
            }),
            std::nullopt);
}

TEST_F(AnonAreaTest, APageThatIsMappedAgainIsInItsAreaStill) {
  EXPECT_EQ(run([&] {
              Vma& area = vma(mm(), kAt, 4);
              Page& fresh = page();
              map(fresh, area, kAt);
              unmap(fresh, area, kAt);
              map(fresh, area, kAt);
              EXPECT_EQ(fresh.count.read(), 3);
              audit();
            }),
            std::nullopt);
}

TEST_F(AnonAreaTest, TwoThreadsThatFaultAtOnceGetOneArea) {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    Vma* area = nullptr;
    ASSERT_EQ(run(random_walk_seed(seed), [&] { area = &vma(mm(), kAt, 2); },
                  {[&] { anchor(*area); }, [&] { anchor(*area); }}),
              std::nullopt)
        << seed;
    EXPECT_EQ(scheme().live_objects(), 1u) << seed;
  }
}

TEST_F(AnonAreaTest, AWalkKeepsTheAreaOfTheLastVma) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Vma* area = nullptr;
    Page* fresh = nullptr;
    ASSERT_EQ(run(random_walk_seed(seed),
                  [&] {
                    area = &vma(mm(), kAt, 2);
                    fresh = &page();
                    map(*fresh, *area, kAt);
                  },
                  {[&] { walk(*fresh); },
                   [&] {
                     unmap(*fresh, *area, kAt);
                     scheme().unlink(*area);
                   }}),
              std::nullopt)
        << seed;
    EXPECT_EQ(scheme().live_objects(), 0u) << seed;
  }
}

TEST_F(AnonAreaTest, AuditSeesAVmaThatDoesNotKnowItsArea) {
  const auto finding = run([&] {
    Vma& parent = vma(mm(), kAt, 1);
    anchor(parent);
    Vma& child = fork(parent);
    audit();  // clean so far
    child.rmap.anchor.store(0);
    audit();
  });
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->title, inv::row(Inv::kVmaIsOnItsArea).sentence);
}

TEST_F(AnonAreaTest, AuditSeesACountThatIsNotTheVmas) {
  const auto finding = run([&] {
    Vma& area = vma(mm(), kAt, 1);
    anchor(area);
    audit();
    reinterpret_cast<AnonArea*>(area.rmap.anchor.load())->count.inc();
    audit();
  });
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->title, inv::row(Inv::kAreaCountIsItsVmas).sentence);
}

TEST_F(AnonAreaTest, AuditSeesAPageThatFellOffItsList) {
  const auto finding = run([&] {
    Page& fresh = page();
    map(fresh, vma(mm(), kAt, 1), kAt);
    audit();
    fresh.rmap_node.unlink();
    audit();
  });
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->title, inv::row(Inv::kAreaPagesAreItsOwn).sentence);
}

TEST_F(AnonAreaTest, AuditSeesAnAreaThatNobodyHas) {
  const auto finding = run([&] {
    prepare(vma(mm(), kAt, 1));
    scheme().audit({});
  });
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->title, inv::row(Inv::kAreaHasVmas).sentence);
}

TEST_F(AnonAreaTest, AddWithoutPrepareIsAFinding) {
  const auto finding = run([&] {
    Vma& area = vma(mm(), kAt, 1);
    Page& fresh = page();
    const SpinGuard guard(area.vm_mm->page_table_lock);
    scheme().add_anon(fresh, area, kAt, Ticket{});
  });
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->title, inv::row(Inv::kAnonPageNeedsArea).sentence);
}

}  // namespace
}  // namespace racier::rmap
