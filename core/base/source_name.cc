// core/base/source_name.cc - cuts clang's and the symbolizer's spelling of a function.
//
// Tested by source_name_test.cc.
#include "core/base/source_name.h"

namespace racier {
namespace {

bool is_word(char c) {
  return c == '_' || c == '~' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
         (c >= 'A' && c <= 'Z');
}

// Returns the index of the bracket that `name[close]` closes, or npos.
std::size_t opening(std::string_view name, std::size_t close, char open_bracket) {
  const char close_bracket = name[close];
  int depth = 0;
  for (std::size_t i = close + 1; i-- > 0;) {
    if (name[i] == close_bracket) ++depth;
    if (name[i] == open_bracket && --depth == 0) return i;
  }
  return name.npos;
}

// Drops what clang adds behind a name of a template: " [T = int]".
std::string_view without_bindings(std::string_view name) {
  if (!name.ends_with(']')) return name;
  const std::size_t open = opening(name, name.size() - 1, '[');
  if (open == name.npos || open == 0 || name[open - 1] != ' ') return name;
  return name.substr(0, open - 1);
}

// Drops the parameters and what follows them: "f(int) const" is "f".
std::string_view without_parameters(std::string_view name) {
  if (name.ends_with("operator()")) return name;
  const std::size_t close = name.rfind(')');
  if (close == name.npos || name.find("::", close) != name.npos) return name;
  const std::size_t open = opening(name, close, '(');
  return open == name.npos ? name : name.substr(0, open);
}

// Returns the function around the lambda that `name` is, or "" if it is none.
std::string_view around_lambda(std::string_view name) {
  for (const std::string_view mark :
       {"::(anonymous class)", "::(lambda", "::{lambda", "::$_"}) {
    const std::size_t at = name.find(mark);
    if (at != name.npos) return name.substr(0, at);
  }
  return "";
}

std::string_view last_word(std::string_view name) {
  if (name.ends_with('>') && name.find("operator") == name.npos) {
    const std::size_t open = opening(name, name.size() - 1, '<');
    if (open != name.npos) name = name.substr(0, open);
  }
  const std::size_t at = name.rfind("operator");
  if (at != name.npos && (at == 0 || !is_word(name[at - 1]))) return name.substr(at);
  std::size_t start = name.size();
  while (start > 0 && is_word(name[start - 1])) --start;
  return name.substr(start);
}

}  // namespace

std::string bare_function_name(std::string_view pretty) {
  std::string_view name = without_bindings(pretty);
  const std::string_view around = around_lambda(name);
  if (!around.empty()) return bare_function_name(around);
  if (name.find("(anonymous class)::") != name.npos) return "lambda";
  name = last_word(without_parameters(name));
  return name.empty() ? "?" : std::string(name);
}

FrameName first_frame(std::string_view text) {
  const std::size_t open = text.find(" (");
  const std::size_t close = text.find(')', open);
  if (open == text.npos || close == text.npos) return {};
  const std::size_t start = text.substr(0, open).find_last_of(" \n") + 1;
  return {text.substr(start, open - start), text.substr(open + 2, close - open - 2)};
}

std::string_view base_name(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

}  // namespace racier
