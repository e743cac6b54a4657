// core/program/mapped_page.cc - from a place in an address space to the page there.
// Tested by corpus/programs.
#include "core/program/mapped_page.h"

#include "core/mm/page_alloc.h"
#include "core/objects/ptl.h"
#include "core/sync/maybe_guard.h"

namespace racier::program {

Page* mapped_page(Run& run, Mm& mm, PageInMapping place) {
  const auto addr = place.address(run, mm);
  if (!addr || *addr >= kUserEnd) return nullptr;
  Machine& m = run.machine();
  // With ptl=split nothing else keeps the table than a vma that is there: a munmap that
  // goes on under mmap_sem for reading frees those of vmas that are not.
  MaybeGuard<ReadGuard> tables;
  if (m.options().period.split_ptl) {
    tables.emplace(mm.mmap_sem, std::source_location::current());
    const Vma* const vma = mm.vmas.find(*addr);
    if (vma == nullptr || !vma->contains(*addr)) return nullptr;
  }
  const PtlGuard guard(m, mm, *addr);
  const Pte pte = guard.slot() ? guard.slot().get() : Pte();
  if (!pte.present() || m.is_zero_page(pte.pfn())) return nullptr;
  Page& page = m.page(pte.pfn());
  get_page(page);
  return &page;
}

}  // namespace racier::program
