// core/program/bytes.cc - decodes and encodes programs.  Tested by bytes_test.cc.
#include "core/program/bytes.h"

#include <algorithm>

#include "core/program/byte_io.h"
#include "core/program/machine_keys.h"
#include "core/program/ops.h"

namespace racier::program {
namespace {

// Returns the place of `value` among those that a fuzzer uses: the first not below it.
std::size_t fuzzed_index(const MachineKey& key, std::uint64_t value) {
  const auto at = std::lower_bound(key.fuzzed.begin(), key.fuzzed.end(), value);
  const auto last = key.fuzzed.end() - 1;
  return static_cast<std::size_t>(std::min(at, last) - key.fuzzed.begin());
}

// ---- Decoding
// -------------------------------------------------------------------------

void decode_machine(ByteReader& in, MachineOptions& machine) {
  for (const MachineKey& key : machine_keys()) {
    key.set(machine, key.fuzzed[in.byte() % key.fuzzed.size()]);
  }
}

void decode_lists(ByteReader& in, Schedule& schedule) {
  for (std::uint64_t rest = in.number(); rest > 0 && !in.at_end(); --rest) {
    Switch change;
    change.task = in.byte();
    change.step = static_cast<std::uint32_t>(in.number());
    change.next = in.byte();
    schedule.switches.push_back(change);
  }
  for (std::uint64_t rest = in.number(); rest > 0 && !in.at_end(); --rest) {
    Choice choice;
    choice.task = in.byte();
    choice.index = static_cast<std::uint32_t>(in.number());
    choice.value = in.number();
    schedule.choices.push_back(choice);
  }
}

void decode_schedule(ByteReader& in, Schedule& schedule) {
  schedule.strategy = static_cast<StrategyKind>(in.byte() % kStrategyKinds);
  schedule.seed = in.number();
  schedule.object = static_cast<std::uint32_t>(in.number());
  for (int rest = in.byte() % (kOverridesMax + 1); rest > 0; --rest) {
    Override change;
    change.delta = static_cast<std::uint16_t>(in.number());
    change.target = in.byte();
    schedule.overrides.push_back(change);
  }
  if (has_depth(schedule.strategy)) {
    schedule.depth = static_cast<std::uint8_t>(in.byte() % (kDepthMax + 1));
  }
  if (schedule.strategy == StrategyKind::kReplay) decode_lists(in, schedule);
}

Call decode_call(ByteReader& in) {
  Call call;
  call.op = static_cast<std::uint16_t>(in.byte() % op_table().size());
  call.fail_nth = in.byte();
  const Op& op = op_of(call);
  for (int i = 0; i < op.argument_count; ++i) {
    call.arguments[static_cast<std::size_t>(i)] = op.type(i).decode(in);
  }
  return call;
}

void decode_calls(ByteReader& in, Calls& calls) {
  for (std::size_t rest = in.byte() % (kFuzzedCallsMax + 1); rest > 0 && !in.at_end();
       --rest) {
    calls.push_back(decode_call(in));
  }
}

// ---- Encoding
// -------------------------------------------------------------------------

void encode_schedule(ByteWriter& out, const Schedule& schedule) {
  out.byte(static_cast<std::uint64_t>(schedule.strategy));
  out.number(schedule.seed);
  out.number(schedule.object);
  out.byte(schedule.overrides.size());
  for (const Override& change : schedule.overrides) {
    out.number(change.delta);
    out.byte(change.target);
  }
  if (has_depth(schedule.strategy)) out.byte(schedule.depth);
  if (schedule.strategy != StrategyKind::kReplay) return;
  out.number(schedule.switches.size());
  for (const Switch& change : schedule.switches) {
    out.byte(change.task);
    out.number(change.step);
    out.byte(change.next);
  }
  out.number(schedule.choices.size());
  for (const Choice& choice : schedule.choices) {
    out.byte(choice.task);
    out.number(choice.index);
    out.number(choice.value);
  }
}

void encode_calls(ByteWriter& out, const Calls& calls) {
  out.byte(calls.size());
  for (const Call& call : calls) {
    const Op& op = op_of(call);
    out.byte(call.op);
    out.byte(call.fail_nth);
    for (int i = 0; i < op.argument_count; ++i) {
      op.type(i).encode(out, call.arguments[static_cast<std::size_t>(i)]);
    }
  }
}

// ---- Fitting
// --------------------------------------------------------------------------

void fit_schedule(Schedule& schedule, std::size_t tasks) {
  const auto fit_task = [&](std::uint8_t& task) {
    task = static_cast<std::uint8_t>(task % (tasks + 1));
  };
  if (schedule.strategy != StrategyKind::kReplay) {
    schedule.switches.clear();
    schedule.choices.clear();
  }
  if (!has_depth(schedule.strategy)) schedule.depth = 0;
  schedule.overrides.resize(
      std::min<std::size_t>(schedule.overrides.size(), kOverridesMax));
  schedule.switches.resize(std::min(schedule.switches.size(), kFuzzedSwitchesMax));
  schedule.choices.resize(std::min(schedule.choices.size(), kFuzzedSwitchesMax));
  for (Switch& change : schedule.switches) {
    fit_task(change.task);
    fit_task(change.next);
  }
  for (Choice& choice : schedule.choices) fit_task(choice.task);
}

void fit_call(Call& call, const Scope& scope) {
  call.fail_nth = std::min<std::uint16_t>(call.fail_nth, 0xff);
  call.expected.reset();
  call.note.clear();
  const Op& op = op_of(call);
  for (int i = 0; i < op.argument_count; ++i) {
    auto& value = call.arguments[static_cast<std::size_t>(i)];
    value = op.type(i).fit(value, scope);
  }
}

}  // namespace

Program decode(std::span<const std::uint8_t> bytes) {
  Program program;
  ByteReader in(bytes);
  decode_machine(in, program.machine);
  decode_schedule(in, program.schedule);
  decode_calls(in, program.setup);
  program.tasks.resize(in.byte() % (kProgramTasksMax + 1));
  for (Calls& calls : program.tasks) decode_calls(in, calls);
  fit(program);
  return program;
}

std::vector<std::uint8_t> encode(const Program& program) {
  Program fitted = program;
  fit(fitted);
  std::vector<std::uint8_t> bytes;
  bytes.reserve(64 + 8 * fitted.calls());
  ByteWriter out(bytes);
  for (const MachineKey& key : machine_keys()) {
    out.byte(fuzzed_index(key, key.get(fitted.machine)));
  }
  encode_schedule(out, fitted.schedule);
  encode_calls(out, fitted.setup);
  out.byte(fitted.tasks.size());
  for (const Calls& calls : fitted.tasks) encode_calls(out, calls);
  return bytes;
}

void fit(Program& program) {
  program.header.clear();
  program.schedule_note.clear();
  program.bugs = {};
  program.expectation = {};
  program.marks.clear();
  for (const MachineKey& key : machine_keys()) {
    key.set(program.machine, key.fuzzed[fuzzed_index(key, key.get(program.machine))]);
  }
  program.tasks.resize(std::min<std::size_t>(program.tasks.size(), kProgramTasksMax));
  for (int i = 0; i < program.lists(); ++i) {
    Calls& calls = program.list(i);
    calls.resize(std::min(calls.size(), kFuzzedCallsMax));
  }
  const Scope scope = scope_of(program);
  for (int i = 0; i < program.lists(); ++i) {
    for (Call& call : program.list(i)) fit_call(call, scope);
  }
  fit_schedule(program.schedule, program.tasks.size());
}

}  // namespace racier::program
