// fuzz/seeds.cc - turns corpus/ into bytes.  Tested by seeds_test.cc.
#include "fuzz/seeds.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>

#include "core/program/bytes.h"
#include "core/program/parse.h"
#include "fuzz/finding_file.h"

namespace racier::fuzz {
namespace {

namespace fs = std::filesystem;

bool is_program(const fs::directory_entry& entry) {
  return entry.is_regular_file() && entry.path().extension() == ".racier";
}

// Returns the programs in `source`, in order.
std::vector<fs::path> programs_in(const fs::path& source) {
  std::vector<fs::path> files;
  if (fs::is_regular_file(source)) files.push_back(source);
  if (fs::is_directory(source)) {
    for (const auto& entry : fs::recursive_directory_iterator(source)) {
      if (is_program(entry)) files.push_back(entry.path());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::string read_file(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// "corpus/bugs/x.racier" is "bugs_x".
std::string seed_name(const fs::path& file) {
  return file.parent_path().filename().string() + "_" + file.stem().string();
}

std::string write_seed(const fs::path& folder, const fs::path& file) {
  const program::Parsed parsed = program::parse(read_file(file));
  if (!parsed.program) return parsed.error.str(file.string());
  const auto bytes = program::encode(*parsed.program);
  return write_whole(folder / seed_name(file), {bytes.begin(), bytes.end()});
}

// Puts `aside` in the place of `folder` at once, and removes what was there.
std::string put_in_place(const fs::path& aside, const fs::path& folder) {
  const bool exists = fs::exists(folder);
  const unsigned flags = exists ? RENAME_EXCHANGE : RENAME_NOREPLACE;
  if (renameat2(AT_FDCWD, aside.c_str(), AT_FDCWD, folder.c_str(), flags) != 0) {
    return "cannot make " + folder.string() + ": " + std::strerror(errno);
  }
  return "";
}

std::string fill(const fs::path& aside, const std::vector<fs::path>& sources) {
  for (const fs::path& source : sources) {
    for (const fs::path& file : programs_in(source)) {
      std::string error = write_seed(aside, file);
      if (!error.empty()) return error;
    }
  }
  return "";
}

}  // namespace

std::string make_seeds(const fs::path& folder, const std::vector<fs::path>& sources) {
  const fs::path aside = folder.string() + "." + std::to_string(getpid()) + ".tmp";
  std::string error = prepare_folder(aside);
  if (error.empty()) error = fill(aside, sources);
  if (error.empty()) error = put_in_place(aside, folder);
  std::error_code ignored;
  fs::remove_all(aside, ignored);
  return error;
}

}  // namespace racier::fuzz
