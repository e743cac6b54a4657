// repro/translate_test.cc - small recordings: the program, and how it compares.
#include "repro/translate.h"

#include <gtest/gtest.h>

#include "core/program/print.h"
#include "repro/compare.h"

namespace racier::repro {
namespace {

// A recording in the making; a process has a page of stack and of a file to start with.
class Story {
 public:
  Story& exec(int pid) {
    return event(pid, "PERF_RECORD_COMM exec: sh:1/1")
        .vma(pid, "0x7ff000(0x4000) @ 0 0 0 0]: rw-p [stack]")
        .vma(pid, "0x400000(0x20000) @ 0 fe:00 7 0]: rw-p /bin/sh");
  }
  Story& fork(int child, int parent) {
    const std::string of = std::to_string(parent);
    const std::string to = std::to_string(child);
    return event(parent,
                 "PERF_RECORD_FORK(" + to + ":" + to + "):(" + of + ":" + of + ")");
  }
  Story& exit(int pid) {
    const std::string who = std::to_string(pid);
    return event(pid, "PERF_RECORD_EXIT(" + who + ":" + who + "):(1:1)");
  }
  Story& vma(int pid, const std::string& rest) {
    return event(pid, "PERF_RECORD_MMAP2 1/1: [" + rest);
  }
  Story& fault(int pid, const std::string& addr, const std::string& code) {
    return event(pid, "exceptions:page_fault_user: address=0x" + addr +
                          " ip=0x1 error_code=0x" + code);
  }
  Story& enter(int pid, const std::string& call) {
    return event(pid, "syscalls:sys_enter_" + call);
  }
  Story& leave(int pid, const std::string& call) {
    return event(pid, "syscalls:sys_exit_" + call);
  }

  Translation translated() const { return translate(parse_recording(text_)); }

