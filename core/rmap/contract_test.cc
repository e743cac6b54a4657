// core/rmap/contract_test.cc - the promises of scheme.h, asked of every scheme.
//
// What a scheme does beyond them is in a test of its own.
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "core/base/invariant.h"
#include "core/base/random.h"
#include "core/rmap/scheme_for_test.h"
#include "core/sync/completion.h"
#include "core/sync/context.h"

namespace racier::rmap {
namespace {

class Contract : public SchemeTest, public testing::WithParamInterface<const char*> {
 protected:
  Contract() : SchemeTest(GetParam()) {}

  // Expects that `call` fails in every place where memory may be refused, and then
  // leaves things as `unchanged` looks for.
  void expect_all_or_nothing(FunctionRef<Status()> call,
                             FunctionRef<void()> unchanged) {
    for (std::uint32_t nth = 1;; ++nth) {
      current()->fail_nth = nth;
      const Status status = call();
      current()->fail_nth = 0;
      if (status == Status::kOk) return;
      EXPECT_EQ(status, Status::kNoMemory);
      unchanged();
    }
  }
};

// ---- Walks --------------------------------------------------------------------------

TEST_P(Contract, AWalkFindsTheOneWhoMapsThePage) {
  EXPECT_EQ(run([&] {
              Vma& area = vma(mm(), kAt, 4);
              Page& fresh = page();
              map(fresh, area, kAt + kPageSize);
              EXPECT_EQ(walk(fresh), (Places{{1, kAt + kPageSize}}));
              EXPECT_EQ(fresh.mapcount.load(), 0);
              EXPECT_TRUE(fresh.is_anon());
              audit();
            }),
            std::nullopt);
}

TEST_P(Contract, AWalkFindsParentAndChildAfterFork) {
  EXPECT_EQ(run([&] {
              Vma& parent = vma(mm(), kAt, 4);
              Page& shared = page();
              map(shared, parent, kAt);
              Vma& child = fork(parent);
              dup(shared, child, kAt);
              EXPECT_EQ(walk(shared), (Places{{1, kAt}, {2, kAt}}));
              EXPECT_EQ(shared.mapcount.load(), 1);
              audit();
              unmap(shared, parent, kAt);
              leave(parent);
              EXPECT_EQ(walk(shared), (Places{{2, kAt}}));
              audit();
            }),
            std::nullopt);
}

TEST_P(Contract, AWalkOfAnUnmappedPageShowsNobodyWhoMapsIt) {
  EXPECT_EQ(run([&] {
              Vma& area = vma(mm(), kAt, 4);
              Page& fresh = page();
              EXPECT_EQ(walk(fresh), Places{});
              map(fresh, area, kAt);
              unmap(fresh, area, kAt);
              EXPECT_EQ(who_maps(fresh), Places{});
              EXPECT_TRUE(fresh.is_anon());
              leave(area);
              EXPECT_EQ(walk(fresh), Places{});
              EXPECT_TRUE(fresh.is_anon()) << "until it is freed";
              EXPECT_EQ(scheme().live_objects(), 0u);
            }),
            std::nullopt);
}

TEST_P(Contract, AWalkStopsWhenToldTo) {
  EXPECT_EQ(run([&] {
              Vma& parent = vma(mm(), kAt, 1);
              Page& shared = page();
              map(shared, parent, kAt);
              Vma& child = fork(parent);
              dup(shared, child, kAt);
              int shown = 0;
              EXPECT_FALSE(scheme().walk(shared, [&](const Mapping&) {
                ++shown;
                return Walk::kStop;
              }));
              EXPECT_EQ(shown, 1);
              unmap(shared, parent, kAt);  // the walk has let go of its locks
              leave(parent);
              audit();
            }),
            std::nullopt);
}

TEST_P(Contract, TheTraitsSayWhetherAVisitorMaySleep) {
  const auto finding = run([&] {
    Page& fresh = page();
    map(fresh, vma(mm(), kAt, 1), kAt);
    scheme().walk(fresh, [](const Mapping&) {
      might_sleep();
      return Walk::kContinue;
    });
  });
  EXPECT_EQ(finding.has_value(), !scheme().traits().walk_may_sleep);
  if (finding) EXPECT_EQ(finding->kind, FindingKind::kAtomicSleep);
}

// Each of the two walks waits inside for the other one.
TEST_P(Contract, WalksThatMaySleepGoSideBySide) {
  if (!scheme().traits().walk_may_sleep) return;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    Page* shared = nullptr;
    Completion first{lock_class::kPageWait};
    Completion second{lock_class::kPageWait};
    const auto set_up = [&] {
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
    EXPECT_EQ(run(random_walk_seed(seed), set_up,
                  {[&] { meet(first, second); }, [&] { meet(second, first); }}),
              std::nullopt);
  }
}

// As try_to_unmap() does.
TEST_P(Contract, AVisitorMayTakeOutEveryPteThatItIsShown) {
  EXPECT_EQ(run([&] {
              Vma& parent = vma(mm(), kAt, 1);
              Page& shared = page();
              map(shared, parent, kAt);
              for (int i = 0; i < 6; ++i) dup(shared, fork(parent), kAt);
              int taken = 0;
              EXPECT_TRUE(scheme().walk(shared, [&](const Mapping& at) {
                if (!scheme().lock_ptl(at)) return Walk::kStop;
                const SpinGuard guard(at.vma->vm_mm->page_table_lock, kAdopt);
                unmap_locked(shared, *at.vma, at.addr);
                ++taken;
                return Walk::kContinue;
              }));
              EXPECT_EQ(taken, 7);
              EXPECT_FALSE(shared.is_mapped());
              audit();
            }),
            std::nullopt);
}

// Whoever has found the way to a page's vmas, or waits for it, keeps it no longer than
// that, although all of them go and others come meanwhile.
TEST_P(Contract, WalksThatComeLateAreHarmless) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    Page* fresh = nullptr;
    Vma* area = nullptr;
    Vma* other = nullptr;
    const auto set_up = [&] {
      area = &vma(mm(), kAt, 1);
      other = &vma(mm(), kAt, 1);
      fresh = &page();
      map(*fresh, *area, kAt);
    };
    const auto walks = [&] {
      scheme().walk(*fresh, [](const Mapping&) { return Walk::kContinue; });
    };
    const auto leaves = [&] {
      unmap(*fresh, *area, kAt);
      leave(*area);
    };
    const auto comes = [&] {
      anchor(*other);
      leave(fork(*other));
      leave(*other);
    };
    ASSERT_EQ(run(random_walk_seed(seed), set_up, {walks, walks, leaves, comes}),
              std::nullopt)
        << seed;
    EXPECT_EQ(scheme().live_objects(), 0u);
    audit();
  }
}

