// core/rmap/anon_vma_chain_test.cc - the promises of a scheme, asked of anon_vma_chain.
#include "core/rmap/anon_vma_chain.h"

#include <gtest/gtest.h>

#include "core/base/invariant.h"
#include "core/rmap/scheme_for_test.h"
#include "core/sync/completion.h"

namespace racier::rmap {
namespace {

constexpr VirtAddr kAt = 0x10000;

class AnonVmaChainTest : public SchemeTest {
 protected:
  AnonVmaChainTest() : SchemeTest("anon_vma_chain") {}

  static ChainedAnonVma* anon_vma_of(const Vma& vma) {
    return reinterpret_cast<ChainedAnonVma*>(vma.rmap.anchor.load());
  }
};

TEST_F(AnonVmaChainTest, WalkFindsTheOneWhoMapsThePage) {
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

TEST_F(AnonVmaChainTest, WalkFindsParentAndChildAfterFork) {
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

TEST_F(AnonVmaChainTest, WalkOfAnUnmappedPageShowsNothing) {
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

TEST_F(AnonVmaChainTest, WalkStopsWhenToldTo) {
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
TEST_F(AnonVmaChainTest, WalksGoSideBySideAndSleep) {
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

TEST_F(AnonVmaChainTest, ASplitPageIsInThePartThatHasIt) {
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

TEST_F(AnonVmaChainTest, AVmaOfAFileIsAdjustedUnderBothLocks) {
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

TEST_F(AnonVmaChainTest, NeighboursThatCouldMergeShareOneAnonVma) {
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

TEST_F(AnonVmaChainTest, ThreadsThatPrepareOneVmaAgree) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    Vma* area = nullptr;
    const auto thread = [&] { prepare(*area); };
    EXPECT_EQ(run(random_walk_seed(seed), [&] { area = &vma(mm(), kAt, 1); },
                  {thread, thread, thread}),
              std::nullopt);
    audit({area});
  }
}

TEST_F(AnonVmaChainTest, PrepareWithoutMemoryLeavesTheVmaAsItWas) {
  EXPECT_EQ(run([&] {
              Vma& area = vma(mm(), kAt, 2);
              for (int nth = 1; nth <= 2; ++nth) {
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

TEST_F(AnonVmaChainTest, LastVmaTakesTheAnonVmaWithIt) {
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
TEST_F(AnonVmaChainTest, WalksThatComeLateAreHarmless) {
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

TEST_F(AnonVmaChainTest, AuditSeesAReferenceTooMany) {
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
              Vma& child = vma(mm(), kAt, 1);
              Vma& sibling = vma(mm(), kAt, 1);
              prepare(parent);
              link(child, parent, Why::kFork);
              link(sibling, parent, Why::kFork);
              Page& own = page();
              map(own, child, kAt);
              EXPECT_EQ(walk(own), (Places{{2, kAt}}));
              Page& parents = page();
              map(parents, parent, kAt);
              EXPECT_EQ(walk(parents), (Places{{1, kAt}, {2, kAt}, {3, kAt}}));
              audit({&parent, &child, &sibling});
            }),
            std::nullopt);
}

TEST_F(AnonVmaChainTest, APageBackFromSwapIsSoughtInTheWholeFamily) {
  EXPECT_EQ(run([&] {
              Vma& parent = vma(mm(), kAt, 1);
              Vma& child = vma(mm(), kAt, 1);
              prepare(parent);
              link(child, parent, Why::kFork);
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
              Vma& child = vma(mm(), kAt, 1);
              prepare(parent);
              link(child, parent, Why::kFork);
              Page& own = page();
              map(own, child, kAt);
              unmap(own, child, kAt);
              own.set(PageFlag::kSwapCache);
              map(own, child, kAt);
              EXPECT_EQ(walk(own), (Places{{2, kAt}}));
            }),
            std::nullopt);
}

TEST_F(AnonVmaChainTest, WalkSkipsVmasWithoutRoomForThePage) {
  EXPECT_EQ(run([&] {
              Mm& mine = mm();
              std::deque<Vma*> parts{&vma(mine, kAt, 16)};
              prepare(*parts.front());
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
              prepare(*last);
              for (int generation = 0; generation < 10; ++generation) {
                Vma& child = vma(mm(), kAt, 1);
                link(child, *last, Why::kFork);
                audit({last, &child});
                scheme().unlink(*last);
                last = &child;
                audit({last});
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
              Vma& middle = vma(mm(), kAt, 1);
              prepare(oldest);
              link(middle, oldest, Why::kFork);
              ChainedAnonVma* const of_middle = anon_vma_of(middle);
              Vma& first = vma(mm(), kAt, 1);
              Vma& second = vma(mm(), kAt, 1);
              link(first, middle, Why::kFork);
              link(second, middle, Why::kFork);
              EXPECT_EQ(of_middle->num_children, 2u);
              scheme().unlink(middle);
              Vma& youngest = vma(mm(), kAt, 1);
              link(youngest, first, Why::kFork);
              EXPECT_NE(anon_vma_of(youngest), of_middle);
              audit({&oldest, &first, &second, &youngest});
            }),
            std::nullopt);
}

TEST_F(AnonVmaChainTest, ANeighbourWithAncestorsIsNotShared) {
  EXPECT_EQ(run([&] {
              Vma& parent = vma(mm(), kAt, 2);
              prepare(parent);
              Mm& of_child = mm();
              Vma& child = vma(of_child, kAt, 2);
              link(child, parent, Why::kFork);
              Vma& next = vma(of_child, kAt + 2 * kPageSize, 2);
              prepare(next);
              EXPECT_NE(anon_vma_of(next), anon_vma_of(child));
              audit({&parent, &child, &next});
            }),
            std::nullopt);
}

TEST_F(AnonVmaChainTest, ForkWithoutMemoryLeavesNothingBehind) {
  EXPECT_EQ(run([&] {
              Vma& oldest = vma(mm(), kAt, 1);
              Vma& parent = vma(mm(), kAt, 1);
              prepare(oldest);
              link(parent, oldest, Why::kFork);
              const std::uint32_t before = scheme().live_objects();
              Vma& child = vma(mm(), kAt, 1);
              for (int nth = 1; nth <= 4; ++nth) {  // two avcs, an avc and an anon_vma
                current()->fail_nth = nth;
                const WriteGuard guard(parent.vm_mm->mmap_sem);
                EXPECT_EQ(link_locked(child, parent, Why::kFork), Status::kNoMemory);
                EXPECT_EQ(child.rmap.anchor.load(), 0u);
                EXPECT_TRUE(child.rmap.node.empty());
                EXPECT_EQ(scheme().live_objects(), before);
                audit({&oldest, &parent});
              }
              link(child, parent, Why::kFork);
              audit({&oldest, &parent, &child});
            }),
            std::nullopt);
}

TEST_F(AnonVmaChainTest, AuditSeesAVmaThatLostItsAnonVma) {
  const auto finding = run([&] {
    Vma& area = vma(mm(), kAt, 1);
    prepare(area);
    area.rmap.anchor.store(0);
    audit({&area});
  });
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->title, inv::row(Inv::kVmaChainIsSound).sentence);
}

TEST_F(AnonVmaChainTest, AuditSeesAChildThatIsNotCounted) {
  const auto finding = run([&] {
    Vma& parent = vma(mm(), kAt, 1);
    Vma& child = vma(mm(), kAt, 1);
    prepare(parent);
    link(child, parent, Why::kFork);
    --anon_vma_of(parent)->num_children;
    audit({&parent, &child});
  });
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->title, inv::row(Inv::kAnonVmaDegreesMatch).sentence);
}

TEST_F(AnonVmaChainTest, AuditSeesAVmaThatIsNoMore) {
  const auto finding = run([&] {
    prepare(vma(mm(), kAt, 1));
    audit({});
  });
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->title, inv::row(Inv::kVmaChainIsSound).sentence);
}

}  // namespace
}  // namespace racier::rmap
