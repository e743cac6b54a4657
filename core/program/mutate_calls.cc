// core/program/mutate_calls.cc - changes calls and machines at random.
// Tested by mutate_test.cc.
#include "core/program/bytes.h"
#include "core/program/change.h"
#include "core/program/edit.h"
#include "core/program/generate.h"
#include "core/program/machine_keys.h"
#include "core/program/mutate.h"
#include "core/program/ops.h"

namespace racier::program {
namespace {

// Returns a list; tasks are drawn more often than the setup.
int draw_list(const Program& program, Random& random) {
  if (program.tasks.empty() || random.below(4) == 0) return 0;
  return 1 + static_cast<int>(random.below(program.tasks.size()));
}

// Returns the place of a call, or nothing if the list that was drawn is empty.
std::optional<CallPlace> draw_place(const Program& program, Random& random) {
  const int list = draw_list(program, random);
  const std::size_t size = program.list(list).size();
  if (size == 0) return std::nullopt;
  return CallPlace{list, random.below(size)};
}

// Returns a place to insert at, or nothing if the list that was drawn is full.
std::optional<CallPlace> draw_gap(const Program& program, Random& random) {
  const int list = draw_list(program, random);
  const std::size_t size = program.list(list).size();
  if (size >= kFuzzedCallsMax) return std::nullopt;
  return CallPlace{list, random.below(size + 1)};
}

Call& call_at(Program& program, CallPlace place) {
  return program.list(place.list)[place.index];
}

bool insert_random(Program& program, Random& random) {
  const auto gap = draw_gap(program, random);
  if (!gap) return false;
  insert_call(program, *gap, draw_call(random, scope_of(program)));
  return true;
}

bool erase_random(Program& program, Random& random) {
  const auto place = draw_place(program, random);
  if (!place) return false;
  erase_call(program, *place);
  return true;
}

bool double_random(Program& program, Random& random) {
  const auto place = draw_place(program, random);
  const auto gap = draw_gap(program, random);
  if (!place || !gap) return false;
  insert_call(program, *gap, call_at(program, *place));
  return true;
}

bool move_random(Program& program, Random& random) {
  const auto from = draw_place(program, random);
  auto to = draw_gap(program, random);
  if (!from || !to) return false;
  if (to->list == from->list && to->index == program.list(to->list).size()) --to->index;
  move_call(program, *from, *to);
  return true;
}

bool alter_argument(Program& program, Random& random) {
  const auto place = draw_place(program, random);
  if (!place) return false;
  Call& call = call_at(program, *place);
  const Op& op = op_of(call);
  if (op.argument_count == 0) return false;
  const auto index = random.below(static_cast<std::uint64_t>(op.argument_count));
  std::uint64_t& value = call.arguments[index];
  value = op.type(static_cast<int>(index)).mutate(random, value, scope_of(program));
  return true;
}

bool repair_references(Program& program, Random& random) {
  const Scope scope = scope_of(program);
  bool repaired = false;
  for (int list = 0; list < program.lists(); ++list) {
    for (Call& call : program.list(list)) {
      const Op& op = op_of(call);
      for (int i = 0; i < op.argument_count; ++i) {
        std::uint64_t& value = call.arguments[static_cast<std::size_t>(i)];
        if (!op.type(i).variable() || value != kNoVariable) continue;
        value = op.type(i).draw(random, scope);
        repaired |= value != kNoVariable;
      }
    }
  }
  return repaired;
}

bool alter_fail_nth(Program& program, Random& random) {
  const auto place = draw_place(program, random);
  if (!place) return false;
  Call& call = call_at(program, *place);
  constexpr std::uint64_t kFailNthMax = 12;
  call.fail_nth = call.fail_nth != 0 && random.below(2) == 0
                      ? std::uint16_t{0}
                      : static_cast<std::uint16_t>(1 + random.below(kFailNthMax));
  return true;
}

bool add_task(Program& program, Random& random) {
  if (program.tasks.size() == kProgramTasksMax) return false;
  // Mostly a twin of another one: two that do the same race best.
  Calls calls;
  if (!program.tasks.empty() && random.below(3) != 0) {
    calls = program.tasks[random.below(program.tasks.size())];
  }
  program.tasks.emplace_back();
  const int list = program.lists() - 1;
  for (Call& call : calls) {
    insert_call(program, {list, program.list(list).size()}, std::move(call));
  }
  if (calls.empty()) {
    insert_call(program, {list, 0}, draw_call(random, scope_of(program)));
  }
  return true;
}

bool drop_task(Program& program, Random& random) {
  if (program.tasks.size() < 2) return false;
  erase_task(program, static_cast<int>(random.below(program.tasks.size())));
  return true;
}

bool alter_machine(Program& program, Random& random) {
  const auto keys = machine_keys();
  const MachineKey& key = keys[random.below(keys.size())];
  if (key.fuzzed.size() < 2) return false;
  key.set(program.machine, key.fuzzed[random.below(key.fuzzed.size())]);
  return true;
}

constexpr Change kCallChanges[] = {
    {&insert_random, 30}, {&erase_random, 15},   {&double_random, 10},
    {&move_random, 15},   {&alter_argument, 40}, {&alter_fail_nth, 3},
    {&add_task, 4},       {&drop_task, 2},       {&alter_machine, 3},
};

}  // namespace

void mutate_calls(Program& program, Random& random) {
  fit(program);
  for (std::uint64_t rest = 1 + random.below(3); rest > 0; --rest) {
    apply_one_of(kCallChanges, program, random);
  }
  if (random.below(4) != 0) repair_references(program, random);
  fit(program);
}

}  // namespace racier::program
