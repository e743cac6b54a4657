// core/program/mapped_page.cc - from a place in an address space to the page there.
// Tested by corpus/programs.
#include "core/program/mapped_page.h"

#include "core/mm/page_alloc.h"
#include "core/objects/page_table.h"

namespace racier::program {

Page* mapped_page(Run& run, Mm& mm, PageInMapping place) {
  const auto addr = place.address(run, mm);
  if (!addr || *addr >= kUserEnd) return nullptr;
  Machine& m = run.machine();
  const SpinGuard guard(mm.page_table_lock);
  const PteSlot slot = find_pte(m.frames, mm.context, *addr);
  const Pte pte = slot ? slot.get() : Pte();
  if (!pte.present() || m.is_zero_page(pte.pfn())) return nullptr;
  Page& page = m.page(pte.pfn());
  get_page(page);
  return &page;
}

}  // namespace racier::program
