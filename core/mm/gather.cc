// core/mm/gather.cc - flushes first, frees then.
// Tested by gather_test.cc.
#include "core/mm/gather.h"

#include <algorithm>
#include <exception>

#include "core/base/bug.h"
#include "core/mm/page_alloc.h"
#include "core/mm/swap.h"
#include "core/mm/tlb.h"

namespace racier {
namespace {

// Drops the reference of a pte that is gone; a page that only the swap cache still
// needs goes from there, too.  Kernel: free_page_and_swap_cache().
void free_page_and_swap_cache(Machine& m, Page& page) {
  if (page.test(PageFlag::kSwapCache) && trylock_page(page)) {
    remove_exclusive_swap_page(m, page);
    unlock_page(m, page);
  }
  put_page(m, page);
}

// Frees a table; when who walks there under RCU is done, if anybody does.
// Kernel: tlb_remove_table(); in 2009 an IPI waited for who had disabled interrupts.
void free_table(Machine& m, Page& table) {
  if (m.options().period.lookup != VmaLookup::kKamezawa ||
      bug::armed(Bug::kLocklessPgtableWalkUnprotected)) {
    return free_page_and_swap_cache(m, table);
  }
  table.rcu.context = &m;
  table.rcu.callback = [](RcuHead& head, void* machine) {
    Machine& m = *static_cast<Machine*>(machine);
    put_page(m, Page::of(head));
  };
  m.rcu.call(table.rcu);
}

}  // namespace

MmuGather::MmuGather(Machine& m, Mm& mm) : context_(m), m_(m), mm_(mm) {}

MmuGather::~MmuGather() noexcept(false) {
  // A run that is being unwound is over, and its memory is about to be wiped.
  if (std::uncaught_exceptions() == 0) flush();
}

void MmuGather::remove_page(Page& page, VirtAddr addr) {
  note(addr);
  add({&page, false});
}

void MmuGather::remove_table(Pfn table) {
  tables_ = true;
  add({&m_.page(table), true});
}

void MmuGather::note(VirtAddr addr) {
  range_.start = std::min(range_.start, addr);
  range_.end = std::max(range_.end, addr + kPageSize);
}

void MmuGather::add(Gathered gathered) {
  if (count_ == kPagesMax) flush();
  pages_[count_++] = gathered;
}

// A freed table may have been on the way of a hardware walk to any address.
void MmuGather::flush_tlb() {
  if (tables_) {
    flush_tlb_mm(m_, mm_);
  } else if (range_.start < range_.end) {
    flush_tlb_range(m_, mm_, range_);
  }
  range_ = {kUserEnd, 0};
  tables_ = false;
}

void MmuGather::flush() {
  flush_tlb();
  for (std::size_t i = 0; i < count_; ++i) {
    const Gathered& gathered = pages_[i];
    if (gathered.is_table) {
      free_table(m_, *gathered.page);
    } else {
      free_page_and_swap_cache(m_, *gathered.page);
    }
  }
  count_ = 0;
}

}  // namespace racier
