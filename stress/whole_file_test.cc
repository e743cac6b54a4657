// stress/whole_file_test.cc - tests of whole_file.h.
#include "stress/whole_file.h"

#include <gtest/gtest.h>
#include <unistd.h>

namespace racier::stress {
namespace {

namespace fs = std::filesystem;

class WholeFile : public testing::Test {
 protected:
  WholeFile()
      : folder_(testing::TempDir() + "whole_file." + std::to_string(::getpid())) {
    EXPECT_EQ(prepare_folder(folder_), "");
  }
  ~WholeFile() override { fs::remove_all(folder_); }
  std::ptrdiff_t files() const {
    return std::distance(fs::directory_iterator(folder_), fs::directory_iterator());
  }
  const fs::path folder_;
};

TEST_F(WholeFile, ReplacesTheOldOne) {
  const fs::path file = folder_ / "a";
  EXPECT_EQ(write_whole(file, "one"), "");
  EXPECT_EQ(write_whole(file, "two"), "");
  EXPECT_EQ(read_whole(file), "two");
  EXPECT_EQ(files(), 1);
}

TEST_F(WholeFile, SaysWhyNot) {
  EXPECT_NE(write_whole(folder_ / "no" / "a", "x").find("cannot write"),
            std::string::npos);
  EXPECT_NE(prepare_folder("/proc/racier").find("/proc/racier"), std::string::npos);
  EXPECT_EQ(write_whole(folder_ / "a", "x"), "");
  EXPECT_NE(prepare_folder(folder_ / "a"), "");
  EXPECT_EQ(read_whole(folder_ / "b"), std::nullopt);
}

TEST_F(WholeFile, AFullDeviceIsToldAndLeftInPlace) {
  EXPECT_EQ(write_whole("/dev/full", "x"),
            "cannot write /dev/full: No space left on device");
  EXPECT_TRUE(fs::is_character_file("/dev/full"));
}

TEST_F(WholeFile, ALinkStaysALink) {
  EXPECT_EQ(write_whole(folder_ / "a", "one"), "");
  fs::create_symlink("a", folder_ / "link");
  EXPECT_EQ(write_whole(folder_ / "link", "two"), "");
  EXPECT_TRUE(fs::is_symlink(folder_ / "link"));
  EXPECT_EQ(read_whole(folder_ / "a"), "two");
}

}  // namespace
}  // namespace racier::stress
