// core/runtime/shapes_order.h - bugs of order: updates lost, states seen half done.
#pragma once
#include "core/runtime/shapes.h"
#include "core/sync/seq_count.h"
#include "core/sync/spin_lock.h"

namespace racier::shape {

inline constexpr auto kRelaxed = std::memory_order_relaxed;
inline constexpr LockClass kFirstLock{"first", 0};
inline constexpr LockClass kSecondLock{"second", 1};
inline constexpr LockClass kThirdLock{"third", 2};

// Each task adds one, in two steps.
class LostUpdate : public ShapeProgram {
 public:
  using ShapeProgram::ShapeProgram;
  void body(int task, int tasks) {
    tasks_ = tasks;
    work_before(task);
    if (mended()) {
      count_.fetch_add(1);
    } else {
      const int seen = count_.load();
      count_.store(seen + 1);
    }
    work_after(task);
  }
  void at_end() {
    if (count_.raw() != tasks_) report(FindingKind::kCount, "an update is lost");
  }

 private:
  int tasks_ = 0;
  Atomic<int> count_{0};
};

// A reader of two words under a SeqCount does not look at it again.
class SeqNoRecheck : public ShapeProgram {
 public:
  using ShapeProgram::ShapeProgram;
  void body(int task, int) {
    work_before(task);
    task == 0 ? write() : read();
    work_after(task);
  }
  void at_end() {}

 private:
  void write() {
    seq_.write_begin();
    a_.store(1, kRelaxed);
    b_.store(1, kRelaxed);
    seq_.write_end();
  }
  void read() {
    int a, b;
    std::uint32_t sequence;
    do {
      sequence = seq_.read_begin();
      a = a_.load(kRelaxed);
      b = b_.load(kRelaxed);
    } while (mended() && seq_.read_retry(sequence));
    if (a != b) report(FindingKind::kData, "a write is seen half done");
  }

  SeqCount seq_;
  Atomic<int> a_{0}, b_{0};
};

// SCTBench's reorder: setters change two words, the last task checks both.
class Reorder : public ShapeProgram {
 public:
  using ShapeProgram::ShapeProgram;
  void body(int task, int tasks) {
    const bool sets = task + 1 < tasks;
    if (mended()) {
      const SpinGuard guard(lock_);
      sets ? set() : check();
    } else {
      sets ? set() : check();
    }
  }
  void at_end() {}

 private:
  void set() {
    a_.store(1);
    b_.store(-1);
  }
  void check() {
    const int a = a_.load();
    const int b = b_.load();
    if (a + b != 0) report(FindingKind::kData, "one word of two is set");
  }

  SpinLock lock_{kFirstLock};
  Atomic<int> a_{0}, b_{0};
};

// SCTBench's twostage: a second word follows the first one under another lock.
class TwoStage : public ShapeProgram {
 public:
  using ShapeProgram::ShapeProgram;
  void body(int task, int tasks) { task + 1 < tasks ? write() : read(); }
  void at_end() {}

 private:
  void write() {
    SpinGuard first(first_lock_);
    first_.store(1, kRelaxed);
    if (mended()) {
      second_.store(2, kRelaxed);
      return;
    }
    first.unlock();
    const SpinGuard second(second_lock_);
    second_.store(2, kRelaxed);
  }
  void read() {
    SpinGuard guard(first_lock_);
    const int first = first_.load(kRelaxed);
    if (first == 0) return;
    if (mended()) return check(first);
    guard.unlock();
    const SpinGuard second(second_lock_);
    check(first);
  }
  void check(int first) {
    if (second_.load(kRelaxed) != first + 1) {
      report(FindingKind::kData, "the second stage is missing");
    }
  }

  SpinLock first_lock_{kFirstLock};
  SpinLock second_lock_{kSecondLock};
  Atomic<int> first_{0}, second_{0};
};

// A reader must look into each of `windows` short windows of a writer.
template <int windows>
class Window : public ShapeProgram {
  using Where = std::source_location;

 public:
  using ShapeProgram::ShapeProgram;
  void body(int task, int) {
    work_before(task);
    task == 0 ? write() : read();
    work_after(task);
  }
  void at_end() {
    if (hits_ == windows) report(FindingKind::kData, "every window is hit");
  }

 private:
  // One line for each window: they are different places of a program.
  void write() {
    open(0);
    if (windows > 1) open(1);
    if (windows > 2) open(2);
    if (windows > 3) open(3);
  }
  void read() {
    look(0);
    if (windows > 1) look(1);
    if (windows > 2) look(2);
    if (windows > 3) look(3);
  }

  void open(int window, Where where = Where::current()) {
    gap(window);
    if (mended()) {
      const SpinGuard guard(lock_);
      open_and_shut(open_[window], where);
    } else {
      open_and_shut(open_[window], where);
    }
  }
  void open_and_shut(Atomic<int>& window, Where where) {
    window.store(1, std::memory_order_release, where);
    window.store(0, std::memory_order_release);
  }
  void look(int window, Where where = Where::current()) {
    gap(window);
    if (mended()) {
      const SpinGuard guard(lock_);
      hits_ += open_[window].load(std::memory_order_acquire, where);
    } else {
      hits_ += open_[window].load(std::memory_order_acquire, where);
    }
  }
  void gap(int window) {
    constexpr int kSteps = 12;
    if (window > 0) work(kSteps);
  }

  SpinLock lock_{kFirstLock};
  Atomic<int> open_[4];
  int hits_ = 0;
};

// One task publishes two words, long after another has looked at both.
class PublishOrder : public ShapeProgram {
 public:
  using ShapeProgram::ShapeProgram;
  void body(int task, int) {
    work_before(task);
    task == 0 ? look() : publish();
    work_after(task);
  }
  void at_end() {}

 private:
  void publish() {
    if (mended()) value_.store(1);
    ready_.store(1);
    if (!mended()) value_.store(1);
  }
  void look() {
    if (ready_.load() == 1 && value_.load() == 0) {
      report(FindingKind::kData, "ready before its value");
    }
  }
  Atomic<int> ready_{0}, value_{0};
};

}  // namespace racier::shape
