// core/base/status.cc - names of statuses.
#include "core/base/status.h"

namespace racier {

const char* status_name(Status status) {
  switch (status) {
    case Status::kOk: return "ok";
    case Status::kNoMemory: return "nomem";
    case Status::kInvalid: return "inval";
    case Status::kFault: return "fault";
    case Status::kBusError: return "sigbus";
    case Status::kExists: return "exist";
    case Status::kNoEntry: return "noent";
    case Status::kAgain: return "again";
    case Status::kBusy: return "busy";
    case Status::kInterrupted: return "intr";
    case Status::kNoProcess: return "srch";
    case Status::kKilled: return "killed";
    case Status::kIo: return "io";
  }
  return "?";
}

}  // namespace racier
