// repro/child_process.cc - fork, pipe, wait.  Tested by in_child_test.cc.
#include "repro/child_process.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include "core/runtime/fiber.h"
#include "repro/files.h"

namespace racier::repro {
namespace {

[[noreturn]] void no_way(const char* what) {
  throw CannotRun(fmt::format("no {}: {}", what, std::strerror(errno)));
}

int file_in_memory(const char* name) {
  const int number = ::memfd_create(name, MFD_CLOEXEC);
  if (number < 0) no_way("file in memory");
  return number;
}

[[noreturn]] void be_the_child(const ChildProcess::Work& work, pid_t parent, int out,
                               int errors, int failure) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) std::_Exit(1);  // it has gone already
  ::dup2(errors, STDERR_FILENO);
  try {
    work([out](std::string_view words) { write_all(out, words); });
  } catch (const std::exception& error) {
    write_all(failure, error.what());
  }
  std::_Exit(0);  // what the parent has not written yet is the parent's
}

std::string text_in(int fd) {
  std::string text(64 << 10, '\0');
  const ssize_t size = ::pread(fd, text.data(), text.size(), 0);
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
  return text;
}

// Returns what a sanitizer said in the end, without numbers.
std::string summary_in(int fd) {
  const std::string text = text_in(fd);
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

ChildProcess::ChildProcess(const Work& work)
    : output_(-1),
      errors_(file_in_memory("stderr")),
      failure_(file_in_memory("failure")) {
  int ends[2] = {-1, -1};
  if (::pipe(ends) != 0) no_way("pipe");
  output_ = Descriptor(ends[0]);
  const Descriptor out(ends[1]);
  std::fflush(nullptr);
  FiberPool::of_thread().end();
  const pid_t parent = ::getpid();
  process_ = ::fork();
  if (process_ < 0) no_way("process");
  if (process_ == 0) {
    be_the_child(work, parent, out.get(), errors_.get(), failure_.get());
  }
}

ChildProcess::~ChildProcess() {
  if (process_ < 0) return;
  ::kill(process_, SIGKILL);
  wait();
}

bool ChildProcess::listen() {
  char bytes[4096];
  const ssize_t count = ::read(output_.get(), bytes, sizeof bytes);
  if (count > 0) result_.said.append(bytes, static_cast<std::size_t>(count));
  return count > 0 || (count < 0 && errno == EINTR);
}

void ChildProcess::ask() const { ::kill(process_, SIGTERM); }

void ChildProcess::kill() {
  result_.late = true;
  ::kill(process_, SIGKILL);
}

int ChildProcess::wait() {
  int status = 0;
  while (::waitpid(process_, &status, 0) < 0 && errno == EINTR) {
  }
  process_ = -1;
  return status;
}

ChildResult ChildProcess::result() {
  result_.death = death_of(wait(), errors_.get());
  const std::string failure = text_in(failure_.get());
  if (!failure.empty()) throw CannotRun(failure);
  return std::move(result_);
}

}  // namespace racier::repro
