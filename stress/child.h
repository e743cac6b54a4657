// stress/child.h - a child process with its own process group and its output in a file.
#pragma once
#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

namespace racier::stress {

// How a child ended.
struct ChildEnd {
  int exit_code = 0;   // if `signal` is 0
  int signal = 0;      // that killed it
  bool hung = false;   // it had to be killed
  bool asked = false;  // to end, before it hung

  // Returns whether it ended because it was asked to, and for no reason of its own.
  bool as_asked() const;
};

// Whoever dies first: the child does not outlive its parent.
class Child {
 public:
  // Starts `command` (a path and its arguments) in folder `where`; stdout and stderr go
  // to `log`.  A command that cannot be started ends with exit code 127, and the log
  // says why.
  Child(const std::vector<std::string>& command, const std::filesystem::path& where,
        const std::filesystem::path& log);
  // Kills it, with all that it started.
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  // A file descriptor that is readable once the child has ended; -1: there is none.
  int poll_fd() const { return pidfd_; }
  // Returns whether it has ended.
  bool ended();
  const ChildEnd& end() const { return end_; }
  pid_t pid() const { return pid_; }

  // Asks it to end.
  void ask();
  // Ends it, with all that it started; it was hanging.
  void kill();

 private:
  pid_t pid_ = -1;  // also the number of its process group
  int pidfd_ = -1;
  bool ended_ = false;
  ChildEnd end_;
};

}  // namespace racier::stress
