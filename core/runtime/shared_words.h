// core/runtime/shared_words.h - which words several tasks touch.
#pragma once
#include <cstdint>
#include <vector>

#include "core/base/live_map.h"
#include "core/base/random.h"
#include "core/sync/runtime.h"

namespace racier {

// Of all runs of a search; by granules of 8 bytes, so it may say more than is true.
// Addresses are compared and nothing else.
class SharedWords {
 public:
  SharedWords() { clear(); }

  void clear() {
    entries_.assign(kEntriesAtFirst, Entry{});
    used_ = 0;
    grew_ = false;
  }

  // Notes a step of `task`.  Returns whether, so far, several tasks touch the word and
  // one of them writes it.
  bool touch(int task, const Step& step) {
    if (step.address == nullptr || step.size == 0) return false;
    const auto first = reinterpret_cast<std::uintptr_t>(step.address) / kGranule;
    const auto last =
        (reinterpret_cast<std::uintptr_t>(step.address) + step.size - 1) / kGranule;
    bool shared = false;
    for (auto granule = first; granule <= last; ++granule) {
      Entry& entry = at(granule);
      const bool before = entry.shared();
      entry.touched |= 1u << task;
      entry.written = entry.written || step.access != Access::kRead;
      grew_ = grew_ || entry.shared() != before;
      shared = shared || entry.shared();
    }
    return shared;
  }

  // Counts as shared whatever another task than `task` has touched and is not alive: it
  // has been freed.
  void touch_dead(int task, const LiveMap& live) {
    for (Entry& entry : entries_) {
      const std::uint32_t all = entry.touched | 1u << task;
      if (entry.granule == 0 || entry.shared() || (all & (all - 1)) == 0) continue;
      const auto address = entry.granule * kGranule;
      if (!live.is_dead(reinterpret_cast<const void*>(address))) continue;
      entry.touched = all;
      entry.written = true;
      grew_ = true;
    }
  }

  // Whether a word has come to be shared since the last settle().
  bool grew() const { return grew_; }
  void settle() { grew_ = false; }

  // Returns how many words `one` and `other` both touch, of which somebody writes, that
  // are not such words in `apart`.
  std::size_t common(int one, int other, const SharedWords* apart = nullptr) const {
    const std::uint32_t both = 1u << one | 1u << other;
    std::size_t count = 0;
    for (const Entry& entry : entries_) {
      if (entry.granule == 0 || !entry.shared() || (entry.touched & both) != both) {
        continue;
      }
      const Entry* const known =
          apart == nullptr ? nullptr : apart->find(entry.granule);
      if (known == nullptr || !known->shared()) ++count;
    }
    return count;
  }

 private:
  static constexpr std::uintptr_t kGranule = 8;
  static constexpr std::size_t kEntriesAtFirst = 1 << 10;  // a power of two, as all are

  struct Entry {
    std::uintptr_t granule = 0;  // 0: free
    std::uint32_t touched = 0;   // bit t: by task t
    bool written = false;
    bool shared() const { return written && (touched & (touched - 1)) != 0; }
  };

  std::size_t place(std::uintptr_t granule) const {
    const std::size_t mask = entries_.size() - 1;
    std::size_t at = Random::mixed(granule) & mask;
    while (entries_[at].granule != 0 && entries_[at].granule != granule) {
      at = (at + 1) & mask;
    }
    return at;
  }
  const Entry* find(std::uintptr_t granule) const {
    const Entry& entry = entries_[place(granule)];
    return entry.granule == 0 ? nullptr : &entry;
  }
  Entry& at(std::uintptr_t granule) {
    Entry& entry = entries_[place(granule)];
    if (entry.granule != 0) return entry;
    if (2 * ++used_ > entries_.size()) grow();
    Entry& made = entries_[place(granule)];
    made.granule = granule;
    return made;
  }
  void grow() {
    std::vector<Entry> old(2 * entries_.size());
    old.swap(entries_);
    for (const Entry& entry : old) {
      if (entry.granule != 0) entries_[place(entry.granule)] = entry;
    }
  }

  std::vector<Entry> entries_;
  std::size_t used_ = 0;
  bool grew_ = false;
};

}  // namespace racier
