// core/program/edit.h - changes to programs after which every reference still means the
// same.
//
// A variable's number is its place among those that the program defines, so a call that
// comes or goes moves the numbers behind it; these functions put the references right.
// A reference whose definition goes becomes kNoVariable.
#pragma once
#include "core/program/program.h"

namespace racier::program {

// Before call `index` of list `list` (Program::list()); `index` may be the list's size.
struct CallPlace {
  int list = 0;
  std::size_t index = 0;
  bool operator==(const CallPlace&) const = default;
};

// Inserts `call`, whose references are to the variables as they are numbered before.
void insert_call(Program& program, CallPlace place, Call call);
void erase_call(Program& program, CallPlace place);
// Takes the call at `from` to `to`, a place in the program without it.
void move_call(Program& program, CallPlace from, CallPlace to);

// Removes the last tasks that have no calls, or the task `task` with all that it does;
// the schedule goes on speaking of the others.
void erase_task(Program& program, int task);

}  // namespace racier::program
