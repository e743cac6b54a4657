// core/memory/host_access.cc - three instructions, and where to go on if they fault.
//
// The functions have no frame, and touch the word before they have changed anything, so
// to go on in racier_host_refused is to return false from them.  x86-64.
// Tested by host_access_test.cc.
#include "core/memory/host_access.h"

#include <signal.h>
#include <ucontext.h>

#include <cerrno>
#include <system_error>

asm(R"(
  .pushsection .text
  .balign 16
  .type racier_host_load, @function
racier_host_load:             # (const void* rdi, uint64_t* rsi)
  .cfi_startproc
racier_host_load_touches:
  movq (%rdi), %rax
  movq %rax, (%rsi)
  movl $1, %eax
  ret
  .cfi_endproc
  .size racier_host_load, . - racier_host_load

  .type racier_host_store, @function
racier_host_store:            # (void* rdi, uint64_t rsi)
  .cfi_startproc
racier_host_store_touches:
  movq %rsi, (%rdi)
  movl $1, %eax
  ret
  .cfi_endproc
  .size racier_host_store, . - racier_host_store

  .type racier_host_add, @function
racier_host_add:              # (void* rdi, uint64_t* rsi)
  .cfi_startproc
  movq (%rsi), %rax
racier_host_add_touches:
  lock xaddq %rax, (%rdi)
  addq %rax, (%rsi)
  movl $1, %eax
  ret
  .cfi_endproc
  .size racier_host_add, . - racier_host_add

  .type racier_host_refused, @function
racier_host_refused:
  .cfi_startproc
  xorl %eax, %eax
  ret
  .cfi_endproc
  .size racier_host_refused, . - racier_host_refused
  .popsection
)");

extern "C" {
bool racier_host_load(const void* at, std::uint64_t* value);
bool racier_host_store(void* at, std::uint64_t value);
bool racier_host_add(void* at, std::uint64_t* value);
extern const char racier_host_load_touches[];
extern const char racier_host_store_touches[];
extern const char racier_host_add_touches[];
extern const char racier_host_refused[];
}

namespace racier {
namespace {

struct sigaction before;

void on_fault(int, siginfo_t*, void* context) {
  auto& at = static_cast<ucontext_t*>(context)->uc_mcontext.gregs[REG_RIP];
  for (const char* const touches :
       {racier_host_load_touches, racier_host_store_touches, racier_host_add_touches}) {
    if (at == reinterpret_cast<greg_t>(touches)) {
      at = reinterpret_cast<greg_t>(racier_host_refused);
      return;
    }
  }
  // Not ours: it faults again when we return.
  sigaction(SIGSEGV, &before, nullptr);
}

bool install() {
  struct sigaction ours = {};
  ours.sa_sigaction = on_fault;
  // On the stack of whoever faulted: two fibers of a thread would share another one, and
  // ThreadSanitizer takes that for a race.
  ours.sa_flags = SA_SIGINFO;
  sigemptyset(&ours.sa_mask);
  if (sigaction(SIGSEGV, &ours, &before) != 0) {
    throw std::system_error(errno, std::generic_category(), "sigaction");
  }
  return true;
}

}  // namespace

void handle_host_faults() {
  static const bool installed = install();
  static_cast<void>(installed);
}

bool host_load(const std::byte* at, std::uint64_t& value) {
  return racier_host_load(at, &value);
}
bool host_store(std::byte* at, std::uint64_t value) {
  return racier_host_store(at, value);
}
bool host_add(std::byte* at, std::uint64_t& value) {
  return racier_host_add(at, &value);
}

}  // namespace racier
