// core/base/status.h - how a verb says that it could not.
#pragma once
#include <cstdint>

#include "core/base/require.h"

namespace racier {

// The kernel's errno values that the verbs return, by their own names.
enum class [[nodiscard]] Status : std::uint8_t {
  kOk,
  kNoMemory,     // ENOMEM
  kInvalid,      // EINVAL
  kFault,        // EFAULT: no vma, or one that forbids the access
  kBusError,     // SIGBUS: behind the end of the file
  kExists,       // EEXIST
  kNoEntry,      // ENOENT
  kAgain,        // EAGAIN
  kBusy,         // EBUSY
  kInterrupted,  // EINTR
  kNoProcess,    // ESRCH
  kKilled,       // no errno: the process has been killed
  kIo,           // EIO
};

// Returns the errno name in lower case without its E: "ok", "nomem", "inval", ...
const char* status_name(Status status);

// A value, or the reason why there is none.
template <typename T>
class [[nodiscard]] Result {
 public:
  // Both convert on purpose.
  Result(T value) : value_(value), status_(Status::kOk) {}  // NOLINT
  Result(Status status) : value_{}, status_(status) {       // NOLINT
    require(status != Status::kOk, "a Result without a value has a reason");
  }
  bool ok() const { return status_ == Status::kOk; }
  explicit operator bool() const { return ok(); }
  Status status() const { return status_; }
  const T& value() const {
    require(ok(), "value() of a Result that has one");
    return value_;
  }
  const T& operator*() const { return value(); }
  const T* operator->() const { return &value(); }

 private:
  T value_;
  Status status_;
};

}  // namespace racier
