// repro/step_words.h - a step in the kernel's words.
#pragma once
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "core/runtime/step_states.h"
#include "core/runtime/trace.h"
#include "repro/place_names.h"

namespace racier::repro {

// Names words and values of one run: by what they were when its tasks began, where that
// says more than what they are at its end.
class StepWords {
 public:
  StepWords(const PlaceNames& begin, PlaceNames& end, const LiveMap& region)
      : begin_(begin), end_(end), region_(region) {}

  // Returns the name of the word at `address`; "" for none.
  std::string object(const void* address) const;
  // Returns a value of the word of that name: "2", "PG_locked PG_lru", "page 5 rw".
  std::string value(const std::string& object, std::uint64_t value, int size) const;
  // Returns the name of a lock: "mm 1 page_table_lock", "anon_vma->lock", and numbered
  // from the second of a class on that has no better name.
  std::string lock(const void* lock, const LockClass& lock_class);

  // Returns what a step does, without its locks.
  static std::string of_access(Access access, const std::string& object,
                               const std::string& before, const std::string& after);

 private:
  std::string pointer(std::uint64_t value) const;

  const PlaceNames& begin_;
  PlaceNames& end_;
  const LiveMap& region_;
  std::map<const LockClass*, std::vector<const void*>> locks_;
};

// Returns whether a word of that name counts references.
bool is_count(const std::string& object);

}  // namespace racier::repro
