// core/check/brute_force.h - who maps this page, by looking at every page table.
//
// The oracle: it knows nothing of any scheme and trusts no counter.  One pass reads
// every table of every mm; everything else the audit recounts, it recounts from here.
//
// Tested by brute_force_test.cc.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/base/thread_annotations.h"
#include "core/objects/machine.h"
#include "core/rmap/scheme.h"

namespace racier::check {

// A pte that is not empty.
struct FoundPte {
  Mm* mm;
  Vma* vma;  // null: it lies in none
  VirtAddr addr;
  Pte pte;
  std::uint32_t next;   // the next one that maps the same frame; kNoPte: none
  std::uint32_t shown;  // how often the scheme's walk showed it (reverse_map.cc)
};
inline constexpr std::uint32_t kNoPte = ~0u;

// What the pass has seen of one mm: stretches of the arrays of all.
struct FoundMm {
  Mm* mm;
  std::uint32_t first_vma, vmas;
  std::uint32_t first_pte, ptes;
};

// What uses one frame.
struct FrameUse {
  std::uint32_t first_pte = kNoPte;  // of those that map it
  std::int32_t ptes = 0;             // how many
  std::int32_t tables = 0;           // how often it is reached as a page table
  std::int32_t caches = 0;           // slots of caches that hold it (caches.cc)
  std::int32_t pins = 0;             // references from outside of mm (counts.cc)
  std::int32_t on_lru = 0;           // places on LRU lists (lru_audit.cc)
  bool dirty_pte = false;            // one of its ptes is dirty
  bool writable_pte = false;         // ... is writable
};

class BruteForce {
 public:
  // Reads everything anew.  A table that is shared, or is a free frame, is a finding;
  // so is a pte that maps a free frame.
  // Context: quiescence, which stands in for all locks.
  void scan(Machine& machine) NO_THREAD_SAFETY_ANALYSIS;

  std::span<const FoundMm> mms() const { return mms_; }
  std::span<Vma* const> vmas() const { return vmas_; }
  std::span<Vma* const> vmas(const FoundMm& of) const {
    return std::span(vmas_).subspan(of.first_vma, of.vmas);
  }
  // In the order of mms, then of addresses.
  std::span<FoundPte> ptes() { return ptes_; }
  std::span<const FoundPte> ptes(const FoundMm& of) const {
    return std::span(ptes_).subspan(of.first_pte, of.ptes);
  }
  // Frames that are allocated, in the order of numbers.
  std::span<const Pfn> frames() const { return frames_; }
  FrameUse& use(Pfn pfn) { return uses_[pfn]; }
  // Swap ptes that name slot number `index` (SwapAreas::index_of()).
  std::uint32_t swap_ptes(std::uint32_t index) const { return swap_ptes_[index]; }
  void count_swap_use(std::uint32_t index) { ++swap_uses_[index]; }
  // References to it of any kind.
  std::uint32_t swap_uses(std::uint32_t index) const {
    return swap_ptes_[index] + swap_uses_[index];
  }
  // Returns the mm whose translations have tag `asid`, or nullptr.
  Mm* mm_of(std::uint32_t asid) const;
  bool is_vma(const Vma* vma) const;

 private:
  void scan_mm(Machine& machine, Mm& mm);
  void scan_table(Machine& machine, Pfn table, int level, VirtAddr start);
  void found(Machine& machine, VirtAddr addr, Pte pte);

  std::vector<FoundMm> mms_;
  std::vector<Vma*> vmas_;
  std::vector<Vma*> vmas_sorted_;  // by address of the object: to look one up
  std::vector<FoundPte> ptes_;
  std::vector<Pfn> frames_;
  std::vector<FrameUse> uses_;            // by frame; those of frames_ are fresh
  std::vector<std::uint32_t> swap_ptes_;  // by slot
  std::vector<std::uint32_t> swap_uses_;  // by slot: users other than ptes (caches.cc)
  std::uint32_t vma_cursor_ = 0;  // in vmas_: the first that ends behind the last pte
};

// Returns every (vma, address) that maps `page`, in the order of mms and addresses.
std::vector<rmap::Mapping> who_maps(Machine& machine, const Page& page);

// Returns what there is to say of a frame, a pte, a pte and its frame, for the detail
// of a finding.
std::string describe(const Machine& machine, Pfn pfn);
std::string describe(const FoundPte& found);
std::string describe(const Machine& machine, const FoundPte& found);

}  // namespace racier::check
