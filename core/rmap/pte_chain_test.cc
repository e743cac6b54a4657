// core/rmap/pte_chain_test.cc - what pte_chain does beyond the contract.
#include "core/rmap/pte_chain.h"

#include <array>

#include "core/base/invariant.h"
#include "core/rmap/scheme_for_test.h"

namespace racier::rmap {
namespace {

class PteChainTest : public SchemeTest {
 protected:
  PteChainTest() : SchemeTest("pte_chain") {}

  // Maps one page in `count` mms at kAt; returns it.
  Page& shared_by(std::size_t count) {
    Page& shared = page();
    for (std::size_t i = 0; i < count; ++i) {
      areas_[i] = &vma(mm(), kAt, 4);
      if (i == 0) {
        map(shared, *areas_[i], kAt);
      } else {
        dup(shared, *areas_[i], kAt);
      }
    }
    return shared;
  }

  // Returns where the mms with these numbers map it.
  static Places of(std::initializer_list<std::uint32_t> mms) {
    Places places;
    for (const std::uint32_t id : mms) places.emplace(id, kAt);
    return places;
  }

  // The visitor of a walk: takes the page out of every pte it is shown, as
  // try_to_unmap() does.
  bool unmap_at(Page& page, const Mapping& at) {
    if (!scheme().lock_ptl(at)) return false;
    const SpinGuard guard(at.vma->vm_mm->page_table_lock, kAdopt);
    unmap_locked(page, *at.vma, at.addr);
    return true;
  }

  std::array<Vma*, 8> areas_{};
};

TEST_F(PteChainTest, OnePteNeedsNoBlock) {
  EXPECT_EQ(run([&] {
              Page& shared = shared_by(1);
              EXPECT_EQ(walk(shared), of({1}));
              EXPECT_EQ(scheme().live_objects(), 0u);
              EXPECT_EQ(shared.mapcount.load(), 0);
              audit();
            }),
            std::nullopt);
}

TEST_F(PteChainTest, AChainGrowsByABlockWhenTheFirstIsFull) {
  EXPECT_EQ(run([&] {
              Page& shared = shared_by(3);
              EXPECT_EQ(scheme().live_objects(), 1u);
              areas_[3] = &vma(mm(), kAt, 4);
              dup(shared, *areas_[3], kAt);
              EXPECT_EQ(scheme().live_objects(), 2u);
              EXPECT_EQ(walk(shared), of({1, 2, 3, 4}));
              EXPECT_EQ(shared.mapcount.load(), 3);
              audit();
            }),
            std::nullopt);
}

TEST_F(PteChainTest, EachPteCanGoFromAnyPlaceOfTheChain) {
  for (std::size_t gone = 0; gone < 5; ++gone) {
    EXPECT_EQ(run([&] {
                Page& shared = shared_by(5);
                unmap(shared, *areas_[gone], kAt);
                Places left = of({1, 2, 3, 4, 5});
                left.erase({static_cast<std::uint32_t>(gone) + 1, kAt});
                EXPECT_EQ(walk(shared), left);
                audit();
              }),
              std::nullopt)
        << gone;
  }
}

TEST_F(PteChainTest, BlocksGoWithTheirLastPte) {
  EXPECT_EQ(run([&] {
              Page& shared = shared_by(4);
              for (int i = 0; i < 4; ++i) {
                unmap(shared, *areas_[static_cast<std::size_t>(i)], kAt);
                audit();
              }
              EXPECT_EQ(scheme().live_objects(), 0u);
              EXPECT_EQ(walk(shared), Places{});
              EXPECT_EQ(shared.mapcount.load(), -1);
            }),
            std::nullopt);
}

TEST_F(PteChainTest, AWalkMakesAChainOfOneDirect) {
  EXPECT_EQ(run([&] {
              Page& shared = shared_by(2);
              unmap(shared, *areas_[0], kAt);
              EXPECT_EQ(scheme().live_objects(), 1u);
              EXPECT_EQ(walk(shared), of({2}));
              EXPECT_EQ(scheme().live_objects(), 0u);
              EXPECT_EQ(walk(shared), of({2}));
              audit();
            }),
            std::nullopt);
}

TEST_F(PteChainTest, AVisitorMayTakeOutEveryPteThatItIsShown) {
  for (std::size_t count = 1; count <= 7; ++count) {
    EXPECT_EQ(run([&] {
                Page& shared = shared_by(count);
                std::size_t shown = 0;
                EXPECT_TRUE(scheme().walk(shared, [&](const Mapping& at) {
                  ++shown;
                  EXPECT_TRUE(unmap_at(shared, at));
                  return Walk::kContinue;
                }));
                EXPECT_EQ(shown, count);
                EXPECT_EQ(scheme().live_objects(), 0u);
                audit();
              }),
              std::nullopt)
        << count;
  }
}

TEST_F(PteChainTest, AVisitorThatTakesOutSomeIsStillShownTheOthers) {
  EXPECT_EQ(run([&] {
              Page& shared = shared_by(7);
              Places shown;
              EXPECT_TRUE(scheme().walk(shared, [&](const Mapping& at) {
                shown.emplace(at.vma->vm_mm->id, at.addr);
                if (at.vma->vm_mm->id % 2 == 0) {
                  EXPECT_TRUE(unmap_at(shared, at));
                }
                return Walk::kContinue;
              }));
              EXPECT_EQ(shown, of({1, 2, 3, 4, 5, 6, 7}));
              EXPECT_EQ(walk(shared), of({1, 3, 5, 7}));
              audit();
            }),
            std::nullopt);
}

TEST_F(PteChainTest, AWalkPassesByAPageTableLockThatIsTaken) {
  EXPECT_EQ(run([&] {
              Page& shared = shared_by(3);
              const SpinGuard guard(areas_[1]->vm_mm->page_table_lock);
              Places shown;
              EXPECT_FALSE(scheme().walk(shared, [&](const Mapping& at) {
                shown.emplace(at.vma->vm_mm->id, at.addr);
                return Walk::kContinue;
              }));
              EXPECT_EQ(shown, of({1, 3}));
            }),
            std::nullopt);
}

TEST_F(PteChainTest, APageKnowsWhichVmaIsThereNow) {
  EXPECT_EQ(run([&] {
              Vma& lower = vma(mm(), kAt, 4);
              Page& fresh = page();
              map(fresh, lower, kAt + 3 * kPageSize);
              lower.vm_end = kAt + 2 * kPageSize;
              Vma& upper = vma(*lower.vm_mm, kAt + 2 * kPageSize, 2);
              scheme().walk(fresh, [&](const Mapping& at) {
                EXPECT_EQ(at.vma, &upper);
                return Walk::kContinue;
              });
            }),
            std::nullopt);
}

TEST_F(PteChainTest, FilePagesHaveChainsToo) {
  EXPECT_EQ(run([&] {
              Page& cached = page();
              cached.mapping.store(reinterpret_cast<std::uintptr_t>(&machine_.file(0)));
              for (int i = 0; i < 4; ++i) map_file(cached, vma(mm(), kAt, 1), kAt);
              EXPECT_EQ(walk(cached), of({1, 2, 3, 4}));
              EXPECT_EQ(scheme().live_objects(), 2u);
              audit();
            }),
            std::nullopt);
}

TEST_F(PteChainTest, WalksAndUnmapsOfOnePageGoTogether) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Page* shared = nullptr;
    ASSERT_EQ(run(random_walk_seed(seed), [&] { shared = &shared_by(5); },
                  {[&] {
                     scheme().walk(*shared, [&](const Mapping& at) {
                       if (at.vma->vm_mm->id <= 5) unmap_at(*shared, at);
                       return Walk::kContinue;
                     });
                   },
                   [&] {
                     Vma& late = vma(mm(), kAt, 1);
                     dup(*shared, late, kAt);
                     unmap(*shared, late, kAt);
                   }}),
              std::nullopt)
        << seed;
    EXPECT_EQ(shared->mapcount.load(), -1) << seed;
    EXPECT_EQ(scheme().live_objects(), 0u) << seed;
  }
}

