// core/program/parse_test.cc
#include "core/program/parse.h"

#include <gtest/gtest.h>

#include <fstream>
#include <vector>

#include "core/program/ops.h"
#include "core/program/print.h"
#include "core/program/text.h"

namespace racier::program {
namespace {

// Returns the canonical text, or the error as "LINE:COLUMN: sentence".
std::string canonical(std::string_view text) {
  const Parsed parsed = parse(text);
  return parsed.program ? print(*parsed.program) : parsed.error.str("").substr(1);
}

TEST(Parse, NumbersAreDecimalOrHex) {
  EXPECT_EQ(parse_number("0"), 0u);
  EXPECT_EQ(parse_number("0x1f"), 31u);
  EXPECT_EQ(parse_number("18446744073709551615"), ~0ull);
  for (const char* const text :
       {"", "0x", "-1", "1a", "18446744073709551616", " 1", "+1"}) {
    EXPECT_EQ(parse_number(text), std::nullopt) << text;
  }
}

TEST(Parse, ReadsEveryPart) {
  const Parsed parsed = parse(R"(# Two tasks meet.
#
# They are friends.
machine frames=64 rcu=preempt
bug B07
drop lock munmap.cc:197
drop flush reclaim.cc:36
setup
  # The one process.
  p0 = process
  m0 = mmap p0 4 rw private -> ok
task A
  write p0 m0 3 7 (fail_nth: 2) -> nomem fault 0x6
  p1 = fork p0
task B
  read p1 - 0 0 -> skipped
# B first.
schedule seed=7
  A 12 -> B
  B 3 -> rcu
  choose A 0 = 1
expect finding rmap "page \"lost\""
mark swap_in >= 2
)");
  ASSERT_TRUE(parsed.program.has_value()) << parsed.error.str("");
  const Program& program = *parsed.program;
  EXPECT_EQ(program.header, "Two tasks meet.\n\nThey are friends.");
  EXPECT_EQ(program.machine.frames, 64u);
  EXPECT_EQ(program.machine.period.rcu, RcuFlavour::kPreempt);
  EXPECT_TRUE(program.bugs.has(Bug::kRemoveRmapClearsMapping));
  EXPECT_EQ(program.drops,
            (std::vector<SiteName>{{SiteKind::kLock, "munmap.cc", 197},
                                   {SiteKind::kFlush, "reclaim.cc", 36}}));
  ASSERT_EQ(program.setup.size(), 2u);
  EXPECT_EQ(program.setup[0].note, "The one process.");
  EXPECT_EQ(op_of(program.setup[1]).name, std::string("mmap"));
  ASSERT_EQ(program.tasks.size(), 2u);
  EXPECT_EQ(program.tasks[0][0].fail_nth, 2);
  EXPECT_EQ(program.tasks[1][0].arguments[0], 1u);
  EXPECT_EQ(program.tasks[1][0].arguments[1], kNoVariable);
  EXPECT_EQ(program.schedule_note, "B first.");
  EXPECT_EQ(program.schedule.strategy, StrategyKind::kReplay);
  EXPECT_EQ(program.schedule.seed, 7u);
  const std::vector<Switch> switches = {{0, 12, 1}, {1, 3, 2}};
  EXPECT_EQ(program.schedule.switches, switches);
  EXPECT_EQ(program.schedule.choices, (std::vector<Choice>{{0, 0, 1}}));
  EXPECT_EQ(program.expectation.finding, FindingKind::kRmap);
  EXPECT_EQ(program.expectation.title, "page \"lost\"");
  EXPECT_EQ(program.marks, (std::vector<MarkExpectation>{{Mark::kSwapIn, 2}}));
}

TEST(Parse, AnyNameWillDoAndMayBeUsedBeforeItIsDefined) {
  EXPECT_EQ(canonical("setup\n mother=process\n heap = brk mother 2\n"
                      "task A\n munmap child heap 0 1\ntask B\n child = fork mother\n"),
            "setup\n  p0 = process\n  m0 = brk p0 2\n"
            "task A\n  munmap p1 m0 0 1\ntask B\n  p1 = fork p0\nexpect clean\n");
}

TEST(Parse, ADefinitionNeedsNoName) {
  EXPECT_EQ(canonical("setup\nprocess\nb = process\nexit b"),
            "setup\n  p0 = process\n  p1 = process\n  exit p1\nexpect clean\n");
}

TEST(Parse, CommentsStayWithWhatIsBelowThem) {
  EXPECT_EQ(
      canonical("machine\nsetup # first\n  p0 = process # second\n# third\ntask A\n"
                "  exit p0\n# fourth\nexpect clean # fifth\n# sixth\n"),
      "setup\n  # first\n  # second\n  p0 = process\n"
      "task A\n  # third\n  exit p0\n"
      "# fourth\n# fifth\n# sixth\nexpect clean\n");
}

TEST(Parse, SeededSchedules) {
  const std::string line =
      "schedule strategy=pos seed=9 object=3 overrides=12:1,0:200\n";
  EXPECT_EQ(canonical("setup\n" + line), "setup\n" + line + "expect clean\n");
  for (const std::string depth :
       {"strategy=pct seed=2 depth=3", "strategy=portfolio"}) {
    EXPECT_EQ(canonical("setup\nschedule " + depth + "\n"),
              "setup\nschedule " + depth + "\nexpect clean\n");
  }
  EXPECT_EQ(canonical("setup\nschedule\n"), "setup\nschedule\nexpect clean\n");
  EXPECT_EQ(canonical("setup\nschedule strategy=run_to_block\n"),
            "setup\nexpect clean\n");
}

TEST(Parse, Expectations) {
  for (const std::string line :
       {"expect any\n", "expect clean\n", "expect finding rmap\n",
        "expect finding use-after-free \"KASAN: x\"\n",
        "expect finding rmap \"a\\nb#c\"\n",
        "expect invariant refcount_not_from_zero\n"}) {
    EXPECT_EQ(canonical("setup\n" + line), "setup\n" + line);
  }
}

TEST(Parse, OddBytesAndEmptyTextsAreNoTrouble) {
  EXPECT_EQ(canonical(""), "setup\nexpect clean\n");
  EXPECT_EQ(canonical("\r\n\t \n# only a comment"),
            "# only a comment\nsetup\nexpect clean\n");
  EXPECT_EQ(canonical("setup\r\n  p = process\r\n"),
            "setup\n  p0 = process\nexpect clean\n");
  EXPECT_EQ(
      canonical(std::string_view("\0", 1)),
      "1:1: expected machine, bug, drop, setup, task, schedule, expect or mark, not `?`");
}

struct Mistake {
  const char* text;
  const char* error;
};

const std::vector<Mistake>& mistakes() {
  static const std::vector<Mistake> kMistakes = {
      {"hello",
       "1:1: expected machine, bug, drop, setup, task, schedule, expect or mark, not "
       "`hello`"},
      {"machine colour=3",
       "1:9: no option of a machine is called `colour`; there is rmap "
       "frames slab_pages swap_slots files file_pages rcu memory "
       "swap_lock fault ptl gather unmap alloc swap_areas swap_map_max "
       "swap_bad page_cluster lookup mmu flush"},
      {"machine frames", "1:15: expected `=`, not the end of the line"},
      {"machine frames=many", "1:16: expected a number from 16 to 4194304, not `many`"},
      {"machine frames=1", "1:16: expected a number from 16 to 4194304, not `1`"},
      {"machine rcu=old", "1:13: expected one of classic, preempt, not `old`"},
      {"machine files=1\nmachine files=2", "2:1: there is one `machine`"},
      {"bug", "1:4: expected the name of a bug, not the end of the line"},
      {"bug B99", "1:5: no bug is called `B99`"},
      {"bug B07 B09", "1:9: expected the end of the line, not `B09`"},
      {"drop",
       "1:5: expected lock, reference, recheck, barrier, order, flush or grace, not the "
       "end of the line"},
      {"drop lock", "1:10: expected a place, as `munmap.cc:197`, not the end of the line"},
      {"drop lock munmap.cc", "1:20: expected `:`, not the end of the line"},
      {"drop clock munmap.cc:1",
       "1:6: no place of the code is called `clock munmap.cc:1`: it is one like `lock "
       "munmap.cc:197`"},
      {"drop lock munmap.cc:0",
       "1:6: no place of the code is called `lock munmap.cc:0`: it is one like `lock "
       "munmap.cc:197`"},
      {"drop lock munmap.cc:1 2", "1:23: expected the end of the line, not `2`"},
      {"setup\nsetup", "2:1: there is one `setup`"},
      {"task A\nsetup",
       "2:1: `setup` is too late here: the order is machine, bug and drop, setup, "
       "task, schedule, expect and mark"},
      {"task B",
       "1:6: expected the name of the task, `A`, not `B`: tasks are A, B, C ... in "
       "order"},
      {"task", "1:5: expected the name of the task, `A`, not the end of the line"},
      {"task A\ntask B\ntask C\ntask D\ntask E\ntask F\ntask G\ntask H\ntask I",
       "9:6: a program has at most 8 tasks"},
      {"setup\n  frok p0", "2:3: no op is called `frok`"},
      {"setup\n  x = y = process", "2:7: no op is called `y`"},
      {"setup\n  x =", "2:6: expected an op, not the end of the line"},
      {"setup\n  p = process\n  p = process", "3:3: `p` is defined already, in line 2"},
      {"setup\n  7 = process", "2:3: `7` is not a name"},
      {"setup\n  f1 = process", "2:3: `f1` is the name of a file of the machine"},
      {"setup\n  p = process\n  q = exit p",
       "3:3: `exit` defines nothing: no name and no `=` before it"},
      {"setup\n  exit",
       "2:7: expected a process for the process of exit, not the end of the "
       "line"},
      {"setup\n  exit q", "2:8: expected a process, but nothing defines `q`"},
      {"setup\n  p = process\n  m = mmap m 1 rw private",
       "3:12: expected a process, not `m`, which is a mapping"},
      {"setup\n  exit f0", "2:8: expected a process, not the file `f0`"},
      {"machine files=1\nsetup\n  p = process\n  mmap_file p 1 r f1 0",
       "4:19: the machine has no file `f1`"},
      {"setup\n  mmap - 0 rw private",
       "2:10: expected a number of pages (1 to 16777216) for the pages of mmap, not "
       "`0`"},
      {"setup\n  mmap - x rw private",
       "2:10: expected a number of pages (1 to 16777216) for the pages of mmap, not "
       "`x`"},
      {"setup\n  mmap - 1 rv private",
       "2:12: expected a protection (none, r, w, rw, x, rx, wx, rwx) for the "
       "protection of "
       "mmap, not `rv`"},
      {"setup\n  mmap - 1 rw",
       "2:14: expected a sharing (private, shared) for the sharing of "
       "mmap, not the end of the line"},
      {"setup\n  mmap - 1 rw private now",
       "2:23: expected the end of the line, not `now`"},
      {"setup\n  munmap_at - 0x1001 1",
       "2:15: expected an address of a page (below 0x800000000000, a multiple of 4096) "
       "for the "
       "address of munmap_at, not `0x1001`"},
      {"setup\n  read_at - 0x800000000000",
       "2:13: expected an address of a word (below 0x800000000000, a multiple of 8) "
       "for the "
       "address of read_at, not `0x800000000000`"},
      {"setup\n  exit - (again: 1)",
       "2:11: no property of a call is called `again`; there is fail_nth"},
      {"setup\n  exit - (fail_nth 1)", "2:20: expected `:`, not `1`"},
      {"setup\n  exit - (fail_nth: 0)",
       "2:21: expected the number of an allocation (1 to 65535), not `0`"},
      {"setup\n  exit - (fail_nth: 1", "2:22: expected `)`, not the end of the line"},
      {"setup\n  exit - -> fine",
       "2:13: expected an outcome: a number, ok, skipped, an error such as nomem or "
       "segv, "
       "fault CODE, nofault, not `fine`"},
      {"setup\n  exit - ->",
       "2:12: expected an outcome: a number, ok, skipped, an error such as nomem or "
       "segv, "
       "fault CODE, nofault, not the end of the line"},
      {"setup\n  exit - -> ok fault",
       "2:21: expected the code of a fault (0 to 255), not the end of the line"},
      {"setup\n  exit - -> ok twice",
       "2:16: expected fault CODE, nofault or the end of the line, not `twice`"},
      {"schedule\nschedule", "2:1: there is one `schedule`"},
      {"schedule strategy=luck",
       "1:19: expected a strategy (run_to_block, random_walk, pos, replay, pct, "
       "surw, reads_from, starvation, exhaustive, portfolio), not `luck`"},
      {"schedule speed=1",
       "1:10: no part of a schedule is called `speed`; there is strategy "
       "seed object depth steps overrides"},
      {"schedule strategy=pos seed=1 seed=2", "1:30: `seed` is given twice"},
      {"schedule strategy=pos strategy=replay", "1:23: `strategy` is given twice"},
      {"schedule overrides=1:0 overrides=2:0", "1:24: `overrides` is given twice"},
      {"schedule depth=3 strategy=pos",
       "1:10: only pct and exhaustive have a depth, not `pos`"},
      {"schedule depth=3", "1:10: only pct and exhaustive have a depth, not `replay`"},
      {"machine frames=64 rcu=preempt frames=128", "1:31: `frames` is given twice"},
      {"schedule seed=-1",
       "1:15: expected a seed (0 to 18446744073709551615), not `-1`"},
      {"schedule overrides=1:0,1:0,1:0,1:0,1:0",
       "1:36: expected at most 4 overrides, not `1`"},
      {"schedule overrides=1", "1:21: expected `:`, not the end of the line"},
      {"schedule strategy=pos\n  A 1 -> B",
       "2:3: expected expect or mark (only a replayed schedule has lines), not `A`"},
      {"task A\nschedule\n  A 1 -> B",
       "3:10: expected a task of this program, or rcu, not `B`"},
      {"task A\nschedule\n  A one -> rcu",
       "3:5: expected the number of a step (0 to 4294967295), not `one`"},
      {"task A\nschedule\n  A 1 rcu", "3:7: expected `->`, not `rcu`"},
      {"task A\nschedule\n  choose A 1 1", "3:14: expected `=`, not `1`"},
      {"schedule\ntask A",
       "2:1: `task` is too late here: the order is machine, bug and drop, setup, "
       "task, schedule, expect and mark"},
      {"expect",
       "1:7: expected clean, any, finding or invariant, not the end of the line"},
      {"expect clean\nexpect any", "2:1: there is one `expect`"},
      {"expect finding trouble",
       "1:16: expected a kind of finding, such as use-after-free, not `trouble`"},
      {"expect finding rmap title", "1:21: expected a title in quotes, not `title`"},
      {"expect finding rmap \"title",
       "1:27: expected `\"` at the end of the text, not the end "
       "of the line"},
      {"expect invariant peace",
       "1:18: expected the name of an invariant, not `peace`"},
      {"mark party >= 1", "1:6: expected the name of a mark, not `party`"},
      {"mark swap_in 1", "1:14: expected `>`, not `1`"},
      {"mark swap_in >= 0", "1:17: expected a count (1 to 4294967295), not `0`"},
      {"expect clean\n  p = process",
       "2:3: expected machine, bug, drop, setup, task, schedule, expect or mark, not `p`"},
  };
  return kMistakes;
}

TEST(Parse, EveryMistakeIsToldWithItsPlace) {
  for (const Mistake& mistake : mistakes()) {
    EXPECT_EQ(canonical(mistake.text), mistake.error) << mistake.text;
  }
}

TEST(Parse, ErrorsNameTheFile) {
  EXPECT_EQ(parse("x").error.str("a/b.racier").substr(0, 14), "a/b.racier:1:1");
}

TEST(Parse, TheReadmeListsAllOps) {
  std::ifstream in(RACIER_SOURCE_DIR "/core/program/README.md");
  const std::string readme{std::istreambuf_iterator<char>(in), {}};
  EXPECT_NE(readme.find(ops_reference()), readme.npos)
      << "put this into core/program/README.md:\n"
      << ops_reference();
}

}  // namespace
}  // namespace racier::program
