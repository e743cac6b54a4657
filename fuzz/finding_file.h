// fuzz/finding_file.h - a finding as it is printed, and as a file that lasts.
#pragma once
#include <filesystem>
#include <string>

#include "fuzz/target.h"

namespace racier::fuzz {

// Returns "finding-KIND-HASH.racier"; one name for each signature.
std::string finding_file_name(const Finding& finding);

// Returns what goes into the file: a program with a comment on what it shows and how to
// see it again.  Replaying it gives the finding.
std::string finding_text(const Found& found);

// Returns what a person reads, in the kernel's manner.  Its first line has the form of
// a failed assert(), which triage tools (ClusterFuzz) take the name of the bug from.
std::string finding_report(const Found& found);

// Writes a file whole or not at all.  Returns what went wrong, a sentence, or "".
std::string write_whole(const std::filesystem::path& file, const std::string& text);

// Makes the folder if it is not there.  Returns why it cannot be written to, or "".
std::string prepare_folder(const std::filesystem::path& folder);

}  // namespace racier::fuzz
