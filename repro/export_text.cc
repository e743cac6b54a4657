// repro/export_text.cc - see export_text.h.  Tested by export_text_test.cc and
// export_test.sh.
#include "repro/export_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/source_name.h"
#include "core/program/print.h"
#include "repro/files.h"

namespace racier::repro {
namespace {

constexpr const char* kFile =
    "// SPDX-License-Identifier: GPL-2.0-only\n"
    "//\n"
    "// A program of racier, with the schedule of its tasks: the same run every time.\n"
    "// {shows}\n"
    "//\n"
    "// To build it, with racier installed in DIR (`./racier install DIR`):\n"
    "//   export PKG_CONFIG_PATH=DIR/lib/pkgconfig\n"
    "//   c++ -std=c++20 {name}.cc $(pkg-config --cflags --libs racier) -o {name}\n"
    "// {compiler}\n"
    "// It prints what it finds.  Exit codes: 0 no finding, 1 a finding, 2 wrong use,\n"
    "// 3 could not run.  ./{name} --help tells more.\n"
    "#include <racier/replay.h>\n"
    "\n"
    "namespace {{\n"
    "\n"
    "constexpr char kProgram[] = {literal};\n"
    "\n"
    "}}  // namespace\n"
    "\n"
    "int main(int argc, char** argv) {{ return racier::replay(kProgram, argc, argv); "
    "}}\n";

// Returns `text` fit for a comment of one line.
std::string in_comment(std::string text) {
  std::replace_if(
      text.begin(), text.end(),
      [](char c) { return static_cast<unsigned char>(c) < ' '; }, ' ');
  return text;
}

std::string shows(const ProgramFile& file) {
  const program::Expectation& end = file.program.expectation;
  if (file.bytes) return "It was a fuzzer's input, which does not say what it shows.";
  switch (end.kind) {
    case program::Expectation::Kind::kClean:
      return "It is expected to be clean.";
    case program::Expectation::Kind::kAny:
      return "It may end in any way.";
    case program::Expectation::Kind::kFinding:
      break;
  }
  const char* const kind = finding_kind_name(end.finding);
  if (end.title.empty()) return fmt::format("It shows a finding of the kind {}.", kind);
  return fmt::format("It shows: {} ({}).", in_comment(end.title), kind);
}

// Returns which racier has to be installed, and whose compiler this may be.
const char* compiler(const program::Expectation& end) {
  if (end.kind == program::Expectation::Kind::kFinding) {
    if (end.finding == FindingKind::kDataRace) {
      return "ThreadSanitizer finds it: `./racier install --preset tsan DIR`, and "
             "clang++ for c++.";
    }
    if (end.finding == FindingKind::kSanitizer) {
      return "A sanitizer finds it: `./racier install --preset asan DIR`, and clang++ "
             "for c++.";
    }
  }
  return "(Any compiler will do, but clang++ if racier was installed with a "
         "sanitizer.)";
}

// Returns the name of the file without its ending.
std::string name_of(std::string_view path) {
  constexpr std::string_view kEnding = ".cc";
  std::string_view name = base_name(path);
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '_' || c == '-' || c == '.';
  };
  const bool fits = name.size() > kEnding.size() && name.ends_with(kEnding) &&
                    name.front() != '-' && std::all_of(name.begin(), name.end(), plain);
  if (!fits) return "replay";
  name.remove_suffix(kEnding.size());
  return std::string(name);
}

}  // namespace

std::string raw_literal(std::string_view text) {
  std::string delimiter = "racier";
  for (int more = 1; text.find(")" + delimiter + "\"") != text.npos; ++more) {
    delimiter = fmt::format("racier{}", more);
  }
  return fmt::format("R\"{}(\n{}){}\"", delimiter, text, delimiter);
}

std::string export_text(const ProgramFile& file, std::string_view path) {
  const std::string text = program::print(file.program);
  if (!is_text(text) || text.find('\r') != text.npos) {  // g++ makes it a line break
    throw BadInput("it cannot be exported: expected UTF-8 without control characters");
  }
  using namespace fmt::literals;
  return fmt::format(kFile, "shows"_a = shows(file), "name"_a = name_of(path),
                     "compiler"_a = compiler(file.program.expectation),
                     "literal"_a = raw_literal(text));
}

}  // namespace racier::repro
