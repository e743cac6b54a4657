// core/program/mutate.cc - changes programs at random.  Tested by mutate_test.cc.
#include "core/program/mutate.h"

#include <algorithm>

#include "core/program/bytes.h"
#include "core/program/edit.h"
#include "core/program/generate.h"
#include "core/program/machine_keys.h"
#include "core/program/ops.h"

namespace racier::program {
namespace {

// A change returns false if the program has nothing to change in that way.
struct Change {
  bool (*apply)(Program&, Random&);
  std::uint32_t weight;
};

bool apply_one(std::span<const Change> changes, Program& program, Random& random) {
  std::uint32_t sum = 0;
  for (const Change& change : changes) sum += change.weight;
  std::uint64_t rest = random.below(sum);
  for (const Change& change : changes) {
    if (rest < change.weight) return change.apply(program, random);
    rest -= change.weight;
  }
  return false;
}

// Applies changes until one was possible.
void apply(std::span<const Change> changes, Program& program, Random& random) {
  constexpr int kTriesMax = 32;
  for (int i = 0; i < kTriesMax; ++i) {
    if (apply_one(changes, program, random)) return;
  }
}

// ---- Calls ----------------------------------------------------------------------------

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

// A reference that points nowhere gets a target first of all.
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
    {&insert_random, 30}, {&erase_random, 15},     {&double_random, 10}, {&move_random, 15},
    {&alter_argument, 40}, {&alter_fail_nth, 3}, {&add_task, 4},
    {&drop_task, 2},       {&alter_machine, 3},
};

// ---- Schedule -------------------------------------------------------------------------

bool new_schedule(Program& program, Random& random) {
  program.schedule = draw_schedule(random);
  return true;
}

bool new_seed(Program& program, Random& random) {
  program.schedule.seed = random.below(1ull << 32);
  return true;
}

bool new_object(Program& program, Random& random) {
  program.schedule.object = static_cast<std::uint32_t>(random.below(64));
  return true;
}

bool add_override(Program& program, Random& random) {
  auto& overrides = program.schedule.overrides;
  if (overrides.size() == kOverridesMax) return false;
  const auto at = static_cast<std::ptrdiff_t>(random.below(overrides.size() + 1));
  overrides.insert(overrides.begin() + at, draw_override(random));
  return true;
}

bool drop_override(Program& program, Random& random) {
  auto& overrides = program.schedule.overrides;
  if (overrides.empty()) return false;
  overrides.erase(overrides.begin() +
                  static_cast<std::ptrdiff_t>(random.below(overrides.size())));
  return true;
}

bool alter_override(Program& program, Random& random) {
  auto& overrides = program.schedule.overrides;
  if (overrides.empty()) return false;
  Override& change = overrides[random.below(overrides.size())];
  const Override drawn = draw_override(random);
  switch (random.below(4)) {
    case 0: change.target = drawn.target; break;
    case 1: change.delta = drawn.delta; break;
    case 2: ++change.delta; break;
    default: change.delta -= change.delta == 0 ? 0 : 1;
  }
  return true;
}

std::uint8_t draw_task(const Program& program, Random& random) {
  return static_cast<std::uint8_t>(random.below(program.tasks.size() + 1));
}

bool alter_switches(Program& program, Random& random) {
  if (program.schedule.strategy != StrategyKind::kReplay) return false;
  auto& switches = program.schedule.switches;
  const auto at = static_cast<std::ptrdiff_t>(random.below(switches.size() + 1));
  const bool at_end = at == static_cast<std::ptrdiff_t>(switches.size());
  if (at_end || random.below(3) == 0) {
    if (switches.size() >= kFuzzedSwitchesMax) return false;
    const auto step = static_cast<std::uint32_t>(draw_override(random).delta);
    switches.insert(switches.begin() + at,
                    {draw_task(program, random), step, draw_task(program, random)});
  } else if (random.below(2) == 0) {
    switches.erase(switches.begin() + at);
  } else {
    switches[static_cast<std::size_t>(at)].step += random.below(2) == 0 ? 1 : -1;
  }
  return true;
}

constexpr Change kScheduleChanges[] = {
    {&new_schedule, 10}, {&new_seed, 30},       {&new_object, 3},     {&add_override, 15},
    {&drop_override, 8}, {&alter_override, 25}, {&alter_switches, 10},
};

}  // namespace

void mutate_calls(Program& program, Random& random) {
  fit(program);
  for (std::uint64_t rest = 1 + random.below(3); rest > 0; --rest) {
    apply(kCallChanges, program, random);
  }
  if (random.below(4) != 0) repair_references(program, random);
  fit(program);
}

void mutate_schedule(Program& program, Random& random) {
  fit(program);
  apply(kScheduleChanges, program, random);
  fit(program);
}

void mutate(Program& program, Random& random) {
  const std::uint64_t draw = random.below(20);
  if (draw < 12) mutate_schedule(program, random);
  if (draw >= 11) mutate_calls(program, random);
}

Program cross(const Program& a, const Program& b, Random& random) {
  Program child = a;
  fit(child);
  Program other = b;
  fit(other);
  const Scope scope = scope_of(child);
  // For each list, a stretch of the other's goes in, its references brought within range.
  for (int list = 0; list < std::min(child.lists(), other.lists()); ++list) {
    if (random.below(2) == 0) continue;
    const Calls& calls = other.list(list);
    const std::size_t begin = random.below(calls.size() + 1);
    const std::size_t end = begin + random.below(calls.size() - begin + 1);
    std::size_t at = random.below(child.list(list).size() + 1);
    for (std::size_t i = begin; i < end && child.list(list).size() < kFuzzedCallsMax; ++i) {
      Call call = calls[i];
      const Op& op = op_of(call);
      for (int k = 0; k < op.argument_count; ++k) {
        std::uint64_t& value = call.arguments[static_cast<std::size_t>(k)];
        value = op.type(k).fit(value, scope);
      }
      insert_call(child, {list, at++}, std::move(call));
    }
  }
  if (random.below(2) == 0) child.schedule = other.schedule;
  if (random.below(4) == 0) child.machine = other.machine;
  fit(child);
  return child;
}

}  // namespace racier::program
