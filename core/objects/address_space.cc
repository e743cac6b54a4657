// core/objects/address_space.cc - what files contain.
#include "core/objects/address_space.h"

namespace racier {

std::uint64_t file_word(int id, std::uint64_t index, std::uint64_t word) {
  // The top byte marks it as a file's; tags of stores have it zero (core/check).
  return (0xf1ull << 56) | (static_cast<std::uint64_t>(id) << 48) | (index << 16) | word;
}

}  // namespace racier
