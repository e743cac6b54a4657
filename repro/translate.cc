// repro/translate.cc - plays a recording on paper and writes the program of it.
// Tested by translate_test.cc.
#include "repro/translate.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <set>

#include "core/memory/mmu.h"
#include "core/objects/vma.h"
#include "repro/call_writer.h"

namespace racier::repro {
namespace {

struct DifferenceRow {
  Difference difference;
  const char* name;
  const char* sentence;
};

constexpr DifferenceRow kRows[] = {
    {Difference::kFaultAround, "fault-around",
     "the kernel had mapped the page ahead, around a fault on its file: read first"},
    {Difference::kForkLeaves, "fork leaves",
     "the kernel's fork copies no pte of a vma without anonymous pages, ours does"},
    {Difference::kExecStack, "exec stack",
     "exec had put a page on the stack: written first"},
    {Difference::kPageCache, "page cache",
     "fault-around had passed the page by: nothing shows that it was cached then"},
    {Difference::kPageBusy, "page busy",
     "fault-around had passed the page by, though it was cached: somebody held it"},
    {Difference::kAccounted, "accounted",
     "the kernel keeps a vma that it charges for apart from its like (VM_ACCOUNT)"},
    {Difference::kAnonVma, "anon_vma",
     "the kernel does not merge vmas that have different anon_vmas already"},
    {Difference::kStackGrowth, "stack growth", "played as mmap"},
    {Difference::kVfork, "vfork",
     "a child without copy-on-write before exec is taken to share its parent's memory"},
    {Difference::kFailedCall, "failed call", "not played"},
    {Difference::kNotPlayed, "not played",
     "a call, or an address, that racier does not have"},
    {Difference::kUnfinished, "half a call",
     "the recording has no begin or no end of the call"},
    {Difference::kStillRunning, "still running",
     "a process did not end in the recording"},
};

// Returns the pages of user space from `start`, or nothing: it is not in user space, or
// not at a page.
std::optional<VirtRange> pages_of(std::uint64_t start, std::uint64_t size) {
  const bool fits = start < kUserEnd && size != 0 && size <= kUserEnd - start;
  if (!fits || start % kPageSize != 0) return std::nullopt;
  return VirtRange{start, page_ceil(start + size)};
}

// Returns the lines of the forks whose child shares its parent's memory until it execs
// (vfork, posix_spawn): a child with memory of its own cannot run without writing to a
// page of its stack, which takes a copy-on-write fault.
std::set<int> find_vforks(const Recording& recording) {
  std::set<int> vforks;
  std::map<int, int> undecided;  // child: line of its fork
  for (const Event& event : recording.events) {
    if (const auto* const fork = std::get_if<ForkEvent>(&event.what)) {
      if (event.pid != fork->parent_pid) undecided[event.tid] = event.line;
      continue;
    }
    const auto found = undecided.find(event.tid);
    if (found == undecided.end()) continue;
    constexpr std::uint32_t kCopies = PageFault::kPresent | PageFault::kWrite;
    const auto* const fault = std::get_if<FaultEvent>(&event.what);
    const bool copies = fault != nullptr && (fault->error_code & kCopies) == kCopies;
    const bool execs = std::holds_alternative<ExecEvent>(event.what);
    if (execs) vforks.insert(found->second);
    if (execs || copies || std::holds_alternative<ExitEvent>(event.what)) {
      undecided.erase(found);
    }
  }
  return vforks;
}

// An address space, shared by threads and by a vforked child.
struct Space {
  KernelView view;
  std::optional<VirtAddr> brk;
};

struct Thread {
  std::uint64_t process;  // in the program
  std::shared_ptr<Space> space;
  std::optional<EnterEvent> call;  // under way
  std::vector<MapEvent> maps;      // told of by the call
};

class Translator {
 public:
  explicit Translator(const Recording& recording) : vforks_(find_vforks(recording)) {}

  // Returns false if that is one process more than allowed.
  bool play(const Event& event, int processes_max);
  Translation finish();

 private:
  void on(const ForkEvent& fork);
  void on(const ExitEvent&);
  void on(const ExecEvent&);
  void on(const MapEvent& map);
  void on(const EnterEvent& enter);
  void on(const ReturnEvent& result);
  void on(const FaultEvent& fault);

