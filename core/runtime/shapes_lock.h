// core/runtime/shapes_lock.h - bugs of locking: cycles, and a walk that misses a move.
#pragma once
#include <utility>

#include "core/runtime/shapes_lifetime.h"

namespace racier::shape {

// Task i takes lock i, then the next one: a circle of `locks`.
template <int locks>
class LockCycle : public ShapeProgram {
 public:
  using ShapeProgram::ShapeProgram;
  void body(int task, int) {
    work_before(task);
    int first = task % locks;
    int second = (task + 1) % locks;
    if (mended() && second < first) std::swap(first, second);
    {
      const SpinGuard outer(lock(first));
      work(1);
      const SpinGuard inner(lock(second));
      work(1);
    }
    work_after(task);
  }
  void at_end() {}

 private:
  SpinLock& lock(int index) { return index == 0 ? a_ : index == 1 ? b_ : c_; }

  SpinLock a_{kFirstLock}, b_{kSecondLock}, c_{kThirdLock};
};

// Migration unmaps a page from two ptes in turn while mremap moves it from the one
// still to come to the one passed; then it frees the page, which a third task uses.
class MigrationSkip : public ShapeProgram {
 public:
  using ShapeProgram::ShapeProgram;
  void body(int task, int) {
    work_before(task);
    if (task == 2) {
      access();
    } else if (mended()) {
      const SpinGuard guard(rmap_lock_);
      task == 0 ? migrate() : move();
    } else {
      task == 0 ? migrate() : move();
    }
    work_after(task);
  }
  void at_end() {}

 private:
  void migrate() {
    pte_[0].store(0);
    pte_[1].store(0);
    page_.free();
  }
  void move() {
    if (pte_[1].exchange(0) != 0) pte_[0].store(1);
  }
  void access() {
    if (!page_.is_free()) return;
    if (pte_[0].load() != 0) report(FindingKind::kRmap, "a free page is mapped");
  }

  SpinLock rmap_lock_{kFirstLock};
  Atomic<int> pte_[2] = {Atomic<int>(0), Atomic<int>(1)};
  Object page_;
};

}  // namespace racier::shape
