// stress/whole_file.cc - writes aside, then renames.  Tested by whole_file_test.cc.
#include "stress/whole_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <system_error>

namespace racier::stress {
namespace {

namespace fs = std::filesystem;

std::string failure(const char* verb, const fs::path& path, int error) {
  return std::string("cannot ") + verb + " " + path.string() + ": " +
         std::strerror(error);
}

// Returns the errno of what failed, or 0.
int write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return 0;
}

// Opens, writes and closes; likewise.
int write_file(const fs::path& file, std::string_view text, int flags, bool sync) {
  const int fd = ::open(file.c_str(), O_WRONLY | O_CLOEXEC | flags, 0666);
  if (fd < 0) return errno;
  int error = write_all(fd, text);
  if (error == 0 && sync && ::fsync(fd) != 0) error = errno;
  if (::close(fd) != 0 && error == 0) error = errno;
  return error;
}

// Makes a rename in `folder` last.
void sync_folder(const fs::path& folder) {
  const int fd = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return;
  ::fsync(fd);
  ::close(fd);
}

// Returns whether `file` is to be written to as it is: a device, a pipe, /dev/stdout.
bool is_special(const fs::path& file) {
  std::error_code ignored;
  const fs::file_status status = fs::status(file, ignored);
  if (fs::exists(status) && !fs::is_regular_file(status)) return true;
  const std::string path = fs::absolute(file, ignored).lexically_normal();
  return path.starts_with("/dev/") || path.starts_with("/proc/");
}

}  // namespace

std::string write_whole(const fs::path& name, std::string_view text) {
  std::error_code ignored;
  fs::path file = name;
  if (is_special(file)) {
    const int error = write_file(file, text, 0, false);
    return error == 0 ? "" : failure("write", file, error);
  }
  if (fs::is_symlink(file, ignored)) file = fs::weakly_canonical(file, ignored);
  const fs::path aside = file.string() + "." + std::to_string(::getpid()) + ".tmp";
  int error = write_file(aside, text, O_CREAT | O_TRUNC, true);
  if (error == 0 && ::rename(aside.c_str(), file.c_str()) != 0) error = errno;
  if (error == 0) {
    sync_folder(file.parent_path());
    return "";
  }
  ::unlink(aside.c_str());
  return failure("write", file, error);
}

std::optional<std::string> read_whole(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) return std::nullopt;
  std::string text{std::istreambuf_iterator<char>(stream), {}};
  return stream.bad() ? std::nullopt : std::optional(std::move(text));
}

std::string prepare_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) {
    return "cannot make the folder " + folder.string() + ": " + error.message();
  }
  if (!fs::is_directory(folder, error)) return folder.string() + " is no folder";
  // A user with all rights is told yes of a read-only file system too: try it.
  const fs::path probe = folder / (".probe." + std::to_string(::getpid()) + ".tmp");
  const int failed = write_file(probe, "", O_CREAT | O_TRUNC, false);
  ::unlink(probe.c_str());
  return failed == 0 ? "" : failure("write to", folder, failed);
}

}  // namespace racier::stress
