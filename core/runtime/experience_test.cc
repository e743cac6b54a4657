// core/runtime/experience_test.cc - what is kept of a run, and when it is told.
#include "core/runtime/experience.h"

#include <gtest/gtest.h>

#include "core/base/random.h"

namespace racier {
namespace {

int words[4000];

// A line of the program under test.
struct Line {
  Access access;
  std::source_location where;
};
Line read_here(std::source_location where = std::source_location::current()) {
  return {Access::kRead, where};
}
Line write_here(std::source_location where = std::source_location::current()) {
  return {Access::kWrite, where};
}
const Line kWrites = write_here();
const Line kWritesToo = write_here();
const Line kReads = read_here();

class ExperienceTest : public testing::Test {
 protected:
  ExperienceTest() { experience_.begin_run(); }

  void make(int task, const Line& line, int word) {
    const Step step{&words[word], line.access, std::memory_order_relaxed, line.where};
    Scene scene;
    scene.tasks = 3;
    scene.running = task;
    scene.runnable = 0b111;
    scene.pending[task] = &step;
    experience_.on_executed(scene, task, step);
  }
  void end_run() {
    experience_.next_execution();
    experience_.begin_run();
  }
  // Pairs that some run had.
  int pairs_seen() const {
    int seen = 0;
    for (const ReadsFromPair& pair : experience_.pairs()) seen += pair.seen > 0;
    return seen;
  }

  Experience experience_{Experience::Detail::kAll};
};

TEST_F(ExperienceTest, IsToldWhenTheRunIsOver) {
  make(0, kWrites, 1);
  make(1, kReads, 1);
  EXPECT_EQ(experience_.steps(), 0u);
  EXPECT_TRUE(experience_.pairs().empty());
  EXPECT_TRUE(experience_.shared_objects().empty());
  end_run();
  EXPECT_EQ(experience_.steps(), 2u);
  EXPECT_EQ(experience_.pairs().size(), 2u);  // it might have been the first value
  EXPECT_EQ(experience_.shared_objects().size(), 1u);
}

TEST_F(ExperienceTest, AnObjectIsSharedIfTasksTouchItAndOneWrites) {
  make(0, kWrites, 0);  // its own
  make(0, kReads, 1);
  make(1, kReads, 1);  // nobody writes
  make(0, kWrites, 2);
  make(2, kReads, 2);
  make(2, kReads, 2);
  end_run();
  ASSERT_EQ(experience_.shared_objects().size(), 1u);
  const SharedObject& shared = experience_.shared_objects()[0];
  EXPECT_EQ(shared.name[0], 3);  // the third that task 0 touched
  EXPECT_EQ(shared.name[1], 0);
  EXPECT_EQ(shared.name[2], 1);
  EXPECT_EQ(shared.steps[0], 1u);
  EXPECT_EQ(shared.steps[2], 2u);
  EXPECT_EQ(shared.all_steps, 3u);
}

TEST_F(ExperienceTest, APairIsOfLinesNotOfWords) {
  for (const int word : {1, 2, 3}) {
    make(0, kWrites, word);
    make(1, kReads, word);
  }
  end_run();
  EXPECT_EQ(experience_.pairs().size(), 2u);
  EXPECT_EQ(pairs_seen(), 1);
}

TEST_F(ExperienceTest, ARunIsNewIfAReadSawAnotherWrite) {
  make(0, kWrites, 1);
  make(1, kReads, 1);
  end_run();
  EXPECT_TRUE(experience_.was_new());
  make(0, kWrites, 1);
  make(1, kReads, 1);
  end_run();
  EXPECT_FALSE(experience_.was_new());
  make(1, kReads, 1);  // before the write
  make(0, kWrites, 1);
  end_run();
  EXPECT_TRUE(experience_.was_new());
}

TEST_F(ExperienceTest, WhatATaskReadsOfItsOwnIsNoPair) {
  make(0, kWrites, 1);
  make(0, kReads, 1);
  end_run();
  EXPECT_TRUE(experience_.pairs().empty());
}

TEST_F(ExperienceTest, PairsMayCombineWhatNeverMet) {
  make(1, kReads, 1);
  make(0, kWrites, 1);
  make(2, kWritesToo, 1);
  end_run();
  EXPECT_EQ(experience_.pairs().size(), 3u);  // either write, or none
}

TEST_F(ExperienceTest, ANameDoesNotDependOnAddresses) {
  Scene scene;
  const Step step{&words[7], Access::kRead, std::memory_order_relaxed, kReads.where};
  scene.tasks = 1;
  scene.pending[0] = &step;
  make(0, kWrites, 9);
  EXPECT_EQ(experience_.pending(scene, 0).name, 2);
  EXPECT_EQ(experience_.pending(scene, 0).object, 1u);
}

TEST_F(ExperienceTest, TablesGrowFromRunToRun) {
  const auto run = [&] {
    for (int word = 0; word < 4000; ++word) {
      make(0, kWrites, word);
      make(1, kReads, word);
    }
    end_run();
  };
  run();
  EXPECT_EQ(experience_.shared_objects().size(), 256u);  // the rest was forgotten
  for (int i = 0; i < 5; ++i) run();
  EXPECT_EQ(experience_.shared_objects().size(), 4000u);
  EXPECT_EQ(experience_.pairs().size(), 2u);
}

}  // namespace
}  // namespace racier
