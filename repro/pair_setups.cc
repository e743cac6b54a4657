// repro/pair_setups.cc - see pair_setups.h.  Tested by pair_setups_test.cc.
#include "repro/pair_setups.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "core/program/ops.h"
#include "core/program/print.h"
#include "repro/files.h"
#include "repro/program_file.h"

namespace racier::repro {
namespace {

namespace fs = std::filesystem;
using program::Call;
using program::Calls;
using program::Program;
using program::Scope;
using program::Variable;

void count_defined(const Calls& calls, Scope& scope) {
  for (const Call& call : calls) {
    if (const auto kind = program::op_of(call).defines) ++scope.of(*kind);
  }
}

// Calls `visit` with each reference to a variable, and its kind.
template <typename Visit>
void for_each_reference(Call& call, Visit visit) {
  const program::Op& op = program::op_of(call);
  for (int i = 0; i < op.argument_count; ++i) {
    const auto kind = op.type(i).variable();
    std::uint64_t& value = call.arguments[static_cast<std::size_t>(i)];
    if (kind && *kind != Variable::kFile && value != program::kNoVariable) {
      visit(*kind, value);
    }
  }
}

// Numbers what `calls` define, `before` of each kind before them in the file, from
// `base` on.  Throws BadInput: they refer to what is neither theirs nor the setup's.
Calls renumbered(Calls calls, const Scope& setup, const Scope& before,
                 const Scope& base) {
  Scope own;
  count_defined(calls, own);
  for (Call& call : calls) {
    for_each_reference(call, [&](Variable kind, std::uint64_t& value) {
      if (value < setup.of(kind)) return;
      if (value < before.of(kind) || value >= before.of(kind) + own.of(kind)) {
        throw BadInput("a side of a pair refers to what another one defines");
      }
      value = value - before.of(kind) + base.of(kind);
    });
  }
  return calls;
}

}  // namespace

bool PairSetup::has_threads() const {
  const auto clone = program::find_op("clone");
  return std::any_of(program.setup.begin(), program.setup.end(),
                     [&](const Call& call) { return call.op == clone; });
}

PairSetup pair_setup(const std::string& name, Program program) {
  PairSetup setup{name, std::move(program), {}, 0};
  Scope defined;
  count_defined(setup.program.setup, defined);
  const Scope of_setup = defined;
  const auto add = [&](const Calls& calls) {
    setup.sides.push_back(renumbered(calls, of_setup, defined, of_setup));
    count_defined(calls, defined);
  };
  try {
    for (std::size_t task = 0; task < setup.program.tasks.size(); ++task) {
      const Calls& calls = setup.program.tasks[task];
      if (task > 0) add(calls);
      for (std::size_t i = 0; task == 0 && i < calls.size(); ++i) add({calls[i]});
    }
  } catch (const BadInput& error) {
    throw BadInput(fmt::format("{}: {}", name, error.what()));
  }
  setup.calls = setup.program.tasks.empty() ? 0 : setup.program.tasks[0].size();
  if (setup.calls == 0) throw BadInput(fmt::format("{}: no call in task A", name));
  return setup;
}

std::vector<PairSetup> read_pair_setups(const std::string& folder) {
  const std::vector<std::string> files = racier_files(folder);
  if (files.empty()) throw BadInput(fmt::format("{}: no set-ups there", folder));
  std::vector<PairSetup> setups;
  for (const std::string& file : files) {
    setups.push_back(pair_setup(fs::path(file).stem(), read_program(file).program));
  }
  return setups;
}

Pair nth_pair(const PairSetup& setup, std::size_t index) {
  Pair pair;
  std::size_t row = setup.sides.size();
  for (; index >= row; --row, ++pair.one) index -= row;
  pair.other = pair.one + index;
  return pair;
}

Program pair_program(const PairSetup& setup, Pair pair) {
  Program program = setup.program;
  Scope of_setup;
  count_defined(program.setup, of_setup);
  Scope base = of_setup;
  program.tasks.clear();
  for (const std::size_t side : {pair.one, pair.other}) {
    program.tasks.push_back(renumbered(setup.sides[side], of_setup, of_setup, base));
    count_defined(setup.sides[side], base);
  }
  program.header.clear();
  program.schedule = {};
  program.schedule_note.clear();
  program.expectation = {};
  program.marks.clear();
  return program;
}

std::string side_text(const PairSetup& setup, std::size_t side) {
  Scope defined;
  count_defined(setup.program.setup, defined);
  std::string text;
  for (const Call& call : setup.sides[side]) {
    std::uint64_t result = 0;
    if (const auto kind = program::op_of(call).defines) result = defined.of(*kind)++;
    text += (text.empty() ? "" : "; ") + program::print_call(call, result);
  }
  return text;
}

}  // namespace racier::repro
