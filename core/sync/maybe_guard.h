// core/sync/maybe_guard.h - a guard that is there, or not.
#pragma once
#include <memory>
#include <utility>

#include "core/base/thread_annotations.h"

namespace racier {

// Holds a `Guard` from emplace() to the end of the scope, or to reset().  Letting go is
// a step, which throws when the run is over: std::optional, whose reset() must not
// throw, would end the process there.
template <typename Guard>
class MaybeGuard {
 public:
  MaybeGuard() {}
  ~MaybeGuard() noexcept(false) { reset(); }
  MaybeGuard(const MaybeGuard&) = delete;
  MaybeGuard& operator=(const MaybeGuard&) = delete;

  // Makes the guard.  Say where: a default argument of Guard would name this line.
  template <typename... Arguments>
  void emplace(Arguments&&... arguments) NO_THREAD_SAFETY_ANALYSIS {
    std::construct_at(&guard_, std::forward<Arguments>(arguments)...);
    engaged_ = true;
  }
  void reset() NO_THREAD_SAFETY_ANALYSIS {
    if (std::exchange(engaged_, false)) guard_.~Guard();
  }
  bool has_value() const { return engaged_; }

 private:
  union {
    Guard guard_;
  };
  bool engaged_ = false;
};

}  // namespace racier
