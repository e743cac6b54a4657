// repro/known_sizes.cc - see known_sizes.h.  Tested by known_sizes_test.cc.
#include "repro/known_sizes.h"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "repro/files.h"

namespace racier::repro {
namespace {

// Returns nothing: the line is none.
std::optional<KnownSize> read_size(const std::string& line) {
  const std::size_t colon = line.find(": ");
  KnownSize size;
  if (colon != line.npos) size.reason = line.substr(colon + 2);
  std::istringstream words(line.substr(0, colon));
  words >> size.id >> size.tasks >> size.preemptions;
  if (!words || size.tasks == 0 || !(words >> std::ws).eof()) return std::nullopt;
  return size;
}

}  // namespace

std::vector<KnownSize> read_known_sizes(const std::string& path) {
  std::istringstream lines(read_file(path));
  std::vector<KnownSize> list;
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) {
    if (line.empty() || line[0] == '#') continue;
    auto size = read_size(line);
    if (!size) {
      throw BadInput(fmt::format("{}:{}: expected `ID TASKS PREEMPTIONS[: REASON]`",
                                 path, number));
    }
    list.push_back(std::move(*size));
  }
  return list;
}

std::optional<KnownSize> known_size_of(const std::string& id,
                                       std::span<const KnownSize> list) {
  const auto at = std::find_if(list.begin(), list.end(),
                               [&](const KnownSize& size) { return size.id == id; });
  return at == list.end() ? std::nullopt : std::optional(*at);
}

}  // namespace racier::repro
