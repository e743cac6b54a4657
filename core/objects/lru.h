// core/objects/lru.h - the pages that reclaim chooses from.
#pragma once
#include <cstdint>

#include "core/base/list.h"
#include "core/objects/lock_classes.h"
#include "core/objects/page.h"
#include "core/sync/spin_lock.h"

namespace racier {

// Kernel: the LRU part of struct zone, v2.6.9.  Newest first.
struct Lru {
  // Makes it as new, without looking at the pages.  Context: no task is running.
  void reset();

  SpinLock lru_lock{lock_class::kLruLock};
  List<Page, &Page::lru> active GUARDED_BY(lru_lock);
  List<Page, &Page::lru> inactive GUARDED_BY(lru_lock);
  std::int64_t nr_active GUARDED_BY(lru_lock) = 0;
  std::int64_t nr_inactive GUARDED_BY(lru_lock) = 0;
};

}  // namespace racier
