// core/runtime/exceptions_in_flight.cc - finds the thread's state.
#include "core/runtime/exceptions_in_flight.h"

#include <cxxabi.h>

namespace racier {

void ExceptionsInFlight::bind_thread() {
  state_ = reinterpret_cast<State*>(abi::__cxa_get_globals());
}

}  // namespace racier
