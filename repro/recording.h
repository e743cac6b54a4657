// repro/recording.h - the text of a recording, as events.
//
// Reads what `perf script --show-mmap-events --show-task-events` prints of page faults,
// memory system calls and the life of processes.  Knows the format, not what it means.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/base/types.h"

namespace racier::repro {

struct ForkEvent {
  int parent_pid;  // the child is the event's process; its pid is the parent's: a
                   // thread
};
struct ExitEvent {};
struct ExecEvent {};

// A vma of the process, as it stands after merging.
struct MapEvent {
  VirtRange range;
  std::uint64_t offset = 0;
  std::uint32_t access = 0;  // kVmRead | kVmWrite | kVmExec
  bool shared = false;
  std::string file;  // path, or "[stack]", "[vdso]", "//anon", ...
};

enum class SystemCall : std::uint8_t {
  kMmap,
  kMunmap,
  kMprotect,
  kMremap,
  kBrk,
  kMadvise,
  kMsync,
  kMlock,
  kMunlock,
};
const char* system_call_name(SystemCall call);

struct EnterEvent {
  SystemCall call;
  std::vector<std::uint64_t> arguments;  // as many as the call has
};
struct ReturnEvent {
  SystemCall call;
  std::uint64_t result = 0;
  bool failed() const { return result > ~std::uint64_t{4095}; }  // -errno
};

struct FaultEvent {
  VirtAddr addr = 0;
  std::uint32_t error_code = 0;  // PageFault's bits
};

struct Event {
  int line = 0;
  int pid = 0;
  int tid = 0;
  std::variant<ForkEvent, ExitEvent, ExecEvent, MapEvent, EnterEvent, ReturnEvent,
               FaultEvent>
      what;
};

struct Recording {
  std::vector<Event> events;
  std::map<std::string, int> ignored;  // events of other kinds: how many of each name
};

// What is wrong with a text, and where.
struct BadRecording {
  int line;
  int column;
  std::string expected;
};

// Returns the events of `text` in their order.  Throws BadRecording.
Recording parse_recording(std::string_view text);

}  // namespace racier::repro
