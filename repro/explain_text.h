// repro/explain_text.h - an explanation for a terminal.
#pragma once
#include <string>

#include "repro/explanation.h"

namespace racier::repro {

struct TextLook {
  int width = 100;  // columns
  bool colour = false;
  bool all = false;  // no step is folded away
};

// Returns the head, then the steps: a column for each task, time downwards.
std::string explain_text(const Explanation& explanation, const TextLook& look);

}  // namespace racier::repro
