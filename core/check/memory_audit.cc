// core/check/memory_audit.cc - memory holds what was stored to it, wherever it is.  D1.
//
// Looks for lost bytes before anybody loads them, in frames and in swap.
// Tested by auditor_test.cc.
#include <optional>

#include "core/check/checks.h"
#include "core/check/values.h"
#include "core/objects/page_table.h"

namespace racier::check {
namespace {

using Place = ShadowMemory::Place;

std::uint64_t word_of_page(const Audit& audit, const Page& page, VirtAddr addr) {
  return load_user_word(audit.m.frames.data(page.pfn) + addr % kPageSize);
}

// What a load would find now; nothing if it would fail.
using Word = std::optional<std::uint64_t>;

// A page in swap may be in the swap cache, too, and then that is newer.
Word word_of_slot(const Audit& audit, SwapEntry entry,
                  VirtAddr addr) NO_THREAD_SAFETY_ANALYSIS {
  Machine& m = audit.m;
  const Page* const cached = m.swapper.slots[m.swap.index_of(entry)].page;
  if (cached != nullptr) {
    if (!cached->peek(PageFlag::kUptodate)) return std::nullopt;
    return word_of_page(audit, *cached, addr);
  }
  if (!m.swap.find(entry)->file.read(entry.offset(), audit.slot_page)) {
    return std::nullopt;
  }
  return load_user_word(audit.slot_page + addr % kPageSize);
}

Word word_of_file(const Audit& audit, const AddressSpace& file,
                  VirtAddr offset) NO_THREAD_SAFETY_ANALYSIS {
  const std::uint64_t index = offset >> kPageShift;
  if (index >= file.size) return 0;
  const CacheSlot& slot = file.slots[index];
  if (slot.page != nullptr) return word_of_page(audit, *slot.page, offset);
  if (slot.swap) return word_of_slot(audit, slot.swap, offset);
  return file.shmem ? 0 : file.stored_word(index, offset % kPageSize / 8);
}

Word word_of_mm(const Audit& audit, const Mm& mm, VirtAddr addr) {
  Pte pte;
  if (mm.context.root != kNoPfn) {
    const PteSlot slot = find_pte(audit.m.frames, mm.context, addr);
    if (slot) pte = slot.peek();
  }
  if (pte.present()) return word_of_page(audit, audit.m.page(pte.pfn()), addr);
  if (!pte.none()) return word_of_slot(audit, pte.swap_entry(), addr);
  const Vma* const vma = mm.vmas.find(addr);
  if (vma == nullptr || !vma->contains(addr) || vma->vm_file == nullptr) return 0;
  const VirtAddr offset = (vma->vm_pgoff << kPageShift) + (addr - vma->vm_start);
  return word_of_file(audit, *vma->vm_file, offset);
}

void check_word(const Audit& audit, const Place& place) {
  Word value;
  if (place.file != nullptr) {
    value = word_of_file(audit, *place.file, place.addr);
  } else {
    const Mm* const mm = audit.found.mm_of(place.mm_id);
    if (mm == nullptr) return;  // its last user is gone
    value = word_of_mm(audit, *mm, place.addr);
  }
  const ShadowMemory& memory = audit.watcher->memory();
  if (!value || memory.allows(place, *value)) return;
  broken(Inv::kDataIsLastStore,
         (place.file != nullptr ? "file " + std::to_string(place.file->id)
                                : "mm " + std::to_string(place.mm_id)) +
             ", page " + std::to_string(place.addr >> kPageShift) + ", word " +
             std::to_string(place.addr % kPageSize / 8) + ": memory holds " +
             describe_value(*value) + ", must be " + memory.allowed(place));
}

}  // namespace

void check_memory(const Audit& audit) {
  audit.watcher->memory().for_each_word(
      [&audit](const Place& place) { check_word(audit, place); });
}

}  // namespace racier::check
