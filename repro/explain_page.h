// repro/explain_page.h - an explanation as a page for a browser.
#pragma once
#include <string>
#include <string_view>

#include "repro/explanation.h"

namespace racier::repro {

// Returns one HTML document that needs nothing else: a lane for each task, and what is
// held and counted at each step.  Keys: j and k, or the arrows; Home, End; n and p, to
// the next switch and back; c, to what clashes; a, all steps.
std::string explain_page(const Explanation& explanation);

// What it consists of besides (explain_page_parts.cc).
extern const std::string_view kPageStyle;
extern const std::string_view kPageScript;

}  // namespace racier::repro
