// repro/known_sizes_test.cc - what is known of bugs' sizes.
#include "repro/known_sizes.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "core/base/bug.h"
#include "repro/files.h"

namespace racier::repro {
namespace {

struct KnownSizesFile : testing::Test {
  ~KnownSizesFile() override { std::filesystem::remove(path); }
  std::vector<KnownSize> read(const std::string& text) {
    std::ofstream(path) << text;
    return read_known_sizes(path);
  }
  const std::string path =
      testing::TempDir() + "known_sizes_" + std::to_string(::getpid());
};

TEST_F(KnownSizesFile, ALineHasTheNumbersAndPerhapsAReason) {
  const auto list = read("# a comment\n\nB07 2 1\nB63 1 0: it has a signal\n");
  ASSERT_EQ(list.size(), 2u);
  EXPECT_EQ(list[0], (KnownSize{"B07", 2, 1, ""}));
  EXPECT_EQ(known_size_of("B63", list)->reason, "it has a signal");
  EXPECT_FALSE(known_size_of("B63b", list));
}

TEST_F(KnownSizesFile, ALineThatIsNoneIsAnError) {
  EXPECT_THROW(read("B07 2\n"), BadInput);
  EXPECT_THROW(read("B07 2 1 3\n"), BadInput);
  EXPECT_THROW(read("B07 0 1\n"), BadInput);
}

TEST(KnownSize, HoldsTwiceAsMuch) {
  const KnownSize size{"B07", 2, 1, ""};
  EXPECT_TRUE(size.holds({.tasks = 4, .calls = 90, .switches = 9, .preemptions = 2}));
  EXPECT_FALSE(size.holds({.tasks = 5, .calls = 3, .switches = 1, .preemptions = 1}));
  EXPECT_FALSE(size.holds({.tasks = 2, .calls = 3, .switches = 3, .preemptions = 3}));
}

// Each is of a row, and of no row twice.
TEST(KnownSize, ThoseThatAreReadAreOfRows) {
  const auto list = read_known_sizes(RACIER_SOURCE_DIR "/repro/sizes.txt");
  EXPECT_GT(list.size(), 50u);
  for (const KnownSize& size : list) {
    EXPECT_TRUE(bug::find(size.id)) << size.id;
    EXPECT_EQ(known_size_of(size.id, list), size) << "twice: " << size.id;
  }
}

}  // namespace
}  // namespace racier::repro
