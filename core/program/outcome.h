// core/program/outcome.h - what came of a call, and what a program expects of it.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/status.h"
#include "core/mm/fault.h"

namespace racier::program {

// What came of one call.
struct Outcome {
  enum class Kind : std::uint8_t {
    kNotRun,   // the run was over before
    kSkipped,  // an operand did not exist: the call did nothing
    kDone,     // `status` says how
    kValue,    // it succeeded, and `value` is what it gave
  };
  Kind kind = Kind::kNotRun;
  Status status = Status::kOk;
  bool faulted = false;          // of a user access: it took a page fault,
  std::uint32_t error_code = 0;  // the first of which had this code (PageFault's bits)
  std::uint64_t value = 0;

  static Outcome skipped() { return {.kind = Kind::kSkipped}; }
  static Outcome of(Status status) { return {.kind = Kind::kDone, .status = status}; }
  static Outcome of_value(std::uint64_t value) {
    return {.kind = Kind::kValue, .value = value};
  }
  static Outcome of(const UserResult& result);

  bool succeeded() const {
    return kind == Kind::kValue || (kind == Kind::kDone && status == Status::kOk);
  }
  // Returns it as it stands behind "->": "ok fault 0x6", "0x10000000001", "skipped".
  std::string str() const;
  bool operator==(const Outcome&) const = default;
};

// What a program expects of a call: each part only if it says something.
struct Expected {
  enum class What : std::uint8_t { kAnything, kSkipped, kStatus, kValue };
  enum class Fault : std::uint8_t { kAnything, kNone, kCode };
  What what = What::kAnything;
  Fault fault = Fault::kAnything;
  Status status = Status::kOk;
  std::uint32_t error_code = 0;
  std::uint64_t value = 0;

  // Returns whether `outcome` is as expected.  kOk stands for every success.
  bool met_by(const Outcome& outcome) const;
  // Returns what expects, in the parts in which this one says something, `outcome`.
  Expected rewritten(const Outcome& outcome) const;
  std::string str() const;
  bool operator==(const Expected&) const = default;
};

// Returns the word for `status` in programs: "ok", "nomem", "segv", ...
const char* status_word(Status status);
std::optional<Status> find_status(std::string_view word);

}  // namespace racier::program
