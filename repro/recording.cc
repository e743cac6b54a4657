// repro/recording.cc - reads recordings, one line at a time.  Tested by
// recording_test.cc.
#include "repro/recording.h"

#include <array>
#include <charconv>
#include <optional>

#include "core/objects/vma.h"

namespace racier::repro {
namespace {

struct CallForm {
  SystemCall call;
  const char* name;
  std::vector<const char*> arguments;  // what stands before each, in this order
};

const std::vector<CallForm>& call_forms() {
  static const std::vector<CallForm> kForms = {
      {SystemCall::kMmap, "mmap", {"addr", "len", "prot", "flags", "fd", "off"}},
      {SystemCall::kMunmap, "munmap", {"addr", "len"}},
      {SystemCall::kMprotect, "mprotect", {"start", "len", "prot"}},
      {SystemCall::kMremap,
       "mremap",
       {"addr", "old_len", "new_len", "flags", "new_addr"}},
      {SystemCall::kBrk, "brk", {"brk"}},
      {SystemCall::kMadvise, "madvise", {"start", "len_in", "behavior"}},
      {SystemCall::kMsync, "msync", {"start", "len", "flags"}},
      {SystemCall::kMlock, "mlock", {"start", "len"}},
      {SystemCall::kMunlock, "munlock", {"start", "len"}},
  };
  return kForms;
}

bool is_blank(char c) { return c == ' '; }

// One line, read from left to right.
class Line {
 public:
  Line(std::string_view text, int number) : text_(text), number_(number) {}

  [[noreturn]] void fail(std::string expected) const {
    throw BadRecording{number_, static_cast<int>(at_) + 1, std::move(expected)};
  }
  bool at_end() const { return at_ == text_.size(); }
  std::string_view rest() const { return text_.substr(at_); }
  void skip_blanks() {
    while (!at_end() && is_blank(text_[at_])) ++at_;
  }
  bool skip(std::string_view word) {
    if (!rest().starts_with(word)) return false;
    at_ += word.size();
    return true;
  }
  void need(std::string_view word) {
    if (!skip(word)) fail("\"" + std::string(word) + "\"");
  }
  void need_end() {
    skip_blanks();
    if (!at_end()) fail("the end of the line");
  }
  std::string_view until(char stop, const char* expected) {
    const auto end = text_.find(stop, at_);
    if (end == text_.npos) fail(expected);
    return take(end - at_);
  }
  std::string_view word() {
    const auto end = std::min(text_.find(' ', at_), text_.size());
    return take(end - at_);
  }
  std::string_view take(std::size_t size) {
    const std::string_view taken = text_.substr(at_, size);
    at_ += size;
    return taken;
  }

  std::uint64_t digits(int base, const char* expected) {
    std::uint64_t value = 0;
    const char* const begin = text_.data() + at_;
    const auto [end, error] =
        std::from_chars(begin, text_.data() + text_.size(), value, base);
    if (error != std::errc() || end == begin) fail(expected);
    at_ += static_cast<std::size_t>(end - begin);
    return value;
  }
  // "0x1f", or a lone 0.
  std::uint64_t hex(const char* expected) {
    if (skip("0x")) return digits(16, expected);
    if (!rest().starts_with("0")) fail(expected);
    return digits(16, expected);
  }
  int pid() {
    const std::uint64_t value = digits(10, "a process id");
    if (value > 1u << 30) fail("a process id");
    return static_cast<int>(value);
  }

