// core/check/brute_force.cc - reads all page tables of a machine at rest.
//
// Descends by itself, so that it does not trust what it checks; empty stretches of a
// table, which is most of it, are passed over a cache line at a time.
// Tested by brute_force_test.cc.
#include "core/check/brute_force.h"

#include <algorithm>
#include <cstring>

#include "core/base/invariant.h"

namespace racier::check {
namespace {

constexpr int kWordsPerLine = 8;

std::uint64_t word_of(const std::byte* table, int index) {
  std::uint64_t word = 0;
  std::memcpy(&word, table + index * 8, sizeof word);
  return word;
}

bool line_is_empty(const std::byte* table, int index) {
  std::uint64_t all = 0;
  for (int i = 0; i < kWordsPerLine; ++i) all |= word_of(table, index + i);
  return all == 0;
}

}  // namespace

void BruteForce::scan(Machine& machine) NO_THREAD_SAFETY_ANALYSIS {
  mms_.clear();
  vmas_.clear();
  ptes_.clear();
  frames_.clear();
  uses_.resize(machine.frames.frames());
  swap_ptes_.assign(machine.swapper.size, 0);
  swap_uses_.assign(machine.swapper.size, 0);
  machine.frames.for_each_allocated([&](Pfn pfn) {
    frames_.push_back(pfn);
    uses_[pfn] = FrameUse{};
  });
  for (Mm& mm : machine.mms) scan_mm(machine, mm);
  vmas_sorted_ = vmas_;
  std::ranges::sort(vmas_sorted_, std::less<>{});
}

void BruteForce::scan_mm(Machine& machine, Mm& mm) {
  FoundMm& of =
      mms_.emplace_back(FoundMm{&mm, static_cast<std::uint32_t>(vmas_.size()), 0,
                                static_cast<std::uint32_t>(ptes_.size()), 0});
  for (Vma* vma = mm.vmas.first(); vma != nullptr; vma = VmaTree::next(*vma)) {
    vmas_.push_back(vma);
  }
  of.vmas = static_cast<std::uint32_t>(vmas_.size()) - of.first_vma;
  vma_cursor_ = of.first_vma;
  if (mm.context.root != kNoPfn) {
    scan_table(machine, mm.context.root, kTableLevels - 1, 0);
  }
  of.ptes = static_cast<std::uint32_t>(ptes_.size()) - of.first_pte;
}

void BruteForce::scan_table(Machine& machine, Pfn table, int level, VirtAddr start) {
  if (machine.frames.is_free(table) || ++uses_[table].tables > 1) {
    broken(Inv::kPageTableIsOwn, "mm " + std::to_string(mms_.back().mm->id) +
                                     ", level " + std::to_string(level) + ", pfn " +
                                     std::to_string(table));
  }
  const std::byte* const words = machine.frames.data(table);
  for (int line = 0; line < kTableEntries; line += kWordsPerLine) {
    if (line_is_empty(words, line)) continue;
    for (int i = line; i < line + kWordsPerLine; ++i) {
      const Pte entry(word_of(words, i));
      if (entry.none()) continue;
      const VirtAddr addr = start + static_cast<VirtAddr>(i) * table_span(level);
      if (level == 0) {
        found(machine, addr, entry);
      } else {
        scan_table(machine, entry.pfn(), level - 1, addr);
      }
    }
  }
}

void BruteForce::found(Machine& machine, VirtAddr addr, Pte pte) {
  while (vma_cursor_ < vmas_.size() && vmas_[vma_cursor_]->vm_end <= addr) {
    ++vma_cursor_;
  }
  Vma* const vma = vma_cursor_ < vmas_.size() && vmas_[vma_cursor_]->contains(addr)
                       ? vmas_[vma_cursor_]
                       : nullptr;
  const auto index = static_cast<std::uint32_t>(ptes_.size());
  FoundPte& found =
      ptes_.emplace_back(FoundPte{mms_.back().mm, vma, addr, pte, kNoPte, 0});
  if (pte.is_migration()) return;  // permissions.cc
  if (!pte.present()) {
    if (machine.swap.find(pte.swap_entry()) == nullptr) {
      broken(Inv::kSwapMapIsItsUsers, "no such slot: " + describe(found));
    }
    ++swap_ptes_[machine.swap.index_of(pte.swap_entry())];
    return;
  }
  if (machine.frames.is_free(pte.pfn())) {
    broken(Inv::kPteMapsLiveFrame, describe(found));
  }
  FrameUse& use = uses_[pte.pfn()];
  found.next = use.first_pte;
  use.first_pte = index;
  ++use.ptes;
  use.dirty_pte |= pte.dirty();
  use.writable_pte |= pte.writable();
}

Mm* BruteForce::mm_of(std::uint32_t asid) const {
  for (const FoundMm& of : mms_) {
    if (of.mm->context.asid == asid) return of.mm;
  }
  return nullptr;
}

bool BruteForce::is_vma(const Vma* vma) const {
  return std::ranges::binary_search(vmas_sorted_, vma, std::less<>{});
}

std::vector<rmap::Mapping> who_maps(Machine& machine, const Page& page) {
  BruteForce all;
  all.scan(machine);
  std::vector<rmap::Mapping> mappings;
  for (const FoundPte& found : all.ptes()) {
    if (found.pte.maps(page.pfn)) mappings.push_back({found.vma, found.addr});
  }
  return mappings;
}

std::string describe(const Machine& machine, Pfn pfn) {
  if (pfn >= machine.frames.frames()) return "no frame " + std::to_string(pfn);
  constexpr const char* kFlags[] = {"locked",    "referenced", "uptodate",
                                    "dirty",     "lru",        "active",
                                    "swapcache", "writeback",  "swapbacked"};
  const Page& page = machine.page(pfn);
  const std::uint64_t flags = page.flags.raw().load(std::memory_order_relaxed);
  std::string text =
      "page " + std::to_string(pfn) + " count " + std::to_string(page.count.read()) +
      " mapcount " +
      std::to_string(page.mapcount.raw().load(std::memory_order_relaxed) + 1);
  const std::uintptr_t mapping = page.mapping.raw().load(std::memory_order_relaxed);
  if (mapping != 0) text += (mapping & kPageMappingAnon) != 0 ? " anon" : " file";
  text += " index " + std::to_string(page.index.raw().load(std::memory_order_relaxed));
  for (std::size_t i = 0; i < std::size(kFlags); ++i) {
    if ((flags >> i & 1) != 0) text += std::string(" ") + kFlags[i];
  }
  return text;
}

std::string describe(const FoundPte& found) {
  std::string text = "mm " + std::to_string(found.mm->id) + " page " +
                     std::to_string(found.addr >> kPageShift);
  if (found.pte.present()) {
    text += " maps pfn " + std::to_string(found.pte.pfn());
    if (found.pte.writable()) text += " writable";
    if (found.pte.dirty()) text += " dirty";
  } else if (found.pte.is_migration()) {
    text += " waits for pfn " + std::to_string(found.pte.pfn());
  } else {
    text += " in swap area " + std::to_string(found.pte.swap_entry().type()) +
            " slot " + std::to_string(found.pte.swap_entry().offset());
  }
  return text;
}

std::string describe(const Machine& machine, const FoundPte& found) {
  return describe(found) + "; " + describe(machine, found.pte.pfn());
}

}  // namespace racier::check
