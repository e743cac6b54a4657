// fuzz/mmus_agree_fuzz.cc - a libFuzzer program: do both MMUs do the same?
// Tested by program_fuzz_test.sh.
#include "fuzz/mmus_agree.h"

namespace racier::fuzz {

std::string_view target_name() { return "mmus_agree_fuzz"; }

std::string_view option_without_meaning(const Options& options) {
  if (!options.as_posted.empty()) return "--as-posted";
  return options.mmu.empty() ? "" : "--mmu";
}

std::unique_ptr<Target> make_target(const Options& options) {
  return std::make_unique<MmusAgree>(options);
}

}  // namespace racier::fuzz