// ---- Vmas ---------------------------------------------------------------------------

TEST_P(Contract, APageOfASplitVmaIsInThePartThatHasIt) {
  EXPECT_EQ(run([&] {
              Vma& lower = vma(mm(), kAt, 4);
              Page& low = page();
              Page& high = page();
              map(low, lower, kAt);
              map(high, lower, kAt + 3 * kPageSize);
              Vma& upper = split(lower, kAt + 2 * kPageSize);
              EXPECT_EQ(walk(low), (Places{{1, kAt}}));
              EXPECT_EQ(walk(high), (Places{{1, kAt + 3 * kPageSize}}));
              audit();
              unmap(high, upper, kAt + 3 * kPageSize);
              leave(upper);
              EXPECT_EQ(walk(low), (Places{{1, kAt}}));
              audit();
            }),
            std::nullopt);
}

TEST_P(Contract, APrivatePageOfASplitFileVmaIsFound) {
  EXPECT_EQ(run([&] {
              Vma& lower = file_vma(mm(), kAt, 4, machine_.file(0), 0);
              Page& copied = page();
              map(copied, lower, kAt + 2 * kPageSize);
              split(lower, kAt + kPageSize);
              EXPECT_EQ(walk(copied), (Places{{1, kAt + 2 * kPageSize}}));
              audit();
            }),
            std::nullopt);
}

TEST_P(Contract, TheLastVmaTakesEverythingWithIt) {
  EXPECT_EQ(run([&] {
              Vma& parent = vma(mm(), kAt, 1);
              anchor(parent);
              Vma& child = fork(parent);
              leave(parent);
              audit();
              leave(child);
              EXPECT_EQ(scheme().live_objects(), 0u);
              audit();
            }),
            std::nullopt);
}

TEST_P(Contract, ThreadsThatPrepareOneVmaAgree) {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    Vma* area = nullptr;
    const auto thread = [&] { anchor(*area); };
    ASSERT_EQ(run(random_walk_seed(seed), [&] { area = &vma(mm(), kAt, 1); },
                  {thread, thread, thread}),
              std::nullopt);
    audit();
  }
}

