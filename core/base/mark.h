// core/base/mark.h - rare paths that a run counts, so that a test can ask for them.
//
// A test that means to take a rare path proves with a mark that it did:
//   mark::hit(Mark::kUnmapStaleHint);             in the code
//   mark "unmap_stale_hint" >= 1                  in the program
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace racier {

enum class Mark : std::uint8_t {
#define RACIER_MARK(id, name, sentence) id,
#include "core/base/mark_rows.inc"
#undef RACIER_MARK
  kCount
};
inline constexpr int kMarks = static_cast<int>(Mark::kCount);

namespace mark {

struct Row {
  Mark mark;
  const char* name;
  const char* sentence;
};

std::span<const Row> rows();
std::optional<Mark> find(std::string_view name);

// Counts one passage of `mark` in the current run.
void hit(Mark mark);

}  // namespace mark
}  // namespace racier
