// core/program/text.cc - numbers as text.  Tested by parse_test.cc.
#include "core/program/text.h"

#include <array>
#include <charconv>

namespace racier::program {
namespace {

void append(std::string& text, std::uint64_t value, int base) {
  std::array<char, 20> digits;
  const auto end = std::to_chars(digits.begin(), digits.end(), value, base).ptr;
  text.append(digits.begin(), end);
}

}  // namespace

void append_decimal(std::string& text, std::uint64_t value) { append(text, value, 10); }

void append_hex(std::string& text, std::uint64_t value) {
  text += "0x";
  append(text, value, 16);
}

void append_number(std::string& text, std::uint64_t value) {
  value < 1000 ? append_decimal(text, value) : append_hex(text, value);
}

std::optional<std::uint64_t> parse_number(std::string_view text) {
  const bool hex = text.starts_with("0x");
  if (hex) text.remove_prefix(2);
  std::uint64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value, hex ? 16 : 10);
  if (error != std::errc() || stop != end) return std::nullopt;
  return value;
}

}  // namespace racier::program
