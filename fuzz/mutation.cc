// fuzz/mutation.cc - decode, change, encode.  Tested by mutation_test.cc.
#include "fuzz/mutation.h"

#include "core/base/random.h"
#include "core/program/bytes.h"
#include "core/program/edit.h"
#include "core/program/generate.h"
#include "core/program/mutate.h"

namespace racier::fuzz {
namespace {

using program::Program;

// Drops a random call; returns whether there was one.
bool drop_call(Program& program, Random& random) {
  if (program.calls() == 0) return false;
  std::uint64_t index = random.below(program.calls());
  int list = 0;
  while (index >= program.list(list).size()) index -= program.list(list++).size();
  program::erase_call(program, {list, index});
  return true;
}

// Makes `program` smaller; returns whether it could.
bool shrink(Program& program, Random& random) {
  auto& schedule = program.schedule;
  if (!schedule.switches.empty() && (random.below(2) == 0 || program.calls() == 0)) {
    schedule.switches.resize(schedule.switches.size() / 2);
    return true;
  }
  if (drop_call(program, random)) return true;
  if (!program.tasks.empty()) {
    program.tasks.pop_back();
    return true;
  }
  if (schedule == Schedule{}) return false;
  schedule = {};
  return true;
}

Bytes encode_within(Program program, std::size_t size_max, Random& random) {
  Bytes bytes = program::encode(program);
  while (bytes.size() > size_max) {
    if (!shrink(program, random)) return {};
    bytes = program::encode(program);
  }
  return bytes;
}

}  // namespace

Bytes mutate(std::span<const std::uint8_t> bytes, std::size_t size_max,
             std::uint64_t seed) {
  Random random(seed);
  Program program = program::decode(bytes);
  if (program.calls() == 0 || random.below(256) == 0) {
    program = program::generate(random.next());
  } else if (program.tasks.size() < 2 || random.below(4) == 0) {
    program::mutate_calls(program, random);
  } else {
    program::mutate_schedule(program, random);
  }
  return encode_within(std::move(program), size_max, random);
}

Bytes cross(std::span<const std::uint8_t> a, std::span<const std::uint8_t> b,
            std::size_t size_max, std::uint64_t seed) {
  Random random(seed);
  return encode_within(program::cross(program::decode(a), program::decode(b), random),
                       size_max, random);
}

}  // namespace racier::fuzz
