// repro/not_needed.h - sites of which somebody has found out why they are not needed.
#pragma once
#include <span>
#include <string>
#include <vector>

#include "repro/site_survey.h"

namespace racier::repro {

// One or more sites, by what does not change when lines are added above them.
struct NotNeeded {
  SiteKind kind = SiteKind::kLock;
  std::string file;
  std::string function;
  std::string what;
  std::string reason;  // a sentence

  bool is(const KnownSite& site) const;
};

// Reads lines "KIND FILE FUNCTION WHAT: REASON"; those that begin with # are comments.
// Throws BadInput with file and line.
std::vector<NotNeeded> read_not_needed(const std::string& path);

// Returns why `site`, which was not caught, is not needed; "": nobody has said so.
std::string reason_of(const KnownSite& site, std::span<const NotNeeded> list);

}  // namespace racier::repro
