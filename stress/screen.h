// stress/screen.h - lines for people: those that stay, and one that is overwritten.
#pragma once
#include <chrono>
#include <mutex>
#include <string>

namespace racier::stress {

// Prints to stdout, complaints to stderr.  Any thread.
class Screen {
 public:
  // Lines begin with "NAME: ".
  explicit Screen(std::string name);

  // Prints a line that stays.
  void line(const std::string& text);
  // Prints a line that stays and that nobody may miss.
  void complain(const std::string& text);
  // Shows how far things are: on a terminal at once, elsewhere a line now and then.
  void progress(const std::string& text);
  // Returns how often progress is worth showing.
  std::chrono::milliseconds interval() const { return terminal_ ? kFast : kSlow; }

 private:
  static constexpr std::chrono::milliseconds kFast{500};
  static constexpr std::chrono::milliseconds kSlow{10000};
  void clear();

  std::string name_;
  bool terminal_;
  std::mutex mutex_;
  bool shown_ = false;  // a progress line, on a terminal
};

}  // namespace racier::stress
