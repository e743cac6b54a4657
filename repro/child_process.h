// repro/child_process.h - a copy of this process, that does something and may die of
// it.
#pragma once
#include <sys/types.h>

#include <functional>
#include <string>
#include <string_view>

#include "repro/descriptor.h"

namespace racier::repro {

struct ChildResult {
  std::string said;   // what the work said
  std::string death;  // how the process ended, if not in order: "signal 11", and what a
                      // sanitizer said last; without numbers that differ each time
  bool late = false;  // it had to be killed
  bool operator==(const ChildResult&) const = default;
};

// Its output to stderr goes nowhere.  It does not outlive this process.
// Context: no other threads, no run.
class ChildProcess {
 public:
  using Say = std::function<void(std::string_view)>;
  using Work = std::function<void(const Say&)>;

  // Starts `work`; what it says is there even if it dies of what it does next.  Throws
  // CannotRun: there is no other process.
  explicit ChildProcess(const Work& work);
  // Kills it.
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  // Readable when it has said something, or has ended.
  int output() const { return output_.get(); }
  // Takes what is there to read, or waits for it.  Returns false: it says no more.
  bool listen();
  // Asks it to end in order.
  void ask() const;
  // Ends it: it is late.
  void kill();
  // Waits for its end.  Throws CannotRun if the work threw; once.
  ChildResult result();

 private:
  int wait();

  Descriptor output_;
  Descriptor errors_;
  Descriptor failure_;
  pid_t process_ = -1;
  ChildResult result_;
};

}  // namespace racier::repro
