// core/mm/tlb_batch.cc - remembers address spaces, by tag: they may end meanwhile.
//
// Two numbers of an mm say whether something is put off: how often that was, and how
// often it had been when somebody flushed.  Each is only ever behind, which costs a
// flush.  Tested by tlb_batch_test.cc.
#include "core/mm/tlb_batch.h"

#include <algorithm>
#include <exception>

#include "core/base/bug.h"
#include "core/base/mark.h"
#include "core/mm/tlb.h"
#include "core/sync/sites.h"

namespace racier {

TlbUbc::~TlbUbc() noexcept(false) {
  // A run that is being unwound is over.
  if (std::uncaught_exceptions() == 0) flush();
}

void TlbUbc::took(Mm& mm, VirtAddr addr, Pte pte) {
  if (!m_.options().period.batched_unmap) return flush_tlb_page(m_, mm, addr);
  const CpuSet cpus = put_off_flush(m_, mm);
  const auto last = mms_.begin() + static_cast<std::ptrdiff_t>(count_);
  const auto known = std::find_if(mms_.begin(), last, [&](const PutOff& known) {
    return known.context.asid == mm.context.asid;
  });
  if (known != last) {
    if (!bug::armed(Bug::kBatchForgetsCpus)) known->cpus |= cpus;
  } else {
    if (count_ == kMmsMax) flush();
    mms_[count_++] = {mm.context, cpus};
  }
  dirty_ = dirty_ || pte.dirty();
  mm.tlb_flush_pending.fetch_add(1);
}

void TlbUbc::flush(Where where) {
  if (flush_is_left_out("try_to_unmap_flush", where)) return;
  for (std::size_t i = 0; i < count_; ++i) {
    flush_tlb_put_off(m_, mms_[i].context, mms_[i].cpus);
  }
  count_ = 0;
  dirty_ = false;
}

void TlbUbc::flush_dirty(Where where) {
  if (dirty_) flush(where);
}

void flush_tlb_batched_pending(Machine& m, Mm& mm, std::source_location where) {
  if (!m.options().period.batched_unmap || bug::armed(Bug::kBatchedUnmapFlushMissed)) {
    return;
  }
  const std::uint32_t pending = mm.tlb_flush_pending.load();
  if (pending == mm.tlb_flushed.load()) return;
  flush_tlb_mm(m, mm, where);
  mm.tlb_flushed.store(pending);
  mark::hit(Mark::kBatchedFlushDone);
}

}  // namespace racier
