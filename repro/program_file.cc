// repro/program_file.cc - tells texts and bytes apart.  Tested by cli_test.sh.
#include "repro/program_file.h"

#include <fmt/format.h>

#include <span>

#include "core/program/bytes.h"
#include "core/program/parse.h"
#include "repro/files.h"

namespace racier::repro {
namespace {

// Returns how many bytes the UTF-8 sequence at the start of `text` has; 0: it is none.
std::size_t sequence_size(std::string_view text) {
  const auto byte = [text](std::size_t at) {
    return static_cast<unsigned char>(text[at]);
  };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first < 0xc2 || first > 0xf4) return 0;
  const std::size_t size = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  if (text.size() < size) return 0;
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  const unsigned second = byte(1);
  const bool too_long =
      (first == 0xe0 && second < 0xa0) || (first == 0xf0 && second < 0x90);
  const bool surrogate = first == 0xed && second > 0x9f;
  const bool above_all = first == 0xf4 && second > 0x8f;
  return too_long || surrogate || above_all ? 0 : size;
}

}  // namespace

bool is_text(std::string_view text) {
  while (!text.empty()) {
    const auto first = static_cast<unsigned char>(text.front());
    const bool control = first < 0x20 || first == 0x7f;
    if (control && first != '\t' && first != '\r' && first != '\n') return false;
    const std::size_t size = sequence_size(text);
    if (size == 0) return false;
    text.remove_prefix(size);
  }
  return true;
}

ProgramFile read_program(const std::string& path) {
  const std::string text = read_file(path);
  if (text.empty()) {
    throw BadInput(fmt::format("{}:1:1: expected a program, the file is empty", path));
  }
  if (!path.ends_with(".racier") && !is_text(text)) {
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
