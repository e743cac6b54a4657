// fuzz/program_fuzz.cc - a libFuzzer program: bytes are a program and its schedule.
// Tested by program_fuzz_test.sh.
#include "fuzz/fuzzer.h"

namespace racier::fuzz {

std::string_view target_name() { return "program_fuzz"; }

std::string_view option_without_meaning(const Options&) { return ""; }

std::unique_ptr<Target> make_target(const Options& options) {
  return std::make_unique<Fuzzer>(options);
}

}  // namespace racier::fuzz
