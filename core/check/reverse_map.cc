// core/check/reverse_map.cc - every pte is found from its page, and nothing else.
//
// R1: the scheme's walk of each mapped page shows each of its ptes exactly once.  R2:
// it shows no vma that is not mapped.  R3: a page is of the kind, and has the index,
// that its place in the vma says.  R6: i_mmap holds the vmas of its file.
// Tested by auditor_test.cc.
#include "core/check/checks.h"

namespace racier::check {
namespace {

using rmap::Mapping;

// Holds the page lock, as a walk of a file page asks for.
class LockedAtRest {
 public:
  explicit LockedAtRest(Page& page) : page_(page) {
    page_.flags.raw().fetch_or(bit_of(PageFlag::kLocked), std::memory_order_relaxed);
  }
  ~LockedAtRest() {
    page_.flags.raw().fetch_and(~bit_of(PageFlag::kLocked), std::memory_order_relaxed);
  }
  LockedAtRest(const LockedAtRest&) = delete;
  LockedAtRest& operator=(const LockedAtRest&) = delete;

 private:
  Page& page_;
};

// Notes which pte a candidate is.  If it is none, it is a hint; its vma must be mapped.
void note(const Audit& audit, Pfn pfn, const Mapping& at) {
  if (!audit.found.is_vma(at.vma) || !at.vma->contains(at.addr)) {
    broken(Inv::kRmapSound, describe(audit.m, pfn));
  }
  const std::span<FoundPte> ptes = audit.found.ptes();
  for (std::uint32_t i = audit.found.use(pfn).first_pte; i != kNoPte;
       i = ptes[i].next) {
    FoundPte& found = ptes[i];
    if (found.vma != at.vma || found.addr != at.addr) continue;
    if (++found.shown > 1) broken(Inv::kRmapShowsOnce, describe(audit.m, found));
  }
}

void check_page(const Audit& audit, Pfn pfn) {
  FrameUse& use = audit.found.use(pfn);
  if (use.ptes == 0 || audit.m.is_zero_page(pfn)) return;
  {
    Page& page = audit.m.page(pfn);
    const LockedAtRest lock(page);
    audit.m.scheme().walk(page, [&](const Mapping& at) {
      note(audit, pfn, at);
      return rmap::Walk::kContinue;
    });
  }
  const std::span<FoundPte> ptes = audit.found.ptes();
  for (std::uint32_t i = use.first_pte; i != kNoPte; i = ptes[i].next) {
    if (ptes[i].shown == 0) broken(Inv::kRmapComplete, describe(audit.m, ptes[i]));
  }
}

// What the verbs told the watcher is what the page tables say.
void check_told(const Audit& audit) {
  const WalkAudit& told = audit.watcher->walks();
  std::uint32_t mappings = 0;
  for (const FoundPte& found : audit.found.ptes()) {
    if (!found.pte.present() || audit.m.is_zero_page(found.pte.pfn())) continue;
    ++mappings;
    if (!told.has(found.pte.pfn(), found.mm->id, found.addr)) {
      broken(Inv::kRmapWasTold, "not added: " + describe(audit.m, found));
    }
  }
  if (told.mappings() != mappings) {
    broken(Inv::kRmapWasTold,
           differs("mappings added and not removed", told.mappings(), mappings));
  }
}

// ---- R3 -----------------------------------------------------------------------------

bool is_of_its_kind(const Vma& vma, std::uintptr_t mapping) {
  if ((mapping & kPageMappingAnon) != 0) return !vma.is(kVmShared);
  return vma.vm_file != nullptr &&
         mapping == reinterpret_cast<std::uintptr_t>(vma.vm_file);
}

void check_page_of_vma(const Audit& audit, const FoundPte& found) {
  const Vma& vma = *found.vma;
  const Page& page = audit.m.page(found.pte.pfn());
  if (audit.m.is_zero_page(page.pfn)) {
    if (vma.vm_file != nullptr) broken(Inv::kPageOfItsVma, describe(audit.m, found));
    return;
  }
  if (!is_of_its_kind(vma, page.mapping.raw().load(std::memory_order_relaxed))) {
    broken(Inv::kPageOfItsVma, describe(audit.m, found));
  }
  if (page.index.raw().load(std::memory_order_relaxed) != vma.index_of(found.addr)) {
    broken(Inv::kPageIndexIsItsPlace, describe(audit.m, found));
  }
}

// Truncation takes copies of private mappings, too, in memory or in swap.
void check_within_file(const Audit& audit, const FoundPte& found) {
  const AddressSpace* const file = found.vma->vm_file;
  if (file == nullptr) return;
  const std::uint64_t i_size = file->i_size.raw().load(std::memory_order_relaxed);
  if (found.vma->index_of(found.addr) < i_size) return;
  broken(Inv::kPteWithinFile,
         found.pte.present() ? describe(audit.m, found) : describe(found));
}

// ---- R6 -----------------------------------------------------------------------------

std::uint32_t vmas_of(const Audit& audit, const AddressSpace& file) {
  std::uint32_t vmas = 0;
  for (const Vma* const vma : audit.found.vmas()) vmas += vma->vm_file == &file ? 1 : 0;
  return vmas;
}

std::int64_t programs_of(const Audit& audit, const AddressSpace& file) {
  std::int64_t mms = 0;
  for (const FoundMm& of : audit.found.mms()) mms += of.mm->exe_file == &file ? 1 : 0;
  return mms;
}

void check_i_mmap_of(const Audit& audit, AddressSpace& file) NO_THREAD_SAFETY_ANALYSIS {
  const std::string name = "file " + std::to_string(file.id);
  const std::uint32_t should = vmas_of(audit, file);
  std::uint32_t on_tree = 0;
  for (Vma* vma = file.i_mmap.first(0, ~0ull); vma != nullptr;
       vma = IMmapTree::next(*vma, 0, ~0ull)) {
    if (!audit.found.is_vma(vma) || vma->vm_file != &file || ++on_tree > should) {
      broken(Inv::kIMmapHoldsItsVmas, name + ": a vma that does not map it");
    }
  }
  if (on_tree != should) {
    broken(Inv::kIMmapHoldsItsVmas, differs(name + " vmas", on_tree, should));
  }
  // The machine's table of files has a reference, too; shmem lives by its vmas alone.
  const std::int64_t users =
      std::int64_t{should} + programs_of(audit, file) + (file.shmem ? 0 : 1);
  if (file.count.read() != users) {
    broken(Inv::kFileCountIsItsVmas,
           differs(name + " count", file.count.read(), users));
  }
}

}  // namespace

void check_pages_of_vmas(const Audit& audit) {
  for (const FoundPte& found : audit.found.ptes()) {
    if (found.pte.present()) check_page_of_vma(audit, found);
    check_within_file(audit, found);
  }
}

void check_i_mmap(const Audit& audit) {
  audit.m.for_each_file([&audit](AddressSpace& file) { check_i_mmap_of(audit, file); });
}

void check_reverse_map(const Audit& audit) {
  for (const Pfn pfn : audit.found.frames()) check_page(audit, pfn);
  audit.m.scheme().audit(audit.found.vmas());
  if (audit.watcher != nullptr) check_told(audit);
}

}  // namespace racier::check
