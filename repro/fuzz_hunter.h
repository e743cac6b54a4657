// repro/fuzz_hunter.h - is a bug found by libFuzzer, and how soon?
//
// program_fuzz (fuzz/), with the bug armed and one seed: the program of the row without
// its schedule, which is what other searches get, too.  Its calls may be changed, and
// it goes by its feedback.
#pragma once
#include <filesystem>
#include <string>

#include "repro/hunter.h"

namespace racier::repro {

// A folder of its own, which goes when it does.
class ScratchFolder {
 public:
  // Throws CannotRun.
  ScratchFolder();
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

struct Fuzzing {
  std::filesystem::path program;  // program_fuzz
  std::filesystem::path scratch;  // a folder of this hunt alone
};

// Returns where program_fuzz of this build is.  Throws CannotRun: it is not there.
std::filesystem::path built_program_fuzz();

// Hunts for `row` in `program`, likewise; nothing is run unarmed.  An execution is an
// input.  libFuzzer ends with the first finding: behind one that is not the row's it is
// started again, with the next seed and what it had kept.  Throws CannotRun.
Hunted hunt_by_libfuzzer(const program::Program& program, const bug::Row& row,
                         const HuntLimits& limits, const Fuzzing& fuzzing,
                         const std::function<void(const Hunted&)>& tell);

}  // namespace racier::repro
