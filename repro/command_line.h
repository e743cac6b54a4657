// repro/command_line.h - what the sub-commands have in common.
#pragma once
#include <boost/program_options.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "repro/exit_codes.h"

namespace racier::repro {

// The most that --repeat and --searches may ask for.
inline constexpr std::uint64_t kTimesMax = 1'000'000'000;

// How a sub-command is used: its options, and what its --help says around them.
struct Usage {
  std::string synopsis;  // "racier-repro show FILE"
  std::string text;      // what it does, and its exit codes
  boost::program_options::options_description options{"options"};
  bool needs_files = true;
};

struct CommandLine {
  boost::program_options::variables_map options;
  std::vector<std::string> files;
  bool help = false;  // it was asked for, and printed

  bool has(const char* name) const { return options.count(name) != 0; }
  template <typename T>
  const T& get(const char* name) const {
    return options[name].as<T>();
  }
  // Returns the number that an option of type string has.  Throws BadInput.
  std::uint64_t number(const char* name, std::uint64_t min = 0,
                       std::uint64_t max = ~0ull) const;
};

// Reads the arguments behind the name of the sub-command; names are not guessed. Throws
// BadInput.
CommandLine read_command_line(const Usage& usage,
                              const std::vector<std::string>& arguments);

// Each carries out a sub-command and returns the exit code.  Throws BadInput,
// CannotRun.
int run_command(const std::vector<std::string>& arguments);
int search_command(const std::vector<std::string>& arguments);
int minimize_command(const std::vector<std::string>& arguments);
int explain_command(const std::vector<std::string>& arguments);
int show_command(const std::vector<std::string>& arguments);
int export_command(const std::vector<std::string>& arguments);
int inject_command(const std::vector<std::string>& arguments);
int import_command(const std::vector<std::string>& arguments);
int hunt_command(const std::vector<std::string>& arguments);

}  // namespace racier::repro
