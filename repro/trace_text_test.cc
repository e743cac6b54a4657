// repro/trace_text_test.cc - tests of trace_text.h and place_names.h.
#include "repro/trace_text.h"

#include <gtest/gtest.h>

#include <regex>
#include <set>
#include <sstream>

#include "core/program/parse.h"
#include "core/runtime/fiber_runtime.h"
#include "core/runtime/run_alone.h"
#include "repro/place_names.h"

namespace racier::repro {
namespace {

constexpr std::string_view kProgram =
    "setup\n"
    "  p0 = process\n"
    "  m0 = mmap p0 2 rw private\n"
    "task A\n"
    "  write p0 m0 0 0 -> fault 0x6\n"
    "  read p0 m0 0 0\n"
    "task B\n"
    "  p1 = fork p0\n"
    "schedule\n"
    "  A 5 -> B\n";

// A run of the program, which has left processes to be named.
class TraceTextTest : public testing::Test {
 protected:
  TraceTextTest() : runtime_(program_.schedule) {
    runtime_.set_observer(&trace_);
    calls_.begin(program_);
    program::RunOptions options;
    options.audit = options.teardown = false;
    options.observer = &calls_;
    const program::RunResult& result = runner_.run(program_, runtime_, options);
    EXPECT_FALSE(result.finding) << result.finding->signature();
  }

  std::vector<std::string> lines() {
    std::istringstream text(
        trace_text(program_, trace_, calls_, *runner_.machine(), true));
    std::vector<std::string> lines;
    for (std::string line; std::getline(text, line);) lines.push_back(line);
    return lines;
  }

  const program::Program program_ = program::parse(kProgram).program.value();
  FiberRuntime alone_;
  program::Runner runner_{alone_};
  FiberRuntime runtime_;
  Trace trace_;
  CallLog calls_;
};

TEST_F(TraceTextTest, ALineIsAStep) {
  const auto all = lines();
  ASSERT_EQ(all.size(), trace_.entries().size() + 1);
  EXPECT_EQ(all[0],
            "   step task call                             place"
            "                                        access object");
  const std::regex shape(
      R"( *(\d+) (A  |B  |rcu)  (.{32}) )"
      R"((start|\w+\.(cc|h):\d+ \S+) *(read|write|rmw|-)( .*)?)");
  for (std::size_t number = 0; number + 1 < all.size(); ++number) {
    std::smatch parts;
    const std::string& line = all[number + 1];
    ASSERT_TRUE(std::regex_match(line, parts, shape)) << line;
    EXPECT_EQ(parts[1], std::to_string(number));
    const std::string call = parts[3];
    const bool of_a =
        call.starts_with("write p0 m0 0 0 ") || call.starts_with("read p0 m0 0 0 ");
    EXPECT_EQ(of_a, parts[2] == "A  " && call[0] != ' ') << line;
    EXPECT_EQ(call.starts_with("p1 = fork p0 "), parts[2] == "B  " && call[0] != ' ')
        << line;
  }
}

TEST_F(TraceTextTest, TasksTakeTurnsAsTheScheduleSays) {
  const auto all = lines();
  std::string order;
  for (std::size_t i = 1; i < all.size(); ++i) order += all[i].substr(8, 1);
  EXPECT_TRUE(order.starts_with("AAAAAB")) << order;
}

TEST_F(TraceTextTest, ACallBeginsAtAStepOfItsTask) {
  EXPECT_EQ(calls_.call_at(1, 0), -1) << "the start of the task";
  std::set<std::int64_t> seen;
  for (const TraceEntry& entry : trace_.entries()) {
    const std::int64_t call = calls_.call_at(entry.task + 1, entry.number);
    if (call >= 0) seen.insert(call);
  }
  EXPECT_EQ(seen, (std::set<std::int64_t>{2, 3, 4}))
      << "numbers: the set-up has 0 and 1";
  EXPECT_EQ(calls_.call_at(1, ~0u), 3) << "the last one of A";
  EXPECT_EQ(calls_.call_at(7, 0), -1) << "no such list";
}

TEST_F(TraceTextTest, WordsHaveNames) {
  Machine& machine = *runner_.machine();
  PlaceNames names(machine, true);
  EXPECT_EQ(names.name(nullptr), "");
  EXPECT_EQ(names.name(&machine.mms_lock), "mms_lock");
  EXPECT_EQ(names.name(&machine.lru.lru_lock), "lru_lock");
  EXPECT_EQ(names.name(&machine.swap.info[0]->swap_device_lock), "swap_device_lock");
  EXPECT_EQ(names.name(&machine.swapper.tree_lock), "swap cache tree_lock");
  EXPECT_EQ(names.name(&machine.file(0).i_mmap_lock), "file 0 i_mmap_lock");
  EXPECT_EQ(names.name(&machine.page(5).mapcount), "page 5 mapcount");
  Mm& mm = *runner_.process(0);
  EXPECT_EQ(names.name(&mm.page_table_lock), "mm 1 page_table_lock");
  const auto* const inside = reinterpret_cast<const char*>(&mm.page_table_lock) + 1;
  EXPECT_EQ(names.name(inside), "mm 1 page_table_lock") << "a part of it";
  Vma& vma = *mm.vmas.first();
  EXPECT_EQ(names.name(&vma.rmap.anchor).substr(0, 11), "mm 1 vma 0x");
  const std::byte* const table = machine.frames.data(mm.context.root);
  EXPECT_EQ(names.name(table + 3 * sizeof(std::uint64_t)), "mm 1 pgd [3]");
}

TEST_F(TraceTextTest, WordsWithoutANameAreNumbered) {
  PlaceNames names(*runner_.machine(), true);
  int here = 0, there = 0;
  EXPECT_EQ(names.name(&here), "word 0");
  EXPECT_EQ(names.name(&there), "word 1");
  EXPECT_EQ(names.name(&here), "word 0");
}

// In the middle of something the lists of an mm are not looked at.
TEST_F(TraceTextTest, NotAtRestAVmaGoesByItsCache) {
  Machine& machine = *runner_.machine();
  PlaceNames names(machine, false);
  const Mm& mm = *runner_.process(0);
  EXPECT_EQ(names.name(&mm.mmap_sem), "mm 1 mmap_sem");
  Vma& vma = *mm.vmas.first();
  EXPECT_EQ(names.name(&vma.rmap.anchor).substr(0, 10), "slab vm_ar");
}

}  // namespace
}  // namespace racier::repro
