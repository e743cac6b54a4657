// core/program/run.h - what an op sees of the run that it is part of.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "core/mm/fork.h"
#include "core/mm/gup.h"
#include "core/mm/secondary_mmu.h"
#include "core/mm/task_mm.h"
#include "core/objects/machine.h"
#include "core/program/arguments.h"
#include "core/program/program.h"
#include "core/sync/atomic.h"

namespace racier::program {

// The variable that the call itself defines: an argument of an op's function, not of
// the call.
struct NewProcess {
  static constexpr Variable kDefines = Variable::kProcess;
  std::uint32_t number;
};
struct NewMapping {
  static constexpr Variable kDefines = Variable::kMapping;
  std::uint32_t number;
};

struct NewPin {
  static constexpr Variable kDefines = Variable::kPin;
  std::uint32_t number;
};

struct NewSecondary {
  static constexpr Variable kDefines = Variable::kSecondary;
  std::uint32_t number;
};

// The values of a program's variables during a run, for all of its tasks.
class Variables {
 public:
  // Makes `scope` of them, none of which has a value.  Context: no task is running.
  void reset(const Scope& scope);
  const Scope& scope() const { return scope_; }

  // The table of tasks: a process variable is the task of its number.
  std::span<TaskStruct> tasks() {
    return {tasks_.get(), scope_.of(Variable::kProcess)};
  }
  // Returns the task of a process or kernel thread, which may not exist yet, or no
  // more; nullptr: the program defines no such variable.
  TaskStruct* task(std::uint64_t number) {
    return number < scope_.of(Variable::kProcess) ? &tasks_[number] : nullptr;
  }
  // Returns the address space of a process, or nullptr.  At quiescence.
  Mm* peek_process(std::uint64_t number) const {
    return tasks_[number].mm.raw().load(std::memory_order_relaxed);
  }

  // So many lists of calls are about to run at once; one of them has ended; and one
  // waits for what only another one can do, until the end of `wait`.
  void lists_begin(int count) {
    busy_lists_.raw().store(count, std::memory_order_relaxed);
    cpus_taken_.raw().store((CpuSet{1} << count) - 1, std::memory_order_relaxed);
  }
  void list_ends(Machine& m, int cpu) {
    cpus_taken_.raw().fetch_and(~(CpuSet{1} << cpu), std::memory_order_seq_cst);
    busy_list_stops(m);
  }
  // A CPU runs one list of calls at a time.  Returns false: another one is there.
  [[nodiscard]] bool take_cpu(int cpu) {
    const CpuSet bit = CpuSet{1} << cpu;
    return (cpus_taken_.fetch_or(bit) & bit) == 0;
  }
  void leave_cpu(int cpu) { cpus_taken_.fetch_and(~(CpuSet{1} << cpu)); }
  template <typename Wait>
  auto while_idle(Machine& m, Wait wait) {
    busy_list_stops(m);
    const auto result = wait([&] { return busy_lists_.load() == 0; });
    note_side_effects();
    busy_lists_.raw().fetch_add(1, std::memory_order_seq_cst);
    return result;
  }

  void set_mapping(std::uint64_t number, VirtRange range);
  std::optional<VirtRange> mapping(std::uint64_t number) const;

  void set_pin(std::uint64_t number, const PinnedPage& pinned);
  // Takes the page, with its reference, out of the variable; its `page` is null if
  // there is none.
  PinnedPage take_pin(std::uint64_t number);
  // Returns the page with a reference of the caller's own; likewise.
  PinnedPage get_pin(std::uint64_t number);
  // Likewise without a reference.  At quiescence.
  Page* peek_pin(std::uint64_t number) const;

  void set_secondary(std::uint64_t number, SecondaryMmu& mmu);
  // Takes the secondary MMU, with its reference, out of the variable; nullptr: there is
  // none.
  SecondaryMmu* take_secondary(std::uint64_t number);
  // Returns it with a reference of the caller's own; likewise.
  SecondaryMmu* get_secondary(std::uint64_t number);

 private:
  struct Secondary {
    SpinLock task_lock{lock_class::kTaskLock};
    SecondaryMmu* mmu GUARDED_BY(task_lock) = nullptr;
  };
  struct Pin {
    SpinLock task_lock{lock_class::kTaskLock};
    PinnedPage pinned GUARDED_BY(task_lock);
  };
  // First page number, and pages in the low bits; 0: no value.  One word, read and
  // written without order: that a task knows an address orders nothing in the kernel.
  using Mapping = Atomic<std::uint64_t>;
  static constexpr int kPagesBits = 28;

