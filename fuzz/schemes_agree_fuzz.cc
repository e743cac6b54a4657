// fuzz/schemes_agree_fuzz.cc - a libFuzzer program: do all designs of the reverse map
// show users the same?
// Tested by program_fuzz_test.sh.
#include "fuzz/schemes_agree.h"

namespace racier::fuzz {

std::string_view target_name() { return "schemes_agree_fuzz"; }

// It runs on every design, with the memory, the MMU and the locking that all share.
std::string_view option_without_meaning(const Options& options) {
  if (!options.as_posted.empty()) return "--as-posted";
  if (!options.rmap.empty()) return "--rmap";
  if (!options.memory.empty()) return "--memory";
  return options.mmu.empty() ? "" : "--mmu";
}

std::unique_ptr<Target> make_target(const Options& options) {
  return std::make_unique<SchemesAgree>(options);
}

}  // namespace racier::fuzz
