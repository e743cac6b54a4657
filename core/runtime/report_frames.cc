// core/runtime/report_frames.cc - which frame tells what happened?
//
// Tested by asan_report_test.cc.
#include "core/runtime/report_frames.h"

#include <algorithm>

#include "core/base/source_name.h"

namespace racier::sanitizer_reports {
namespace {

bool contains(const std::string& text, const char* part) {
  return text.find(part) != std::string::npos;
}

bool is_telling(const Frame& frame) {
  const std::string& file = frame.file;
  const bool library =
      file.empty() || file.starts_with("/usr/") || contains(file, "/compiler-rt/");
  const bool plumbing = contains(file, "core/sync/") || contains(file, "core/base/") ||
                        contains(file, "core/memory/");
  return !library && (!plumbing || file.ends_with("_test.cc"));
}

}  // namespace

std::string telling_function(const std::vector<Frame>& frames) {
  const auto it = std::find_if(frames.begin(), frames.end(), is_telling);
  if (it != frames.end()) return bare_function_name(it->function);
  return frames.empty() ? "?" : bare_function_name(frames.front().function);
}

std::string listed(const std::vector<Frame>& frames) {
  std::string text;
  for (const Frame& frame : frames) {
    text += "    " + bare_function_name(frame.function) + " (" +
            std::string(base_name(frame.file)) + ":" + frame.line + ")\n";
  }
  return text;
}

}  // namespace racier::sanitizer_reports
