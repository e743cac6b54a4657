// core/program/edit.cc - renumbers references.  Tested by edit_test.cc.
#include "core/program/edit.h"

#include <algorithm>

#include "core/program/ops.h"

namespace racier::program {
namespace {

// Changes each reference to a variable of `kind` to what `changed` says.
template <typename Changed>
void change_references(Program& program, Variable kind, Changed changed) {
  for (int list = 0; list < program.lists(); ++list) {
    for (Call& call : program.list(list)) {
      const Op& op = op_of(call);
      for (int i = 0; i < op.argument_count; ++i) {
        std::uint64_t& value = call.arguments[static_cast<std::size_t>(i)];
        if (op.type(i).variable() == kind && value != kNoVariable)
          value = changed(value);
      }
    }
  }
}

// Returns the number of the variable of `kind` that a call at `place` defines.
std::uint64_t number_at(const Program& program, CallPlace place, Variable kind) {
  std::uint64_t number = 0;
  for (int list = 0; list <= place.list; ++list) {
    const Calls& calls = program.list(list);
    const std::size_t end = list == place.list ? place.index : calls.size();
    for (std::size_t i = 0; i < end; ++i) {
      if (op_of(calls[i]).defines == kind) ++number;
    }
  }
  return number;
}

Calls::iterator iterator_at(Program& program, CallPlace place) {
  return program.list(place.list).begin() + static_cast<std::ptrdiff_t>(place.index);
}

}  // namespace

void insert_call(Program& program, CallPlace place, Call call) {
  const auto kind = op_of(call).defines;
  program.list(place.list).insert(iterator_at(program, place), std::move(call));
  if (!kind) return;
  const std::uint64_t number = number_at(program, place, *kind);
  change_references(program, *kind, [&](std::uint64_t value) {
    return value + (value >= number ? 1 : 0);
  });
}

void erase_call(Program& program, CallPlace place) {
  const auto kind = op_of(*iterator_at(program, place)).defines;
  program.list(place.list).erase(iterator_at(program, place));
  if (!kind) return;
  const std::uint64_t number = number_at(program, place, *kind);
  change_references(program, *kind, [&](std::uint64_t value) {
    if (value == number) return kNoVariable;
    return value - (value > number ? 1 : 0);
  });
}

void move_call(Program& program, CallPlace from, CallPlace to) {
  const auto kind = op_of(*iterator_at(program, from)).defines;
  const std::uint64_t before = kind ? number_at(program, from, *kind) : 0;
  Call call = std::move(*iterator_at(program, from));
  program.list(from.list).erase(iterator_at(program, from));
  program.list(to.list).insert(iterator_at(program, to), std::move(call));
  if (!kind) return;
  const std::uint64_t after = number_at(program, to, *kind);
  change_references(program, *kind, [&](std::uint64_t value) {
    if (value == before) return after;
    if (value > before) --value;
    return value + (value >= after ? 1 : 0);
  });
}

void erase_task(Program& program, int task) {
  const int list = task + 1;
  while (!program.list(list).empty()) {
    erase_call(program, {list, program.list(list).size() - 1});
  }
  program.tasks.erase(program.tasks.begin() + task);
  Schedule& schedule = program.schedule;
  std::erase_if(schedule.switches, [&](const Switch& change) {
    return change.task == task || change.next == task;
  });
  std::erase_if(schedule.choices,
                [&](const Choice& choice) { return choice.task == task; });
  const auto renumber = [&](std::uint8_t& other) { other -= other > task ? 1 : 0; };
  for (Switch& change : schedule.switches) {
    renumber(change.task);
    renumber(change.next);
  }
  for (Choice& choice : schedule.choices) renumber(choice.task);
}

}  // namespace racier::program
