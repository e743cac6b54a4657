// repro/markup.h - text inside of HTML and SVG.
#pragma once
#include <string>
#include <string_view>

namespace racier::repro {

// Returns `text` as what shows it, in an element or an attribute.
std::string escaped(std::string_view text);

}  // namespace racier::repro
