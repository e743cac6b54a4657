// repro/files.h - reads and writes whole files.
#pragma once
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace racier::repro {

// What was given cannot be used: exit code 2.  what() is the whole line.
struct BadInput : std::runtime_error {
  using std::runtime_error::runtime_error;
};
// The machine does not let us: exit code 3.
struct CannotRun : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Returns what the file holds.  Throws BadInput: there is none, it cannot be read, it
// is a folder.
std::string read_file(const std::string& path);
// Likewise; of a file that xz has compressed, what it held before.  Throws CannotRun if
// there is no xz.
std::string read_unpacked(const std::string& path);

// Returns the files *.racier of a folder, by name; perhaps none.  Throws BadInput.
std::vector<std::string> racier_files(const std::string& folder);

// Makes the file hold `text`, or leaves it as it was: written aside, then renamed. A
// link stays a link; what is no plain file, and whatever lies in /dev or /proc, is
// written to as it is.  Throws CannotRun.
void write_file(const std::string& path, std::string_view text);

}  // namespace racier::repro
