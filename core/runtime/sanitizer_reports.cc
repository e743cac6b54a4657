// core/runtime/sanitizer_reports.cc - catches reports, and says them in the kernel's words.
//
// A hook runs inside the sanitizer, under its locks: it copies what it is shown and returns.
// The next step of the run, in ordinary code, makes a finding of the copy.
// Tested by sanitizer_reports_test.cc.
#include "core/runtime/sanitizer_reports.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "core/base/source_name.h"

namespace __tsan {
class ReportDesc;
}  // namespace __tsan

extern "C" {
[[gnu::weak]] void __asan_set_error_report_callback(void (*callback)(const char*));
[[gnu::weak]] void __sanitizer_symbolize_pc(void* pc, const char* format, char* out,
                                            std::size_t out_size);
[[gnu::weak]] int __tsan_get_report_data(void* report, const char** description,
                                         int* count, int* stacks, int* mops, int* locs,
                                         int* mutexes, int* threads, int* unique_tids,
                                         void** sleep_trace, unsigned long trace_size);
[[gnu::weak]] int __tsan_get_report_mop(void* report, unsigned long index, int* tid,
                                        void** address, int* size, int* write, int* atomic,
                                        void** trace, unsigned long trace_size);
[[gnu::weak]] int __tsan_get_report_stack(void* report, unsigned long index, void** trace,
                                          unsigned long trace_size);
[[gnu::weak]] int __tsan_get_report_thread(void* report, unsigned long index, int* tid,
                                           unsigned long* os_id, int* running,
                                           const char** name, int* parent, void** trace,
                                           unsigned long trace_size);
[[gnu::weak]] int __sanitizer_get_ownership(const volatile void* address);
[[gnu::weak]] void __tsan_java_alloc(unsigned long address, unsigned long size);
[[gnu::weak]] void __tsan_java_free(unsigned long address, unsigned long size);

// A race is reported each time it happens, not once per process: a finding must replay
// (see also forget()).
// history_size: how far back an access is remembered; beyond, its race is not seen.
// report_signal_unsafe: abort() would bring a flood of reports, and one while another is
// being made hangs for ever.
const char* __tsan_default_options() {
  return "suppress_equal_stacks=0:history_size=7:second_deadlock_stack=1:"
         "report_signal_unsafe=0";
}

const char* __asan_default_options() {
  return "halt_on_error=0:suppress_equal_pcs=0:detect_stack_use_after_return=1";
}
}  // extern "C"

