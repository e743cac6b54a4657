// stress/finding_store_test.cc - tests of finding_store.h.
#include "stress/finding_store.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "stress/finding_text.h"
#include "stress/whole_file.h"

namespace racier::stress {
namespace {

namespace fs = std::filesystem;

class FindingStoreTest : public testing::Test {
 protected:
  FindingStoreTest() {
    EXPECT_EQ(prepare_folder(folder_), "");
    EXPECT_EQ(store_.open(folder_), "");
  }
  ~FindingStoreTest() override { fs::remove_all(folder_); }

  static Found found(const std::string& title, std::uint64_t count = 1) {
    Found found;
    found.kind = "rmap";
    found.title = title;
    found.count = count;
    found.program = "task A\n";
    found.report = "what was said\n";
    found.replay = "racier repro run x\n";
    return found;
  }
  // Adds it; returns whether it was new.
  bool add(const Found& found, std::uint64_t job, const std::string& cell = "fuzz") {
    bool is_new = false;
    EXPECT_EQ(store_.add(found, {job, cell}, is_new), "");
    return is_new;
  }
  // What somebody finds who opens the folder later.
  StoredFinding stored(const Found& found) {
    FindingStore other;
    EXPECT_EQ(other.open(folder_), "");
    return other.findings().at(found.slug());
  }
  std::string text(const Found& found, const char* name) const {
    return read_whole(store_.folder_of(found.slug()) / name).value_or("none");
  }

  const fs::path folder_ =
      fs::path(testing::TempDir()) / ("finding_store." + std::to_string(::getpid()));
  FindingStore store_;
};

TEST_F(FindingStoreTest, KeepsWhatIsKnown) {
  const Found one = found("one bug", 3);
  EXPECT_TRUE(add(one, 7, "stress"));
  EXPECT_EQ(text(one, "program.racier"), one.program);
  EXPECT_EQ(text(one, "report.txt"), one.report);
  EXPECT_EQ(text(one, "how-to-replay.txt"), one.replay);
  EXPECT_EQ(text(one, "input"), "none") << "no file of nothing";
  const StoredFinding later = stored(one);
  EXPECT_EQ(later.kind, "rmap");
  EXPECT_EQ(later.title, "one bug");
  EXPECT_EQ(later.count, 3u);
  EXPECT_EQ(later.first_cell, "stress");
  EXPECT_EQ(later.last_job, 7u);
  EXPECT_EQ(later.replays, "");
}

TEST_F(FindingStoreTest, OneFolderForEachSignature) {
  EXPECT_TRUE(add(found("one bug"), 1));
  EXPECT_TRUE(add(found("another"), 1));
  EXPECT_FALSE(add(found("one bug"), 2));
  EXPECT_EQ(store_.findings().size(), 2u);
}

TEST_F(FindingStoreTest, CountsByCellAndKeepsTheFirst) {
  const Found one = found("one bug", 2);
  add(one, 1, "fuzz");
  Found again = one;
  again.program = "task B\n";
  add(again, 2, "stress");
  const StoredFinding later = stored(one);
  EXPECT_EQ(later.count, 4u);
  EXPECT_EQ(later.cells,
            (std::map<std::string, std::uint64_t>{{"fuzz", 2}, {"stress", 2}}));
  EXPECT_EQ(later.first_cell, "fuzz");
  EXPECT_EQ(text(one, "program.racier"), one.program);
}

// A campaign that is killed in the middle of a harvest does it again.
TEST_F(FindingStoreTest, AJobThatIsToldOfTwiceCountsOnce) {
  const Found one = found("one bug", 5);
  add(one, 1);
  EXPECT_FALSE(add(one, 1));
  EXPECT_EQ(stored(one).count, 5u);
}

TEST_F(FindingStoreTest, NotesAReplayOnce) {
  const Found one = found("one bug");
  add(one, 1);
  EXPECT_EQ(store_.note_replay(one.slug(), "exit code 1"), "");
  EXPECT_EQ(store_.note_replay(one.slug(), "the same finding"), "");
  EXPECT_EQ(text(one, "how-to-replay.txt"),
            one.replay + "# racier repro run: the same finding\n");
  EXPECT_EQ(stored(one).replays, "the same finding");
}

TEST_F(FindingStoreTest, TidiesUpWhatIsHalfDone) {
  fs::create_directories(folder_ / ".new-rmap-1");
  fs::create_directories(folder_ / "notes of a person");
  FindingStore later;
  EXPECT_EQ(later.open(folder_), "");
  EXPECT_TRUE(later.findings().empty());
  EXPECT_FALSE(fs::exists(folder_ / ".new-rmap-1"));
  EXPECT_TRUE(fs::exists(folder_ / "notes of a person"));
}

TEST_F(FindingStoreTest, SaysWhatIsWrong) {
  const Found one = found("one bug");
  add(one, 1);
  EXPECT_EQ(write_whole(folder_ / one.slug() / "meta.json", "{}"), "");
  FindingStore later;
  EXPECT_NE(later.open(folder_).find("meta.json: "), std::string::npos);
  EXPECT_NE(later.open(folder_ / "nowhere").find("cannot read "), std::string::npos);
  // Nothing can be put where a file is.
  FindingStore full;
  EXPECT_NE(full.open(folder_ / one.slug() / "report.txt"), "");
  bool is_new = false;
  EXPECT_NE(full.add(found("another"), {1, "fuzz"}, is_new), "");
  EXPECT_TRUE(full.findings().empty());
}

// Titles come from logs, which may hold anything.
TEST_F(FindingStoreTest, ATitleMayBeAnyBytes) {
  const Found odd = found("odd \xff \" bytes");
  add(odd, 1);
  EXPECT_EQ(store_.findings().at(odd.slug()).title, odd.title);
  EXPECT_EQ(stored(odd).count, 1u);
}

}  // namespace
}  // namespace racier::stress
