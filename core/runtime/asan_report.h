// core/runtime/asan_report.h - the finding in a report of AddressSanitizer.
#pragma once
#include <string_view>

#include "core/base/finding.h"

namespace racier::sanitizer_reports {

// Returns what the text of a report says, in KASAN's words.
Finding parse_asan_report(std::string_view text);

// Returns whether the report is of a signal that ends the process, as SIGSEGV does:
// with halt_on_error=0 too, so that those who wait for its death (libFuzzer) can be
// left to it.
bool is_of_deadly_signal(std::string_view text);

}  // namespace racier::sanitizer_reports
