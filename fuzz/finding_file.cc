// fuzz/finding_file.cc - says what was found.  Tested by finding_file_test.cc.
#include "fuzz/finding_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "core/base/random.h"
#include "core/base/source_name.h"
#include "core/program/print.h"

namespace racier::fuzz {
namespace {

std::string hex_of(std::uint64_t value) {
  std::string text(16, '0');
  for (auto at = text.rbegin(); at != text.rend(); ++at, value >>= 4) {
    *at = "0123456789abcdef"[value & 15];
  }
  return text;
}

// Returns a place of ours as a path in the tree: "core/mm/fault.cc".
std::string path_in_tree(std::string_view path) {
  if (path.empty()) return "?";
  for (const std::string_view room : {"/core/", "/fuzz/"}) {
    const std::size_t at = path.rfind(room);
    if (at != path.npos) return std::string(path.substr(at + 1));
  }
  return std::string(path);
}

// Returns "walk_audit.cc:66: removed" of the first frame in `detail`.
std::string place_in(std::string_view detail) {
  const FrameName frame = first_frame(detail);
  return std::string(frame.place) + ": " + std::string(frame.function);
}

std::string place(const Finding& finding) {
  if (finding.where.line() == 0) return place_in(finding.detail);
  return path_in_tree(finding.where.file_name()) + ":" +
         std::to_string(finding.where.line()) + ": " +
         bare_function_name(finding.where.function_name());
}

// Says when in the run it came up.
std::string moment(const Found& found) {
  std::string text = std::string("in the ") + program::phase_name(found.phase);
  if (found.finding.task < 0 || found.phase != program::Phase::kTasks) return text;
  const int tasks = static_cast<int>(found.program.tasks.size());
  return text + ", by task " + program::task_name(found.finding.task, tasks) +
         " at its step " + std::to_string(found.finding.step);
}

std::string kernel_title(const std::string& title) {
  for (const char* word : {"BUG:", "INFO:", "WARNING:"}) {
    if (title.starts_with(word)) return title;
  }
  return "BUG: " + title;
}

std::string indented(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    result += line.empty() ? "\n" : " " + std::string(line) + "\n";
  }
  return result;
}

// Closes a file descriptor at the end of a scope.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() { close(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  bool is_open() const { return fd_ >= 0; }
  bool write(std::string_view text) const {
    while (!text.empty()) {
      const ssize_t written = ::write(fd_, text.data(), text.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return false;
      text.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
  }
  bool sync_and_close() { return ::fsync(fd_) == 0 && close(); }
  bool close() {
    const int fd = fd_;
    fd_ = -1;
    return fd < 0 || ::close(fd) == 0;
  }

 private:
  int fd_;
};

std::string failure(const char* verb, const std::filesystem::path& path) {
  const std::string error = std::strerror(errno);
  return std::string("cannot ") + verb + " " + path.string() + ": " + error;
}

}  // namespace

std::string finding_file_name(const Finding& finding) {
  std::uint64_t hash = 0;
  for (const char c : finding.signature()) {
    hash = Random::mixed(hash + static_cast<unsigned char>(c) + 1);
  }
  const std::string kind = finding_kind_name(finding.kind);
  return "finding-" + kind + "-" + hex_of(hash) + ".racier";
}

std::string finding_text(const Found& found) {
  program::Program program = found.program;
  const Finding& finding = found.finding;
  std::string& header = program.header;
  header = finding.signature() + "\nat " + place(finding) + ", " + moment(found) + "\n";
  if (!finding.detail.empty()) header += "\n" + finding.detail;
  if (!header.ends_with('\n')) header += '\n';
  header += "\nreplay: " + (found.replay.empty()
                                ? "racier repro run " + finding_file_name(finding)
                                : found.replay);
  return program::print(program);
}

std::string finding_report(const Found& found) {
  const Finding& finding = found.finding;
  const std::string line = std::string(66, '=') + "\n";
  return "racier: " + place(finding) + ": Assertion '" + finding.signature() +
         "' failed.\n" + line + kernel_title(finding.title) + "\n " + moment(found) +
         "\n" + indented(finding.detail) + line;
}

std::string write_whole(const std::filesystem::path& file, const std::string& text) {
  const std::string aside = file.string() + "." + std::to_string(getpid()) + ".tmp";
  constexpr int kFlags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC;
  Descriptor descriptor(::open(aside.c_str(), kFlags, 0666));
  if (!descriptor.is_open()) return failure("write", file);
  if (descriptor.write(text) && descriptor.sync_and_close() &&
      ::rename(aside.c_str(), file.c_str()) == 0) {
    return "";
  }
  std::string error = failure("write", file);
  ::unlink(aside.c_str());
  return error;
}

std::string prepare_folder(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return "cannot make folder " + folder.string() + ": " + error.message();
  // It knows no full disks, but leaves nothing behind.
  if (::access(folder.c_str(), W_OK | X_OK) != 0) return failure("write to", folder);
  return "";
}

}  // namespace racier::fuzz
