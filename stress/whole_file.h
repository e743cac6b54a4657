// stress/whole_file.h - files that are there in full or not at all.
#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace racier::stress {

// Makes `file` hold `text`: written aside, synced and renamed, so that whoever looks,
// and whenever the power fails, there is the old one or the new one.  A link stays a
// link; what is no regular file, and whatever lies in /dev, is written to instead.
// Returns what went wrong, a sentence, or "".
[[nodiscard]] std::string write_whole(const std::filesystem::path& file,
                                      std::string_view text);

// Returns what is in a file; nothing if it cannot be read.
std::optional<std::string> read_whole(const std::filesystem::path& file);

// Makes the folder, and those above it, if it is not there.
// Returns why nothing can be written to it, a sentence, or "".
[[nodiscard]] std::string prepare_folder(const std::filesystem::path& folder);

}  // namespace racier::stress
