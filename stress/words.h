// stress/words.h - values of command-line options, as words.
#pragma once
#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>

#include "core/base/bug.h"

namespace racier::stress {

// A value that will not do.  what(): "--seed: expected a number, not 'x'".
struct WrongOption : std::runtime_error {
  WrongOption(const char* option, const std::string& value,
              const std::string& expected);
};

// Each returns what `word`, the value of --`option`, stands for, or throws WrongOption.
std::uint64_t number_option(const char* option, const std::string& word,
                            std::uint64_t min, std::uint64_t max);
std::chrono::seconds duration_option(const char* option, const std::string& word);
Bug bug_option(const std::string& word);
const std::string& rmap_option(const std::string& word);
bool mmu_option(const std::string& word);  // whether that of the host

}  // namespace racier::stress
