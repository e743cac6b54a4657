// core/mm/aio.cc - a queue of requests, and who waits for it.
//
// Whoever takes a request off the queue counts it as running in the same moment, so
// that a dying mm finds each of its requests in one of two places: those on the queue
// are called off, and the others have somebody who does them, who does not wait for
// the mm to die.
//
// Tested by aio_test.cc and corpus/programs/aio_*.racier.
#include "core/mm/aio.h"

#include "core/base/mark.h"
#include "core/mm/fork.h"
#include "core/mm/task_mm.h"
#include "core/mm/tlb.h"

namespace racier {
namespace {

// Frees a request that is on no list.
void free_kiocb(Machine& m, Kiocb& kiocb) {
  Mm& mm = kiocb.mm;
  m.kiocb_cache.destroy(&kiocb);
  mmdrop(m, mm);
}

Kiocb* take_first(AioQueue& aio) {
  const SpinGuard guard(aio.ctx_lock);
  Kiocb* const first = aio.pending.front();
  if (first == nullptr) return nullptr;
  aio.pending.erase(*first);
  ++first->mm.aio_running;
  return first;
}

// Kernel: aio_complete().
void complete(Machine& m, Mm& mm) {
  bool last = false;
  {
    const SpinGuard guard(m.aio.ctx_lock);
    last = --mm.aio_running == 0;
  }
  if (last) m.aio.done.wake_all(std::source_location::current(), {&mm});
}

Kiocb* take_first_of(AioQueue& aio, const Mm& mm) {
  const SpinGuard guard(aio.ctx_lock);
  for (Kiocb& kiocb : aio.pending) {
    if (&kiocb.mm != &mm) continue;
    aio.pending.erase(kiocb);
    return &kiocb;
  }
  return nullptr;
}

bool none_is_running(AioQueue& aio, const Mm& mm) {
  const SpinGuard guard(aio.ctx_lock);
  return mm.aio_running == 0;
}

}  // namespace

Status aio_submit(Machine& m, Mm& mm, VirtAddr addr, bool store, std::uint64_t value) {
  Kiocb* const kiocb = m.kiocb_cache.create(mm, addr, store, value);
  if (kiocb == nullptr) return Status::kNoMemory;
  mmgrab(mm);
  note_side_effects();
  mm.uses_aio.poke(true);
  const SpinGuard guard(m.aio.ctx_lock);
  m.aio.pending.push_back(*kiocb);
  return Status::kOk;
}

UserResult aio_run(Machine& m, TaskStruct& kthread, int cpu) {
  Kiocb* const kiocb = take_first(m.aio);
  if (kiocb == nullptr) return {.status = Status::kNoEntry};
  Mm& mm = kiocb->mm;
  use_mm(m, kthread, mm);
  const UserAccess access = kiocb->store ? UserAccess::kWrite : UserAccess::kRead;
  const UserResult result = user_access(m, mm, cpu, kiocb->addr, access, kiocb->value);
  unuse_mm(kthread);
  enter_lazy_tlb(m, cpu);
  complete(m, mm);
  free_kiocb(m, *kiocb);
  return result;
}

void exit_aio(Machine& m, Mm& mm) {
  note_side_effects();
  if (!mm.uses_aio.peek()) return;
  while (Kiocb* const kiocb = take_first_of(m.aio, mm)) free_kiocb(m, *kiocb);
  if (none_is_running(m.aio, mm)) return;
  mark::hit(Mark::kExitAioWaited);
  m.aio.done.wait([&] { return none_is_running(m.aio, mm); },
                  std::source_location::current(), {&mm});
}

}  // namespace racier
