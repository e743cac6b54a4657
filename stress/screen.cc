// stress/screen.cc - prints.  Tested by racier_stress_test.sh.
#include "stress/screen.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>
#include <utility>

namespace racier::stress {
namespace {

std::size_t columns() {
  winsize size{};
  const bool known = ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 20;
  return known ? size.ws_col : 80;
}

}  // namespace

Screen::Screen(std::string name)
    : name_(std::move(name)), terminal_(::isatty(STDOUT_FILENO) == 1) {}

void Screen::clear() {
  if (shown_) std::fputs("\r\033[K", stdout);
  shown_ = false;
}

void Screen::line(const std::string& text) {
  const std::lock_guard lock(mutex_);
  clear();
  std::printf("%s: %s\n", name_.c_str(), text.c_str());
  std::fflush(stdout);
}

void Screen::complain(const std::string& text) {
  const std::lock_guard lock(mutex_);
  clear();
  std::fflush(stdout);
  std::fprintf(stderr, "%s: !!! %s\n", name_.c_str(), text.c_str());
}

void Screen::progress(const std::string& text) {
  if (!terminal_) return line(text);
  const std::lock_guard lock(mutex_);
  clear();
  std::string whole = name_ + ": " + text;
  if (whole.size() >= columns()) whole.resize(columns() - 1);
  std::fputs(whole.c_str(), stdout);
  std::fflush(stdout);
  shown_ = true;
}

}  // namespace racier::stress
