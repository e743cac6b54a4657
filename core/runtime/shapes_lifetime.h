// core/runtime/shapes_lifetime.h - bugs of lifetime: memory used or freed once too
// often.
#pragma once
#include "core/runtime/shapes.h"
#include "core/runtime/shapes_order.h"
#include "core/sync/ref_count.h"

namespace racier::shape {

// An object that knows whether it is alive.
class Object {
 public:
  bool is_free() { return freed_.load(kRelaxed) != 0; }
  void use() {
    if (is_free()) report(FindingKind::kUseAfterFree, "used after free");
  }
  void free() {
    if (freed_.exchange(1) != 0) report(FindingKind::kUseAfterFree, "freed twice");
  }

 private:
  Atomic<int> freed_{0};
};

// A reader finds an object in a list; the other task unlinks it and frees it at once.
class UafUnlink : public ShapeProgram {
 public:
  using ShapeProgram::ShapeProgram;
  void body(int task, int) {
    work_before(task);
    if (mended()) {
      const SpinGuard guard(lock_);
      act(task);
    } else {
      act(task);
    }
    work_after(task);
  }
  void at_end() {}

 private:
  void act(int task) {
    if (task == 1) {
      linked_.store(0);
      object_.free();
    } else if (linked_.load() != 0) {
      object_.use();
    }
  }

  SpinLock lock_{kFirstLock};
  Atomic<int> linked_{1};
  Object object_;
};

// Each task frees what it finds, and looks for it without the lock.
class DoubleCheckFree : public ShapeProgram {
 public:
  using ShapeProgram::ShapeProgram;
  void body(int task, int) {
    work_before(task);
    if (there_.load() != 0) {
      work(2);
      const bool mine = mended() ? there_.exchange(0) != 0 : true;
      if (!mended()) there_.store(0);
      if (mine) object_.free();
    }
    work_after(task);
  }
  void at_end() {}

 private:
  Atomic<int> there_{1};
  Object object_;
};

// A look-up takes a reference to an object whose last one is being dropped.
class RefResurrect : public ShapeProgram {
 public:
  using ShapeProgram::ShapeProgram;
  void body(int task, int) {
    work_before(task);
    task == 0 ? look_up() : put();
    work_after(task);
  }
  void at_end() {}

 private:
  void look_up() {
    if (linked_.load() == 0 || !get()) return;
    object_.use();
    put();
  }
  bool get() {
    int count = refs_.load(kRelaxed);
    while (!mended() || count != 0) {
      if (refs_.compare_exchange(count, count + 1)) return true;
    }
    return false;
  }
  void put() {
    if (refs_.fetch_sub(1) != 1) return;
    linked_.store(0);
    object_.free();
  }

  Atomic<int> refs_{1};
  Atomic<int> linked_{1};
  Object object_;
};

// A stack without locks: what is on top may be another life of what was seen there.
class AbaStack : public ShapeProgram {
 public:
  using ShapeProgram::ShapeProgram;
  void body(int task, int) {
    work_before(task);
    if (task == 0) {
      pop();
    } else {
      const int first = pop();
      pop();
      push(first);
    }
    work_after(task);
  }
  // Whatever is linked must not have been popped.
  void at_end() {
    for (int node = top_.raw() & 0xff; node != 0; node = next_[node].raw()) {
      if (popped_[node]) report(FindingKind::kUseAfterFree, "a popped node is linked");
    }
  }

 private:
  static constexpr int kTag = 0x100;
  int step_of_tag() const { return mended() ? kTag : 0; }

  int pop() {
    int top = top_.load();
    int node;
    do {
      node = top & 0xff;
      if (node == 0) return 0;
      work(2);
    } while (!top_.compare_exchange(
        top, next_[node].load() + (top & ~0xff) + step_of_tag()));
    popped_[node] = true;
    return node;
  }
  void push(int node) {
    if (node == 0) return;
    popped_[node] = false;
    int top = top_.load();
    do {
      next_[node].store(top & 0xff);
    } while (!top_.compare_exchange(top, (top & ~0xff) + node + step_of_tag()));
  }

  Atomic<int> top_{1};
  Atomic<int> next_[4] = {Atomic<int>(0), Atomic<int>(2), Atomic<int>(3),
                          Atomic<int>(0)};
  bool popped_[4] = {};
};

// A fault takes a vma from the cache without the lock; its memory is freed and becomes
// a vma of another address space before it is used.
class VmaCache : public ShapeProgram {
 public:
  using ShapeProgram::ShapeProgram;
  void body(int task, int) {
    work_before(task);
    if (task == 0) fault();
    if (task == 1) unmap();
    if (task == 2) map_another();
    work_after(task);
  }
  void at_end() {}

 private:
  void fault() {
    if (cached_.load() == 0) return;
    const int sequence = sequence_.load();
    if (mended() && cached_.load() == 0) return;
    const int owner = owner_.load();
    if (mended() && sequence_.load() != sequence) return;
    if (owner == 2) report(FindingKind::kUseAfterFree, "a fault used a stranger's vma");
  }
  void unmap() {
    cached_.store(0);
    sequence_.fetch_add(1);
    free_.store(1);
  }
  void map_another() {
    if (free_.load() != 0) owner_.store(2);
  }

  Atomic<int> cached_{1}, sequence_{0}, owner_{1}, free_{0};
};

}  // namespace racier::shape
