// fuzz/corpus_for_test.h - the programs of corpus/, for tests.
#pragma once
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "core/program/parse.h"

namespace racier::fuzz {

struct CorpusProgram {
  std::string name;
  program::Program program;
};

// Returns the programs in a folder of corpus/, "programs" or "bugs", in order.
inline std::vector<CorpusProgram> corpus_programs(const std::string& folder) {
  std::vector<CorpusProgram> programs;
  const std::string path = RACIER_SOURCE_DIR "/corpus/" + folder;
  for (const auto& entry : std::filesystem::directory_iterator(path)) {
    std::ifstream in(entry.path());
    const program::Parsed parsed =
        program::parse(std::string(std::istreambuf_iterator<char>(in), {}));
    EXPECT_TRUE(parsed.program) << parsed.error.str(entry.path().string());
    if (!parsed.program) continue;
    programs.push_back({entry.path().stem().string(), *parsed.program});
  }
  std::sort(programs.begin(), programs.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  EXPECT_FALSE(programs.empty()) << path;
  return programs;
}

}  // namespace racier::fuzz
