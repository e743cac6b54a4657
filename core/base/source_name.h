// core/base/source_name.h - the short names of places, as reports and titles show them.
#pragma once
#include <string>
#include <string_view>

namespace racier {

// Returns the bare name of a function out of what std::source_location or a symbolizer
// calls it: "racier::SpinLock::lock(int)" is "lock".  A lambda has the name of the
// function around it.  Returns "?" for what is not a name.
std::string bare_function_name(std::string_view pretty);

// A frame as reports of sanitizers have it in a line: "    removed (walk_audit.cc:66)".
struct FrameName {
  std::string_view function = "?";
  std::string_view place = "?:0";
};

// Returns the first frame in `text`; if it has none, that of nowhere.
FrameName first_frame(std::string_view text);

// Returns the last component of a path.
std::string_view base_name(std::string_view path);

}  // namespace racier
