// core/runtime/fiber.cc - switches stacks, and tells the sanitizers in the same breath.
//
// The two annotations stand beside the switch, in code that no sanitizer instruments;
// why: sanitizers.h.  Tested by fiber_runtime_test.cc and tsan_test.cc.
#include "core/runtime/fiber.h"

#include <sys/mman.h>

#include <cstdint>

#include "core/base/require.h"
#include "core/runtime/sanitizers.h"

namespace racier {
namespace {

constexpr std::size_t kGuard = 64 * 1024;  // no frame is so large that it steps over
constexpr std::size_t kStack = 256 * 1024;
constexpr std::size_t kStackWatched = 1024 * 1024;  // instrumented frames are larger

constexpr unsigned kNoSync = 1;  // a switch is no happens-before edge

// Saves the callee-saved registers on the stack, the stack pointer in *save, and takes
// both from `load`.  Modes of the floating-point units are nobody's to change here.  It
// returns by `ret`, not by a jump: all fibers rest in the same call, so the prediction
// is right.
[[gnu::naked, gnu::noinline]] void switch_stack(void** /*save*/, void* /*load*/) {
  asm(R"(
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    retq
  )");
}

// The first instructions of a fiber: calls r12(r13).  rbp is 0, so that stack walks
// end.
[[gnu::naked, gnu::noinline]] void first_frame() {
  asm(R"(
    .cfi_undefined rip
    movq %r13, %rdi
    callq *%r12
    ud2
  )");
}

// Lays out a stack from which switch_stack() goes to first_frame().
void* first_rest(char* top, void (*entry)(void*), void* argument) {
  // Seven words, and two more so that first_frame() calls from an aligned stack.
  auto* const words = reinterpret_cast<std::uintptr_t*>(top) - 9;
  words[0] = words[1] = 0;                                // r15 r14
  words[2] = reinterpret_cast<std::uintptr_t>(argument);  // r13
  words[3] = reinterpret_cast<std::uintptr_t>(entry);     // r12
  words[4] = words[5] = 0;                                // rbx rbp
  words[6] = reinterpret_cast<std::uintptr_t>(&first_frame);
  return words;
}

}  // namespace

Fiber::~Fiber() { destroy(); }

void Fiber::destroy() {
  if (mapping_ == nullptr) return;
  if (tsan_ != nullptr) __tsan_destroy_fiber(tsan_);
  munmap(mapping_, kGuard + stack_size_);
  rest_ = mapping_ = fake_stack_ = tsan_ = nullptr;
  stack_ = nullptr;
  stack_size_ = 0;
}

void Fiber::adopt_thread() {
  if (sanitizers::tsan()) tsan_ = __tsan_get_current_fiber();
}

void Fiber::create(void (*entry)(void*), void* argument, const char* name) {
  stack_size_ = sanitizers::asan() || sanitizers::tsan() ? kStackWatched : kStack;
  mapping_ = mmap(nullptr, kGuard + stack_size_, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
  require(mapping_ != MAP_FAILED, "there is memory for a fiber's stack");
  const int guarded = mprotect(mapping_, kGuard, PROT_NONE);
  require(guarded == 0, "a stack gets its guard page");
  char* const stack = static_cast<char*>(mapping_) + kGuard;
  stack_ = stack;
  rest_ = first_rest(stack + stack_size_, entry, argument);
  if (!sanitizers::tsan()) return;
  tsan_ = __tsan_create_fiber(0);
  __tsan_set_fiber_name(tsan_, name);
}

void Fiber::switch_to(Fiber& to) {
  if (sanitizers::asan()) {
    __sanitizer_start_switch_fiber(&fake_stack_, to.stack_, to.stack_size_);
  }
  if (sanitizers::tsan()) __tsan_switch_to_fiber(to.tsan_, kNoSync);
  switch_stack(&rest_, to.rest_);
  if (sanitizers::asan())
    __sanitizer_finish_switch_fiber(fake_stack_, nullptr, nullptr);
}

void Fiber::leave_for(Fiber& to) {
  if (sanitizers::asan()) {
    __sanitizer_start_switch_fiber(nullptr, to.stack_, to.stack_size_);
  }
  if (sanitizers::tsan()) __tsan_switch_to_fiber(to.tsan_, kNoSync);
  switch_stack(&rest_, to.rest_);
  __builtin_unreachable();
}

void Fiber::entered(Fiber& from) {
  if (!sanitizers::asan()) return;
  __sanitizer_finish_switch_fiber(nullptr, &from.stack_, &from.stack_size_);
}

FiberPool& FiberPool::of_thread() {
  thread_local FiberPool pool;
  return pool;
}

void FiberPool::prepare(int count, Work work, void* context) {
  static constexpr const char* kNames[kTasksMax] = {
      "task 0",  "task 1",  "task 2",  "task 3", "task 4",  "task 5",
      "task 6",  "task 7",  "task 8",  "task 9", "task 10", "task 11",
      "task 12", "task 13", "task 14", "task 15"};
  work_ = work;
  context_ = context;
  thread_.adopt_thread();
  for (int i = 0; i < count; ++i) {
    Worker& worker = fibers_[i];
    if (worker.fiber.exists()) continue;
    worker.pool = this;
    worker.index = i;
    worker.fiber.create(&FiberPool::loop, &worker, kNames[i]);
    thread_.switch_to(
        worker.fiber);  // it learns where the thread's stack is, and rests
  }
}

void FiberPool::loop(void* argument) {
  Worker& self = *static_cast<Worker*>(argument);
  Fiber::entered(self.pool->thread_);
  self.fiber.switch_to(self.pool->thread_);
  while (self.pool->work_ != nullptr) {
    Fiber& next = self.pool->work_(self.pool->context_, self.index);
    self.fiber.switch_to(next);
  }
  self.fiber.leave_for(self.pool->thread_);
}

void FiberPool::end() {
  work_ = nullptr;
  for (Worker& worker : fibers_) {
    if (!worker.fiber.exists()) continue;
    thread_.switch_to(worker.fiber);
    worker.fiber.destroy();
  }
}

}  // namespace racier
