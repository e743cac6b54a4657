// repro/recording_test.cc - recordings, line by line.
#include "repro/recording.h"

#include <gtest/gtest.h>

#include "core/objects/vma.h"

namespace racier::repro {
namespace {

constexpr const char* kWho = "    bash 10/11 [001]  2974.274729: ";

Event only_event(const std::string& text) {
  const Recording recording = parse_recording(kWho + text + "\n");
  return recording.events.at(0);
}

std::string complaint(const std::string& text) {
  try {
    parse_recording(text);
  } catch (const BadRecording& bad) {
    return std::to_string(bad.line) + ":" + std::to_string(bad.column) + ": " +
           bad.expected;
  }
  return "";
}

TEST(Recording, AForkIsAnEventOfTheChild) {
  const Event event = only_event("PERF_RECORD_FORK(30:31):(10:10)");
  EXPECT_EQ(event.pid, 30);
  EXPECT_EQ(event.tid, 31);
  EXPECT_EQ(std::get<ForkEvent>(event.what).parent_pid, 10);
}

TEST(Recording, AVmaHasRangeOffsetAccessAndFile) {
  const Event event = only_event(
      "PERF_RECORD_MMAP2 10/11: [0x7000(0x2000) @ 0x3000 fe:00 247101 0]: r-xs /bin/a "
      "b");
  const auto& map = std::get<MapEvent>(event.what);
  EXPECT_EQ(map.range, (VirtRange{0x7000, 0x9000}));
  EXPECT_EQ(map.offset, 0x3000u);
  EXPECT_EQ(map.access, kVmRead | kVmExec);
  EXPECT_TRUE(map.shared);
  EXPECT_EQ(map.file, "/bin/a b");
}

TEST(Recording, AFaultHasAddressAndErrorCode) {
  for (const char* const kind : {"user", "kernel"}) {
    const Event event =
        only_event(std::string("exceptions:page_fault_") + kind +
                   ": address=0x7f5030807018 ip=_copy_to_user error_code=0x7");
    EXPECT_EQ(std::get<FaultEvent>(event.what).addr, 0x7f5030807018u);
    EXPECT_EQ(std::get<FaultEvent>(event.what).error_code, 7u);
  }
}

TEST(Recording, ACallHasArgumentsAndAResult) {
  const Event enter =
      only_event("syscalls:sys_enter_mprotect: start: 0x7000, len: 0x1000, prot: 0x1");
  EXPECT_EQ(std::get<EnterEvent>(enter.what).call, SystemCall::kMprotect);
  EXPECT_EQ(std::get<EnterEvent>(enter.what).arguments,
            (std::vector<std::uint64_t>{0x7000, 0x1000, 1}));
  const Event result = only_event("syscalls:sys_exit_mprotect: 0x0");
  EXPECT_FALSE(std::get<ReturnEvent>(result.what).failed());
  const Event failed = only_event("syscalls:sys_exit_mmap: 0xfffffffffffffff4");
  EXPECT_TRUE(std::get<ReturnEvent>(failed.what).failed());
}

TEST(Recording, WhatIsNotOfMemoryIsCountedByName) {
  const Recording recording = parse_recording(
      std::string(kWho) + "sched:sched_switch: x\n" + kWho +
      "PERF_RECORD_COMM: bash:10/11\n" + kWho + "PERF_RECORD_COMM exec: bash:10/11\n");
  EXPECT_EQ(recording.events.size(), 1u);
  EXPECT_EQ(recording.ignored.at("sched:sched_switch"), 1);
}

TEST(Recording, ACommandMayHaveBlanks) {
  const Recording recording = parse_recording(
      "  Web Content  10/11 [001]  2.5: PERF_RECORD_EXIT(10:11):(1:1)\n");
  EXPECT_EQ(recording.events.at(0).tid, 11);
}

TEST(Recording, AMistakeHasLineAndColumn) {
  const std::string who = kWho;
  EXPECT_EQ(complaint(""), "1:1: a line of perf script, not an empty file");
  EXPECT_EQ(complaint("PERFILE2 \x01"),
            "1:1: the text that perf script prints, not perf.data itself");
  EXPECT_EQ(complaint("no recording\n"),
            "1:1: a line of perf script: command pid/tid [cpu] time: event");
  EXPECT_EQ(complaint(who + "PERF_RECORD_EXIT(10:11):(1:1)"),
            "1:65: the end of the line: the recording is cut off");
  EXPECT_EQ(complaint("\n" + who + "exceptions:page_fault_user: address=x ip=0\n"),
            "2:72: an address");
  EXPECT_EQ(
      complaint(who + "PERF_RECORD_MMAP2 1/1: [0x7000(0x10) @ 0 0 0 0]: r--p /a\n"),
      "1:71: a range of pages of user space");
  EXPECT_EQ(complaint("\n\n"), "3:1: a page fault, a memory system call or a process");
}

}  // namespace
}  // namespace racier::repro
