// core/runtime/exceptions_in_flight.h - what the C++ runtime knows of exceptions.
#pragma once

namespace racier {

// All fibers of a thread share the state, so a switch must find it empty, or save it:
// else a handler sees the exception of another fiber.
class ExceptionsInFlight {
 public:
  // The two words of __cxa_eh_globals, as the Itanium C++ ABI lays them out.
  struct State {
    void* caught = nullptr;
    unsigned int uncaught = 0;
  };

  // Binds to the calling OS thread.
  void bind_thread();
  // Returns whether one is being thrown or handled.
  bool any() const { return state_->uncaught != 0 || state_->caught != nullptr; }

  // Takes the state away, so that another fiber can run; to be put back by restore().
  State take() {
    const State taken = *state_;
    *state_ = {};
    return taken;
  }
  void restore(const State& taken) { *state_ = taken; }

 private:
  State* state_ = nullptr;
};

}  // namespace racier
