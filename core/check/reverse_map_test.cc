// core/check/reverse_map_test.cc - walks that lie, and the audit that notices.
#include <gtest/gtest.h>

#include "core/check/world_for_test.h"

namespace racier::check {
namespace {

using rmap::Mapping;
using rmap::Ticket;
using rmap::Walk;

enum class Lie {
  kNone,
  kMissLast,  // the last mapping is not shown
  kTwice,     // the first one is shown again
  kDeadVma,   // a vma that is not mapped any more is shown, too
  kOutside,   // an address that is not in its vma is shown, too
  kHint,      // a place that is mapped, but not to this page
};

// A scheme that finds mappings by brute force, and lies about them.  It records
// nothing.
class Liar final : public rmap::Scheme {
 public:
  Liar(World& world, Lie lie) : Scheme(world.m), world_(world), lie_(lie) {}

  const rmap::Traits& traits() const override {
    static constexpr rmap::Traits kTraits{"liar", "never", true};
    return kTraits;
  }
  int own_refs(const Page&) const override { return 0; }
  void audit(std::span<Vma* const>) override {}
  std::uint32_t live_objects() const override { return 0; }
  void reset() override {}

 private:
  Result<Ticket> do_prepare(Vma&) override { return Ticket(); }
  void do_refund(Ticket) override {}
  void do_add_anon(Page&, Vma&, VirtAddr, Ticket) override {}
  void do_add_file(Page&, Vma&, VirtAddr, Ticket) override {}
  void do_dup(Page&, Vma&, VirtAddr, Ticket) override {}
  void do_remove(Page&, Vma&, VirtAddr) override {}
  Status do_link(Vma&, Vma&, rmap::Why) override { return Status::kOk; }
  void do_unlink(Vma&) override {}
  void do_adjust(std::span<Vma* const>, FunctionRef<void()> change) override {
    change();
  }
  bool do_lock_ptl(const Mapping&) override { return false; }

  bool do_walk_anon(Page& page, FunctionRef<Walk(const Mapping&)> visit) override {
    std::vector<Mapping> shown = who_maps(world_.m, page);
    Vma* const vma = shown.front().vma;
    switch (lie_) {
      case Lie::kNone: break;
      case Lie::kMissLast: shown.pop_back(); break;
      case Lie::kTwice: shown.push_back(shown.front()); break;
      case Lie::kDeadVma: shown.push_back({&dead_, 0}); break;
      case Lie::kOutside: shown.push_back({vma, vma->vm_end}); break;
      case Lie::kHint:
        shown.push_back({&world_.vma_at(*world_.parent, World::kAnon),
                         World::kAnon + 3 * kPageSize});
        break;
    }
    for (const Mapping& at : shown) visit(at);
    return true;
  }

  World& world_;
  Lie lie_;
  Vma dead_;
};

struct Told {
  const char* name;
  Lie lie;
  const char* found;
};

class Lies : public testing::TestWithParam<Told> {};

TEST_P(Lies, AreFound) {
  World world;
  world.m.install(std::make_shared<Liar>(world, GetParam().lie));
  EXPECT_EQ(world.audit(), GetParam().found);
}

INSTANTIATE_TEST_SUITE_P(ReverseMap, Lies,
                         testing::Values(Told{"None", Lie::kNone, ""},
                                         Told{"MissesOne", Lie::kMissLast,
                                             "rmap_complete"},
                                         Told{"Twice", Lie::kTwice, "rmap_shows_once"},
                                         Told{"DeadVma", Lie::kDeadVma, "rmap_sound"},
                                         Told{"Outside", Lie::kOutside, "rmap_sound"},
                                         Told{"HintIsNoLie", Lie::kHint, ""}),
                         [](const auto& info) { return info.param.name; });

// In a run, a walk that misses a mapping is found while it happens.
TEST(ReverseMap, AWalkThatMissesIsFoundAtOnce) {
  World world;
  world.vma_at(*world.child, World::kAnon).rmap.node.unlink();
  const auto finding = run_alone(world.run, [&] {
    Page& page = world.anon(0);
    get_page(page);
    page_referenced(world.m, page);
  });
  EXPECT_EQ(name_of(finding), name_of(Inv::kRmapWalkMissesNothing));
  EXPECT_EQ(finding->kind, FindingKind::kRmap);
}

}  // namespace
}  // namespace racier::check