  Thread& thread();
  KernelView& view() { return thread().space->view; }
  void count(Difference difference) {
    ++translation_.differences[static_cast<std::size_t>(difference)];
  }
  void unexplained(std::string sentence) {
    translation_.unexplained.push_back(fmt::format("{}: {}", event_->line, sentence));
  }

  void map(const Area& area);
  void unmap(VirtRange range);
  void map_stack(VirtRange range, std::uint32_t access);

  void play_call(const EnterEvent& call, std::uint64_t result);
  void play_call_on(const EnterEvent& call, VirtRange range, std::uint64_t result);
  void play_mmap(const EnterEvent& call, VirtRange range);
  void play_mprotect(const EnterEvent& call, VirtRange range);
  void play_mremap(const EnterEvent& call, VirtRange from, std::uint64_t result);
  void play_brk(VirtAddr end);
  void compare_maps();
  void check_vmas();

  void access(const FaultEvent& fault, std::optional<Difference> difference = {});
  void named_access(const FaultEvent& fault, std::optional<Difference> difference,
                    std::uint32_t error_code, CallWriter::Fault expected,
                    std::string note = "");
  void count_passed_by(VirtAddr addr);
  void play_present(const FaultEvent& fault);
  void play_missing(const FaultEvent& fault);
  void play_outside(const FaultEvent& fault);
  void measure();

