// core/mm/secondary_mmu.cc - translates, faults, and forgets what it is told to.
//
// A fault reads mmu_notifier_seq, gets the page, and installs it under the lock if the
// number is still the same and no range is being invalidated.  Who invalidates drops
// the translations under the lock, and raises the number when the ptes have changed:
// so either the fault finds the new ptes, or it is told to look again.
//
// The accesses are made under the lock.  So when a callback returns, none goes through
// what it has dropped.
//
// Tested by secondary_mmu_test.cc and corpus/programs/notifier_*.racier.
#include "core/mm/secondary_mmu.h"

#include <utility>

#include "core/base/bug.h"
#include "core/base/invariant.h"
#include "core/base/mark.h"
#include "core/memory/accuse.h"
#include "core/mm/fork.h"
#include "core/mm/gup.h"
#include "core/mm/mmu_notifier.h"
#include "core/sync/sites.h"

namespace racier {
namespace {

using Entry = SecondaryMmu::Entry;

// ---- Translations -------------------------------------------------------------------

Entry& place_of(SecondaryMmu& mmu, VirtAddr addr) REQUIRES(mmu.lock) {
  return mmu.entries[(addr >> kPageShift) % SecondaryMmu::kEntries];
}

// Returns whether the frame of a translation is there, which its notifier promises.
bool is_alive(const Machine& m, const Entry& entry) {
  if (!m.frames.is_free(entry.pfn)) return true;
  accuse(FindingKind::kTlb, "stale secondary translation: to a freed frame",
         "frame " + std::to_string(entry.pfn));
  return false;
}

// Forgets a translation.  What was stored through it the page is told: the pte may know
// nothing of it.  Kernel: kvm_set_pfn_dirty().
void drop(Machine& m, Entry& entry) {
  const Entry before = std::exchange(entry, Entry{});
  if (before.addr == kUserEnd || !is_alive(m, before)) return;
  mark::hit(Mark::kSecondaryDropped);
  if (!before.dirty || bug::armed(Bug::kSecondaryDirtyDropped)) return;
  m.page(before.pfn).set(PageFlag::kDirty);
}

void drop_range(Machine& m, SecondaryMmu& mmu, VirtRange range) REQUIRES(mmu.lock) {
  for (Entry& entry : mmu.entries) {
    if (range.start <= entry.addr && entry.addr < range.end) drop(m, entry);
  }
}

// ---- The notifier -------------------------------------------------------------------

// (Of a change that is under way nobody will tell the end.)
void release(Machine& m, MmuNotifier& notifier) {
  SecondaryMmu& mmu = SecondaryMmu::of(notifier);
  {
    const SecondaryGuard guard(mmu.lock);
    drop_range(m, mmu, {0, kUserEnd});
    mmu.released = true;
  }
  mmu.valid.wake_all();
}

void invalidate_range_start(Machine& m, MmuNotifier& notifier, VirtRange range) {
  SecondaryMmu& mmu = SecondaryMmu::of(notifier);
  const SecondaryGuard guard(mmu.lock);
  // Before the translations go: none comes back until the end.
  ++mmu.mmu_notifier_count;
  drop_range(m, mmu, range);
}

void invalidate_range_end(Machine&, MmuNotifier& notifier, VirtRange) {
  SecondaryMmu& mmu = SecondaryMmu::of(notifier);
  {
    const SecondaryGuard guard(mmu.lock);
    invariant(Inv::kNotifierRangeHasBegun, mmu.mmu_notifier_count > 0);
    // A fault that began before has perhaps seen the old ptes.
    mmu.mmu_notifier_seq.fetch_add(1);
    if (--mmu.mmu_notifier_count > 0) return;
  }
  mmu.valid.wake_all();
}

void invalidate_page(Machine& m, MmuNotifier& notifier, VirtAddr addr) {
  SecondaryMmu& mmu = SecondaryMmu::of(notifier);
  const SecondaryGuard guard(mmu.lock);
  mmu.mmu_notifier_seq.fetch_add(1);
  drop_range(m, mmu, {addr, addr + kPageSize});
}

bool clear_flush_young(Machine&, MmuNotifier& notifier, VirtAddr addr) {
  SecondaryMmu& mmu = SecondaryMmu::of(notifier);
  const SecondaryGuard guard(mmu.lock);
  Entry& entry = place_of(mmu, addr);
  return entry.addr == addr && std::exchange(entry.young, false);
}

// It may not write to the new page until it has asked for that.
void change_pte(Machine& m, MmuNotifier& notifier, VirtAddr addr, Pte pte) {
  SecondaryMmu& mmu = SecondaryMmu::of(notifier);
  const SecondaryGuard guard(mmu.lock);
  mmu.mmu_notifier_seq.fetch_add(1);
  Entry& entry = place_of(mmu, addr);
  if (entry.addr != addr) return;
  drop(m, entry);
  entry = {.addr = addr, .pfn = pte.pfn()};
}

constexpr MmuNotifierOps ops_of(bool may_sleep) {
  return {.may_sleep = may_sleep,
          .release = &release,
          .invalidate_range_start = &invalidate_range_start,
          .invalidate_range_end = &invalidate_range_end,
          .invalidate_page = &invalidate_page,
          .clear_flush_young = &clear_flush_young,
          .change_pte = &change_pte};
}
constexpr MmuNotifierOps kAtomicOps = ops_of(false);
constexpr MmuNotifierOps kSleepingOps = ops_of(true);

// ---- Faults -------------------------------------------------------------------------

bool is_valid(SecondaryMmu& mmu) {
  const SecondaryGuard guard(mmu.lock);
  return mmu.mmu_notifier_count == 0 || mmu.released;
}

// Installs a translation to `page` unless something was invalidated since `seq`.
void install(Machine& m, SecondaryMmu& mmu, VirtAddr addr, const Page& page, bool write,
             std::uint32_t seq) {
  const SecondaryGuard guard(mmu.lock);
  if (!still(!mmu.released)) return;  // nobody would tell it to forget that
  const bool begun = !still(mmu.mmu_notifier_count == 0);
  const bool again = begun || !still(mmu.mmu_notifier_seq.load() == seq);
  if (again && !bug::armed(Bug::kSecondaryFaultNotRetried)) {
    return mark::hit(Mark::kSecondaryRetried);
  }
  Entry& entry = place_of(mmu, addr);
  drop(m, entry);
  entry = {.addr = addr, .pfn = page.pfn, .writable = write};
  mark::hit(Mark::kSecondaryFault);
}

// Brings in the page at `addr`, which the mm keeps meanwhile.
Status fault_in(Machine& m, SecondaryMmu& mmu, Mm& mm, VirtAddr addr, bool write) {
  // (Kernel: who has to retry enters the guest again; mmu_interval_read_begin(), v5.5.)
  if (!is_valid(mmu)) mmu.valid.wait([&] { return is_valid(mmu); });
  const std::uint32_t seq = mmu.mmu_notifier_seq.load();
  const GupVmas vmas = mmu.ops->may_sleep ? GupVmas::kAnon : GupVmas::kAny;
  const Result<PinnedPage> pinned =
      get_user_page(m, mm, addr, write ? Gup::kWrite : Gup::kRead, vmas);
  if (!pinned) return pinned.status();
  install(m, mmu, addr, *pinned->page, write, seq);
  put_user_page(m, *pinned);
  return Status::kOk;
}

Status fault(Machine& m, SecondaryMmu& mmu, VirtAddr addr, bool write) {
  Mm& mm = mmu.mm;
  if (!mmget_not_zero(mm)) return Status::kFault;
  const Status status = fault_in(m, mmu, mm, addr, write);
  mmput(m, mm);
  return status;
}

// ---- Accesses -----------------------------------------------------------------------

// Makes one access through a translation: a step, under the name of the user word.
std::uint64_t touch(Machine& m, const Mm& mm, Entry& entry, VirtAddr addr, bool write,
                    std::uint64_t value) {
  const std::uint64_t offset = addr % kPageSize;
  step({m.frames.word_name(entry.pfn, offset), write ? Access::kWrite : Access::kRead,
        std::memory_order_relaxed, std::source_location::current(), sizeof value});
  if (!is_alive(m, entry)) return value;
  entry.young = true;
  entry.dirty = entry.dirty || write;
  // Nothing comes between an access and its note.
  std::byte* const at = m.frames.data(entry.pfn) + offset;
  const std::uint64_t before = load_user_word(at);
  if (write) {
    store_user_word(at, value);
  } else {
    value = before;
  }
  m.tracepoints->accessed(mm, addr, write ? UserAccess::kWrite : UserAccess::kRead,
                          value, before);
  return value;
}

Result<std::uint64_t> access(Machine& m, SecondaryMmu& mmu, VirtAddr addr, bool write,
                             std::uint64_t value) {
  for (;;) {
    {
      const SecondaryGuard guard(mmu.lock);
      if (mmu.released) return Status::kFault;
      Entry& entry = place_of(mmu, addr);
      const bool there = entry.addr == page_floor(addr) && (entry.writable || !write);
      if (there) return touch(m, mmu.mm, entry, addr, write, value);
    }
    const Status status = fault(m, mmu, page_floor(addr), write);
    if (status != Status::kOk) return status;
  }
}

}  // namespace

Result<SecondaryMmu*> secondary_mmu_create(Machine& m, Mm& mm, bool sleeps) {
  SecondaryMmu* const mmu =
      m.secondary_cache.create(sleeps ? kSleepingOps : kAtomicOps, mm);
  if (mmu == nullptr) return Status::kNoMemory;
  mmgrab(mm);  // an access may come to it when it is unregistered
  const Status status = mmu_notifier_register(m, *mmu);
  if (status == Status::kOk) return mmu;
  secondary_mmu_put(m, *mmu);
  return status;
}

void secondary_mmu_unregister(Machine& m, SecondaryMmu& mmu) {
  mmu_notifier_unregister(m, mmu);
}

void secondary_mmu_put(Machine& m, SecondaryMmu& mmu) {
  if (!mmu.refs.dec_and_test()) return;
  Mm& mm = mmu.mm;
  m.secondary_cache.destroy(&mmu);
  mmdrop(m, mm);
}

Result<std::uint64_t> secondary_read(Machine& m, SecondaryMmu& mmu, VirtAddr addr) {
  return access(m, mmu, addr, false, 0);
}

Result<std::uint64_t> secondary_write(Machine& m, SecondaryMmu& mmu, VirtAddr addr,
                                      std::uint64_t value) {
  return access(m, mmu, addr, true, value);
}

}  // namespace racier
