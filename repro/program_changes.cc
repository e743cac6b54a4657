// repro/program_changes.cc - see program_changes.h.  Tested by cli_test.sh.
#include "repro/program_changes.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/program/as_posted.h"
#include "core/program/machine_keys.h"
#include "core/program/print.h"
#include "core/rmap/scheme.h"
#include "repro/files.h"

namespace racier::repro {
namespace {

template <typename Rows>
std::string names_of(const Rows& rows) {
  std::string names;
  for (const auto& row : rows)
    names += (names.empty() ? "" : ", ") + std::string(row.name);
  return names;
}

void arm_bugs(const CommandLine& line, program::Program& program) {
  if (!line.has("bug")) return;
  for (const std::string& name : line.get<std::vector<std::string>>("bug")) {
    const auto bug = bug::find(name);
    if (!bug) {
      throw BadInput(fmt::format("no bug '{}': {}", name, names_of(bug::rows())));
    }
    program.bugs.arm(*bug);
  }
}

void take_as_posted(const CommandLine& line, program::Program& program) {
  if (!line.has("as-posted")) return;
  const auto& name = line.get<std::string>("as-posted");
  const program::AsPosted* const patch = program::find_as_posted(name);
  if (patch == nullptr) {
    throw BadInput(fmt::format("no patch '{}': {}", name, program::names_as_posted()));
  }
  patch->set_machine(program.machine);
  for (const Bug bug : patch->lacks) program.bugs.arm(bug);
}

void set_scheme(const CommandLine& line, program::Program& program) {
  if (!line.has("rmap")) return;
  const auto& name = line.get<std::string>("rmap");
  const auto& schemes = rmap::schemes();
  const bool known =
      std::any_of(schemes.begin(), schemes.end(),
                  [&](const auto& scheme) { return name == scheme.name; });
  if (!known) {
    throw BadInput(fmt::format("no reverse map '{}': {}", name, names_of(schemes)));
  }
  program.machine.rmap = name;
}

// Sets an option of the machine that has the name of ours.
void set_key(const CommandLine& line, const char* option, program::Program& program) {
  if (!line.has(option)) return;
  const program::MachineKey& key = program::machine_key(option);
  const auto& name = line.get<std::string>(option);
  const auto value = key.parse(name);
  if (!value) {
    throw BadInput(fmt::format("no {} '{}': {}", option, name, key.expected()));
  }
  key.set(program.machine, *value);
}

std::string strategy_names() {
  std::string names;
  for (int i = 0; i < kStrategyKinds; ++i) {
    const auto kind = static_cast<StrategyKind>(i);
    if (kind == StrategyKind::kReplay) continue;
    names += (names.empty() ? "" : ", ") + std::string(strategy_name(kind));
  }
  return names;
}

}  // namespace

void add_program_changes(Usage& usage) {
  namespace po = boost::program_options;
  auto add = usage.options.add_options();
  add("bug", po::value<std::vector<std::string>>()->composing(),
      "arm this bug as well, by name or id; may be given again");
  add("as-posted", po::value<std::string>(),
      ("run a patch as it was mailed: " + program::names_as_posted()).c_str());
  add("rmap", po::value<std::string>(), "use this reverse map");
  add("memory", po::value<std::string>(), "strong or weak: use this memory");
  add("mmu", po::value<std::string>(), "soft or host: use this MMU");
}

void change_program(const CommandLine& line, program::Program& program) {
  take_as_posted(line, program);
  arm_bugs(line, program);
  set_scheme(line, program);
  for (const char* const option : {"memory", "mmu"}) set_key(line, option, program);
}

StrategyKind strategy_named(const std::string& name) {
  const auto kind = find_strategy(name);
  if (!kind || kind == StrategyKind::kReplay) {
    throw BadInput(fmt::format("no strategy '{}': {}", name, strategy_names()));
  }
  return *kind;
}

void save_finding(const std::string& file, const program::Program& program,
                  const Replay& replay, const std::string& path) {
  const program::Program saved = kept(program, replay);
  Replayer again(saved);
  if (!again.run(1).met()) {
    throw CannotRun(
        fmt::format("{}: the finding does not come again from its own schedule", file));
  }
  write_file(path, program::print(saved));
}

}  // namespace racier::repro
