// repro/program_file.cc - tells texts and bytes apart.  Tested by cli_test.sh.
#include "repro/program_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>

#include "core/program/bytes.h"
#include "core/program/parse.h"
#include "repro/files.h"

namespace racier::repro {
namespace {

// Returns whether `text` starts as a program does: with a comment, or a section.
bool looks_like_text(std::string_view text) {
  const auto start = text.find_first_not_of(" \t\r\n");
  if (start == text.npos) return true;
  text.remove_prefix(start);
  if (text.front() == '#') return true;
  constexpr std::array<std::string_view, 7> kWords = {
      "machine", "bug", "setup", "task", "schedule", "expect", "mark"};
  const std::string_view word = text.substr(0, text.find_first_of(" \t\r\n"));
  return std::find(kWords.begin(), kWords.end(), word) != kWords.end();
}

}  // namespace

ProgramFile read_program(const std::string& path) {
  const std::string text = read_file(path);
  if (text.empty()) {
    throw BadInput(fmt::format("{}:1:1: expected a program, the file is empty", path));
  }
  if (!path.ends_with(".racier") && !looks_like_text(text)) {
    const auto* const bytes = reinterpret_cast<const std::uint8_t*>(text.data());
    return {program::decode(std::span(bytes, text.size())), true};
  }
  program::Parsed parsed = program::parse(text);
  if (!parsed.program) throw BadInput(parsed.error.str(path));
  const auto wrong = program::validate(*parsed.program);
  if (!wrong.empty()) throw BadInput(fmt::format("{}: {}", path, wrong.front()));
  return {std::move(*parsed.program), false};
}

}  // namespace racier::repro
