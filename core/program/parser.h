// core/program/parser.h - the state of a parse; for parse*.cc only.
#pragma once
#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/program/cursor.h"
#include "core/program/ops.h"
#include "core/program/program.h"

namespace racier::program {

// The parts of a program in the order in which they stand.
enum class Section : std::uint8_t {
  kOptions,
  kSetup,
  kTasks,
  kSchedule,
  kExpectations
};

inline std::string ticked(std::string_view word) {
  return "`" + std::string(word) + "`";
}

// The keys of a line, KEY=VALUE, each of which stands there once.
class Keys {
 public:
  void add(const Cursor& in, std::string_view key, int column) {
    if (std::find(seen_.begin(), seen_.end(), key) != seen_.end()) {
      in.fail_at(column, ticked(key) + " is given twice");
    }
    seen_.push_back(key);
  }

 private:
  std::vector<std::string_view> seen_;
};

// Returns the number in the name of a file, "f3", or nothing.
std::optional<std::uint64_t> file_number(std::string_view name);

// One pass over the lines; names of variables, which may be used before the call that
// defines them, are looked up at the end.  Errors are thrown as ParseError.
class Parser {
 public:
  Program parse(std::string_view text);

 private:
  struct Definition {
    Variable kind;
    std::uint64_t number;
    int line;
  };
  struct Use {  // of a variable, to be looked up at the end
    int list;
    std::size_t call;
    std::size_t argument;
    Variable kind;
    std::string name;
    int line;
    int column;
  };

  void line(std::string_view text, int number);
  void comment(std::string_view text);
  std::string take_comment() { return std::exchange(comment_, {}); }
  void note_schedule();
  void section_line(Cursor& in, std::string_view word, int column);
  void enter(Cursor& in, Section section, std::string_view word, int column);

  // parse.cc
  void machine(Cursor& in);
  void bug(Cursor& in);
  void drop(Cursor& in);
  void task(Cursor& in);
  void expect(Cursor& in);
  void mark(Cursor& in);
  void resolve();

  // parse_call.cc
  void call(Cursor& in);
  void define(Cursor& in, std::string_view name, int column, const Op& op);
  void argument(Cursor& in, const Op& op, int index, Call& call);
  void property(Cursor& in, Call& call);
  Expected expected(Cursor& in);

  // parse_schedule.cc
  void schedule(Cursor& in);
  void schedule_key(Cursor& in, std::string_view key, int column);
  void overrides(Cursor& in);
  void schedule_line(Cursor& in);
  std::uint8_t task_of_schedule(Cursor& in);

  Program program_;
  Section section_ = Section::kOptions;
  bool began_ = false;  // a line that is no comment was seen
  bool machine_seen_ = false;
  bool schedule_seen_ = false;
  bool expect_seen_ = false;
  std::string comment_;  // the lines since the last line that is none
  int list_ = -1;        // of the calls that are being read
  Scope defined_;
  std::map<std::string, Definition, std::less<>> definitions_;
  std::vector<Use> uses_;
};

}  // namespace racier::program
