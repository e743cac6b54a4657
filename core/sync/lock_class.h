// core/sync/lock_class.h - the kinds of lock that the lock checker tells apart.
#pragma once
#include <cstdint>

namespace racier {

// All locks of one role: "mmap_sem" of every mm.  Rows of one table (core/objects), so
// that ids are the same in every build; `id` < kLockClassesMax.
struct LockClass {
  const char* name;  // kernel spelling
  std::uint8_t id;
};
inline constexpr int kLockClassesMax = 64;

}  // namespace racier
