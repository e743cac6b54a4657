// core/check/counts.cc - recounts what mm/ counts as it goes.  C1 to C5.
// Tested by auditor_test.cc.
#include <algorithm>

#include "core/check/checks.h"

namespace racier::check {
namespace {

// ---- Pages --------------------------------------------------------------------------

// The zero page is reserved: ptes that map it are not counted.
void check_page(const Audit& audit, Pfn pfn) {
  const Page& page = audit.m.page(pfn);
  const FrameUse& use = audit.found.use(pfn);
  const bool zero = audit.m.is_zero_page(pfn);
  const std::int32_t ptes = zero ? 0 : use.ptes;
  const std::int32_t mapcount = page.mapcount.raw().load(std::memory_order_relaxed) + 1;
  if (mapcount != ptes) {
    broken(Inv::kMapcountIsItsPtes,
           differs("mapcount", mapcount, ptes) + "; " + describe(audit.m, pfn));
  }
  const std::int32_t users = ptes + use.caches + use.tables + use.pins +
                             (zero ? 1 : 0) + audit.m.scheme().own_refs(page);
  // A frame that is allocated, and that nobody uses, is lost.
  if (page.count.read() != users || users == 0) {
    broken(Inv::kPageCountIsItsUsers,
           differs("count", page.count.read(), users) + "; " + describe(audit.m, pfn));
  }
}

// ---- Swap ---------------------------------------------------------------------------

// Returns whether the slot is in use; a count that is stuck may say anything of it.
bool check_slot(const Audit& audit, const SwapArea& area,
                std::uint32_t slot) NO_THREAD_SAFETY_ANALYSIS {
  const SwapEntry entry = SwapEntry::of(area.type, slot);
  const std::uint16_t count = area.count(slot);
  const std::uint32_t uses = audit.found.swap_uses(audit.m.swap.index_of(entry));
  const std::uint32_t wanted = count == kSwapMapBad ? kSwapMapBad : uses;
  const bool stuck = count == audit.m.options().swap_map_max;
  if (!stuck && (count != wanted || (count == kSwapMapBad && uses != 0))) {
    broken(Inv::kSwapMapIsItsUsers,
           differs("swap area " + std::to_string(area.type) + " slot " +
                       std::to_string(slot) + " count",
                   count, uses));
  }
  if (count == 0 && (slot < area.lowest_bit || slot > area.highest_bit)) {
    broken(Inv::kSwapTotalsMatch,
           differs(slot < area.lowest_bit ? "lowest_bit" : "highest_bit",
                   slot < area.lowest_bit ? area.lowest_bit : area.highest_bit, slot));
  }
  return count != 0 && count != kSwapMapBad;
}

void check_area(const Audit& audit, const SwapArea& area) NO_THREAD_SAFETY_ANALYSIS {
  std::uint32_t inuse = 0;
  const bool valid = (area.flags.peek() & SwapArea::kValid) != 0;
  for (std::uint32_t slot = 1; slot < area.max; ++slot) {
    if (valid) {
      inuse += check_slot(audit, area, slot) ? 1 : 0;
      continue;
    }
    const SwapEntry entry = SwapEntry::of(area.type, slot);
    const std::uint32_t uses = audit.found.swap_uses(audit.m.swap.index_of(entry));
    if (uses != 0) {
      broken(Inv::kSwapMapIsItsUsers,
             differs("swap area " + std::to_string(area.type) +
                         " is off; users of slot " + std::to_string(slot),
                     uses, 0));
    }
  }
  if (area.inuse_pages != inuse) {
    broken(Inv::kSwapTotalsMatch, differs("inuse_pages", area.inuse_pages, inuse));
  }
}

// ---- Mms ----------------------------------------------------------------------------

void check_rss(const Audit& audit, const FoundMm& of) NO_THREAD_SAFETY_ANALYSIS {
  std::int64_t rss = 0;
  std::int64_t anon_rss = 0;
  for (const FoundPte& found : audit.found.ptes(of)) {
    if (!found.pte.present() || audit.m.is_zero_page(found.pte.pfn())) continue;
    ++rss;
    const Page& page = audit.m.page(found.pte.pfn());
    const std::uintptr_t mapping = page.mapping.raw().load(std::memory_order_relaxed);
    if ((mapping & kPageMappingAnon) != 0) ++anon_rss;
  }
  const std::string mm = "mm " + std::to_string(of.mm->id);
  if (of.mm->rss != rss) {
    broken(Inv::kRssIsItsPtes, differs(mm + " rss", of.mm->rss, rss));
  }
  if (of.mm->anon_rss != anon_rss) {
    broken(Inv::kAnonRssIsItsPtes,
           differs(mm + " anon_rss", of.mm->anon_rss, anon_rss));
  }
}

// A request has a reference to the object until it is done.
int requests_of(const Audit& audit, const Mm& mm) NO_THREAD_SAFETY_ANALYSIS {
  int requests = 0;
  for (const Kiocb& kiocb : audit.m.aio.pending) requests += &kiocb.mm == &mm ? 1 : 0;
  return requests;
}

// Each secondary MMU has one, too, and its notifier another.
int secondary_refs(const Audit& audit, const Mm& mm) {
  int refs = 0;
  audit.m.secondary_cache.for_each_live(
      [&](const SecondaryMmu& mmu) { refs += &mmu.mm == &mm ? 2 : 0; });
  return refs;
}

void check_life(const Mm& mm, const std::string& name) NO_THREAD_SAFETY_ANALYSIS {
  const int torn_down = mm.mm_users.read() > 0 ? 0 : 1;
  if (mm.exit_mmaps != torn_down) {
    broken(Inv::kExitMmapWhenUnused,
           differs(name + " was torn down", mm.exit_mmaps, torn_down));
  }
  if (mm.aio_running != 0) {
    broken(Inv::kAioRunningIsNone, differs(name + " running", mm.aio_running, 0));
  }
}

// What was reaped stays away: nobody may take zeroes for what was there.
void check_reaped(const Audit& audit, const FoundMm& of) {
  if (!of.mm->is(MmFlag::kOomSkip)) return;
  for (const FoundPte& found : audit.found.ptes(of)) {
    if (!found.vma->is(kVmShared)) broken(Inv::kReapedStaysEmpty, describe(found));
  }
}

void check_users(const Audit& audit, const Mm& mm) {
  MmUsers should{};
  should.users = mm.mm_users.read();
  if (audit.expected.users_known) {
    const auto of = std::ranges::find(audit.expected.users, &mm, &MmUsers::mm);
    should = of == audit.expected.users.end() ? MmUsers{} : *of;
  }
  const std::string name = "mm " + std::to_string(mm.id);
  if (mm.mm_users.read() != should.users) {
    broken(Inv::kMmUsersAreItsUsers,
           differs(name + " mm_users", mm.mm_users.read(), should.users));
  }
  // A mm that nobody holds is freed, so it is not on the list of all.
  const int holders = should.holders + (should.users > 0 ? 1 : 0) +
                      requests_of(audit, mm) + secondary_refs(audit, mm);
  const bool wrong = audit.expected.users_known
                         ? mm.mm_count.read() != holders
                         : mm.mm_count.read() < std::max(holders, 1);
  if (wrong) {
    broken(Inv::kMmCountIsItsHolders,
           differs(name + " mm_count", mm.mm_count.read(), holders));
  }
  check_life(mm, name);
}

}  // namespace

void check_pages(const Audit& audit) {
  for (const Page* const page : audit.expected.pins) ++audit.found.use(page->pfn).pins;
  for (const Pfn pfn : audit.found.frames()) check_page(audit, pfn);
}

void check_swap(const Audit& audit) {
  for (const auto& area : audit.m.swap.info) check_area(audit, *area);
}

void check_mms(const Audit& audit) {
  for (const FoundMm& of : audit.found.mms()) {
    check_rss(audit, of);
    check_users(audit, *of.mm);
    check_reaped(audit, of);
  }
}

}  // namespace racier::check