namespace racier::sanitizer_reports {

constexpr int kFrames = 24;
constexpr int kSides = 2;  // the two accesses of a race
constexpr std::size_t kTextMax = 16 * 1024;
constexpr std::size_t kWordsMax = 64;

// One of the two accesses or, of a report without any, stacks.
struct Side {
  int tid;
  int size;
  bool write;
  bool atomic;
  std::array<char, 16> thread;
  std::array<void*, kFrames> trace;  // ends with a null
};

struct Word {
  void* address;
  int size;
};

struct Raw {
  const char* tsan;  // ThreadSanitizer's kind of report; null: `text` is the other's
  int sides;
  bool accesses;
  std::array<Side, kSides> side;
  std::array<char, kTextMax> text;
  std::array<Word, kWordsMax> raced;  // those of dropped reports too
  std::size_t raced_count;
};

namespace {

thread_local bool watched = false;
thread_local bool caught = false;
thread_local Raw* raw = nullptr;  // made by the thread's first watch, kept until its end

struct Frame {
  std::string function;
  std::string file;
  std::string line;
};

// Returns whether reports should name the frame: not one of libraries, nor of our own Atomic.
bool is_telling(const Frame& frame) {
  return !frame.file.empty() && !frame.file.starts_with("/usr/") &&
         frame.file.find("/compiler-rt/") == std::string::npos &&
         frame.file.find("core/sync/atomic.h") == std::string::npos;
}

// Returns the first frame worth naming; of `none`, "?".
std::string telling_function(const std::vector<Frame>& frames) {
  const auto it = std::find_if(frames.begin(), frames.end(), is_telling);
  if (it != frames.end()) return bare_function_name(it->function);
  return frames.empty() ? "?" : bare_function_name(frames.front().function);
}

std::string listed(const std::vector<Frame>& frames) {
  std::string text;
  for (const Frame& frame : frames) {
    text += "    " + bare_function_name(frame.function) + " (" +
            std::string(base_name(frame.file)) + ":" + frame.line + ")\n";
  }
  return text;
}

// ---- ThreadSanitizer -----------------------------------------------------------------

// Returns the functions at `pc`, innermost first: several if some are inlined.
void symbolize(void* pc, std::vector<Frame>& frames) {
  std::array<char, 4096> text{};
  // It looks at the instruction before the pc, as for a return address; ours is exact.
  __sanitizer_symbolize_pc(static_cast<char*>(pc) + 1, "%f\t%s\t%l", text.data(),
                           text.size());
  for (const char* at = text.data(); *at != '\0'; at += std::strlen(at) + 1) {
    const std::string_view line = at;
    const std::size_t file = std::min(line.find('\t'), line.size());
    const std::size_t number = std::min(line.find('\t', file + 1), line.size());
    if (number == line.size()) continue;
    frames.push_back({std::string(line.substr(0, file)),
                      std::string(line.substr(file + 1, number - file - 1)),
                      std::string(line.substr(number + 1))});
  }
}

std::vector<Frame> frames_of(const Side& side) {
  std::vector<Frame> frames;
  void* before = nullptr;
  for (void* const pc : side.trace) {
    if (pc == nullptr) break;
    if (pc != before) symbolize(pc, frames);  // an inlined frame repeats its caller's pc
    before = pc;
  }
  return frames;
}

std::string describe(const Side& side, bool access) {
  if (!access) return "  at\n";
  std::string text = side.atomic ? "  atomic " : "  ";
  text += side.write ? "write" : "read";
  text += " of " + std::to_string(side.size) + " bytes by ";
  text += side.thread[0] == '\0' ? "thread " + std::to_string(side.tid) : side.thread.data();
  return text + "\n";
}

Finding tsan_finding(const Raw& report) {
  std::vector<std::string> functions;
  Finding finding;
  for (int i = 0; i < report.sides; ++i) {
    const Side& side = report.side[static_cast<std::size_t>(i)];
    const std::vector<Frame> frames = frames_of(side);
    functions.push_back(telling_function(frames));
    finding.detail += describe(side, report.accesses) + listed(frames);
  }
  std::sort(functions.begin(), functions.end());
  std::string in = " in ";
  for (const std::string& function : functions) {
    in += (&function == functions.data() ? "" : " / ") + function;
  }
  const std::string_view kind = report.tsan;
  if (kind.starts_with("data-race")) {
    finding.kind = FindingKind::kDataRace;
    finding.title = "KCSAN: data-race" + in;
  } else if (kind.starts_with("heap-use-after-free")) {
    finding.kind = FindingKind::kUseAfterFree;
    finding.title = "KASAN: use-after-free" + in;
  } else {
    finding.kind = FindingKind::kSanitizer;
    finding.title = "ThreadSanitizer: " + std::string(kind) + in;
  }
  return finding;
}

// TSan marks a word that raced as read-only, and never looks at it again.  The interface for
// Java's heap can make memory new; malloc does so itself, and must not be told such things.
// No heap is declared (__tsan_java_init): a report would search all of it for blocks.
void forget(const Word& word) {
  constexpr unsigned long kCell = 8;  // what TSan remembers accesses of
  if (__sanitizer_get_ownership(word.address) != 0) return;
  const auto address = reinterpret_cast<unsigned long>(word.address);
  const unsigned long first = address & ~(kCell - 1);
  const unsigned long size =
      (address - first + static_cast<unsigned long>(word.size) + kCell - 1) & ~(kCell - 1);
  __tsan_java_alloc(first, size);
  __tsan_java_free(first, size);
}

void note_raced_word(void* report) {
  if (raw->raced_count == kWordsMax) return;
  Word word{};
  int tid = 0, write = 0, atomic = 0;
  void* trace[1];
  if (__tsan_get_report_mop(report, 0, &tid, &word.address, &word.size, &write, &atomic,
                            trace, 1) != 0 &&
      word.address != nullptr) {
    raw->raced[raw->raced_count++] = word;
  }
}

void copy_thread_name(void* report, int threads, Side& side) {
  side.thread[0] = '\0';
  for (int i = 0; i < threads; ++i) {
    int tid = 0, running = 0, parent = 0;
    unsigned long os_id = 0;
    const char* name = nullptr;
    void* trace[1];
    __tsan_get_report_thread(report, static_cast<unsigned long>(i), &tid, &os_id, &running,
                             &name, &parent, trace, 1);
    if (tid != side.tid || name == nullptr) continue;
    std::size_t length = 0;
    while (name[length] != '\0' && length + 1 < side.thread.size()) {
      side.thread[length] = name[length];
      ++length;
    }
    side.thread[length] = '\0';
  }
}

void copy_tsan_report(void* report) {
  int count = 0, stacks = 0, mops = 0, locs = 0, mutexes = 0, threads = 0, tids = 0;
  void* sleep_trace[1];
  __tsan_get_report_data(report, &raw->tsan, &count, &stacks, &mops, &locs, &mutexes,
                         &threads, &tids, sleep_trace, 1);
  raw->accesses = mops > 0;
  raw->sides = std::min(raw->accesses ? mops : stacks, kSides);
  for (int i = 0; i < raw->sides; ++i) {
    Side& side = raw->side[static_cast<std::size_t>(i)];
    const auto index = static_cast<unsigned long>(i);
    for (void*& pc : side.trace) pc = nullptr;
    if (!raw->accesses) {
      __tsan_get_report_stack(report, index, side.trace.data(), kFrames - 1);
      continue;
    }
    void* address = nullptr;
    int write = 0, atomic = 0;
    __tsan_get_report_mop(report, index, &side.tid, &address, &side.size, &write, &atomic,
                          side.trace.data(), kFrames - 1);
    side.write = write != 0;
    side.atomic = atomic != 0;
    copy_thread_name(report, threads, side);
  }
}

// ---- AddressSanitizer ------------------------------------------------------------------

// Returns what lies between `before` and `after` in `text`, from `from` on, or "".
std::string_view between(std::string_view text, std::string_view before,
                         std::string_view after, std::size_t from = 0) {
  const std::size_t start = text.find(before, from);
  if (start == text.npos) return "";
  text.remove_prefix(start + before.size());
  return text.substr(0, text.find(after));
}

// Returns the frames of the first stack in `text`: lines "    #0 0x12ab in f(int) a.cc:1:2".
std::vector<Frame> first_stack(std::string_view text) {
  std::vector<Frame> frames;
  for (int i = 0;; ++i) {
    std::string_view line = between(text, "#" + std::to_string(i) + " 0x", "\n");
    if (line.empty()) return frames;
    text.remove_prefix(static_cast<std::size_t>(line.data() - text.data()));
    line = between(line, " in ", "\n");
    const std::size_t place = line.rfind(' ');
    if (place == line.npos) continue;
    const std::string_view file = line.substr(place + 1);
    const std::size_t colon = std::min(file.find(':'), file.size());
    const bool known = colon != file.size();
    frames.push_back({std::string(line.substr(0, place)),
                      known ? std::string(file.substr(0, colon)) : "",
                      known ? std::string(between(file, ":", ":")) : "?"});
  }
}

// The kernel's word for a kind of report.
std::string_view kernel_kind(std::string_view kind) {
  if (kind == "heap-use-after-free" || kind == "use-after-poison") return "use-after-free";
  if (kind == "heap-buffer-overflow") return "slab-out-of-bounds";
  if (kind == "stack-buffer-overflow") return "stack-out-of-bounds";
  if (kind == "global-buffer-overflow") return "global-out-of-bounds";
  if (kind == "attempting") return "double-free";  // "attempting double-free on"
  return kind;
}

void on_asan_report(const char* text) {
  if (!watched) std::abort();  // not ours: the usual end, though options let it go on
  if (caught) return;
  raw->tsan = nullptr;
  std::size_t length = 0;
  while (text[length] != '\0' && length + 1 < raw->text.size()) {
    raw->text[length] = text[length];
    ++length;
  }
  raw->text[length] = '\0';
  caught = true;
}

[[gnu::constructor]] void install() {
  if (__asan_set_error_report_callback != nullptr) {
    __asan_set_error_report_callback(&on_asan_report);
  }
}

}  // namespace

Finding parse_asan_report(std::string_view text) {
  const std::string_view kind = between(text, "AddressSanitizer: ", " ");
  const std::string_view name = kernel_kind(kind);
  const std::vector<Frame> frames = first_stack(text);
  Finding finding;
  finding.kind = name == "use-after-free" ? FindingKind::kUseAfterFree
                                          : FindingKind::kSanitizer;
  finding.title = "KASAN: " + std::string(name);
  if (text.find("\nREAD of size") != text.npos) finding.title += " Read";
  if (text.find("\nWRITE of size") != text.npos) finding.title += " Write";
  finding.title += " in " + telling_function(frames);
  finding.detail = text;
  return finding;
}

Watch::Watch(RunState& run) : run_(run), pending_(&caught), outer_(watched) {
  thread_local const auto owned = std::make_unique<Raw>();
  raw = owned.get();
  watched = true;
  caught = false;
}

Watch::~Watch() { watched = outer_; }

bool Watch::collect() {
  if (!caught) return false;
  const bool tsan = raw->tsan != nullptr;
  Finding finding = tsan ? tsan_finding(*raw) : parse_asan_report(raw->text.data());
  for (std::size_t i = 0; i < raw->raced_count; ++i) forget(raw->raced[i]);
  raw->raced_count = 0;
  caught = false;
  return run_.record(std::move(finding));
}

}  // namespace racier::sanitizer_reports

namespace __tsan {

// TSan's own hook, weak there: "return true to suppress the report".  The documented one,
// __tsan_on_report(), comes after the report was printed and the process marked as failed.
bool OnReport(const ReportDesc* report, bool suppressed);
bool OnReport(const ReportDesc* report, bool suppressed) {
  using namespace racier::sanitizer_reports;
  if (suppressed || !watched) return suppressed;
  auto* const data = const_cast<ReportDesc*>(report);
  if (!caught) copy_tsan_report(data);
  note_raced_word(data);
  caught = true;
  return true;
}

}  // namespace __tsan