// ---- Memory -------------------------------------------------------------------------

TEST_P(Contract, PrepareWithoutMemoryLeavesTheVmaAsItWas) {
  EXPECT_EQ(run([&] {
              Vma& area = vma(mm(), kAt, 2);
              expect_all_or_nothing(
                  [&] {
                    const ReadGuard guard(area.vm_mm->mmap_sem);
                    const Result<Ticket> ticket = prepare_locked(area);
                    if (ticket.ok()) scheme().refund(ticket.value());
                    return ticket.status();
                  },
                  [&] {
                    EXPECT_EQ(area.rmap.anchor.load(), 0u);
                    EXPECT_TRUE(area.rmap.node.empty());
                    EXPECT_EQ(scheme().live_objects(), 0u);
                  });
            }),
            std::nullopt);
}

TEST_P(Contract, ForkWithoutMemoryLeavesNothingBehind) {
  EXPECT_EQ(run([&] {
              Vma& oldest = vma(mm(), kAt, 1);
              anchor(oldest);
              Vma& parent = fork(oldest);
              Vma& child = vma(mm(), kAt, 1);
              const std::uint32_t before = scheme().live_objects();
              expect_all_or_nothing(
                  [&] {
                    const WriteGuard guard(parent.vm_mm->mmap_sem);
                    return link_locked(child, parent, Why::kFork);
                  },
                  [&] {
                    EXPECT_EQ(child.rmap.anchor.load(), 0u);
                    EXPECT_TRUE(child.rmap.node.empty());
                    EXPECT_EQ(scheme().live_objects(), before);
                    audit();
                  });
              audit();
            }),
            std::nullopt);
}

TEST_P(Contract, ATicketThatWasNotNeededGoesBack) {
  EXPECT_EQ(run([&] {
              Vma& area = vma(mm(), kAt, 2);
              scheme().refund(prepare(area));
              leave(area);
              EXPECT_EQ(scheme().live_objects(), 0u);
            }),
            std::nullopt);
}

// ---- Pages of files -----------------------------------------------------------------

TEST_P(Contract, AWalkOfAFilePageFindsEachVmaThatMapsIt) {
  EXPECT_EQ(
      run([&] {
        AddressSpace& file = machine_.file(0);
        Vma& first = file_vma(mm(), kAt, 4, file, 0);
        Vma& second = file_vma(mm(), kAt, 2, file, 2);
        Page& both = file_page(file, 3);
        map_file(both, first, kAt + 3 * kPageSize);
        map_file(both, second, kAt + kPageSize);
        EXPECT_EQ(walk(both), (Places{{1, kAt + 3 * kPageSize}, {2, kAt + kPageSize}}));
        Page& one = file_page(file, 0);
        map_file(one, first, kAt);
        EXPECT_EQ(walk(one), (Places{{1, kAt}}));
        EXPECT_EQ(one.mapcount.load(), 0);
        unmap(both, first, kAt + 3 * kPageSize);
        EXPECT_EQ(who_maps(both), (Places{{2, kAt + kPageSize}}));
      }),
      std::nullopt);
}

// ---- What the callers owe -----------------------------------------------------------

TEST_P(Contract, AddOutsideOfTheVmaIsAFinding) {
  const auto finding = run([&] {
    Vma& area = vma(mm(), kAt, 1);
    map(page(), area, kAt + kPageSize);
  });
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->title, inv::row(Inv::kRmapAddInsideVma).sentence);
}

TEST_P(Contract, RemoveOfAPageThatIsNotMappedIsAFinding) {
  const auto finding = run([&] {
    Vma& area = vma(mm(), kAt, 1);
    map(page(), area, kAt);
    unmap(page(), area, kAt);
  });
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->title, inv::row(Inv::kRmapRemoveMapped).sentence);
}

// ---- Any history --------------------------------------------------------------------

// A family of vmas and a few pages, changed at random, beside a list of who maps what.
class History {
 public:
  struct At {
    Page* page;
    Vma* vma;
    VirtAddr addr;
  };

  explicit History(std::uint64_t seed) : random_(seed) {}

  std::uint64_t draw(std::uint64_t limit) { return random_.below(limit); }
  template <typename T>
  T& one_of(std::vector<T>& list) {
    return list[draw(list.size())];
  }

