// repro/descriptor.h - a file descriptor that is closed at the end.
#pragma once
#include <unistd.h>

#include <string_view>
#include <utility>

namespace racier::repro {

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() { close(); }
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  int get() const { return number_; }
  // Returns whether everything that was written is in its place.
  bool close() {
    if (number_ < 0) return true;
    return ::close(std::exchange(number_, -1)) == 0;
  }

 private:
  int number_;
};

// Writes all of `text`.  Returns false, and errno.
bool write_all(int descriptor, std::string_view text);

}  // namespace racier::repro
