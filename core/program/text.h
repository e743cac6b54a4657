// core/program/text.h - numbers as programs write them.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace racier::program {

// Appends `value` in decimal, in hex ("0x1f"), or in whichever is easier to read.
void append_decimal(std::string& text, std::uint64_t value);
void append_hex(std::string& text, std::uint64_t value);
void append_number(std::string& text, std::uint64_t value);

// Returns the number that all of `text` is, decimal or hex; nothing if it is none, or
// more than 64 bits.
std::optional<std::uint64_t> parse_number(std::string_view text);

}  // namespace racier::program