 private:
  std::string_view text_;
  int number_;
  std::size_t at_ = 0;
};

// "(child:childtid):(parent:parenttid)": who, and the other process.
struct Task {
  int pid;
  int tid;
};
Task read_task(Line& line) {
  line.need("(");
  const int pid = line.pid();
  line.need(":");
  const int tid = line.pid();
  line.need(")");
  return {pid, tid};
}

VirtAddr read_range_end(Line& line, VirtAddr start) {
  const std::uint64_t size = line.hex("a size");
  const bool fits = start < kUserEnd && size != 0 && size <= kUserEnd - start;
  if (start % kPageSize != 0 || size % kPageSize != 0 || !fits) {
    line.fail("a range of pages of user space");
  }
  return start + size;
}

MapEvent read_map(Line& line) {
  MapEvent map;
  line.need("[");
  map.range.start = line.hex("an address");
  line.need("(");
  map.range.end = read_range_end(line, map.range.start);
  line.need(") @ ");
  map.offset = line.hex("an offset");
  line.until(']', "\"]\"");  // device, inode and generation of the file
  line.need("]: ");
  constexpr std::string_view kLetters = "rwx";
  for (std::size_t i = 0; i < kLetters.size(); ++i) {
    if (line.skip(kLetters.substr(i, 1))) {
      map.access |= 1u << i;
    } else {
      line.need("-");
    }
  }
  map.shared = line.skip("s");
  if (!map.shared) line.need("p");
  line.need(" ");
  map.file = line.rest();
  if (map.file.empty()) line.fail("the name of a file");
  return map;
}
static_assert(kVmRead == 1 && kVmWrite == 2 && kVmExec == 4, "a letter is a bit");

FaultEvent read_fault(Line& line) {
  FaultEvent fault;
  line.need("address=");
  fault.addr = line.hex("an address");
  line.need(" ip=");
  line.word();
  line.need(" error_code=");
  fault.error_code = static_cast<std::uint32_t>(line.hex("an error code"));
  line.need_end();
  return fault;
}

EnterEvent read_enter(Line& line, const CallForm& form) {
  EnterEvent enter{form.call, {}};
  for (const char* const argument : form.arguments) {
    if (!enter.arguments.empty()) line.need(", ");
    line.need(std::string(argument) + ": ");
    enter.arguments.push_back(line.hex("a number"));
  }
  line.need_end();
  return enter;
}

ReturnEvent read_return(Line& line, const CallForm& form) {
  const ReturnEvent result{form.call, line.hex("a result")};
  line.need_end();
  return result;
}

const CallForm* find_form(std::string_view name) {
  for (const CallForm& form : call_forms()) {
    if (name == form.name) return &form;
  }
  return nullptr;
}

// Reads what follows the time.  Returns false for an event of another kind.
bool read_event(Line& line, std::string_view name, Event& event) {
  constexpr std::string_view kFork = "PERF_RECORD_FORK", kExit = "PERF_RECORD_EXIT",
                             kEnter = "syscalls:sys_enter_",
                             kReturn = "syscalls:sys_exit_";
  if (name == kFork || name == kExit) {
    const Task task = read_task(line);
    line.need(":");
    const Task parent = read_task(line);
    line.need_end();
    event.pid = task.pid;
    event.tid = task.tid;
    if (name == kFork) {
      event.what = ForkEvent{parent.pid};
    } else {
      event.what = ExitEvent{};
    }
  } else if (name == "PERF_RECORD_COMM" && line.skip(" exec: ")) {
    event.what = ExecEvent{};
  } else if (name == "PERF_RECORD_MMAP2") {
    line.need(" ");
    line.until(':', "\": [\"");
    line.need(": ");
    event.what = read_map(line);
  } else if (name == "exceptions:page_fault_user" ||
             name == "exceptions:page_fault_kernel") {
    line.need(": ");
    event.what = read_fault(line);
  } else if (name.starts_with(kEnter) || name.starts_with(kReturn)) {
    const bool enters = name.starts_with(kEnter);
    const CallForm* const form =
        find_form(name.substr(enters ? kEnter.size() : kReturn.size()));
    if (form == nullptr) return false;
    line.need(": ");
    if (enters) {
      event.what = read_enter(line, *form);
    } else {
      event.what = read_return(line, *form);
    }
  } else {
    return false;
  }
  return true;
}

// "comm pid/tid [cpu] time: name": `comm` may have blanks, and "pid/tid" is the last
// word before "[cpu]".
void read_line(std::string_view text, int number, Recording& recording) {
  Line line(text, number);
  const auto cpu = text.find(" [");
  if (cpu == text.npos)
    line.fail("a line of perf script: command pid/tid [cpu] time: event");
  const auto last = text.find_last_not_of(' ', cpu);
  const auto start = last == text.npos ? text.npos : text.rfind(' ', last);
  if (start == text.npos) line.fail("a command and pid/tid before [cpu]");
  line.take(start + 1);
  Event event;
  event.line = number;
  event.pid = line.pid();
  line.need("/");
  event.tid = line.pid();
  line.skip_blanks();
  line.need("[");
  line.digits(10, "the number of a processor");
  line.need("]");
  line.skip_blanks();
  line.digits(10, "a time");
  line.need(".");
  line.digits(10, "a time");
  line.need(":");
  line.skip_blanks();
  const std::string_view rest = line.rest();
  // An event's name has at most one colon, between its two halves.
  const auto name_end = rest.find_first_of(" (", 0);
  std::string_view name = rest.substr(0, name_end);
  if (name.ends_with(':')) name.remove_suffix(1);
  if (name.empty()) line.fail("the name of an event");
  line.take(name.size());
  if (read_event(line, name, event)) {
    recording.events.push_back(std::move(event));
  } else if (!name.starts_with("PERF_RECORD_")) {
    ++recording.ignored[std::string(name)];
  }
}

}  // namespace

const char* system_call_name(SystemCall call) {
  return call_forms()[static_cast<std::size_t>(call)].name;
}

Recording parse_recording(std::string_view text) {
  if (text.empty())
    throw BadRecording{1, 1, "a line of perf script, not an empty file"};
  if (text.starts_with("PERFILE2")) {
    throw BadRecording{1, 1, "the text that perf script prints, not perf.data itself"};
  }
  Recording recording;
  int number = 1;
  while (!text.empty()) {
    const auto end = text.find('\n');
    if (end == text.npos) {
      throw BadRecording{number, static_cast<int>(text.size()) + 1,
                         "the end of the line: the recording is cut off"};
    }
    const std::string_view line = text.substr(0, end);
    if (line.find_first_not_of(' ') != line.npos && !line.starts_with('#')) {
      read_line(line, number, recording);
    }
    text.remove_prefix(end + 1);
    ++number;
  }
  if (recording.events.empty()) {
    throw BadRecording{number, 1, "a page fault, a memory system call or a process"};
  }
  return recording;
}

}  // namespace racier::repro