  std::vector<Vma*> vmas;
  std::vector<At> ptes;

 private:
  Random random_;
};

class AnyHistory : public Contract {
 protected:
  static constexpr std::size_t kVmasMax = 12;
  static constexpr std::size_t kPtesMax = 24;

  void forks(History& all) {
    if (all.vmas.size() >= kVmasMax) return;
    Vma& parent = *all.one_of(all.vmas);
    Vma& child = fork(parent);
    all.vmas.push_back(&child);
    const std::vector<History::At> before = all.ptes;
    for (const History::At& at : before) {
      if (at.vma != &parent) continue;
      dup(*at.page, child, at.addr);
      all.ptes.push_back({at.page, &child, at.addr});
    }
  }

  void splits(History& all) {
    Vma& lower = *all.one_of(all.vmas);
    if (lower.pages() < 2 || all.vmas.size() >= kVmasMax) return;
    const VirtAddr addr =
        lower.vm_start + (1 + all.draw(lower.pages() - 1)) * kPageSize;
    Vma& upper = split(lower, addr);
    all.vmas.push_back(&upper);
    for (History::At& at : all.ptes) {
      if (at.vma == &lower && at.addr >= addr) at.vma = &upper;
    }
  }

  void faults(History& all) {
    if (all.ptes.size() >= kPtesMax) return;
    Vma& area = *all.one_of(all.vmas);
    const VirtAddr addr = area.vm_start + all.draw(area.pages()) * kPageSize;
    const auto there = [&](const History::At& at) {
      return at.vma == &area && at.addr == addr;
    };
    if (std::any_of(all.ptes.begin(), all.ptes.end(), there)) return;
    Page& fresh = page();
    map(fresh, area, addr);
    all.ptes.push_back({&fresh, &area, addr});
  }

  void unmaps(History& all) {
    if (all.ptes.empty()) return;
    const std::size_t which = all.draw(all.ptes.size());
    const History::At at = all.ptes[which];
    unmap(*at.page, *at.vma, at.addr);
    all.ptes.erase(all.ptes.begin() + static_cast<std::ptrdiff_t>(which));
  }

  void leaves(History& all) {
    if (all.vmas.size() < 2) return;
    const std::size_t which = all.draw(all.vmas.size());
    Vma& area = *all.vmas[which];
    for (const History::At& at : all.ptes) {
      if (at.vma == &area) unmap(*at.page, area, at.addr);
    }
    std::erase_if(all.ptes, [&](const History::At& at) { return at.vma == &area; });
    leave(area);
    all.vmas.erase(all.vmas.begin() + static_cast<std::ptrdiff_t>(which));
  }

  void expect_right(const History& all) {
    std::set<Page*> pages;
    for (const History::At& at : all.ptes) pages.insert(at.page);
    for (Page* const page : pages) {
      Places places;
      for (const History::At& at : all.ptes) {
        if (at.page == page) places.emplace(at.vma->vm_mm->id, at.addr);
      }
      EXPECT_EQ(who_maps(*page), places);
    }
    audit();
  }
};

TEST_P(AnyHistory, IsAnsweredRightly) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    ASSERT_EQ(run([&] {
                History all(seed);
                all.vmas.push_back(&vma(mm(), kAt, 8));
                for (int i = 0; i < 30; ++i) {
                  switch (all.draw(8)) {
                    case 0:
                      forks(all);
                      break;
                    case 1:
                      splits(all);
                      break;
                    case 2:
                      leaves(all);
                      break;
                    case 3:
                      unmaps(all);
                      break;
                    default:
                      faults(all);
                  }
                  if (i % 5 == 0) expect_right(all);
                }
                expect_right(all);
              }),
              std::nullopt)
        << seed;
    ASSERT_FALSE(HasFailure()) << seed;
  }
}

std::vector<const char*> names() {
  std::vector<const char*> names;
  for (const SchemeRow& row : schemes()) names.push_back(row.name);
  return names;
}
std::string name_of(const testing::TestParamInfo<const char*>& info) {
  return info.param;
}

INSTANTIATE_TEST_SUITE_P(All, Contract, testing::ValuesIn(names()), name_of);
INSTANTIATE_TEST_SUITE_P(All, AnyHistory, testing::ValuesIn(names()), name_of);

}  // namespace
}  // namespace racier::rmap
