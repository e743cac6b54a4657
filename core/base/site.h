// core/base/site.h - places of the code that a run can do without.
//
// A bug of the list (bug.h) was written by somebody who knew what is wrong.  A site is
// any place where the code takes a lock or a reference, looks again, orders its
// accesses, flushes or waits for readers, and nobody has said yet that it must: a run
// that leaves it out shows why it is there.
#pragma once
#include <cstdint>
#include <optional>
#include <source_location>
#include <string>
#include <string_view>

namespace racier {

// What is left out.
enum class SiteKind : std::uint8_t {
  kLock,       // it is not taken, and nothing is let go of: read sections of RCU, too
  kReference,  // it is not taken; and the same call does not drop it
  kRecheck,    // what was so before is taken to be so still
  kBarrier,    // the fence, or the access whose order is named, orders nothing
  kOrder,      // likewise the access that has the usual order, which says nothing
  kFlush,      // who has a copy of a translation, or of a vma, is told nothing
  kGrace,      // readers are not waited for
};
inline constexpr int kSiteKinds = static_cast<int>(SiteKind::kGrace) + 1;
// Returns "lock", "reference", ...: the name without its k.
const char* site_kind_name(SiteKind kind);

// The name of a site, in programs and on command lines: "lock munmap.cc:197".  All of
// one kind in one line are one site.
struct SiteName {
  SiteKind kind = SiteKind::kLock;
  std::string file;  // without its folders
  std::uint32_t line = 0;

  // Returns whether `where` is in that line.
  bool is_at(std::source_location where) const;
  auto operator<=>(const SiteName&) const = default;
};
std::string site_text(const SiteName& site);
// Returns what `kind` and `place` ("munmap.cc:197") name, or nothing: they are none.
std::optional<SiteName> find_site(std::string_view kind, std::string_view place);

}  // namespace racier
