// core/base/source_tree.h - racier's own source files, for the tests that read them.
//
// The rules of the tree (layering_test.cc, tidy_test.cc) are functions of a path and a
// text, so that they are tested on strings; this is how they get at the real files.
#pragma once
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace racier::base {

struct SourceFile {
  std::string path;  // from the root of the repository: core/base/list.h
  std::string text;
};

// A line of a file that breaks a rule.
struct Complaint {
  std::string path;
  int line;
  std::string sentence;

  std::string str() const {
    return path + ":" + std::to_string(line) + ": " + sentence;
  }
};

using Complaints = std::vector<Complaint>;

inline std::string read_text(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

// Returns every file below the `folders` of `root` that `wanted` accepts, by path.
template <typename Wanted>
std::vector<SourceFile> read_tree(const std::filesystem::path& root,
                                  std::span<const std::string_view> folders,
                                  Wanted wanted) {
  namespace fs = std::filesystem;
  std::vector<SourceFile> files;
  for (const std::string_view folder : folders) {
    if (!fs::is_directory(root / folder)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
      const std::string path = fs::relative(entry.path(), root).string();
      if (!entry.is_regular_file() || !wanted(path)) continue;
      files.push_back({path, read_text(entry.path())});
    }
  }
  std::sort(files.begin(), files.end(),
            [](const SourceFile& a, const SourceFile& b) { return a.path < b.path; });
  return files;
}

inline bool is_cxx(std::string_view path) {
  return path.ends_with(".cc") || path.ends_with(".h") || path.ends_with(".inc");
}

// Returns whether the file is compiled into tests or benchmarks only.
inline bool is_test(std::string_view path) {
  return path.ends_with("_test.cc") || path.ends_with("_test.h") ||
         path.ends_with("_for_test.h") || path.ends_with("_for_test.cc") ||
         path.ends_with("_benchmark.cc");
}

// Returns the room of a file of core/ ("" if it is in none).
inline std::string_view room_of(std::string_view path) {
  constexpr std::string_view kCore = "core/";
  if (!path.starts_with(kCore)) return "";
  path.remove_prefix(kCore.size());
  const auto slash = path.find('/');
  return slash == path.npos ? "" : path.substr(0, slash);
}

// Calls `visit(number, line)` for each line of `text`, from 1.
template <typename Visit>
void for_each_line(std::string_view text, Visit visit) {
  for (int number = 1; !text.empty(); ++number) {
    const auto end = std::min(text.find('\n'), text.size());
    visit(number, text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

// Returns the complaints one to a line, as a failed test prints them.
inline std::string listed(const Complaints& complaints) {
  std::string lines;
  for (const Complaint& complaint : complaints) lines += complaint.str() + "\n";
  return lines;
}

}  // namespace racier::base
