// core/program/machine_keys.h - the options of a machine, as programs name them.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/objects/machine.h"

namespace racier::program {

// One option: a number, or one of some names (then the number is an index).
struct MachineKey {
  const char* name;
  const char* sentence;
  std::uint64_t (*get)(const MachineOptions&);
  void (*set)(MachineOptions&, std::uint64_t);
  std::uint64_t min;
  std::uint64_t max;
  std::span<const std::uint32_t> fuzzed;  // what a fuzzer chooses from, ascending
  const char* (*name_of)(std::uint64_t);  // null: a number; else until it returns null

  // Returns the value that `word` stands for; nothing if it is none, or out of range.
  std::optional<std::uint64_t> parse(std::string_view word) const;
  std::string print(std::uint64_t value) const;
  // Returns what a value has to be: "a number from 32 to 65536", "classic or preempt".
  std::string expected() const;
  bool valid(std::uint64_t value) const { return min <= value && value <= last(); }
  std::uint64_t last() const;
};

// Returns all of them, in the order in which they are printed.
std::span<const MachineKey> machine_keys();

// Returns the one of that name, which exists.
const MachineKey& machine_key(std::string_view name);

}  // namespace racier::program