  const std::set<int> vforks_;
  std::map<int, Thread> threads_;  // by tid
  const Event* event_ = nullptr;
  CallWriter writer_;
  Translation translation_;
  // Pages of files that were used, and since when (a line of the recording).
  using FilePage = std::pair<std::string, std::uint64_t>;
  static FilePage file_page(const Area& area, VirtAddr addr) {
    return {area.file, area.pgoff + ((addr - area.range.start) >> kPageShift)};
  }
  std::map<FilePage, int> cached_;
  std::size_t frames_max_ = 0;
  std::size_t areas_max_ = 0;
};

bool Translator::play(const Event& event, int processes_max) {
  event_ = &event;
  writer_.set_line(event.line);
  const bool begins = !threads_.contains(event.tid);
  if (begins && processes_max != 0 && translation_.processes == processes_max)
    return false;
  std::visit([&](const auto& what) { on(what); }, event.what);
  return true;
}

// Returns the thread of the event; one that was not seen to begin starts with no
// memory.
Thread& Translator::thread() {
  const auto found = threads_.find(event_->tid);
  if (found != threads_.end()) return found->second;
  ++translation_.processes;
  return threads_[event_->tid] = {writer_.process(), std::make_shared<Space>(), {}, {}};
}

// ---- The life of processes
// ---------------------------------------------------------------

void Translator::on(const ForkEvent& fork) {
  measure();
  const auto parent = threads_.find(fork.parent_pid);
  if (parent == threads_.end()) {
    thread();
    return;
  }
  const Thread& from = parent->second;
  const bool is_thread = event_->pid == fork.parent_pid;
  const bool is_vfork = vforks_.contains(event_->line);
  ++(is_thread ? translation_.threads : translation_.processes);
  if (is_vfork) count(Difference::kVfork);
  Thread child;
  if (is_thread || is_vfork) {
    child.process = writer_.clone(from.process);
    child.space = from.space;
  } else {
    child.process = writer_.fork(from.process);
    child.space = std::make_shared<Space>(from.space->view.forked(), from.space->brk);
  }
  threads_[event_->tid] = std::move(child);
}

void Translator::on(const ExitEvent&) {
  measure();
  const auto found = threads_.find(event_->tid);
  if (found == threads_.end()) return;
  if (found->second.call) count(Difference::kUnfinished);
  writer_.exit(found->second.process);
  threads_.erase(found);
}

void Translator::on(const ExecEvent&) {
  measure();
  ++translation_.execs;
  const auto old = threads_.find(event_->tid);
  if (old != threads_.end()) {
    writer_.exit(old->second.process);
    threads_.erase(old);
    --translation_.processes;  // thread() counts it again
  }
  thread();
}

// Takes the measure of the machine that is needed.
void Translator::measure() {
  std::set<const Space*> spaces;
  std::size_t frames = cached_.size();
  std::size_t areas = 0;
  for (const auto& [tid, thread] : threads_) {
    if (!spaces.insert(thread.space.get()).second) continue;
    const KernelView& view = thread.space->view;
    frames += view.pages_count() + view.tables_count();
    areas += view.areas_count();
  }
  frames_max_ = std::max(frames_max_, frames);
  areas_max_ = std::max(areas_max_, areas);
}

// ---- What is mapped
// ----------------------------------------------------------------------

void Translator::map(const Area& area) {
  writer_.map(thread().process, area);
  view().map(area);
}

void Translator::unmap(VirtRange range) {
  writer_.unmap(thread().process, range);
  view().unmap(range);
}

void Translator::map_stack(VirtRange range, std::uint32_t access) {
  const Area area{.range = range, .access = access};
  writer_.map(thread().process, area);
  view().map_stack(area);
}

// Outside of a call: a segment of the image that exec maps, or the stack, that has
// grown.
void Translator::on(const MapEvent& event) {
  if (thread().call) {
    thread().maps.push_back(event);
    return;
  }
  if (event.file == "[stack]") {
    const auto known = view().find(event.range.end - 1);
    if (!known) {
      map_stack(event.range, event.access);
    } else if (event.range.start < known->range.start) {
      map_stack({event.range.start, known->range.start}, event.access);
      count(Difference::kStackGrowth);
    }
    return;
  }
  Area area{.range = event.range, .access = event.access, .shared = event.shared};
  if (event.file != "//anon" && event.file != "[heap]") {
    area.file = event.file;
    area.pgoff = event.offset >> kPageShift;
  }
  // The first segment of an image reserves the room of all; what is behind it is
  // unmapped.
  const auto under = view().find(area.range.start);
  if (under) unmap({area.range.start, under->range.end});
  map(area);
}

void Translator::on(const EnterEvent& enter) {
  if (thread().call) count(Difference::kUnfinished);
  thread().call = enter;
  thread().maps.clear();
}

void Translator::on(const ReturnEvent& result) {
  const auto call = std::exchange(thread().call, std::nullopt);
  if (!call || call->call != result.call) {
    count(Difference::kUnfinished);
  } else if (result.failed()) {
    count(Difference::kFailedCall);
  } else {
    play_call(*call, result.result);
  }
}

void Translator::play_call(const EnterEvent& call, std::uint64_t result) {
  const auto& arguments = call.arguments;
  if (call.call == SystemCall::kBrk) {
    play_brk(page_ceil(result));
  } else if (call.call == SystemCall::kMmap || call.call == SystemCall::kMunmap ||
             call.call == SystemCall::kMprotect || call.call == SystemCall::kMremap) {
    const bool maps = call.call == SystemCall::kMmap;
    const auto range = pages_of(maps ? result : arguments[0], arguments[1]);
    if (!range) {
      if (arguments[1] != 0)
        unexplained("a call that succeeds on what is no user space");
      return;
    }
    play_call_on(call, *range, result);
  } else {
    count(Difference::kNotPlayed);
    return;
  }
  compare_maps();
  check_vmas();
}

void Translator::play_call_on(const EnterEvent& call, VirtRange range,
                              std::uint64_t result) {
  switch (call.call) {
    case SystemCall::kMmap:
      play_mmap(call, range);
      break;
    case SystemCall::kMunmap:
      unmap(range);
      break;
    case SystemCall::kMprotect:
      play_mprotect(call, range);
      break;
    default:
      play_mremap(call, range, result);
      break;
  }
}

void Translator::play_mmap(const EnterEvent& call, VirtRange range) {
  constexpr std::uint64_t kMapShared = 1,
                          kMapAnonymous = 0x20;  // MAP_SHARED_VALIDATE is 3
  Area area;
  area.range = range;
  area.access = static_cast<std::uint32_t>(call.arguments[2]) & kVmAccess;
  area.shared = (call.arguments[3] & kMapShared) != 0;
  if ((call.arguments[3] & kMapAnonymous) == 0) {
    if (thread().maps.empty()) {
      unexplained("mmap of a file, and no record of which");
      return;
    }
    area.file = thread().maps.back().file;
    area.pgoff = call.arguments[5] >> kPageShift;
  }
  map(area);
}

void Translator::play_mprotect(const EnterEvent& call, VirtRange range) {
  const std::uint32_t access =
      static_cast<std::uint32_t>(call.arguments[2]) & kVmAccess;
  writer_.protect(thread().process, range, access);
  view().protect(range, access);
}

// Kernel: mm->start_brk is where brk() says that the heap ends before it has moved.
void Translator::play_brk(VirtAddr end) {
  Space& space = *thread().space;
  if (end >= kUserEnd) {
    unexplained("a heap that is not in user space");
    return;
  }
  if (!space.brk) {
    writer_.put_heap(thread().process, end);
  } else if (*space.brk != end) {
    writer_.set_brk(thread().process, end);
    if (end < *space.brk) {
      space.view.unmap({end, *space.brk});
    } else {
      space.view.map({.range = {*space.brk, end}, .access = kVmRead | kVmWrite});
    }
  }
  space.brk = end;
}

void Translator::play_mremap(const EnterEvent& call, VirtRange from,
                             std::uint64_t result) {
  constexpr std::uint64_t kDontUnmap = 4;
  const auto to = pages_of(result, call.arguments[2]);
  const auto old = view().find(from.start);
  if (!old || !to) {
    unexplained("mremap of what is not mapped");
  } else if ((call.arguments[3] & kDontUnmap) != 0) {
    unexplained("mremap that leaves the old place mapped");
  } else if (to->start != from.start) {
    writer_.move(thread().process, from, *to);
    view().move(from, *to);
  } else {
    writer_.resize(thread().process, from, to->pages());
    view().resize(from, *to);
  }
}

// Compares the vma that the recording tells of with what all calls so far have made.
void Translator::compare_maps() {
  for (const MapEvent& told : std::exchange(thread().maps, {})) {
    ++translation_.recorded_vmas;
    const auto area = view().find(told.range.start);
    const bool same =
        area && area->range == told.range && area->access == told.access &&
        area->shared == told.shared &&
        (!area->has_file() || area->is_anonymous() || area->file == told.file);
    if (same) {
      ++translation_.equal_vmas;
      const KernelView::Apart apart = view().kept_apart(told.range.start);
      if (apart == KernelView::Apart::kAccounted) count(Difference::kAccounted);
      if (apart == KernelView::Apart::kAnonVma) count(Difference::kAnonVma);
    } else {
      unexplained(fmt::format("the vma is {:#x}-{:#x} {}, by the calls it is {}",
                              told.range.start, told.range.end, told.file,
                              area ? area->str() : "not mapped"));
    }
  }
}

void Translator::check_vmas() {
  if (writer_.size() == 0) return;
  VmaCheck check{writer_.size() - 1, thread().process, event_->line, {}};
  for (Area& area : view().areas()) {
    area.accounted = false;  // Difference::kAccounted
    append_merged(check.areas, area);
  }
  translation_.vmas.push_back(std::move(check));
}

// ---- Faults
// ------------------------------------------------------------------------------

void Translator::on(const FaultEvent& fault) {
  if (fault.addr >= kUserEnd) {
    count(Difference::kNotPlayed);
    return;
  }
  const auto area = view().find(fault.addr);
  if (!area) {
    play_outside(fault);
    return;
  }
  if ((fault.error_code & PageFault::kPresent) != 0) {
    play_present(fault);
  } else {
    play_missing(fault);
  }
  if (area->has_file()) cached_.try_emplace(file_page(*area, fault.addr), event_->line);
}

// Says why the page was not mapped when a fault nearby on its file could have mapped
// it.
void Translator::count_passed_by(VirtAddr addr) {
  const auto when = view().mapped_ahead(addr);
  if (!when) return;
  const auto cached = cached_.find(file_page(*view().find(addr), addr));
  const bool was_cached = cached != cached_.end() && cached->second < *when;
  count(was_cached ? Difference::kPageBusy : Difference::kPageCache);
}

// Plays the access, which must take the fault that was recorded.
void Translator::access(const FaultEvent& fault, std::optional<Difference> difference) {
  named_access(fault, difference, fault.error_code, CallWriter::Fault::kCode);
}

void Translator::named_access(const FaultEvent& fault,
                              std::optional<Difference> difference,
                              std::uint32_t error_code, CallWriter::Fault expected,
                              std::string note) {
  if (difference) count(*difference);
  writer_.access(thread().process, fault.addr, error_code, expected, std::move(note));
  const bool write = (fault.error_code & PageFault::kWrite) != 0;
  const bool missing = (fault.error_code & PageFault::kPresent) == 0;
  view().touched(fault.addr, write, missing, event_->line);
  translation_.faults.push_back(
      {writer_.size() - 1, event_->line, fault.error_code, difference});
}

// The kernel had a pte.  If nothing that was played made one here, it must be known
// why.
void Translator::play_present(const FaultEvent& fault) {
  const KernelView::Page* const page = view().page(fault.addr);
  if (page != nullptr && !page->left_by_fork) {
    access(fault);
    return;
  }
  std::optional<Difference> difference;
  if (view().mapped_ahead(fault.addr)) {
    difference = Difference::kFaultAround;
  } else if (view().put_there_by_exec(fault.addr)) {
    difference = Difference::kExecStack;
  } else {
    unexplained(fmt::format("a pte at {:#x} that nothing has made", fault.addr));
  }
  if (page == nullptr && difference) {
    const bool by_exec = difference == Difference::kExecStack;
    writer_.access(thread().process, fault.addr, by_exec ? PageFault::kWrite : 0u,
                   CallWriter::Fault::kAnything, difference_name(*difference));
  }
  access(fault, difference);
}

// The kernel had no pte.
void Translator::play_missing(const FaultEvent& fault) {
  const KernelView::Page* const page = view().page(fault.addr);
  if (page == nullptr) {
    count_passed_by(fault.addr);
    access(fault);
    return;
  }
  if (!page->left_by_fork) {
    unexplained(fmt::format("no pte at {:#x}, where one was made", fault.addr));
    access(fault);
    return;
  }
  const bool write = (fault.error_code & PageFault::kWrite) != 0;
  named_access(fault, Difference::kForkLeaves, fault.error_code | PageFault::kPresent,
               write ? CallWriter::Fault::kCode : CallWriter::Fault::kNone,
               difference_name(Difference::kForkLeaves));
}

// A fault outside of every vma kills, or fails the system call whose access it was.
void Translator::play_outside(const FaultEvent& fault) {
  access(fault);
  writer_.expect(Status::kFault);
}

// ---- The end
// -----------------------------------------------------------------------------

Translation Translator::finish() {
  measure();
  for (const auto& [tid, thread] : threads_) {
    count(Difference::kStillRunning);
    if (thread.call) count(Difference::kUnfinished);
  }
  program::Program& program = translation_.program;
  // Half as much again, so that reclaim has no reason to run; rounded.
  const auto rounded = [](std::uint64_t value) {
    return (value * 3 / 2 / 256 + 1) * 256;
  };
  program.machine.frames = static_cast<std::uint32_t>(rounded(frames_max_));
  program.machine.slab_pages = static_cast<std::uint32_t>(rounded(areas_max_ / 4));
  program.machine.file_pages = static_cast<std::uint32_t>(writer_.file_pages_max());
  translation_.lines = writer_.take_lines();
  translation_.files = writer_.take_files();
  program.machine.files = static_cast<std::uint32_t>(translation_.files.size());
  program.tasks.push_back(writer_.take_calls());
  return std::move(translation_);
}

}  // namespace

const char* difference_name(Difference difference) {
  return kRows[static_cast<std::size_t>(difference)].name;
}

const char* difference_sentence(Difference difference) {
  return kRows[static_cast<std::size_t>(difference)].sentence;
}

Translation translate(const Recording& recording, const TranslateLimits& limits) {
  Translator translator(recording);
  for (const Event& event : recording.events) {
    if (limits.line_max != 0 && event.line > limits.line_max) break;
    if (!translator.play(event, limits.processes_max)) break;
  }
  return translator.finish();
}

}  // namespace racier::repro
