// repro/export_text_test.cc - C++ that holds a program, as a compiler would read it.
#include "repro/export_text.h"

#include <gtest/gtest.h>

#include "core/program/parse.h"
#include "core/program/print.h"
#include "repro/files.h"

namespace racier::repro {
namespace {

ProgramFile program_of(const std::string& text) {
  const program::Parsed parsed = program::parse(text);
  EXPECT_TRUE(parsed.program) << parsed.error.str("program");
  return {*parsed.program, false};
}

// Returns what the first raw string literal of C++ text holds, by the rule of C++: it
// ends at the first `)delimiter"`.  `rest` is what is behind it.
std::string literal_in(std::string_view text, std::string& rest) {
  text.remove_prefix(text.find("R\"") + 2);
  const auto open = text.find('(');
  const std::string end = ")" + std::string(text.substr(0, open)) + "\"";
  EXPECT_LE(open, 16u) << "the longest delimiter of C++";
  text.remove_prefix(open + 1);
  const auto length = text.find(end);
  EXPECT_NE(length, text.npos);
  rest = text.substr(length + end.size());
  return std::string(text.substr(0, length));
}

constexpr const char* kRest =
    ";\n\n}  // namespace\n\n"
    "int main(int argc, char** argv) { return racier::replay(kProgram, argc, argv); "
    "}\n";

// Returns the line of an exported file that starts so.
std::string line_of(std::string_view text, std::string_view start) {
  const auto at = text.find(start);
  if (at == text.npos) return "";
  return std::string(text.substr(at, text.find('\n', at) - at));
}

TEST(ExportText, HoldsTheProgramAsItIs) {
  const ProgramFile file = program_of(
      "# Why.\n"
      "machine rmap=anon_vma_chain\n"
      "bug prepare_ptl_before_anonlock\n"
      "setup\n"
      "  p0 = process\n"
      "task A\n"
      "  # A comment.\n"
      "  m0 = mmap p0 1 rw private -> ok\n"
      "schedule\n"
      "  A 3 -> rcu\n"
      "expect finding lock-order \"a \\\"title\\\"\"\n");
  const std::string text = export_text(file, "folder/what.cc");
  std::string rest;
  const std::string literal = literal_in(text, rest);
  EXPECT_EQ(literal, "\n" + program::print(file.program));
  EXPECT_EQ(program::parse(literal).program, file.program);
  EXPECT_EQ(rest, kRest);
  EXPECT_TRUE(text.starts_with("// SPDX-License-Identifier: GPL-2.0-only\n"));
  EXPECT_EQ(line_of(text, "// It shows"), "// It shows: a \"title\" (lock-order).");
}

TEST(ExportText, NoCommentEndsTheLiteral) {
  for (const char* const comment :
       {")\"", ")racier\"", ")racier\" )racier1\"", "R\"racier(", "\\", "?\?/",
        "*/ // )racier\"; int main() {}"}) {
    const ProgramFile file =
        program_of("# " + std::string(comment) + "\nsetup\n  p0 = process\n");
    std::string rest;
    const std::string literal = literal_in(export_text(file, "x.cc"), rest);
    EXPECT_EQ(literal, "\n" + program::print(file.program)) << comment;
    EXPECT_EQ(rest, kRest) << comment;
  }
}

TEST(ExportText, RawLiteralsTakeADelimiterThatTheTextDoesNotHave) {
  EXPECT_EQ(raw_literal("a )\" b"), "R\"racier(\na )\" b)racier\"");
  EXPECT_EQ(raw_literal(")racier\""), "R\"racier1(\n)racier\")racier1\"");
  EXPECT_EQ(raw_literal(")racier1\" )racier\""),
            "R\"racier2(\n)racier1\" )racier\")racier2\"");
  // The text and what is behind it are not to make one together.
  EXPECT_EQ(raw_literal(")racier"), "R\"racier(\n)racier)racier\"");
}

TEST(ExportText, TheHeadSaysWhatItShows) {
  const auto shows = [](const std::string& expectation, const char* start) {
    return line_of(export_text(program_of("setup\n" + expectation), "x.cc"), start);
  };
  EXPECT_EQ(shows("", "// It is"), "// It is expected to be clean.");
  EXPECT_EQ(shows("expect any\n", "// It may"), "// It may end in any way.");
  EXPECT_EQ(shows("expect finding rmap\n", "// It shows"),
            "// It shows a finding of the kind rmap.");
  EXPECT_NE(shows("expect finding data-race\n", "// Thr").find("--preset tsan"),
            std::string::npos);
  EXPECT_NE(shows("expect finding sanitizer\n", "// A san").find("--preset asan"),
            std::string::npos);
  ProgramFile bytes = program_of("setup\n");
  bytes.bytes = true;
  EXPECT_NE(line_of(export_text(bytes, "x.cc"), "// It was a fuzzer's input"), "");
}

TEST(ExportText, ATitleStaysInItsComment) {
  const ProgramFile file =
      program_of("setup\nexpect finding rmap \"one\\nint x; \\\\\"\n");
  const std::string text = export_text(file, "x.cc");
  EXPECT_EQ(line_of(text, "// It shows"), "// It shows: one int x; \\ (rmap).");
}

TEST(ExportText, TheCommandNamesTheFile) {
  const ProgramFile file = program_of("setup\n");
  const auto command = [&file](const char* path) {
    return line_of(export_text(file, path), "//   c++ ");
  };
  constexpr const char* kFlags = " $(pkg-config --cflags --libs racier) -o ";
  const auto of = [](const std::string& name) {
    return "//   c++ -std=c++20 " + name + ".cc" + kFlags + name;
  };
  EXPECT_EQ(command("what.cc"), of("what"));
  EXPECT_EQ(command("/tmp/B09-a_b.c.cc"), of("B09-a_b.c"));
  for (const char* const path :
       {"", "what", "what.cpp", ".cc", "-x.cc", "a b.cc", "$(x).cc", "folder/"}) {
    EXPECT_EQ(command(path), of("replay")) << path;
  }
}

TEST(ExportText, WhatIsNoTextIsNotExported) {
  for (const char* const comment : {"\x01", "\xc3", "\x7f", "\r"}) {
    const ProgramFile file = program_of("# a" + std::string(comment) + "b\nsetup\n");
    EXPECT_THROW(export_text(file, "x.cc"), BadInput);
  }
}

}  // namespace
}  // namespace racier::repro
