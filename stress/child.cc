// stress/child.cc - starts and ends processes.  Tested by child_test.cc.
//
// By fork(), because posix_spawn() cannot make a child die with its parent.
#include "stress/child.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace racier::stress {
namespace {

constexpr int kStopSignals[] = {SIGINT, SIGTERM};

sigset_t stop_signals() {
  sigset_t set;
  ::sigemptyset(&set);
  for (const int signal : kStopSignals) ::sigaddset(&set, signal);
  return set;
}

// Between fork() and exec(): only what a signal handler may do.  `mask` is the
// parent's.
[[noreturn]] void become(char* const* arguments, const char* where, int log,
                         pid_t parent, const sigset_t& mask) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);  // it died before
  for (const int signal : {SIGINT, SIGTERM, SIGPIPE}) ::signal(signal, SIG_DFL);
  ::sigprocmask(SIG_SETMASK, &mask, nullptr);
  const int nothing = ::open("/dev/null", O_RDONLY);
  if (nothing >= 0) ::dup2(nothing, 0);
  if (log >= 0) {
    ::dup2(log, 1);
    ::dup2(log, 2);
  }
  if (::chdir(where) == 0) ::execv(arguments[0], arguments);
  const char* const why = ::strerrordesc_np(errno);
  const auto say = [](const char* text) {
    [[maybe_unused]] const auto written = ::write(2, text, std::strlen(text));
  };
  say("cannot start ");
  say(arguments[0]);
  say(": ");
  say(why == nullptr ? "?" : why);
  say("\n");
  ::_exit(127);
}

}  // namespace

bool ChildEnd::as_asked() const {
  return asked && (hung || signal == SIGTERM || signal == SIGINT);
}

Child::Child(const std::vector<std::string>& command,
             const std::filesystem::path& where, const std::filesystem::path& log) {
  std::vector<char*> arguments;
  for (const std::string& word : command) {
    arguments.push_back(const_cast<char*>(word.c_str()));
  }
  arguments.push_back(nullptr);
  const int fd =
      ::open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0666);
  const pid_t parent = ::getpid();
  // Until the child has its own ways with them, they wait: one that went to the
  // parent's handler in the child would be lost.
  const sigset_t blocked = stop_signals();
  sigset_t mask;
  ::sigprocmask(SIG_BLOCK, &blocked, &mask);
  pid_ = ::fork();
  if (pid_ == 0) become(arguments.data(), where.c_str(), fd, parent, mask);
  ::sigprocmask(SIG_SETMASK, &mask, nullptr);
  if (fd >= 0) ::close(fd);
  if (pid_ < 0) {
    ended_ = true;
    end_.exit_code = 127;
    return;
  }
  ::setpgid(pid_, pid_);  // whoever comes first
  pidfd_ = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0));
}

Child::~Child() {
  if (!ended_) {
    kill();
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  if (pidfd_ >= 0) ::close(pidfd_);
}

bool Child::ended() {
  if (ended_) return true;
  siginfo_t info = {};
  const auto id = static_cast<id_t>(pid_);
  if (::waitid(P_PID, id, &info, WEXITED | WNOHANG | WNOWAIT) != 0) return false;
  if (info.si_pid != pid_) return false;
  ::kill(-pid_, SIGKILL);  // what it has left behind
  int status = 0;
  ::waitpid(pid_, &status, 0);
  ended_ = true;
  end_.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
  end_.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  return true;
}

void Child::ask() {
  if (ended_) return;
  end_.asked = !end_.hung;
  ::kill(-pid_, SIGTERM);
}

void Child::kill() {
  if (ended_) return;
  end_.hung = true;
  ::kill(-pid_, SIGKILL);
}

}  // namespace racier::stress
