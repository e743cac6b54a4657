// stress/stop_signals.cc - signal handlers.  Tested by racier_stress_test.sh.
#include "stress/stop_signals.h"

#include <signal.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstring>

namespace racier::stress {
namespace {

std::atomic<bool> stop{false};
std::atomic<const char*> last_words{nullptr};

constexpr std::array kDeadly = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL};
std::array<struct sigaction, kDeadly.size()> before;

// Says them, and leaves the rest to whoever would have had the signal: a fault happens
// again, what was sent is sent again.
void on_deadly(int signal, siginfo_t* info, void*) {
  const char* const words = last_words.load();
  if (words != nullptr) [[maybe_unused]]
    const auto n = ::write(2, words, std::strlen(words));
  for (std::size_t i = 0; i < kDeadly.size(); ++i) {
    if (kDeadly[i] == signal) ::sigaction(signal, &before[i], nullptr);
  }
  if (info->si_code <= 0) ::raise(signal);
}

// The second Ctrl-C is meant.  What a process sends twice is not: timeout(1) signals both
// its child and their process group.
void on_stop(int signal, siginfo_t* info, void*) {
  const bool from_terminal = info->si_code > 0;
  if (!stop.exchange(true) || !from_terminal) return;
  ::signal(signal, SIG_DFL);
  ::raise(signal);
}

}  // namespace

void catch_stop_signals() {
  struct sigaction action = {};
  action.sa_sigaction = on_stop;
  action.sa_flags = SA_RESTART | SA_SIGINFO;
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
}

bool stop_requested() { return stop.load(); }

void set_last_words(const char* words) {
  if (last_words.exchange(words) != nullptr) return;
  struct sigaction action = {};
  action.sa_sigaction = on_deadly;
  action.sa_flags = SA_SIGINFO;
  for (std::size_t i = 0; i < kDeadly.size(); ++i) {
    ::sigaction(kDeadly[i], &action, &before[i]);
  }
}

}  // namespace racier::stress
