// core/program/run.h - what an op sees of the run that it is part of.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>

#include "core/mm/fork.h"
#include "core/mm/gup.h"
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

// The values of a program's variables during a run, for all of its tasks.
class Variables {
 public:
  // Makes `scope` of them, none of which has a value.  Context: no task is running.
  void reset(const Scope& scope);
  const Scope& scope() const { return scope_; }

  // Gives the process an address space, with one user reference to it.
  void set_process(std::uint64_t number, Mm& mm);
  // Takes its address space away from a process; returns it with that reference, or
  // nullptr.
  Mm* take_process(std::uint64_t number);
  // Gives a process that exists another address space, with one user reference to it;
  // returns the one before, with that reference, or nullptr: there is no process.
  Mm* replace_process(std::uint64_t number, Mm& mm);
  // Returns its address space with a user reference of the caller's own, or nullptr: it
  // does not exist yet, or no more.  Kernel: get_task_mm().
  Mm* get_mm(std::uint64_t number);
  // Likewise without a reference.  At quiescence.
  Mm* peek_process(std::uint64_t number) const;

  void set_mapping(std::uint64_t number, VirtRange range);
  std::optional<VirtRange> mapping(std::uint64_t number) const;

  void set_pin(std::uint64_t number, const PinnedPage& pinned);
  // Takes the page, with its reference, out of the variable; its `page` is null if there
  // is none.
  PinnedPage take_pin(std::uint64_t number);
  // Returns the page with a reference of the caller's own; likewise.
  PinnedPage get_pin(std::uint64_t number);
  // Likewise without a reference.  At quiescence.
  Page* peek_pin(std::uint64_t number) const;

 private:
  struct Pin {
    SpinLock task_lock{lock_class::kTaskLock};
    PinnedPage pinned GUARDED_BY(task_lock);
  };
  struct Process {
    SpinLock task_lock{lock_class::kTaskLock};
    Mm* mm GUARDED_BY(task_lock) = nullptr;
  };
  // First page number, and pages in the low bits; 0: no value.  One word, read and
  // written without order: that a task knows an address orders nothing in the kernel.
  using Mapping = Atomic<std::uint64_t>;
  static constexpr int kPagesBits = 28;

  Scope scope_;
  std::uint32_t processes_room_ = 0;
  std::uint32_t mappings_room_ = 0;
  std::unique_ptr<Process[]> processes_;
  std::unique_ptr<Mapping[]> mappings_;
  std::uint32_t pins_room_ = 0;
  std::unique_ptr<Pin[]> pins_;
};

// One task's view of a run.
class Run {
 public:
  Run(Machine& machine, Variables& variables, int cpu)
      : machine_(machine), variables_(variables), cpu_(cpu) {}

  Machine& machine() const { return machine_; }
  int cpu() const { return cpu_; }

  // Does `work` with a user reference to the address space of `process`, as remote
  // access does; skipped if there is none.  Not given back when the run ends in
  // between: what is held then goes with the machine.
  template <typename Work>
  Outcome in(ProcessRef process, Work work) {
    Mm* const mm = variables_.get_mm(process.value);
    if (mm == nullptr) return Outcome::skipped();
    const Outcome outcome = work(*mm);
    mmput(machine_, *mm);
    return outcome;
  }

  void define(NewProcess process, Mm& mm) {
    variables_.set_process(process.number, mm);
  }
  void define(NewMapping mapping, VirtRange range) {
    variables_.set_mapping(mapping.number, range);
  }
  Mm* replace(ProcessRef process, Mm& mm) {
    return variables_.replace_process(process.value, mm);
  }
  void define(NewPin pin, const PinnedPage& pinned) {
    variables_.set_pin(pin.number, pinned);
  }
  PinnedPage take(PinRef pin) { return variables_.take_pin(pin.value); }
  PinnedPage get(PinRef pin) { return variables_.get_pin(pin.value); }
  Mm* take(ProcessRef process) { return variables_.take_process(process.value); }

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
           static_cast<std::uint64_t>(cpu_) << 32 | (call_ + 1);
  }
  // Call number `call` of the program, counted over all lists, begins.
  void begin_call(std::uint32_t call) { call_ = call; }

 private:
  Machine& machine_;
  Variables& variables_;
  int cpu_;
  std::uint32_t call_ = 0;
};

}  // namespace racier::program