TEST_F(PteChainTest, AuditSeesAPteThatTheChainForgot) {
  const auto finding = run([&] {
    Page& shared = shared_by(3);
    audit();  // clean so far
    shared.rmap = 0;
    audit();
  });
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->title, inv::row(Inv::kChainIsItsPtes).sentence);
}

TEST_F(PteChainTest, AuditSeesAnEntryThatMapsThePageNoMore) {
  const auto finding = run([&] {
    shared_by(3);
    audit();
    slot(*areas_[1]->vm_mm, kAt).get_and_clear();
    audit();
  });
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->title, inv::row(Inv::kChainIsItsPtes).sentence);
}

TEST_F(PteChainTest, AuditSeesABlockThatIsInNoChain) {
  const auto finding = run([&] {
    prepare(vma(mm(), kAt, 1));
    audit();
  });
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->title, inv::row(Inv::kChainBlockIsInUse).sentence);
}

TEST_F(PteChainTest, RemoveOfAPteThatIsNotInTheChainIsAFinding) {
  const auto finding = run([&] {
    Page& shared = shared_by(3);
    map(page(), *areas_[0], kAt + kPageSize);
    unmap(shared, *areas_[0], kAt + kPageSize);
  });
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->title, inv::row(Inv::kChainHasPte).sentence);
}

TEST_F(PteChainTest, ABlockAllocatedUnderTheLocksIsAFinding) {
  run_.bugs.arm(Bug::kPteChainAllocAtomic);
  EXPECT_EQ(run([&] { shared_by(1); }), std::nullopt) << "one pte needs none";
  const auto finding = run([&] { shared_by(2); });
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->kind, FindingKind::kAtomicSleep);
}

}  // namespace
}  // namespace racier::rmap
