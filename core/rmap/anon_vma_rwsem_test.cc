// core/rmap/anon_vma_rwsem_test.cc - the promises of a scheme, asked of anon_vma_rwsem.
#include "core/rmap/anon_vma_rwsem.h"

#include <gtest/gtest.h>

#include "core/base/invariant.h"
#include "core/rmap/scheme_for_test.h"
#include "core/sync/completion.h"

namespace racier::rmap {
namespace {

constexpr VirtAddr kAt = 0x10000;

class AnonVmaRwsemTest : public SchemeTest {
 protected:
  AnonVmaRwsemTest() : SchemeTest("anon_vma_rwsem") {}

  static CountedAnonVma* anon_vma_of(const Vma& vma) {
    return reinterpret_cast<CountedAnonVma*>(vma.rmap.anchor.load());
  }
};

TEST_F(AnonVmaRwsemTest, WalkFindsTheOneWhoMapsThePage) {
  EXPECT_EQ(run([&] {
              Vma& area = vma(mm(), kAt, 4);
              Page& fresh = page();
              map(fresh, area, kAt + kPageSize);
              EXPECT_EQ(walk(fresh), (Places{{1, kAt + kPageSize}}));
              EXPECT_EQ(fresh.mapcount.load(), 0);
              audit({&area});
            }),
            std::nullopt);
}

TEST_F(AnonVmaRwsemTest, WalkFindsParentAndChildAfterFork) {
  EXPECT_EQ(run([&] {
              Vma& parent = vma(mm(), kAt, 4);
              Vma& child = vma(mm(), kAt, 4);
              Page& shared = page();
              map(shared, parent, kAt);
              link(child, parent, Why::kFork);
              dup(shared, child, kAt);
              EXPECT_EQ(walk(shared), (Places{{1, kAt}, {2, kAt}}));
              audit({&parent, &child});
              unmap(shared, parent, kAt);
              scheme().unlink(parent);
              EXPECT_EQ(walk(shared), (Places{{2, kAt}}));
              audit({&child});
            }),
            std::nullopt);
}

TEST_F(AnonVmaRwsemTest, WalkOfAnUnmappedPageShowsNothing) {
  EXPECT_EQ(run([&] {
              Vma& area = vma(mm(), kAt, 4);
              Page& fresh = page();
              EXPECT_EQ(walk(fresh), Places{});
              map(fresh, area, kAt);
              unmap(fresh, area, kAt);
              EXPECT_EQ(walk(fresh), Places{});
              scheme().unlink(area);
              EXPECT_EQ(walk(fresh), Places{})
                  << "mapping stays until the page is freed";
              EXPECT_EQ(scheme().live_objects(), 0u);
            }),
            std::nullopt);
}

TEST_F(AnonVmaRwsemTest, WalkStopsWhenToldTo) {
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
              scheme().unlink(parent);  // the walk has let go of the lock
              scheme().unlink(child);
            }),
            std::nullopt);
}

// Each of the two walks waits inside for the other one.
TEST_F(AnonVmaRwsemTest, WalksGoSideBySideAndSleep) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    Page* shared = nullptr;
    Completion first{lock_class::kPageWait};
    Completion second{lock_class::kPageWait};
    const auto setup = [&] {
      shared = &page();
      map(*shared, vma(mm(), kAt, 1), kAt);
    };
    const auto meet = [&](Completion& mine, Completion& other) {
      scheme().walk(*shared, [&](const Mapping&) {
        mine.complete();
        other.wait();
        return Walk::kContinue;
      });
    };
    EXPECT_TRUE(scheme().traits().walk_may_sleep);
    EXPECT_EQ(run(random_walk_seed(seed), setup,
                  {[&] { meet(first, second); }, [&] { meet(second, first); }}),
              std::nullopt);
  }
}

TEST_F(AnonVmaRwsemTest, ASplitPageIsInThePartThatHasIt) {
  EXPECT_EQ(run([&] {
              Vma& lower = vma(mm(), kAt, 4);
              Page& high = page();
              map(high, lower, kAt + 3 * kPageSize);
              Vma& upper = split(lower, kAt + 2 * kPageSize);
              EXPECT_EQ(walk(high), (Places{{1, kAt + 3 * kPageSize}}));
              audit({&lower, &upper});
              unmap(high, upper, kAt + 3 * kPageSize);
              scheme().unlink(upper);
              audit({&lower});
            }),
            std::nullopt);
}

TEST_F(AnonVmaRwsemTest, AVmaOfAFileIsAdjustedUnderBothLocks) {
  EXPECT_EQ(run([&] {
              AddressSpace& file = machine_.file(0);
              Vma& lower = vma(mm(), kAt, 4);
              lower.vm_file = &file;
              {
                const SpinGuard guard(file.i_mmap_lock);
                file.i_mmap.insert(lower);
              }
              Page& copied = page();
              map(copied, lower, kAt);
              Vma& upper = split(lower, kAt + kPageSize);
              EXPECT_EQ(walk(copied), (Places{{1, kAt}}));
              audit({&lower, &upper});
            }),
            std::nullopt);
}

