// core/runtime/tsan_report.cc - reads reports of ThreadSanitizer.
//
// Tested by tsan_test.cc.
#include "core/runtime/tsan_report.h"

#include <algorithm>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/runtime/report_frames.h"

extern "C" {
[[gnu::weak]] int __sanitizer_get_ownership(const volatile void* address);
[[gnu::weak]] void __sanitizer_symbolize_pc(void* pc, const char* format, char* out,
                                            std::size_t out_size);
[[gnu::weak]] int __tsan_get_report_data(void* report, const char** kind, int* count,
                                         int* stacks, int* accesses, int* locs,
                                         int* mutexes, int* threads, int* unique_tids,
                                         void** sleep_trace, unsigned long trace_size);
[[gnu::weak]] int __tsan_get_report_mop(void* report, unsigned long index, int* tid,
                                        void** address, int* size, int* write,
                                        int* atomic, void** trace,
                                        unsigned long trace_size);
[[gnu::weak]] int __tsan_get_report_stack(void* report, unsigned long index,
                                          void** trace, unsigned long trace_size);
[[gnu::weak]] int __tsan_get_report_thread(void* report, unsigned long index, int* tid,
                                           unsigned long* os_id, int* running,
                                           const char** name, int* parent, void** trace,
                                           unsigned long trace_size);
[[gnu::weak]] void __tsan_java_alloc(unsigned long address, unsigned long size);
[[gnu::weak]] void __tsan_java_free(unsigned long address, unsigned long size);
}

namespace racier::sanitizer_reports {
namespace {

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

std::vector<Frame> frames_of(std::span<void* const> trace) {
  std::vector<Frame> frames;
  void* before = nullptr;
  for (void* const pc : trace) {
    if (pc == nullptr) break;
    // An inlined frame repeats its caller's pc.
    if (pc != before) symbolize(pc, frames);
    before = pc;
  }
  return frames;
}

struct Counts {
  const char* kind;
  int accesses, stacks, threads;
};

Counts counts_of(void* report) {
  Counts counts{};
  int count = 0, locs = 0, mutexes = 0, tids = 0;
  void* sleep_trace[1];
  __tsan_get_report_data(report, &counts.kind, &count, &counts.stacks, &counts.accesses,
                         &locs, &mutexes, &counts.threads, &tids, sleep_trace, 1);
  return counts;
}

// "a / b": the functions, sorted.
std::string joined(std::vector<std::string> functions) {
  std::sort(functions.begin(), functions.end());
  std::string text;
  for (const std::string& function : functions) {
    text += (text.empty() ? "" : " / ") + function;
  }
  return text;
}

Finding named(std::string_view kind, const std::string& functions) {
  Finding finding;
  if (kind.starts_with("data-race")) {
    finding.kind = FindingKind::kDataRace;
    finding.title = "KCSAN: data-race in " + functions;
  } else if (kind.starts_with("heap-use-after-free")) {
    finding.kind = FindingKind::kUseAfterFree;
    finding.title = "KASAN: use-after-free in " + functions;
  } else {
    finding.kind = FindingKind::kSanitizer;
    finding.title = "ThreadSanitizer: " + std::string(kind) + " in " + functions;
  }
  return finding;
}

}  // namespace

// ---- Inside of ThreadSanitizer
// -------------------------------------------------------

void TsanReport::copy(void* report) {
  const Counts counts = counts_of(report);
  kind_ = counts.kind;
  has_accesses_ = counts.accesses > 0;
  const int sides = has_accesses_ ? counts.accesses : counts.stacks;
  sides_count_ = std::min(static_cast<std::size_t>(sides), kSides);
  for (std::size_t i = 0; i < sides_count_; ++i) {
    Side& side = sides_[i];
    for (void*& pc : side.trace) pc = nullptr;
    if (!has_accesses_) {
      __tsan_get_report_stack(report, i, side.trace.data(), kFrames - 1);
      continue;
    }
    void* address = nullptr;
    int write = 0, atomic = 0;
    __tsan_get_report_mop(report, i, &side.tid, &address, &side.size, &write, &atomic,
                          side.trace.data(), kFrames - 1);
    side.write = write != 0;
    side.atomic = atomic != 0;
    copy_thread_name(report, counts.threads, side);
  }
}

void TsanReport::copy_thread_name(void* report, int threads, Side& side) {
  side.thread[0] = '\0';
  for (int i = 0; i < threads; ++i) {
    int tid = 0, running = 0, parent = 0;
    unsigned long os_id = 0;
    const char* name = nullptr;
    void* trace[1];
    __tsan_get_report_thread(report, static_cast<unsigned long>(i), &tid, &os_id,
                             &running, &name, &parent, trace, 1);
    if (tid != side.tid || name == nullptr) continue;
    std::size_t length = 0;
    while (name[length] != '\0' && length + 1 < side.thread.size()) {
      side.thread[length] = name[length];
      ++length;
    }
    side.thread[length] = '\0';
  }
}

void TsanReport::note_word(void* report) {
  if (counts_of(report).accesses == 0 || words_count_ == kWordsMax) return;
  Word& word = words_[words_count_++];
  int tid = 0, write = 0, atomic = 0;
  void* trace[1];
  __tsan_get_report_mop(report, 0, &tid, &word.address, &word.size, &write, &atomic,
                        trace, 1);
}

// ---- In ordinary code
// ----------------------------------------------------------------

Finding TsanReport::finding() const {
  std::vector<std::string> functions;
  std::string detail;
  for (std::size_t i = 0; i < sides_count_; ++i) {
    const std::vector<Frame> frames = frames_of(sides_[i].trace);
    functions.push_back(telling_function(frames));
    detail += describe(sides_[i]) + listed(frames);
  }
  Finding finding = named(kind_, joined(std::move(functions)));
  finding.detail = std::move(detail);
  return finding;
}

std::string TsanReport::describe(const Side& side) const {
  if (!has_accesses_) return "  at\n";
  std::string text = side.atomic ? "  atomic " : "  ";
  text += side.write ? "write" : "read";
  text += " of " + std::to_string(side.size) + " bytes by ";
  text += side.thread[0] == '\0' ? "thread " + std::to_string(side.tid)
                                 : side.thread.data();
  return text + "\n";
}

void TsanReport::watch_words_again() {
  for (std::size_t i = 0; i < words_count_; ++i) watch_again(words_[i]);
  words_count_ = 0;
}

// ThreadSanitizer marks a word that raced as read-only, and never looks at it again.
// Its interface for Java's heap can make memory new; malloc does so itself, and must
// not be told such things.  No heap is declared (__tsan_java_init): a report would
// search all of it for blocks.
void TsanReport::watch_again(const Word& word) {
  constexpr unsigned long kCell = 8;  // what it remembers accesses of
  if (__sanitizer_get_ownership(word.address) != 0) return;
  const auto address = reinterpret_cast<unsigned long>(word.address);
  const auto end = address + static_cast<unsigned long>(word.size);
  const unsigned long first = address & ~(kCell - 1);
  const unsigned long size = (end - first + kCell - 1) & ~(kCell - 1);
  __tsan_java_alloc(first, size);
  __tsan_java_free(first, size);
}

}  // namespace racier::sanitizer_reports
