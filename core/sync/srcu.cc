// core/sync/srcu.cc - counts readers under two numbers.
//
// A reader that has read the number, and has not counted itself yet, may do so when the
// number has been turned over: nobody waits for that one, who began too late to find
// what had been unlinked; but he may be counted there when the number comes round.  So
// a grace period looks at both counts: it waits for such late ones first.
//
// A reader's read-modify-write and the fence of who waits are full barriers: either a
// reader finds what was unlinked gone, or whoever unlinked it finds the reader counted.
//
// Tested by srcu_test.cc.
#include "core/sync/srcu.h"

#include "core/sync/context.h"
#include "core/sync/sites.h"

namespace racier {
namespace {

constexpr auto kSeqCst = std::memory_order_seq_cst;
constexpr int kLeftOut = -1;  // the number of a section that is not there

}  // namespace

int Srcu::read_lock(Where where) {
  if (sync::is_left_out(current(), SiteKind::kLock, "srcu_read_lock", where)) {
    return kLeftOut;
  }
  const std::uint32_t number = number_.load(OwnOrder{kSeqCst}, where) % 2;
  readers_[number].fetch_add(1, OwnOrder{kSeqCst}, where);
  return static_cast<int>(number);
}

void Srcu::read_unlock(int number, Where where) {
  if (number == kLeftOut) return;
  const std::int32_t before =
      readers_[static_cast<std::size_t>(number)].fetch_sub(1, OwnOrder{kSeqCst}, where);
  if (before == 1 && idle_.active_raw()) idle_.wake_all(where);
}

void Srcu::synchronize(Where where) {
  might_sleep(where);
  if (sync::is_left_out(current(), SiteKind::kGrace, "synchronize_srcu", where)) return;
  fence(kSeqCst);
  const MutexGuard guard(mutex_, where);
  const std::uint32_t number = number_.load(std::memory_order_relaxed, where);
  wait_for_readers(number + 1, where);
  number_.store(number + 1, OwnOrder{kSeqCst}, where);
  wait_for_readers(number, where);
}

void Srcu::wait_for_readers(std::uint32_t number, Where where) {
  const Atomic<std::int32_t>& readers = readers_[number % 2];
  const auto none = [&] { return readers.load(OwnOrder{kSeqCst}, where) == 0; };
  if (!none()) idle_.wait(none, where);
}

}  // namespace racier