 private:
  Story& event(int pid, const std::string& what) {
    const std::string who = std::to_string(pid);
    text_ += "sh " + who + "/" + who + " [000] 1.0: " + what + "\n";
    return *this;
  }
  std::string text_;
};

int differences(const Translation& translation) {
  int sum = 0;
  for (const int count : translation.differences) sum += count;
  return sum;
}

// Expects that the program runs clean and as recorded.
void expect_equal(const Translation& translation) {
  EXPECT_EQ(translation.unexplained, std::vector<std::string>());
  const Comparison comparison = compare(translation);
  EXPECT_EQ(comparison.unexplained, std::vector<std::string>());
  EXPECT_FALSE(comparison.finding);
  EXPECT_EQ(comparison.calls_equal, comparison.calls);
}

TEST(Translate, AProcessIsItsCallsAndItsFaults) {
  const Translation translation = Story()
                                      .exec(5)
                                      .fault(5, "7ffff8", "6")
                                      .fault(5, "400010", "4")
                                      .exit(5)
                                      .translated();
  EXPECT_EQ(program::print(translation.program),
            "machine files=1 file_pages=32\n"
            "setup\n"
            "task A\n"
            "  p0 = process -> ok\n"
            "  m0 = mmap_at p0 0x7ff000 4 rw private -> ok\n"
            "  m1 = mmap_file_at p0 0x400000 32 rw f0 0 -> ok\n"
            "  write_at p0 0x7ffff8 -> ok fault 0x6\n"
            "  read_at p0 0x400010 -> ok fault 0x4\n"
            "  exit p0 -> ok\n"
            "expect clean\n");
  EXPECT_EQ(differences(translation), 0);
  expect_equal(translation);
}

TEST(Translate, AForkCopiesAndItsWritesFault) {
  const Translation translation = Story()
                                      .exec(5)
                                      .fault(5, "7ff008", "6")
                                      .fork(6, 5)
                                      .fault(6, "7ff010", "7")
                                      .exit(6)
                                      .fault(5, "7ff010", "7")
                                      .exit(5)
                                      .translated();
  EXPECT_EQ(translation.processes, 2);
  EXPECT_EQ(differences(translation), 0);
  expect_equal(translation);
}

TEST(Translate, FaultAroundIsAReadBefore) {
  const Translation translation = Story()
                                      .exec(5)
                                      .fault(5, "401000", "4")
                                      .fault(5, "402000", "7")
                                      .exit(5)
                                      .translated();
  EXPECT_EQ(translation.count(Difference::kFaultAround), 1);
  expect_equal(translation);
}

TEST(Translate, WhatForkLeavesIsAReadWithoutAFault) {
  const Translation translation = Story()
                                      .exec(5)
                                      .fault(5, "401000", "4")
                                      .fault(5, "7ff008", "6")
                                      .fork(6, 5)
                                      .fault(6, "7ff010", "7")
                                      .fault(6, "401000", "4")
                                      .exit(6)
                                      .exit(5)
                                      .translated();
  EXPECT_EQ(translation.count(Difference::kForkLeaves), 1);
  expect_equal(translation);
}

TEST(Translate, AChildThatRunsNothingBeforeExecSharesTheMemory) {
  const Translation translation = Story()
                                      .exec(5)
                                      .fault(5, "7ff008", "6")
                                      .fork(6, 5)
                                      .fault(6, "800008", "6")
                                      .exec(6)
                                      .exit(6)
                                      .exit(5)
                                      .translated();
  EXPECT_EQ(translation.count(Difference::kVfork), 1);
  EXPECT_NE(program::print(translation.program).find("p1 = clone p0"),
            std::string::npos);
  expect_equal(translation);
}

TEST(Translate, APresentPteThatNothingMadeIsUnexplained) {
  const Translation translation =
      Story().exec(5).fault(5, "7ff008", "7").exit(5).translated();
  EXPECT_EQ(translation.unexplained,
            std::vector<std::string>{"4: a pte at 0x7ff008 that nothing has made"});
  EXPECT_EQ(compare(translation).unexplained.size(), 1u);
}

TEST(Translate, AMissingPteThatWasMadeIsUnexplained) {
  const Translation translation = Story()
                                      .exec(5)
                                      .fault(5, "7ff008", "6")
                                      .fault(5, "7ff010", "6")
                                      .exit(5)
                                      .translated();
  EXPECT_EQ(translation.unexplained,
            std::vector<std::string>{"5: no pte at 0x7ff010, where one was made"});
  EXPECT_EQ(compare(translation).unexplained.size(), 1u);
}

TEST(Translate, CallsAreComparedWithTheRecordedVma) {
  Story story;
  story.exec(5)
      .enter(5,
             "mmap: addr: 0x0, len: 0x1800, prot: 0x3, flags: 0x22, fd: 0x0, off: 0x0")
      .vma(5, "0x900000(0x2000) @ 0x900000 0 0 0]: rw-p //anon")
      .leave(5, "mmap: 0x900000")
      .enter(5, "mprotect: start: 0x901000, len: 0x1000, prot: 0x1")
      .vma(5, "0x901000(0x1000) @ 0x901000 0 0 0]: r--p //anon")
      .leave(5, "mprotect: 0x0")
      .enter(5, "munmap: addr: 0x900000, len: 0x1000")
      .leave(5, "munmap: 0x0")
      .enter(5, "brk: brk: 0x0")
      .leave(5, "brk: 0xa00000")
      .enter(5, "brk: brk: 0xa03000")
      .vma(5, "0xa00000(0x3000) @ 0xa00000 0 0 0]: rw-p [heap]")
      .leave(5, "brk: 0xa03000")
      .enter(5, "brk: brk: 0xa01000")
      .leave(5, "brk: 0xa01000")
      .exit(5);
  const Translation translation = story.translated();
  EXPECT_EQ(translation.equal_vmas, 3);
  EXPECT_EQ(translation.vmas.size(), 6u);
  EXPECT_EQ(differences(translation), 0);
  expect_equal(translation);
}

TEST(Translate, AVmaThatTheCallsDoNotMakeIsUnexplained) {
  const Translation translation =
      Story()
          .exec(5)
          .enter(
              5,
              "mmap: addr: 0x0, len: 0x1000, prot: 0x3, flags: 0x22, fd: 0x0, off: 0x0")
          .vma(5, "0x900000(0x2000) @ 0x900000 0 0 0]: rw-p //anon")
          .leave(5, "mmap: 0x900000")
          .exit(5)
          .translated();
  EXPECT_EQ(translation.unexplained.size(), 1u);
}

TEST(Translate, MremapTakesThePagesAlong) {
  const Translation translation =
      Story()
          .exec(5)
          .enter(
              5,
              "mmap: addr: 0x0, len: 0x2000, prot: 0x3, flags: 0x22, fd: 0x0, off: 0x0")
          .vma(5, "0x900000(0x2000) @ 0x900000 0 0 0]: rw-p //anon")
          .leave(5, "mmap: 0x900000")
          .fault(5, "900000", "6")
          .enter(
              5,
              "mremap: addr: 0x900000, old_len: 0x2000, new_len: 0x4000, flags: 0x1, "
              "new_addr: 0x0")
          .leave(5, "mremap: 0xb00000")
          .fault(5, "b01000", "6")
          .exit(5)
          .translated();
  EXPECT_EQ(differences(translation), 0);
  const std::string text = program::print(translation.program);
  EXPECT_NE(text.find("mremap_over_at p0 0x900000 2 4 0xb00000 -> ok"),
            std::string::npos)
      << text;
  EXPECT_EQ(translation.faults.size(), 2u) << "nothing is touched again";
  expect_equal(translation);
}

TEST(Translate, MremapWhereItIsKeepsThePages) {
  const Translation translation =
      Story()
          .exec(5)
          .enter(
              5,
              "mmap: addr: 0x0, len: 0x2000, prot: 0x3, flags: 0x22, fd: 0x0, off: 0x0")
          .vma(5, "0x900000(0x2000) @ 0x900000 0 0 0]: rw-p //anon")
          .leave(5, "mmap: 0x900000")
          .fault(5, "900000", "6")
          .enter(
              5,
              "mremap: addr: 0x900000, old_len: 0x2000, new_len: 0x4000, flags: 0x1, "
              "new_addr: 0x0")
          .leave(5, "mremap: 0x900000")
          .fault(5, "903000", "6")
          .enter(
              5,
              "mremap: addr: 0x900000, old_len: 0x4000, new_len: 0x1000, flags: 0x1, "
              "new_addr: 0x0")
          .leave(5, "mremap: 0x900000")
          .fault(5, "901000", "6")
          .exit(5)
          .translated();
  EXPECT_EQ(differences(translation), 0);
  EXPECT_EQ(translation.vmas.back().areas.back().range,
            (VirtRange{0x900000, 0x901000}));
  expect_equal(translation);
}

TEST(Translate, AnOldPlaceThatStaysMappedIsUnexplained) {
  const Translation translation =
      Story()
          .exec(5)
          .enter(
              5,
              "mmap: addr: 0x0, len: 0x2000, prot: 0x3, flags: 0x22, fd: 0x0, off: 0x0")
          .leave(5, "mmap: 0x900000")
          .enter(
              5,
              "mremap: addr: 0x900000, old_len: 0x2000, new_len: 0x2000, flags: 0x5, "
              "new_addr: 0x0")
          .leave(5, "mremap: 0xb00000")
          .exit(5)
          .translated();
  EXPECT_EQ(translation.unexplained.size(), 1u);
}

TEST(Translate, ASharedFileIsShared) {
  const Translation translation =
      Story()
          .exec(5)
          .enter(
              5,
              "mmap: addr: 0x0, len: 0x2000, prot: 0x3, flags: 0x1, fd: 0x3, off: 0x0")
          .vma(5, "0x900000(0x2000) @ 0 fe:00 8 0]: rw-s /tmp/db")
          .leave(5, "mmap: 0x900000")
          .fault(5, "900000", "6")
          .fork(6, 5)
          .fault(6, "901000", "6")
          .exit(6)
          .exit(5)
          .translated();
  EXPECT_NE(program::print(translation.program).find("mmap_file_shared_at p0 0x900000"),
            std::string::npos);
  expect_equal(translation);
}

TEST(Translate, AFaultOutsideOfEveryVmaKills) {
  const Translation translation =
      Story().exec(5).fault(5, "100", "4").exit(5).translated();
  EXPECT_NE(
      program::print(translation.program).find("read_at p0 0x100 -> segv fault 0x4"),
      std::string::npos);
  expect_equal(translation);
}

TEST(Translate, WhatIsMissingFromTheRecordingIsNamed) {
  const Translation translation =
      Story()
          .exec(5)
          .leave(5, "munmap: 0x0")
          .enter(5, "madvise: start: 0x0, len_in: 0x0, behavior: 0x4")
          .leave(5, "madvise: 0x0")
          .enter(5, "munmap: addr: 0x1, len: 0x1")
          .leave(5, "munmap: 0xffffffffffffffea")
          .translated();
  EXPECT_EQ(translation.count(Difference::kUnfinished), 1);
  EXPECT_EQ(translation.count(Difference::kNotPlayed), 1);
  EXPECT_EQ(translation.count(Difference::kFailedCall), 1);
  EXPECT_EQ(translation.count(Difference::kStillRunning), 1);
  expect_equal(translation);
}

}  // namespace
}  // namespace racier::repro
