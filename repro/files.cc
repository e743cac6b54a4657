// repro/files.cc - files, and the output of xz.  Tested by cli_test.sh.
#include "repro/files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <utility>

#include "repro/descriptor.h"

extern char** environ;

namespace racier::repro {
namespace {

std::string reason() { return std::strerror(errno); }

// Appends all that is to be read.  Returns false, and errno.
bool read_all(int descriptor, std::string& text) {
  char buffer[1 << 16];
  for (;;) {
    const ssize_t size = read(descriptor, buffer, sizeof buffer);
    if (size == 0) return true;
    if (size > 0) {
      text.append(buffer, static_cast<std::size_t>(size));
    } else if (errno != EINTR) {
      return false;
    }
  }
}

[[noreturn]] void unreadable(const std::string& path) {
  throw BadInput(fmt::format("{}: cannot be read: {}", path, reason()));
}

[[noreturn]] void unwritable(const std::string& path) {
  throw CannotRun(fmt::format("{}: cannot be written: {}", path, reason()));
}

// A started xz, reading from `input` and writing to two pipes.
class Unpacker {
 public:
  explicit Unpacker(int input);
  // Returns what it unpacked; throws what it complained of.
  std::string wait(const std::string& path);

 private:
  pid_t pid_ = -1;
  int output_ = -1;
  int complaints_ = -1;
};

Unpacker::Unpacker(int input) {
  int output[2], complaints[2];
  if (pipe2(output, O_CLOEXEC) != 0 || pipe2(complaints, O_CLOEXEC) != 0) {
    throw CannotRun("no pipe for xz: " + reason());
  }
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, output[1], STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, complaints[1], STDERR_FILENO);
  char name[] = "xz", option[] = "-dc";
  char* arguments[] = {name, option, nullptr};
  errno = posix_spawnp(&pid_, name, &actions, nullptr, arguments, environ);
  posix_spawn_file_actions_destroy(&actions);
  close(output[1]);
  close(complaints[1]);
  output_ = output[0];
  complaints_ = complaints[0];
  if (errno != 0)
    throw CannotRun("xz cannot be started (package xz-utils): " + reason());
}

std::string Unpacker::wait(const std::string& path) {
  std::string text, complaint;
  const Descriptor output(output_), complaints(complaints_);
  const bool read =
      read_all(output.get(), text) && read_all(complaints.get(), complaint);
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  if (read && status == 0) return text;
  complaint = complaint.substr(0, complaint.find('\n'));
  const auto colon = complaint.rfind(": ");  // "xz: (stdin): Unexpected end of input"
  if (colon != complaint.npos) complaint = complaint.substr(colon + 2);
  throw BadInput(fmt::format("{}: cannot be unpacked: {}", path,
                             complaint.empty() ? "xz failed" : complaint));
}

// Returns whether the file is to be written to as it is: a device, a pipe, a folder,
// and /dev/stdout, which may be a link to a regular file.
bool is_special(const std::string& path) {
  std::error_code ignored;
  const auto status = std::filesystem::status(path, ignored);
  if (exists(status) && !is_regular_file(status)) return true;
  const std::string place = std::filesystem::absolute(path, ignored).lexically_normal();
  return place.starts_with("/dev/") || place.starts_with("/proc/");
}

// Writes aside and renames.
void replace(const std::string& path, std::string_view text) {
  const std::string aside = fmt::format("{}.{}.new", path, getpid());
  Descriptor file(open(aside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  if (file.get() < 0) unwritable(path);
  const bool written =
      write_all(file.get(), text) && fsync(file.get()) == 0 && file.close();
  if (written && rename(aside.c_str(), path.c_str()) == 0) return;
  const int error = errno;
  unlink(aside.c_str());
  errno = error;
  unwritable(path);
}

}  // namespace

bool write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t size = write(descriptor, text.data(), text.size());
    if (size > 0) {
      text.remove_prefix(static_cast<std::size_t>(size));
    } else if (errno != EINTR) {
      return false;
    }
  }
  return true;
}

std::string read_file(const std::string& path) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::string text;
  if (file.get() < 0 || !read_all(file.get(), text)) unreadable(path);
  return text;
}

std::string read_unpacked(const std::string& path) {
  constexpr std::string_view kMagic(
      "\xfd"
      "7zXZ\0",
      6);
  const std::string text = read_file(path);
  if (!text.starts_with(kMagic)) return text;
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) unreadable(path);
  return Unpacker(file.get()).wait(path);
}

std::vector<std::string> racier_files(const std::string& folder) {
  std::error_code error;
  std::vector<std::string> files;
  for (std::filesystem::directory_iterator at(folder, error), end; at != end;
       at.increment(error)) {
    if (at->path().extension() == ".racier") files.push_back(at->path().string());
  }
  if (error) throw BadInput(fmt::format("{}: {}", folder, error.message()));
  std::sort(files.begin(), files.end());
  return files;
}

void write_file(const std::string& path, std::string_view text) {
  if (!is_special(path)) {
    std::error_code ignored;
    const bool link = std::filesystem::is_symlink(path, ignored);
    replace(link ? std::filesystem::weakly_canonical(path, ignored).string() : path,
            text);
    return;
  }
  Descriptor file(open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (file.get() < 0 || !write_all(file.get(), text) || !file.close()) unwritable(path);
}

}  // namespace racier::repro
