// core/objects/aio.h - what kernel threads are to do in the address spaces of others.
#pragma once
#include <cstdint>

#include "core/base/list.h"
#include "core/objects/lock_classes.h"
#include "core/objects/mm.h"
#include "core/sync/spin_lock.h"
#include "core/sync/wait_queue.h"

namespace racier {

// A request: a word is to be stored at `addr` of `mm`, or loaded from there.  It has a
// reference to the mm_struct, and none to the address space.  Kernel: struct kiocb, and
// what its kioctx has for all requests of an mm, v2.6.9.
struct Kiocb {
  Kiocb(Mm& mm, VirtAddr addr, bool store, std::uint64_t value)
      : mm(mm), addr(addr), store(store), value(value) {}

  Mm& mm;
  const VirtAddr addr;
  const bool store;
  const std::uint64_t value;  // what is stored
  ListNode node;              // in AioQueue::pending
};

// All requests that nobody does yet.
struct AioQueue {
  SpinLock ctx_lock{lock_class::kCtxLock};
  List<Kiocb, &Kiocb::node> pending GUARDED_BY(ctx_lock);  // oldest first
  // exit_aio() waits here for the requests that are being done, by mm.
  WaitQueue done{lock_class::kAioWait};
};

}  // namespace racier
