// core/runtime/asan_report.h - the finding in a report of AddressSanitizer.
#pragma once
#include <string_view>

#include "core/base/finding.h"

namespace racier::sanitizer_reports {

// Returns what the text of a report says, in KASAN's words.
Finding parse_asan_report(std::string_view text);

}  // namespace racier::sanitizer_reports
