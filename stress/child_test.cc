// stress/child_test.cc - tests of child.h.
#include "stress/child.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <memory>

#include "stress/whole_file.h"

namespace racier::stress {
namespace {

namespace fs = std::filesystem;

class ChildTest : public testing::Test {
 protected:
  ChildTest() { fs::create_directories(folder_); }
  ~ChildTest() override { fs::remove_all(folder_); }

  // Starts a script.
  std::unique_ptr<Child> shell(const std::string& script) {
    return std::make_unique<Child>(std::vector<std::string>{"/bin/sh", "-c", script},
                                   folder_, log_);
  }
  // Waits for its end, but not for ever.
  static bool ends(Child& child) {
    pollfd end{child.poll_fd(), POLLIN, 0};
    return ::poll(&end, 1, kPatience) == 1 && child.ended();
  }
  std::string log() const { return read_whole(log_).value_or("none"); }
  // Waits until a script has said something.
  void hear(const std::string& word) const {
    while (log().find(word) == std::string::npos) ::poll(nullptr, 0, 1);
  }

  static constexpr int kPatience = 30000;  // milliseconds

  const fs::path folder_ =
      fs::path(testing::TempDir()) / ("child_test." + std::to_string(::getpid()));
  const fs::path log_ = folder_ / "log";
};

TEST_F(ChildTest, RunsInItsFolderAndWritesToItsLog) {
  const auto child = shell("pwd; echo complaint >&2; cat; exit 5");
  ASSERT_TRUE(ends(*child));
  EXPECT_EQ(child->end().exit_code, 5);
  EXPECT_EQ(child->end().signal, 0);
  EXPECT_FALSE(child->end().hung);
  EXPECT_EQ(log(), fs::canonical(folder_).string() + "\ncomplaint\n");
}

TEST_F(ChildTest, WhatCannotBeStartedSaysWhy) {
  Child child({"/nowhere/program"}, folder_, log_);
  ASSERT_TRUE(ends(child));
  EXPECT_EQ(child.end().exit_code, 127);
  EXPECT_EQ(log(), "cannot start /nowhere/program: No such file or directory\n");
}

TEST_F(ChildTest, TellsWhichSignalKilledIt) {
  const auto child = shell("kill -SEGV $$");
  ASSERT_TRUE(ends(*child));
  EXPECT_EQ(child->end().signal, SIGSEGV);
  EXPECT_EQ(child->end().exit_code, 0);
  EXPECT_FALSE(child->end().as_asked());
}

TEST_F(ChildTest, EndsWhenAsked) {
  const auto child = shell("trap 'exit 3' TERM; echo ready; while :; do :; done");
  hear("ready");
  EXPECT_FALSE(child->ended());
  child->ask();
  ASSERT_TRUE(ends(*child));
  EXPECT_EQ(child->end().exit_code, 3);
  EXPECT_FALSE(child->end().as_asked()) << "it has its own word for it";
}

void ignore_by_a_handler(int) {}

// A signal that comes before the child has left its parent's handlers behind.
TEST_F(ChildTest, EndsWhenAskedAtOnce) {
  struct sigaction ours = {}, before = {};
  ours.sa_handler = ignore_by_a_handler;
  ::sigaction(SIGTERM, &ours, &before);
  constexpr int kTimes = 100;
  for (int i = 0; i < kTimes; ++i) {
    Child child({"/bin/sleep", "1000"}, folder_, log_);
    child.ask();
    ASSERT_TRUE(ends(child)) << "the " << i << "th has not heard";
    EXPECT_EQ(child.end().signal, SIGTERM);
    EXPECT_TRUE(child.end().as_asked());
  }
  ::sigaction(SIGTERM, &before, nullptr);
}

TEST_F(ChildTest, IsKilledWithAllThatItStarted) {
  const auto child = shell("trap '' TERM; sleep 1000 & echo $!; wait");
  hear("\n");
  const pid_t grandchild = std::stoi(log());
  pollfd its_end{static_cast<int>(::syscall(SYS_pidfd_open, grandchild, 0)), POLLIN, 0};
  ASSERT_GE(its_end.fd, 0);
  child->kill();
  ASSERT_TRUE(ends(*child));
  EXPECT_EQ(child->end().signal, SIGKILL);
  EXPECT_TRUE(child->end().hung);
  EXPECT_EQ(::poll(&its_end, 1, kPatience), 1);
  ::close(its_end.fd);
}

// Whoever hung before anybody asked has hung; whoever hung although it was asked was
// ended by us, in the middle of its time.
TEST_F(ChildTest, HungOfItsOwnOrAsAsked) {
  const auto hung = shell("sleep 1000");
  hung->kill();
  hung->ask();
  ASSERT_TRUE(ends(*hung));
  EXPECT_TRUE(hung->end().hung);
  EXPECT_FALSE(hung->end().as_asked());

  const auto stubborn = shell("trap '' TERM; echo deaf; sleep 1000");
  hear("deaf");
  stubborn->ask();
  stubborn->kill();
  ASSERT_TRUE(ends(*stubborn));
  EXPECT_TRUE(stubborn->end().hung);
  EXPECT_TRUE(stubborn->end().as_asked());
}

TEST_F(ChildTest, DoesNotOutliveItsObject) {
  pid_t pid = 0;
  {
    const auto child = shell("sleep 1000");
    pid = child->pid();
    EXPECT_EQ(::kill(pid, 0), 0);
  }
  EXPECT_EQ(::kill(pid, 0), -1);
}

}  // namespace
}  // namespace racier::stress
