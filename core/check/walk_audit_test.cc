// core/check/walk_audit_test.cc - what a walk may miss, and what not.
#include <gtest/gtest.h>

#include "core/check/walk_audit.h"

#include "core/check/machine_for_test.h"
#include "core/check/unseen.h"

namespace racier::check {
namespace {

constexpr Pfn kPage = 7;
constexpr VirtAddr kA = 0x1000;
constexpr VirtAddr kB = 0x2000;
constexpr VirtAddr kC = 0x3000;

// A story in letters.  a, b: a mapping is added; A, B: removed; m: a moves to where it
// is c; (: a walk begins; 1, 2, 3: it is shown a, b, c; ): it ends; |: it is stopped.
void tell(WalkAudit& audit, std::string_view story) {
  for (const char event : story) {
    switch (event) {
      case 'a': audit.added(kPage, 1, kA); break;
      case 'b': audit.added(kPage, 2, kB); break;
      case 'A': audit.removed(kPage, 1, kA); break;
      case 'B': audit.removed(kPage, 2, kB); break;
      case 'm': audit.moved(kPage, 1, kA, kC); break;
      case '3': audit.walk_shown(kPage, 1, kC); break;
      case '(': audit.walk_begin(kPage); break;
      case '1': audit.walk_shown(kPage, 1, kA); break;
      case '2': audit.walk_shown(kPage, 2, kB); break;
      case ')': audit.walk_end(kPage, false); break;
      case '|': audit.walk_end(kPage, true); break;
      default: FAIL() << event;
    }
  }
}

struct Act {
  const char* name;
  const char* story;
  const char* found;  // name of the invariant
};

class WalkStory : public testing::TestWithParam<Act> {};

TEST_P(WalkStory, IsJudged) {
  WalkAudit audit;
  const auto finding = finding_of([&] { tell(audit, GetParam().story); });
  EXPECT_EQ(name_of(finding), GetParam().found);
}

constexpr const char* kMissed = "rmap_walk_misses_nothing";
constexpr const char* kTold = "rmap_was_told";

INSTANTIATE_TEST_SUITE_P(
    WalkAudit, WalkStory,
    testing::Values(Act{"AllShown", "ab(12)", ""},                         //
                    Act{"NothingToShow", "()", ""},                        //
                    Act{"AnyOrderAndTwice", "ab(212)", ""},                //
                    Act{"Missed", "ab(1)", kMissed},                       //
                    Act{"StoppedMayMiss", "ab(1|", ""},                    //
                    Act{"CameDuringWalk", "a(b1)", ""},                    //
                    Act{"WentDuringWalk", "ab(1B)", ""},                   //
                    Act{"RemovedByTheWalk", "ab(1A2B)", ""},               //
                    Act{"WentAndCameBack", "ab(1Bb)", ""},                 //
                    Act{"ShownThenCameBackCounts", "ab(12)(2)", kMissed},  //
                    Act{"HintsAreIgnored", "a(12)", ""},                   //
                    Act{"NextWalkMustSeeIt", "a(b1)(1)", kMissed},         //
                    Act{"AddedTwice", "aa", kTold},                        //
                    Act{"RemovedUnknown", "aB", kTold},                    //
                    Act{"RemovedTwice", "aAA", kTold},                     //
                    Act{"MovedAndShown", "am(3)", ""},                     //
                    Act{"MovedWhenShown", "a(1m)", ""},                    //
                    Act{"MovedAndShownThere", "a(m3)", ""},                //
                    Act{"DodgedTheWalk", "a(3m1)", kMissed},               //
                    Act{"MovedUnknown", "bm", kTold},                      //
                    Act{"MovedTwice", "amm", kTold}),
    [](const auto& info) { return info.param.name; });

TEST(WalkAudit, TasksWalkAtTheSameTime) {
  WalkAudit audit;
  Atomic<int> stage{0};
  const auto wait_for = [&](int wanted) {
    while (stage.load() < wanted) stage.wait_until_written();
  };
  const auto tell_unseen = [&](std::string_view story) {
    const Unseen unseen;
    tell(audit, story);
  };
  // The first walk begins before b is there, the second after; both are shown only a.
  const auto first = [&] {
    tell_unseen("a(");
    stage.store(1);
    wait_for(2);
    tell_unseen("1)");
    stage.store(3);
  };
  const auto second = [&] {
    wait_for(1);
    tell_unseen("b(1");
    stage.store(2);
    wait_for(3);
    tell_unseen(")");
  };
  const auto finding = run_tasks(random_walk_seed(1), {first, second});
  EXPECT_EQ(name_of(finding), kMissed);
  EXPECT_EQ(finding->task, 1);
}

TEST(WalkAudit, ResetForgets) {
  WalkAudit audit;
  tell(audit, "ab(");
  audit.reset();
  EXPECT_EQ(audit.mappings(), 0u);
  EXPECT_EQ(name_of(finding_of([&] { tell(audit, "a(1)A()"); })), "");
}

}  // namespace
}  // namespace racier::check
