// repro/shared_symbolizer.cc - see shared_symbolizer.h.  Tested by in_child_test.cc.
//
// The sanitizer keeps two pipes to the symbolizer, which children inherit.  If it
// cannot write to one it starts another symbolizer, a few times.
#include "repro/shared_symbolizer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstddef>
#include <vector>

extern "C" [[gnu::weak]] void __sanitizer_symbolize_pc(void* pc, const char* format,
                                                       char* out, std::size_t size);

namespace racier::repro {
namespace {

constexpr int kStartsMax = 3;  // the sanitizer gives up after five
constexpr int kDescriptorsMax = 256;

// Of this process, or of the parent that forked it.
struct Symbolizer {
  int starts = 0;
  std::vector<int> pipes;  // empty: none was started
};
Symbolizer symbolizer;

// What is behind each descriptor; 0: nothing.
std::vector<ino_t> files_open() {
  std::vector<ino_t> files(kDescriptorsMax);
  for (int i = 0; i < kDescriptorsMax; ++i) {
    struct stat file {};
    if (::fstat(i, &file) == 0) files[static_cast<std::size_t>(i)] = file.st_ino;
  }
  return files;
}

}  // namespace

void start_symbolizer() {
  if (__sanitizer_symbolize_pc == nullptr || !symbolizer.pipes.empty() ||
      symbolizer.starts == kStartsMax) {
    return;
  }
  ++symbolizer.starts;
  const std::vector<ino_t> before = files_open();
  char name[256];
  __sanitizer_symbolize_pc(reinterpret_cast<char*>(&start_symbolizer) + 1, "%f", name,
                           sizeof name);
  const std::vector<ino_t> after = files_open();
  for (int i = 0; i < kDescriptorsMax; ++i) {
    const auto at = static_cast<std::size_t>(i);
    if (after[at] != 0 && after[at] != before[at]) symbolizer.pipes.push_back(i);
  }
}

void leave_symbolizer() {
  if (symbolizer.pipes.empty()) return;
  const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  for (const int pipe : symbolizer.pipes) {
    ::dup2(nothing, pipe);  // the number stays taken, and cannot be written to
  }
  ::close(nothing);
  symbolizer.pipes.clear();
}

}  // namespace racier::repro