  Scope scope_;
  std::uint32_t tasks_room_ = 0;
  std::uint32_t mappings_room_ = 0;
  std::unique_ptr<TaskStruct[]> tasks_;
  std::unique_ptr<Mapping[]> mappings_;
  std::uint32_t pins_room_ = 0;
  std::unique_ptr<Pin[]> pins_;
  std::uint32_t secondaries_room_ = 0;
  std::unique_ptr<Secondary[]> secondaries_;
  Atomic<int> busy_lists_{0};  // that may still do something for those who wait
  Atomic<CpuSet> cpus_taken_{0};

  // No step unless somebody waits.
  void busy_list_stops(Machine& m) {
    note_side_effects();
    const bool last = busy_lists_.raw().fetch_sub(1, std::memory_order_seq_cst) == 1;
    if (last && m.task_wait.active_raw()) m.task_wait.wake_all();
  }
};

// One task's view of a run.
class Run {
 public:
  // As task `task` of the run, on the CPU of that number.
  Run(Machine& machine, Variables& variables, int task)
      : machine_(machine), variables_(variables), task_(task), cpu_(task) {}

  Machine& machine() const { return machine_; }
  int cpu() const { return cpu_; }
  // The rest of the list runs on `cpu`, which it has taken.
  void set_cpu(int cpu) { cpu_ = cpu; }

  // Does `work` as `process`, with a user reference to its address space; skipped if it
  // has none.  One that has been killed ends instead.  Not given back when the run ends
  // in between: what is held then goes with the machine.
  template <typename Work>
  Outcome in(ProcessRef process, Work work) {
    TaskStruct* const task = variables_.task(process.value);
    Mm* const mm = task == nullptr ? nullptr : get_task_mm(*task);
    if (mm == nullptr) return gone(task);
    if (mm->is(MmFlag::kKilled)) {
      mmput(machine_, *mm);
      exit_killed(machine_, *task);
      return Outcome::of(Status::kKilled);
    }
    const Outcome outcome = work(*mm);
    mmput(machine_, *mm);
    return outcome;
  }
  // Likewise as somebody else, to whom it does not matter.
  template <typename Work>
  Outcome at(ProcessRef process, Work work) {
    TaskStruct* const task = variables_.task(process.value);
    Mm* const mm = task == nullptr ? nullptr : get_task_mm(*task);
    if (mm == nullptr) return Outcome::skipped();
    const Outcome outcome = work(*mm);
    mmput(machine_, *mm);
    return outcome;
  }
  // Does `work` with the task, whatever it is; skipped if there is none.
  template <typename Work>
  Outcome with_task(ProcessRef process, Work work) {
    TaskStruct* const task = variables_.task(process.value);
    return task == nullptr ? Outcome::skipped() : work(*task);
  }
  Variables& variables() { return variables_; }

  TaskStruct& task_of(NewProcess process) { return *variables_.task(process.number); }
  void define(NewProcess process, Mm& mm) { set_task_mm(task_of(process), mm); }
  void define(NewMapping mapping, VirtRange range) {
    variables_.set_mapping(mapping.number, range);
  }
  void define(NewPin pin, const PinnedPage& pinned) {
    variables_.set_pin(pin.number, pinned);
  }
  PinnedPage take(PinRef pin) { return variables_.take_pin(pin.value); }
  PinnedPage get(PinRef pin) { return variables_.get_pin(pin.value); }

  void define(NewSecondary secondary, SecondaryMmu& mmu) {
    variables_.set_secondary(secondary.number, mmu);
  }
  SecondaryMmu* take(SecondaryRef ref) { return variables_.take_secondary(ref.value); }
  SecondaryMmu* get(SecondaryRef ref) { return variables_.get_secondary(ref.value); }

  std::optional<VirtRange> mapping(MappingRef ref) const {
    return variables_.mapping(ref.value);
  }
  // Returns the file, with no reference taken, or nullptr.
  AddressSpace* file(FileRef ref) const;

  // Returns what the running call stores to `mm`: no other call of the program does,
  // and no file starts with it (file_word() has a top byte).
  std::uint64_t store_value(const Mm& mm) const { return store_value_of(mm.id); }
  // Likewise by mm `mm_id`; 0: by none, to a file.
  std::uint64_t store_value_of(std::uint32_t mm_id) const {
    return static_cast<std::uint64_t>(mm_id) << 40 |
           static_cast<std::uint64_t>(task_) << 32 | (call_ + 1);
  }
  // Call number `call` of the program, counted over all lists, begins.
  void begin_call(std::uint32_t call) { call_ = call; }

 private:
  // What comes of a call of a process without an address space.
  static Outcome gone(TaskStruct* task) {
    if (task == nullptr) return Outcome::skipped();
    const SpinGuard guard(task->task_lock);
    return task->is(TaskFlag::kKilled) ? Outcome::of(Status::kKilled)
                                       : Outcome::skipped();
  }

  Machine& machine_;
  Variables& variables_;
  const int task_;
  int cpu_;
  std::uint32_t call_ = 0;
};

}  // namespace racier::program
