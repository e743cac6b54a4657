// repro/in_child.cc - fork, pipe, wait.  Tested by in_child_test.cc.
#include "repro/in_child.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include "repro/descriptor.h"
#include "repro/files.h"
#include "stress/stop_signals.h"

namespace racier::repro {
namespace {

[[noreturn]] void no_way(const char* what) {
  throw CannotRun(fmt::format("no {}: {}", what, std::strerror(errno)));
}

// What comes first in a child's words.
constexpr char kSaid = '+';
constexpr char kFailed = '-';

[[noreturn]] void be_the_child(const std::function<std::string()>& work, int out,
                               int errors) {
  ::dup2(errors, STDERR_FILENO);
  try {
    write_all(out, kSaid + work());
  } catch (const std::exception& error) {
    write_all(out, kFailed + std::string(error.what()));
  }
  std::_Exit(0);  // what the parent has not written yet is the parent's
}

// Reads until the child closes its end; false: the deadline came first.
bool read_all(int fd, pid_t child, std::chrono::steady_clock::time_point deadline,
              std::string& text) {
  bool told = false;
  for (;;) {
    using std::chrono::milliseconds;
    const auto left = std::chrono::duration_cast<milliseconds>(
        deadline - std::chrono::steady_clock::now());
    if (left <= milliseconds::zero()) return false;
    if (stress::stop_requested() && !std::exchange(told, true)) ::kill(child, SIGTERM);
    pollfd wait{fd, POLLIN, 0};
    constexpr milliseconds kLook{200};  // for somebody who wants to stop
    const int ready = ::poll(&wait, 1, static_cast<int>(std::min(left, kLook).count()));
    if (ready <= 0) continue;
    char bytes[4096];
    const ssize_t count = ::read(fd, bytes, sizeof bytes);
    if (count == 0) return true;
    if (count > 0) text.append(bytes, static_cast<std::size_t>(count));
  }
}

// Returns what a sanitizer said in the end, without numbers.
std::string summary_in(int fd) {
  std::string text(64 << 10, '\0');
  const ssize_t size = ::pread(fd, text.data(), text.size(), 0);
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
  const std::size_t at = text.rfind("SUMMARY: ");
  if (at == text.npos) return "";
  std::string line = text.substr(at, text.find('\n', at) - at);
  std::erase_if(line, [](char c) { return c >= '0' && c <= '9'; });
  return ", " + line;
}

std::string death_of(int status, int errors) {
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return "";
  const std::string how = WIFSIGNALED(status)
                              ? fmt::format("signal {}", WTERMSIG(status))
                              : fmt::format("exit code {}", WEXITSTATUS(status));
  return how + summary_in(errors);
}

}  // namespace

ChildResult run_in_child(const std::function<std::string()>& work,
                         std::chrono::steady_clock::time_point deadline) {
  int ends[2] = {-1, -1};
  if (::pipe(ends) != 0) no_way("pipe");
  const Descriptor in(ends[0]);
  Descriptor out(ends[1]);
  const Descriptor errors(::memfd_create("stderr", MFD_CLOEXEC));
  if (errors.get() < 0) no_way("file in memory");
  std::fflush(nullptr);
  const pid_t child = ::fork();
  if (child < 0) no_way("process");
  if (child == 0) be_the_child(work, out.get(), errors.get());
  out.close();
  ChildResult result;
  result.late = !read_all(in.get(), child, deadline, result.said);
  if (result.late) ::kill(child, SIGKILL);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  result.death = death_of(status, errors.get());
  const bool failed = result.said.starts_with(kFailed);
  result.said.erase(0, 1);
  if (failed) throw CannotRun(result.said);
  return result;
}

}  // namespace racier::repro
