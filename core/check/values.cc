// core/check/values.cc - reads tags.
// Tested by shadow_memory_test.cc.
#include "core/check/values.h"

#include <algorithm>

namespace racier::check {

std::string describe_value(std::uint64_t value) {
  if (value == 0) return "zero";
  if (is_file_word(value)) {
    return "word " + std::to_string(value & 0xffff) + " of page " +
           std::to_string((value >> 16) & 0xffffffff) + " of file " +
           std::to_string((value >> 48) & 0xff);
  }
  const std::string number = std::to_string(value);
  if (value >> 56 != 0 || (value & 0xffffffff) == 0) return number;
  const Tag tag = tag_of(value);
  return number + " (mm " + std::to_string(tag.mm_id) + ", task " +
         std::to_string(tag.task) + ", call " + std::to_string(tag.call) + ")";
}

bool foreign_value(std::span<const std::uint32_t> ancestry, std::uint64_t value) {
  if (value == 0 || value >> 56 != 0) return false;
  return std::ranges::find(ancestry, tag_of(value).mm_id) == ancestry.end();
}

}  // namespace racier::check
