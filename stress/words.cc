// stress/words.cc - reads values of options.  Tested by stress_options_test.cc.
#include "stress/words.h"

#include <charconv>

#include "core/program/machine_keys.h"
#include "stress/duration.h"

namespace racier::stress {

WrongOption::WrongOption(const char* option, const std::string& value,
                         const std::string& expected)
    : std::runtime_error(std::string("--") + option + ": expected " + expected +
                         ", not '" + value + "'") {}

std::uint64_t number_option(const char* option, const std::string& word,
                            std::uint64_t min, std::uint64_t max) {
  std::uint64_t value = 0;
  const char* const last = word.data() + word.size();
  const auto [end, error] = std::from_chars(word.data(), last, value);
  if (error == std::errc() && end == last && value >= min && value <= max) return value;
  std::string expected = "a number";
  if (max != ~0ull) {
    expected += " from " + std::to_string(min) + " to " + std::to_string(max);
  } else if (min != 0) {
    expected += " above " + std::to_string(min - 1);
  }
  throw WrongOption(option, word, expected);
}

std::chrono::seconds duration_option(const char* option, const std::string& word) {
  if (const auto duration = parse_duration(word)) return *duration;
  throw WrongOption(option, word, "a duration like 90s, 10m or 8h");
}

Bug bug_option(const std::string& word) {
  if (const auto bug = bug::find(word)) return *bug;
  std::string names;
  for (const bug::Row& row : bug::rows()) {
    names += (names.empty() ? "" : ", ") + std::string(row.id) + " " + row.name;
  }
  throw WrongOption("bug", word, "one of " + names);
}

const std::string& rmap_option(const std::string& word) {
  const program::MachineKey& rmap = program::machine_keys().front();
  if (!word.empty() && !rmap.parse(word)) {
    throw WrongOption("rmap", word, rmap.expected());
  }
  return word;
}

bool mmu_option(const std::string& word) {
  const program::MachineKey& mmu = program::machine_key("mmu");
  const auto value = mmu.parse(word);
  if (!value) throw WrongOption("mmu", word, mmu.expected());
  return *value != 0;
}

}  // namespace racier::stress
