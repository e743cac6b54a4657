// repro/not_needed.cc - see not_needed.h.  Tested by not_needed_test.cc.
#include "repro/not_needed.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <sstream>

#include "repro/files.h"

namespace racier::repro {
namespace {

std::optional<SiteKind> kind_named(const std::string& name) {
  for (int i = 0; i < kSiteKinds; ++i) {
    const auto kind = static_cast<SiteKind>(i);
    if (name == site_kind_name(kind)) return kind;
  }
  return std::nullopt;
}

// Returns nothing: the line is none.
std::optional<NotNeeded> read_entry(const std::string& line) {
  const std::size_t colon = line.find(": ");
  if (colon == line.npos) return std::nullopt;
  NotNeeded entry;
  entry.reason = line.substr(colon + 2);
  std::istringstream words(line.substr(0, colon));
  std::string kind;
  words >> kind >> entry.file >> entry.function >> std::ws;
  std::getline(words, entry.what);
  const auto found = kind_named(kind);
  if (!found || entry.what.empty() || entry.reason.empty()) return std::nullopt;
  entry.kind = *found;
  return entry;
}

}  // namespace

bool NotNeeded::is(const KnownSite& site) const {
  return kind == site.name.kind && file == site.name.file &&
         function == site.function && what == site.what;
}

std::vector<NotNeeded> read_not_needed(const std::string& path) {
  std::istringstream lines(read_file(path));
  std::vector<NotNeeded> list;
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) {
    if (line.empty() || line[0] == '#') continue;
    const auto entry = read_entry(line);
    if (!entry) {
      throw BadInput(fmt::format("{}:{}: expected `KIND FILE FUNCTION WHAT: REASON`",
                                 path, number));
    }
    list.push_back(*entry);
  }
  return list;
}

std::string reason_of(const KnownSite& site, std::span<const NotNeeded> list) {
  const auto at = std::find_if(list.begin(), list.end(),
                               [&](const NotNeeded& entry) { return entry.is(site); });
  return at == list.end() ? "" : at->reason;
}

}  // namespace racier::repro
