#include "fuzz/seeds.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <iterator>

#include "core/program/bytes.h"
#include "fuzz/corpus_for_test.h"

namespace racier::fuzz {
namespace {

namespace fs = std::filesystem;

class Seeds : public testing::Test {
 protected:
  Seeds() {
    std::string name = fs::temp_directory_path() / "racier_test.XXXXXX";
    path_ = mkdtemp(name.data());
  }
  ~Seeds() override { fs::remove_all(path_); }

  void write(const fs::path& file, const std::string& text) const {
    fs::create_directories((path_ / file).parent_path());
    std::ofstream(path_ / file) << text;
  }
  std::vector<std::string> names(const fs::path& folder) const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(path_ / folder)) {
      names.push_back(entry.path().filename());
    }
    std::sort(names.begin(), names.end());
    return names;
  }
  using Names = std::vector<std::string>;

  fs::path path_;
};

TEST_F(Seeds, EveryProgramOfTheCorpusIsOne) {
  const fs::path corpus = RACIER_SOURCE_DIR "/corpus";
  ASSERT_EQ(make_seeds(path_ / "seeds", {corpus / "programs", corpus / "bugs"}), "");
  for (const char* folder : {"programs", "bugs"}) {
    for (const auto& seed : corpus_programs(folder)) {
      std::ifstream in(path_ / "seeds" / (std::string(folder) + "_" + seed.name));
      const std::vector<std::uint8_t> bytes{std::istreambuf_iterator<char>(in), {}};
      program::Program fitted = seed.program;
      program::fit(fitted);
      EXPECT_EQ(program::decode(bytes), fitted) << seed.name;
      EXPECT_TRUE(program::decode(bytes).bugs.empty());
    }
  }
}

TEST_F(Seeds, AFolderIsReplaced) {
  write("a/x.racier", "setup\n  p0 = process\n");
  write("a/deep/y.racier", "setup\n  p0 = process\n");
  write("a/notes.txt", "no program");
  write("b/z.racier", "");
  EXPECT_EQ(make_seeds(path_ / "seeds", {path_ / "a", path_ / "b", path_ / "c"}), "");
  EXPECT_EQ(names("seeds"), (Names{"a_x", "b_z", "deep_y"}));
  EXPECT_EQ(make_seeds(path_ / "seeds", {path_ / "b" / "z.racier"}), "");
  EXPECT_EQ(names("seeds"), (Names{"b_z"}));
  EXPECT_EQ(names("."), (Names{"a", "b", "seeds"}));
}

TEST_F(Seeds, ABadProgramChangesNothing) {
  write("a/x.racier", "setup\n  p0 = process\n");
  ASSERT_EQ(make_seeds(path_ / "seeds", {path_ / "a"}), "");
  write("a/y.racier", "setup\n  nonsense\n");
  const std::string error = make_seeds(path_ / "seeds", {path_ / "a"});
  EXPECT_TRUE(error.starts_with((path_ / "a" / "y.racier").string() + ":2:3: "))
      << error;
  EXPECT_EQ(names("seeds"), (Names{"a_x"}));
  EXPECT_EQ(names("."), (Names{"a", "seeds"}));
}

TEST_F(Seeds, AnUnwritableFolderIsSaid) {
  EXPECT_TRUE(make_seeds("/proc/racier", {}).starts_with("cannot "));
}

}  // namespace
}  // namespace racier::fuzz
