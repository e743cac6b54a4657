// core/runtime/asan_report.cc - reads reports of AddressSanitizer.
//
// Tested by asan_report_test.cc on texts, by asan_test.cc on real ones.
#include "core/runtime/asan_report.h"

#include <algorithm>
#include <string>

#include "core/runtime/report_frames.h"

namespace racier::sanitizer_reports {
namespace {

// Returns what lies between `before` and `after` in `text`, or "".
std::string_view between(std::string_view text, std::string_view before,
                         std::string_view after) {
  const std::size_t start = text.find(before);
  if (start == text.npos) return "";
  text.remove_prefix(start + before.size());
  return text.substr(0, text.find(after));
}

// Returns the first stack in `text`: lines "    #0 0x12ab in f(int) a.cc:1:2".
std::vector<Frame> first_stack(std::string_view text) {
  std::vector<Frame> frames;
  for (int i = 0;; ++i) {
    std::string_view line = between(text, "#" + std::to_string(i) + " 0x", "\n");
    if (line.empty()) return frames;
    text.remove_prefix(static_cast<std::size_t>(line.data() - text.data()));
    line = between(line, " in ", "\n");
    const std::size_t place = line.rfind(' ');
    if (place == line.npos) continue;
    const std::string_view file = line.substr(place + 1);
    const std::size_t colon = std::min(file.find(':'), file.size());
    const bool known = colon != file.size();
    frames.push_back({std::string(line.substr(0, place)),
                      known ? std::string(file.substr(0, colon)) : "",
                      known ? std::string(between(file, ":", ":")) : "?"});
  }
}

// The kernel's word for a kind of report.
std::string_view kernel_kind(std::string_view kind) {
  if (kind == "heap-use-after-free" || kind == "use-after-poison")
    return "use-after-free";
  if (kind == "heap-buffer-overflow") return "slab-out-of-bounds";
  if (kind == "stack-buffer-overflow") return "stack-out-of-bounds";
  if (kind == "global-buffer-overflow") return "global-out-of-bounds";
  if (kind == "attempting") return "double-free";  // "attempting double-free on"
  return kind;
}

}  // namespace

Finding parse_asan_report(std::string_view text) {
  const std::string_view kind = between(text, "AddressSanitizer: ", " ");
  const std::string_view name = kernel_kind(kind);
  const std::vector<Frame> frames = first_stack(text);
  Finding finding;
  finding.kind =
      name == "use-after-free" ? FindingKind::kUseAfterFree : FindingKind::kSanitizer;
  finding.title = "KASAN: " + std::string(name);
  if (text.find("\nREAD of size") != text.npos) finding.title += " Read";
  if (text.find("\nWRITE of size") != text.npos) finding.title += " Write";
  finding.title += " in " + telling_function(frames);
  finding.detail = text;
  return finding;
}

bool is_of_deadly_signal(std::string_view text) {
  constexpr std::string_view kSignals[] = {"SEGV", "BUS", "ILL", "FPE", "ABRT", "TRAP"};
  const std::string_view kind = between(text, "AddressSanitizer: ", " ");
  return std::ranges::find(kSignals, kind) != std::end(kSignals);
}

}  // namespace racier::sanitizer_reports
