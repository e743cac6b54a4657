// core/program/parse_schedule.cc - parses schedules.  Tested by parse_test.cc.
#include "core/program/parser.h"

namespace racier::program {
namespace {

std::string strategy_names() {
  std::string names;
  for (int i = 0; i < kStrategyKinds; ++i) {
    if (i > 0) names += ", ";
    names += strategy_name(static_cast<StrategyKind>(i));
  }
  return names;
}

}  // namespace

void Parser::schedule(Cursor& in) {
  schedule_seen_ = true;
  program_.schedule.strategy = StrategyKind::kReplay;
  Keys keys;
  int depth_column = 0;
  while (!in.at_end()) {
    const int column = in.column();
    const std::string_view key =
        in.word("strategy, seed, object, depth, steps or overrides");
    keys.add(in, key, column);
    if (key == "depth") depth_column = column;
    in.expect("=");
    schedule_key(in, key, column);
  }
  const Schedule& schedule = program_.schedule;
  if (schedule.depth != 0 && !has_depth(schedule.strategy)) {
    in.fail_at(depth_column, "only pct and exhaustive have a depth, not " +
                                 ticked(strategy_name(schedule.strategy)));
  }
}

void Parser::schedule_key(Cursor& in, std::string_view key, int column) {
  Schedule& schedule = program_.schedule;
  if (key == "strategy") {
    const auto strategy = find_strategy(in.peek());
    if (!strategy) in.fail("a strategy (" + strategy_names() + ")");
    in.word("");
    schedule.strategy = *strategy;
  } else if (key == "seed") {
    schedule.seed = in.number("a seed", ~0ull);
  } else if (key == "object") {
    schedule.object = static_cast<std::uint32_t>(in.number("an object", ~0u));
  } else if (key == "depth") {
    schedule.depth = static_cast<std::uint8_t>(in.number("a depth", kDepthMax));
  } else if (key == "steps") {
    if (in.peek() != "plain") in.fail("plain");
    in.word("");
    schedule.plain_steps = true;
  } else if (key == "overrides") {
    overrides(in);
  } else {
    in.fail_at(column, "no part of a schedule is called " + ticked(key) +
                           "; there is strategy seed object depth steps overrides");
  }
}

// delta:target,delta:target,...
void Parser::overrides(Cursor& in) {
  std::vector<Override>& overrides = program_.schedule.overrides;
  do {
    if (overrides.size() == kOverridesMax) in.fail("at most 4 overrides");
    Override change;
    change.delta =
        static_cast<std::uint16_t>(in.number("steps since the last one", 0xffff));
    in.expect(":");
    change.target = static_cast<std::uint8_t>(in.number("the number of a task", 0xff));
    overrides.push_back(change);
  } while (in.take(","));
}

void Parser::schedule_line(Cursor& in) {
  Schedule& schedule = program_.schedule;
  if (schedule.strategy != StrategyKind::kReplay) {
    in.fail("expect or mark (only a replayed schedule has lines)");
  }
  if (in.peek() == "choose") {
    in.word("");
    Choice choice;
    choice.task = task_of_schedule(in);
    choice.index = static_cast<std::uint32_t>(in.number("the index of a choice", ~0u));
    in.expect("=");
    choice.value = in.number("the value of a choice", ~0ull);
    schedule.choices.push_back(choice);
  } else {
    Switch change;
    change.task = task_of_schedule(in);
    change.step = static_cast<std::uint32_t>(in.number("the number of a step", ~0u));
    in.expect("->");
    change.next = task_of_schedule(in);
    schedule.switches.push_back(change);
  }
  in.expect_end();
}

std::uint8_t Parser::task_of_schedule(Cursor& in) {
  const auto task = find_task(in.peek(), static_cast<int>(program_.tasks.size()));
  if (!task) in.fail("a task of this program, or rcu");
  in.word("");
  return static_cast<std::uint8_t>(*task);
}

}  // namespace racier::program
