// core/program/mutate.cc - changes programs at random, and crosses them.
// Tested by mutate_test.cc.
#include "core/program/mutate.h"

#include <algorithm>

#include "core/program/bytes.h"
#include "core/program/change.h"
#include "core/program/edit.h"
#include "core/program/ops.h"

namespace racier::program {
namespace {

bool try_one_of(std::span<const Change> changes, Program& program, Random& random) {
  std::uint32_t sum = 0;
  for (const Change& change : changes) sum += change.weight;
  std::uint64_t rest = random.below(sum);
  for (const Change& change : changes) {
    if (rest < change.weight) return change.apply(program, random);
    rest -= change.weight;
  }
  return false;
}

}  // namespace

void apply_one_of(std::span<const Change> changes, Program& program, Random& random) {
  constexpr int kTriesMax = 32;
  for (int i = 0; i < kTriesMax; ++i) {
    if (try_one_of(changes, program, random)) return;
  }
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
  // For each list, a stretch of the other's goes in, its references brought within
  // range.
  for (int list = 0; list < std::min(child.lists(), other.lists()); ++list) {
    if (random.below(2) == 0) continue;
    const Calls& calls = other.list(list);
    const std::size_t begin = random.below(calls.size() + 1);
    const std::size_t end = begin + random.below(calls.size() - begin + 1);
    std::size_t at = random.below(child.list(list).size() + 1);
    for (std::size_t i = begin; i < end && child.list(list).size() < kFuzzedCallsMax;
         ++i) {
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
