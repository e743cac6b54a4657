// stress/value_audit_test.cc - tests of value_audit.h: programs run on fibers, then
// loads are falsified.
#include "stress/value_audit.h"

#include <gtest/gtest.h>

#include "core/check/values.h"
#include "core/program/parse.h"
#include "core/program/runner.h"
#include "core/runtime/fiber_runtime.h"

namespace racier::stress {
namespace {

// Numbers of calls:
constexpr const char* kText = R"(setup
  p0 = process
  m0 = mmap p0 4 rw private
  m1 = mmap p0 4 rw shared
  write p0 m0 0 0
  write p0 m0 1 0
  write p0 m0 0 1
  p1 = fork p0
  p2 = clone p1
  write p1 m0 0 0
  write p2 m1 0 0
  read p0 m0 0 0
  read p1 m0 0 0
  read p2 m0 1 0
  read p0 m1 0 0
task A
  read p0 m0 0 0
  write p0 m0 0 0
task B
  read p1 m0 3 3
  write p0 m0 2 0
  m2 = mremap p0 m0 2 1 2 may_move
  m3 = mremap p0 m1 2 1 2 may_move
  read p0 m2 0 0
  read p0 m2 1 0
  write p1 m1 2 0
  read p0 m3 0 0
  write p0 m3 0 1
  read p1 m1 2 1
  read p1 m0 2 0
  p3 = kthread
  aio_read p1 m0 0 5
  aio_run p3
  p4 = vfork p1
  read p4 m0 0 5
)";
constexpr std::size_t kStoreOfParent = 3, kStoreToOtherPage = 4, kStoreToOtherWord = 5;
constexpr std::size_t kStoreOfChild = 8, kLoadOfParent = 10, kLoadOfTwin = 12;
constexpr std::size_t kLoadInTask = 14, kLaterStore = 15;
constexpr std::size_t kStoreBeforeMove = 17, kLoadOfMoved = 20, kLoadBehindIt = 21;
constexpr std::size_t kStoreOfSharer = 22, kLoadOfMovedShared = 23;
constexpr std::size_t kMove = 18, kLoadWhereItCame = 26;
constexpr std::size_t kStoreWhereItIs = 24, kLoadWhereItWas = 25;
constexpr std::size_t kStoreOfThread = 28, kLoadWhereItStored = 31;

class ValueAudit : public testing::Test {
 protected:
  ValueAudit() : program_(*program::parse(kText).program) {
    FiberRuntime alone, runtime;
    program::Runner runner(alone);
    const auto& result = runner.run(program_, runtime, {});
    EXPECT_FALSE(result.finding);
    outcomes_ = result.outcomes;
  }
  // What is said if load number `load` had returned `value`.
  std::string if_returned(std::size_t load, std::uint64_t value) {
    auto outcomes = outcomes_;
    outcomes[load].value = value;
    const auto finding = audit_values(program_, outcomes);
    return finding ? finding->detail : "";
  }
  std::string if_it_had(std::size_t load, std::size_t store) {
    return if_returned(load, outcomes_[store].value);
  }
  program::Program program_;
  std::vector<program::Outcome> outcomes_;
};

bool says(const std::string& detail, const char* words) {
  return detail.find(words) != detail.npos;
}

TEST_F(ValueAudit, BelievesWhatIsTrue) {
  EXPECT_EQ(audit_values(program_, outcomes_), std::nullopt);
  EXPECT_EQ(if_it_had(kLoadOfParent, kStoreOfParent), "");
  EXPECT_EQ(if_returned(kLoadOfParent, 0), "") << "a lost store is not seen";
}

TEST_F(ValueAudit, SeesBytesOfOthers) {
  EXPECT_TRUE(says(if_it_had(kLoadOfParent, kStoreToOtherPage), "to another address"));
  EXPECT_TRUE(says(if_it_had(kLoadOfParent, kStoreToOtherWord), "to another address"));
  EXPECT_TRUE(says(if_it_had(kLoadOfParent, kStoreOfChild), "no ancestor"));
  EXPECT_TRUE(says(if_it_had(kLoadInTask, kLaterStore), "later in the same task"));
  EXPECT_TRUE(says(if_it_had(kLoadOfTwin, kStoreOfChild), "to another address"));
}

TEST_F(ValueAudit, KnowsWhoAskedAThreadToStore) {
  EXPECT_EQ(outcomes_[kLoadWhereItStored], outcomes_[kStoreOfThread]);
  EXPECT_EQ(if_it_had(kLoadWhereItStored, kStoreOfThread), "");
  EXPECT_TRUE(says(if_it_had(kLoadWhereItStored, kStoreOfParent), "another address"));
  EXPECT_TRUE(says(if_it_had(kLoadOfTwin, kStoreOfThread), "to another address"));
}

TEST_F(ValueAudit, FollowsWhatMoved) {
  EXPECT_EQ(if_it_had(kLoadOfMoved, kStoreBeforeMove), "");
  EXPECT_TRUE(says(if_it_had(kLoadBehindIt, kStoreBeforeMove), "to another address"));
  EXPECT_TRUE(says(if_it_had(kLoadOfMoved, kStoreOfParent), "to another address"));
  EXPECT_EQ(if_it_had(kLoadOfMovedShared, kStoreOfSharer), "");
  EXPECT_EQ(if_it_had(kLoadWhereItWas, kStoreWhereItIs), "");
  EXPECT_TRUE(says(if_it_had(kLoadOfMovedShared, kStoreBeforeMove), "another address"));
}

// Out of memory half-way: it moved pages to where no outcome tells, and back.
TEST_F(ValueAudit, FollowsWhatMovedAndCameBack) {
  EXPECT_TRUE(says(if_it_had(kLoadWhereItCame, kStoreOfParent), "to another address"));
  outcomes_[kMove].kind = program::Outcome::Kind::kDone;
  outcomes_[kMove].status = Status::kNoMemory;
  EXPECT_EQ(if_it_had(kLoadWhereItCame, kStoreOfParent), "");
  EXPECT_TRUE(says(if_it_had(kLoadOfParent, kStoreToOtherPage), "to another address"));
}

// What grows shows the file's next pages, wherever they were mapped before.
TEST(ValueAuditOfShared, KnowsThatAMovedPageGrowsByItsPlaceInTheFile) {
  const program::Program program = *program::parse(R"(setup
  p0 = process
  m0 = mmap p0 8 rw shared
  m1 = mmap p0 8 rw shared
  p1 = fork p0
  m2 = mmap p1 4 rw private
  m3 = mremap_over p1 m0 5 1 1 m0 0
  m4 = mremap_over p1 m0 0 1 3 m2 0
  write p1 m4 1 0
  write p1 m1 1 0
task A
  read p0 m0 6 0
  read p0 m1 6 0
)").program;
  constexpr std::size_t kStoreWhereItGrew = 7, kStoreToOther = 8;
  constexpr std::size_t kLoadWhereItWas = 9, kLoadOfOther = 10;
  FiberRuntime alone, runtime;
  program::Runner runner(alone);
  const auto& result = runner.run(program, runtime, {});
  EXPECT_FALSE(result.finding);
  EXPECT_EQ(result.outcomes[kLoadWhereItWas].value,
            result.outcomes[kStoreWhereItGrew].value);
  EXPECT_EQ(audit_values(program, result.outcomes), std::nullopt);
  auto outcomes = result.outcomes;
  outcomes[kLoadOfOther].value = outcomes[kStoreToOther].value;
  EXPECT_TRUE(audit_values(program, outcomes)) << "it has not grown";
}

TEST_F(ValueAudit, SeesBytesOfNobody) {
  EXPECT_TRUE(
      says(if_returned(kLoadOfParent, check::value_of({1, 0, 0})), "no call stored"));
  EXPECT_TRUE(says(if_returned(kLoadOfParent, 0xaaaaaaaaaaaaaa), "no call stored"));
  EXPECT_TRUE(
      says(if_returned(kLoadOfParent, outcomes_[kStoreOfParent].value + (1ull << 40)),
           "stored something else"));
}

}  // namespace
}  // namespace racier::stress
