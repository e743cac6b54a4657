// fuzz/options.h - what a fuzz target is told beside libFuzzer's own flags.
//
// libFuzzer's flags begin with one dash, ours with two.  libFuzzer starts children
// (-fork, -jobs, -merge) with its own flags only, so ours go to them through the
// environment: --steps-max=9 is RACIER_FUZZ_STEPS_MAX=9, which anybody may set.
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/bug.h"

namespace racier::fuzz {

struct Options {
  BugSet bugs;
  std::string as_posted;           // a patch (core/program/as_posted.h); empty: none
  std::string rmap;                // empty: as the input says
  std::string memory;              // likewise: strong or weak
  std::string mmu;                 // likewise: soft or host
  std::filesystem::path findings;  // empty: where libFuzzer writes its artifacts
  std::uint32_t steps_max = 1 << 20;
  std::uint32_t check_determinism = 64;  // every how-manieth input runs twice; 0: none
  std::uint32_t feedback = 1;            // guided by who reads from whom; 0: not
  std::uint32_t measure = 0;  // ends after so many inputs, with their speed; 0: goes on
};

struct ParsedOptions {
  Options options;
  std::string error;  // a sentence; empty: none
  bool help = false;
};

// Takes the options that are ours out of `arguments` (without the program's name) and
// adds them to those of the environment.  Stops at the first error.
ParsedOptions take_options(std::vector<std::string>& arguments);

// Makes `options` those of the environment, for children.
void export_options(const Options& options);

// Returns the folder of libFuzzer's artifacts by its own flags in `arguments`.
std::filesystem::path artifact_folder(const std::vector<std::string>& arguments);

// Returns the help of the target of that name.
std::string options_help(std::string_view target);

}  // namespace racier::fuzz
