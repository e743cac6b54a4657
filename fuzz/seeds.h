// fuzz/seeds.h - programs in texts as a fuzzer's first inputs.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

namespace racier::fuzz {

// Makes `folder` one of seeds: for each file *.racier in `sources` (files, or folders
// with all below them) one in bytes, without armed bugs.  It is there whole, or as it
// was before.  A source that does not exist has no programs.
// Returns what went wrong, or "".
std::string make_seeds(const std::filesystem::path& folder,
                       const std::vector<std::filesystem::path>& sources);

}  // namespace racier::fuzz
