// core/program/generate.cc - draws random programs.  Tested by generate_test.cc.
#include "core/program/generate.h"

#include "core/program/ops.h"

namespace racier::program {
namespace {

int weight_of(const Op& op, std::span<const OpWeight> weights) {
  if (weights.empty()) return op.weight;
  for (const OpWeight& row : weights) {
    if (row.op == op.name) return row.weight;
  }
  return 0;
}

std::uint16_t draw_op(Random& random, std::span<const OpWeight> weights) {
  std::uint64_t sum = 0;
  for (const Op& op : op_table())
    sum += static_cast<std::uint64_t>(weight_of(op, weights));
  std::uint64_t rest = random.below(sum);
  std::uint16_t index = 0;
  for (const Op& op : op_table()) {
    const auto weight = static_cast<std::uint64_t>(weight_of(op, weights));
    if (rest < weight) break;
    rest -= weight;
    ++index;
  }
  return index;
}

Call call_of(std::string_view op) {
  Call call;
  call.op = *find_op(op);
  return call;
}

}  // namespace

void draw_arguments(Random& random, const Scope& scope, Call& call) {
  const Op& op = op_of(call);
  for (int i = 0; i < op.argument_count; ++i) {
    call.arguments[static_cast<std::size_t>(i)] = op.type(i).draw(random, scope);
  }
}

Call draw_call(Random& random, const Scope& scope, std::span<const OpWeight> weights) {
  Call call;
  call.op = draw_op(random, weights);
  constexpr std::uint64_t kOneInFails = 40;
  constexpr std::uint64_t kFailNthMax = 6;
  if (random.below(kOneInFails) == 0) {
    call.fail_nth = static_cast<std::uint16_t>(1 + random.below(kFailNthMax));
  }
  draw_arguments(random, scope, call);
  return call;
}

Override draw_override(Random& random) {
  // Log-uniform: early places and near ones as often as far ones.
  const std::uint64_t limit = 1ull << random.below(11);
  return {static_cast<std::uint16_t>(random.below(limit)),
          static_cast<std::uint8_t>(random.below(kProgramTasksMax))};
}

Schedule draw_schedule(Random& random) {
  Schedule schedule;
  // To run until blocked but for a few overrides is to bound preemptions: most bugs
  // need one.  Those that learn from run to run have nothing to learn from here.
  const std::uint64_t draw = random.below(20);
  schedule.strategy = draw < 5    ? StrategyKind::kPos
                      : draw < 9  ? StrategyKind::kSurw
                      : draw < 11 ? StrategyKind::kPct
                      : draw < 12 ? StrategyKind::kRandomWalk
                      : draw < 13 ? StrategyKind::kStarvation
                                  : StrategyKind::kRunToBlock;
  schedule.seed = random.below(1ull << 32);
  schedule.object = static_cast<std::uint32_t>(random.below(64));
  const bool by_rule = schedule.strategy == StrategyKind::kRunToBlock;
  if (by_rule || random.below(4) == 0) {
    for (auto rest = 1 + random.below(1 + random.below(kOverridesMax)); rest > 0;
         --rest) {
      schedule.overrides.push_back(draw_override(random));
    }
  }
  return schedule;
}

Program generate(std::uint64_t seed, const GenerateOptions& options) {
  Random random(seed);
  Program program;
  program.machine = options.machine;
  // Ops first: what a call may refer to is known when all are there.
  program.setup = {call_of("process"), call_of("mmap"), call_of("write"),
                   call_of("write")};
  for (std::size_t i = 0; i < options.setup_calls; ++i) {
    program.setup.push_back(draw_call(random, {}));
  }
  program.tasks.resize(static_cast<std::size_t>(options.tasks));
  for (Calls& calls : program.tasks) {
    for (std::size_t i = 0; i < options.task_calls; ++i) {
      calls.push_back(draw_call(random, {}, options.weights));
    }
  }
  const Scope scope = scope_of(program);
  for (int i = 0; i < program.lists(); ++i) {
    for (Call& call : program.list(i)) draw_arguments(random, scope, call);
  }
  // mmap process pages protection sharing; write process mapping page word
  program.setup[1].arguments = {0, 2 + random.below(7), kVmRead | kVmWrite, 0};
  program.setup[2].arguments = {0, 0, 0, 0};
  program.setup[3].arguments = {0, 0, 1, 0};
  program.schedule = draw_schedule(random);
  return program;
}

}  // namespace racier::program
