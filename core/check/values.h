// core/check/values.h - what user words say of where they come from.
//
// Every store of a program is unique, and file pages start with words that are
// different everywhere, so a word that turns up where it should not tells its own
// story.
#pragma once
#include <cstdint>
#include <span>
#include <string>

namespace racier::check {

// A store's tag: which mm, task and call made it.  A sum of tags (read-modify-write) is
// none.
struct Tag {
  std::uint32_t mm_id = 0;  // 16 bits
  std::uint32_t task = 0;   // 8 bits
  std::uint32_t call = 0;   // index of the call in its task
};

constexpr std::uint64_t value_of(Tag tag) {
  return (std::uint64_t{tag.mm_id} << 40) | (std::uint64_t{tag.task} << 32) |
         (std::uint64_t{tag.call} + 1);
}
constexpr Tag tag_of(std::uint64_t value) {
  return {static_cast<std::uint32_t>(value >> 40) & 0xffff,
          static_cast<std::uint32_t>(value >> 32) & 0xff,
          static_cast<std::uint32_t>(value) - 1};
}
constexpr bool is_file_word(std::uint64_t value) { return value >> 56 == 0xf1; }

// Returns who stored `value`, or which file it is of, in words.
std::string describe_value(std::uint64_t value);

// Returns whether `value` was surely stored by a mm that is not one of `ancestry` (a
// mm, its parent, and so on): private memory never holds it.  Never true of zero and
// file words; of a sum of tags it may be, so only for programs that do not add.  Any
// thread.
bool foreign_value(std::span<const std::uint32_t> ancestry, std::uint64_t value);

}  // namespace racier::check
