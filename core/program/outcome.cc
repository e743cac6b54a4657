// core/program/outcome.cc - compares and prints outcomes.  Tested by outcome_test.cc.
#include "core/program/outcome.h"

#include "core/program/text.h"

namespace racier::program {
namespace {

constexpr Status kLastStatus = Status::kIo;

std::string fault_text(std::uint32_t error_code) {
  std::string text = "fault ";
  append_hex(text, error_code);
  return text;
}

}  // namespace

const char* status_word(Status status) {
  // A program's "fault 0x6" is a page fault; what it may end in is a signal.
  return status == Status::kFault ? "segv" : status_name(status);
}

std::optional<Status> find_status(std::string_view word) {
  for (int i = 0; i <= static_cast<int>(kLastStatus); ++i) {
    if (word == status_word(static_cast<Status>(i))) return static_cast<Status>(i);
  }
  return std::nullopt;
}

Outcome Outcome::of(const UserResult& result) {
  Outcome outcome;
  outcome.kind = result.status == Status::kOk ? Kind::kValue : Kind::kDone;
  outcome.status = result.status;
  outcome.faulted = result.faults != 0;
  outcome.error_code = result.first_error_code;
  outcome.value = result.status == Status::kOk ? result.value : 0;
  return outcome;
}

std::string Outcome::str() const {
  std::string text;
  switch (kind) {
    case Kind::kNotRun:
      return "not run";
    case Kind::kSkipped:
      return "skipped";
    case Kind::kDone:
      text = status_word(status);
      break;
    case Kind::kValue:
      append_number(text, value);
      break;
  }
  if (faulted) text += " " + fault_text(error_code);
  return text;
}

bool Expected::met_by(const Outcome& outcome) const {
  switch (what) {
    case What::kAnything:
      break;
    case What::kSkipped:
      return outcome.kind == Outcome::Kind::kSkipped;
    case What::kStatus:
      if (status == Status::kOk
              ? !outcome.succeeded()
              : outcome.kind != Outcome::Kind::kDone || outcome.status != status) {
        return false;
      }
      break;
    case What::kValue:
      if (outcome.kind != Outcome::Kind::kValue || outcome.value != value) return false;
  }
  switch (fault) {
    case Fault::kAnything:
      return true;
    case Fault::kNone:
      return !outcome.faulted;
    case Fault::kCode:
      return outcome.faulted && outcome.error_code == error_code;
  }
  return true;
}

Expected Expected::rewritten(const Outcome& outcome) const {
  Expected expected = *this;
  if (met_by(outcome) || outcome.kind == Outcome::Kind::kNotRun) return expected;
  if (outcome.kind == Outcome::Kind::kSkipped) return {.what = What::kSkipped};
  if (what != What::kAnything) {
    const bool value_wanted =
        what == What::kValue && outcome.kind == Outcome::Kind::kValue;
    expected.what = value_wanted ? What::kValue : What::kStatus;
    expected.value = value_wanted ? outcome.value : 0;
    expected.status =
        outcome.kind == Outcome::Kind::kDone ? outcome.status : Status::kOk;
  }
  if (fault != Fault::kAnything) {
    expected.fault = outcome.faulted ? Fault::kCode : Fault::kNone;
    expected.error_code = outcome.error_code;
  }
  return expected;
}

std::string Expected::str() const {
  std::string text;
  switch (what) {
    case What::kAnything:
      break;
    case What::kSkipped:
      return "skipped";
    case What::kStatus:
      text = status_word(status);
      break;
    case What::kValue:
      append_number(text, value);
      break;
  }
  if (fault == Fault::kAnything) return text;
  if (!text.empty()) text += " ";
  return text + (fault == Fault::kNone ? "nofault" : fault_text(error_code));
}

}  // namespace racier::program
