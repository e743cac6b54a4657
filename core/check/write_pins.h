// core/check/write_pins.h - which pages are pinned to be written, and whose they are.
//
// Who pins a page of private anonymous memory to write to it gets one that is the mm's
// own, and it stays that while the pin lasts, through swap and back: else a device goes
// on filling a page that its owner does not see any more.  It ends where the program
// asks for it: the range is unmapped, moved or thrown away, or the mm forks, and
// whoever writes first gets a copy.
// Departs: of two pins of one page in one mm, either may be the one that has ended.
//
// Tested by write_pins_test.cc and corpus/programs/pin_*.racier.
#pragma once
#include <algorithm>
#include <cstdint>
#include <vector>

#include "core/base/types.h"

namespace racier::check {

class WritePins {
 public:
  // `addr` is the page's.
  void pinned(Pfn pfn, std::uint32_t mm_id, VirtAddr addr) {
    const bool is_going = std::any_of(
        going_.begin(), going_.end(),
        [&](const Going& at) { return at.mm_id == mm_id && at.range.contains(addr); });
    if (!is_going) pins_.push_back({pfn, mm_id, addr});
  }
  void unpinned(Pfn pfn, std::uint32_t mm_id) {
    const auto at = std::find_if(pins_.begin(), pins_.end(), [&](const Pin& pin) {
      return pin.pfn == pfn && pin.mm_id == mm_id;
    });
    if (at != pins_.end()) pins_.erase(at);
  }
  // Pages of `range` need not stay where they are.
  void released(std::uint32_t mm_id, VirtRange range) {
    std::erase_if(pins_, [&](const Pin& pin) {
      return pin.mm_id == mm_id && range.contains(pin.addr);
    });
  }

  // Likewise, but until the end cached translations may go on showing them.
  void leave_begins(std::uint32_t mm_id, VirtRange range) {
    for (const Pin& pin : pins_) {
      if (pin.mm_id == mm_id && range.contains(pin.addr)) leaving_.push_back(pin);
    }
    released(mm_id, range);
  }
  void leave_ends(std::uint32_t mm_id, VirtRange range) {
    std::erase_if(leaving_, [&](const Pin& pin) {
      return pin.mm_id == mm_id && range.contains(pin.addr);
    });
  }
  // Shows the address of each pin of frame `pfn` in `mm_id` that is leaving so.
  template <typename Visit>
  void for_each_leaving(Pfn pfn, std::uint32_t mm_id, Visit visit) const {
    for (const Pin& pin : leaving_) {
      if (pin.pfn == pfn && pin.mm_id == mm_id) visit(pin.addr);
    }
  }

  // Likewise those that are pinned until the end: they are thrown away meanwhile.
  void release_begins(std::uint32_t mm_id, VirtRange range) {
    leave_begins(mm_id, range);
    going_.push_back({mm_id, range});
  }
  void release_ends(std::uint32_t mm_id, VirtRange range) {
    const auto at = std::find_if(going_.begin(), going_.end(), [&](const Going& going) {
      return going.mm_id == mm_id && going.range == range;
    });
    if (at != going_.end()) going_.erase(at);
    leave_ends(mm_id, range);
  }

  // Shows the address of each pin of frame `pfn` in `mm_id` that has not ended.
  template <typename Visit>
  void for_each(Pfn pfn, std::uint32_t mm_id, Visit visit) const {
    for (const Pin& pin : pins_) {
      if (pin.pfn == pfn && pin.mm_id == mm_id) visit(pin.addr);
    }
  }

  void reset() {
    pins_.clear();
    leaving_.clear();
    going_.clear();
  }

 private:
  struct Pin {
    Pfn pfn;
    std::uint32_t mm_id;
    VirtAddr addr;
  };
  struct Going {
    std::uint32_t mm_id;
    VirtRange range;
  };
  std::vector<Pin> pins_;  // a few
  std::vector<Pin> leaving_;
  std::vector<Going> going_;
};

}  // namespace racier::check
