// repro/explained_for_test.h - explanations of the bugs' programs, for tests.
#pragma once
#include <gtest/gtest.h>

#include <string>

#include "repro/explainer.h"
#include "repro/program_file.h"

namespace racier::repro {

// Returns what is told of the program that shows a bug, by the bug's name.
inline Explanation explained(const std::string& row) {
  const std::string file = RACIER_SOURCE_DIR "/corpus/bugs/" + row + ".racier";
  const auto explanation = explain(read_program(file).program, file);
  EXPECT_TRUE(explanation) << file;
  return explanation.value_or(Explanation{});
}

}  // namespace racier::repro
