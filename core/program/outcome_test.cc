// core/program/outcome_test.cc
#include "core/program/outcome.h"

#include <gtest/gtest.h>

#include <vector>

namespace racier::program {
namespace {

using What = Expected::What;
using Fault = Expected::Fault;

Outcome faulted(Outcome outcome, std::uint32_t error_code) {
  outcome.faulted = true;
  outcome.error_code = error_code;
  return outcome;
}

TEST(Outcome, ReadsAsItStandsInAProgram) {
  EXPECT_EQ(Outcome().str(), "not run");
  EXPECT_EQ(Outcome::skipped().str(), "skipped");
  EXPECT_EQ(Outcome::of(Status::kNoMemory).str(), "nomem");
  EXPECT_EQ(Outcome::of_value(7).str(), "7");
  EXPECT_EQ(Outcome::of_value(0x10000000001).str(), "0x10000000001");
  EXPECT_EQ(faulted(Outcome::of_value(0), 4).str(), "0 fault 0x4");
  EXPECT_EQ(faulted(Outcome::of(Status::kFault), 6).str(), "segv fault 0x6");
}

TEST(Outcome, OfAnAccessTellsItsFirstFault) {
  const UserResult result{Status::kOk, 42, 2, 6};
  EXPECT_EQ(Outcome::of(result), faulted(Outcome::of_value(42), 6));
  const UserResult killed{Status::kBusError, 42, 1, 4};
  EXPECT_EQ(Outcome::of(killed), faulted(Outcome::of(Status::kBusError), 4));
}

TEST(Expected, EveryStatusHasAWordOfItsOwn) {
  for (int i = 0; i <= static_cast<int>(Status::kIo); ++i) {
    const auto status = static_cast<Status>(i);
    EXPECT_EQ(find_status(status_word(status)), status) << status_word(status);
  }
  EXPECT_EQ(find_status("fault"), std::nullopt) << "a page fault is no status";
}

struct Row {
  Expected expected;
  Outcome outcome;
  bool met;
};

TEST(Expected, IsMetByWhatItSpeaksOf) {
  const Expected ok{.what = What::kStatus};
  const Expected nomem{.what = What::kStatus, .status = Status::kNoMemory};
  const Expected seven{.what = What::kValue, .value = 7};
  const Expected skipped{.what = What::kSkipped};
  const Expected fault{.fault = Fault::kCode, .error_code = 6};
  const Expected no_fault{.what = What::kStatus, .fault = Fault::kNone};
  const std::vector<Row> rows = {
      {ok, Outcome::of(Status::kOk), true},
      {ok, Outcome::of_value(7), true},
      {ok, Outcome::skipped(), false},
      {ok, Outcome::of(Status::kNoMemory), false},
      {nomem, Outcome::of(Status::kNoMemory), true},
      {nomem, Outcome::of_value(0), false},
      {seven, Outcome::of_value(7), true},
      {seven, Outcome::of_value(8), false},
      {skipped, Outcome::skipped(), true},
      {skipped, Outcome::of(Status::kOk), false},
      {fault, faulted(Outcome::of_value(1), 6), true},
      {fault, faulted(Outcome::of_value(1), 4), false},
      {fault, Outcome::of_value(1), false},
      {no_fault, Outcome::of_value(1), true},
      {no_fault, faulted(Outcome::of_value(1), 4), false},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(row.expected.met_by(row.outcome), row.met)
        << row.expected.str() << " by " << row.outcome.str();
    EXPECT_TRUE(row.expected.rewritten(row.outcome).met_by(row.outcome))
        << row.expected.str() << " by " << row.outcome.str();
  }
}

TEST(Expected, KeepsItsShapeWhenRewritten) {
  const Expected value{.what = What::kValue, .value = 7};
  EXPECT_EQ(value.rewritten(faulted(Outcome::of_value(8), 6)).str(), "8");
  EXPECT_EQ(value.rewritten(Outcome::of(Status::kFault)).str(), "segv");
  const Expected fault{.fault = Fault::kCode, .error_code = 6};
  EXPECT_EQ(fault.rewritten(faulted(Outcome::of_value(8), 4)).str(), "fault 0x4");
  EXPECT_EQ(fault.rewritten(Outcome::of_value(8)).str(), "nofault");
}

}  // namespace
}  // namespace racier::program
