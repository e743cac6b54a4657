// core/program/mutate_schedule.cc - changes schedules at random.
// Tested by mutate_test.cc.
#include "core/program/bytes.h"
#include "core/program/change.h"
#include "core/program/generate.h"
#include "core/program/mutate.h"

namespace racier::program {
namespace {

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
    case 0:
      change.target = drawn.target;
      break;
    case 1:
      change.delta = drawn.delta;
      break;
    case 2:
      ++change.delta;
      break;
    default:
      change.delta -= change.delta == 0 ? 0 : 1;
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
    {&new_schedule, 10},   {&new_seed, 30},     {&new_object, 3},
    {&add_override, 15},   {&drop_override, 8}, {&alter_override, 25},
    {&alter_switches, 10},
};

}  // namespace

void mutate_schedule(Program& program, Random& random) {
  fit(program);
  apply_one_of(kScheduleChanges, program, random);
  fit(program);
}

}  // namespace racier::program
