// core/sync/sites.cc - see sites.h.  Tested by sites_test.cc.
#include "core/sync/sites.h"

#include <algorithm>

namespace racier {

namespace sync {

bool asks_sites(const Task& self, SiteKind kind, const char* what,
                std::source_location where) {
  return self.sites->leaves_out(kind, what, where);
}

}  // namespace sync

void Sites::takes(const Task& task, const void* count, bool left_out) {
  taken_[index_of(task)].push_back({count, left_out});
}

bool Sites::drops(const Task& task, const void* count) {
  std::vector<Reference>& taken = taken_[index_of(task)];
  const auto first = std::find_if(
      taken.begin(), taken.end(),
      [count](const Reference& reference) { return reference.count == count; });
  if (first == taken.end()) return false;
  const bool left_out = first->left_out;
  taken.erase(first);
  return left_out;
}

bool LeftOut::leaves_out(SiteKind kind, const char*, std::source_location where) {
  const bool left_out = std::any_of(
      sites_.begin(), sites_.end(),
      [&](const SiteName& site) { return site.kind == kind && site.is_at(where); });
  if (left_out) times_.fetch_add(1, std::memory_order_relaxed);
  return left_out;
}

}  // namespace racier
