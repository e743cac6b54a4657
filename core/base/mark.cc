// core/base/mark.cc - counts marks.
#include "core/base/mark.h"

#include "core/base/run_state.h"

namespace racier::mark {
namespace {

constexpr Row kRows[] = {
#define RACIER_MARK(id, name, sentence) {Mark::id, name, sentence},
#include "core/base/mark_rows.inc"
#undef RACIER_MARK
};

}  // namespace

std::span<const Row> rows() { return kRows; }

std::optional<Mark> find(std::string_view name) {
  for (const Row& row : kRows) {
    if (name == row.name) return row.mark;
  }
  return std::nullopt;
}

void hit(Mark mark) {
  RunState* const run = current_run();
  if (run == nullptr) return;
  run->marks[static_cast<int>(mark)].fetch_add(1, std::memory_order_relaxed);
}

}  // namespace racier::mark
