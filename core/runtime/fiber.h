// core/runtime/fiber.h - stacks that an OS thread can switch between.
//
// A switch costs some nanoseconds, is told to AddressSanitizer and ThreadSanitizer, and
// orders nothing: for TSan two fibers are as unordered as two threads.
#pragma once
#include <array>
#include <cstddef>

#include "core/sync/task.h"

namespace racier {

// One stack and where its execution rests.
class Fiber {
 public:
  Fiber() = default;
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;
  ~Fiber();

  // Makes this the fiber that the calling OS thread itself is.
  void adopt_thread();
  // Makes this a fiber that calls `entry(argument)`, which never returns, when first
  // switched to.
  void create(void (*entry)(void*), void* argument, const char* name);
  bool exists() const { return stack_size_ != 0; }
  // Forgets it, and its stack.  It is not running, and is not gone on with.
  void destroy();

  // Rests this fiber, which is running, and goes on with `to`; returns when somebody
  // switches back.
  void switch_to(Fiber& to);
  // Likewise, for ever: nobody switches back.
  [[noreturn]] void leave_for(Fiber& to);

  // To be called first by an entry function; `from` is who switched to it.
  static void entered(Fiber& from);

 private:
  void* rest_ = nullptr;         // stack pointer while it rests
  void* mapping_ = nullptr;      // guard page and stack; null for a thread's own stack
  const void* stack_ = nullptr;  // lowest byte
  std::size_t stack_size_ = 0;
  void* fake_stack_ = nullptr;  // AddressSanitizer's, while it rests
  void* tsan_ = nullptr;        // ThreadSanitizer's name of the fiber
};

// The fibers of one OS thread.  Made when first needed, kept until the thread ends, or
// end(): a new fiber costs microseconds (under ASan more), a kept one nothing.
class FiberPool {
 public:
  // Does the work of fiber `index` of the current run and returns whom to go on with.
  using Work = Fiber& (*)(void* context, int index);

  // The calling OS thread's pool.
  static FiberPool& of_thread();

  FiberPool() = default;
  FiberPool(const FiberPool&) = delete;
  FiberPool& operator=(const FiberPool&) = delete;

  // Lets the fibers 0 to count-1 do `work` when they are switched to.
  void prepare(int count, Work work, void* context);
  // Ends all fibers; the next run makes new ones.  To be called before fork(): to TSan
  // a process with fibers has threads, and in the child of such a one it ignores what
  // this thread does and takes the fibers for dead.  Context: no run.
  void end();
  Fiber& fiber(int index) { return fibers_[index].fiber; }
  Fiber& thread() { return thread_; }

 private:
  struct Worker {
    FiberPool* pool = nullptr;
    int index = 0;
    Fiber fiber;
  };
  static void loop(void* worker);

  Fiber thread_;
  std::array<Worker, kTasksMax> fibers_;
  Work work_ = nullptr;
  void* context_ = nullptr;
};

}  // namespace racier
