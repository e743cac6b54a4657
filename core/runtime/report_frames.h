// core/runtime/report_frames.h - the stacks in sanitizers' reports.
#pragma once
#include <string>
#include <vector>

namespace racier::sanitizer_reports {

struct Frame {
  std::string function;  // as the symbolizer spells it
  std::string file;
  std::string line;
};

// Returns the name for a title: the bare function of the first frame that is neither
// the library's nor plumbing (locks, atomics, lists); "?" if there are no frames.
std::string telling_function(const std::vector<Frame>& frames);

// Returns the frames as lines, innermost first.
std::string listed(const std::vector<Frame>& frames);

}  // namespace racier::sanitizer_reports