TEST_F(AnonVmaRwsemTest, NeighboursThatCouldMergeShareOneAnonVma) {
  EXPECT_EQ(run([&] {
              Mm& mine = mm();
              Vma& lower = vma(mine, kAt, 2);
              Vma& upper = vma(mine, kAt + 2 * kPageSize, 2);
              Vma& apart = vma(mine, kAt + 8 * kPageSize, 1);
              prepare(lower);
              prepare(upper);
              EXPECT_EQ(anon_vma_of(upper), anon_vma_of(lower));
              prepare(apart);
              EXPECT_NE(anon_vma_of(apart), anon_vma_of(lower));
              audit({&lower, &upper, &apart});
            }),
            std::nullopt);
}

TEST_F(AnonVmaRwsemTest, ThreadsThatPrepareOneVmaAgree) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    Vma* area = nullptr;
    const auto thread = [&] { prepare(*area); };
    EXPECT_EQ(run(random_walk_seed(seed), [&] { area = &vma(mm(), kAt, 1); },
                  {thread, thread, thread}),
              std::nullopt);
    audit({area});
  }
}

TEST_F(AnonVmaRwsemTest, PrepareWithoutMemoryLeavesTheVmaAsItWas) {
  EXPECT_EQ(run([&] {
              Vma& area = vma(mm(), kAt, 2);
              for (int nth = 1; nth <= 1; ++nth) {
                current()->fail_nth = nth;
                const ReadGuard guard(area.vm_mm->mmap_sem);
                EXPECT_EQ(prepare_locked(area).status(), Status::kNoMemory);
                EXPECT_EQ(area.rmap.anchor.load(), 0u);
                EXPECT_TRUE(area.rmap.node.empty());
                EXPECT_EQ(scheme().live_objects(), 0u);
              }
            }),
            std::nullopt);
}

TEST_F(AnonVmaRwsemTest, LastVmaTakesTheAnonVmaWithIt) {
  EXPECT_EQ(run([&] {
              Vma& parent = vma(mm(), kAt, 1);
              Vma& child = vma(mm(), kAt, 1);
              prepare(parent);
              link(child, parent, Why::kFork);
              scheme().unlink(parent);
              EXPECT_GE(scheme().live_objects(), 1u);
              scheme().unlink(child);
              EXPECT_EQ(scheme().live_objects(), 0u);
              audit({});
            }),
            std::nullopt);
}

// Whoever has grabbed the anon_vma, or waits for it, keeps it no longer than that.
TEST_F(AnonVmaRwsemTest, WalksThatComeLateAreHarmless) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    Page* fresh = nullptr;
    Vma* area = nullptr;
    Vma* other = nullptr;
    const auto setup = [&] {
      area = &vma(mm(), kAt, 1);
      other = &vma(mm(), kAt, 1);
      fresh = &page();
      map(*fresh, *area, kAt);
    };
    const auto walks = [&] { walk(*fresh); };
    const auto leaves = [&] {
      unmap(*fresh, *area, kAt);
      scheme().unlink(*area);
    };
    const auto comes = [&] {
      prepare(*other);
      Vma& child = vma(mm(), kAt, 1);
      link(child, *other, Why::kFork);
      scheme().unlink(child);
      scheme().unlink(*other);
    };
    ASSERT_EQ(run(random_walk_seed(seed), setup, {walks, walks, leaves, comes}),
              std::nullopt)
        << seed;
    EXPECT_EQ(scheme().live_objects(), 0u);
    audit({});
  }
}

TEST_F(AnonVmaRwsemTest, AuditSeesAReferenceTooMany) {
  const auto finding = run([&] {
    Vma& area = vma(mm(), kAt, 1);
    prepare(area);
    audit({&area});  // clean so far
    anon_vma_of(area)->refs.inc();
    audit({&area});
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
              Vma& child = vma(mm(), kAt, 1);
              prepare(parent);
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
    Vma& child = vma(mm(), kAt, 1);
    prepare(parent);
    link(child, parent, Why::kFork);
    child.rmap.node.unlink();
    audit({&parent, &child});
  });
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->title, inv::row(Inv::kVmaIsOnItsAnonVma).sentence);
}

TEST_F(AnonVmaRwsemTest, AuditSeesAVmaThatIsNoMore) {
  const auto finding = run([&] {
    prepare(vma(mm(), kAt, 1));
    audit({});
  });
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->title, inv::row(Inv::kVmaIsOnItsAnonVma).sentence);
}

}  // namespace
}  // namespace racier::rmap
