// core/base/site.cc - see site.h.  Tested by site_test.cc.
#include "core/base/site.h"

#include <charconv>

#include "core/base/source_name.h"

namespace racier {

const char* site_kind_name(SiteKind kind) {
  constexpr const char* kNames[] = {"lock",  "reference", "recheck", "barrier",
                                    "order", "flush",     "grace"};
  static_assert(sizeof kNames / sizeof kNames[0] == kSiteKinds);
  return kNames[static_cast<int>(kind)];
}

bool SiteName::is_at(std::source_location where) const {
  return where.line() == line && base_name(where.file_name()) == file;
}

std::string site_text(const SiteName& site) {
  return std::string(site_kind_name(site.kind)) + " " + site.file + ":" +
         std::to_string(site.line);
}

std::optional<SiteName> find_site(std::string_view kind, std::string_view place) {
  const std::size_t colon = place.rfind(':');
  if (colon == place.npos || colon == 0) return std::nullopt;
  SiteName site{.file = std::string(place.substr(0, colon))};
  if (site.file.find_first_of("/ \t") != site.file.npos) return std::nullopt;
  const std::string_view digits = place.substr(colon + 1);
  const char* const end = digits.data() + digits.size();
  const auto [rest, wrong] = std::from_chars(digits.data(), end, site.line);
  if (wrong != std::errc() || rest != end || site.line == 0) return std::nullopt;
  for (int i = 0; i < kSiteKinds; ++i) {
    site.kind = static_cast<SiteKind>(i);
    if (kind == site_kind_name(site.kind)) return site;
  }
  return std::nullopt;
}

}  // namespace racier
