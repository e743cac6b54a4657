// core/program/cursor.h - reads a line of a program's text word by word.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "core/program/parse.h"

namespace racier::program {

// A place in a line.  What it expects and does not find, it throws as a ParseError.
class Cursor {
 public:
  // `line` without its comment and the blanks behind it.
  Cursor(std::string_view line, int number) : line_(line), number_(number) {}

  bool at_end();
  // Returns the next word without taking it: letters, digits and most signs, up to a
  // blank or one of ( ) = " : , > -> ; may be empty.
  std::string_view peek();
  std::string_view word(std::string_view expected);
  // Takes `sign` if it is next.
  bool take(std::string_view sign);
  void expect(std::string_view sign);
  void expect_end();
  // A number from `min` to `max`; `noun` says of what.
  std::uint64_t number(std::string_view noun, std::uint64_t max, std::uint64_t min = 0);
  // A text in quotes, with \" and \\ and \n in it.
  std::string quoted(std::string_view expected);

  int line() const { return number_; }
  int column();
  // Throws "expected `expected`, not ..." for the place before the next word.
  [[noreturn]] void fail(std::string_view expected);
  // Throws `sentence` for a place of this line.
  [[noreturn]] void fail_at(int column, std::string sentence) const {
    throw ParseError{number_, column, std::move(sentence)};
  }

 private:
  void skip_blanks();

  std::string_view line_;
  int number_;
  std::size_t at_ = 0;
};

}  // namespace racier::program
