// core/memory/soft_mmu.cc - decides by what the cached pte says.
//
// As on x86: a need for more rights forgets the entry and asks the tables; a write
// through an entry that is not dirty goes to the pte once more, so that it sees a pte
// that was made read-only in between; what is cached is never asked twice.  Tested by
// mmu_test.cc.
#include "core/memory/soft_mmu.h"

#include <atomic>

namespace racier {
namespace {

void touch(std::byte* at, UserAccess access, std::uint64_t& value) {
  std::uint64_t& word = *reinterpret_cast<std::uint64_t*>(at);
  switch (access) {
    case UserAccess::kRead:
    case UserAccess::kExecute:
      value = load_user_word(at);
      break;
    case UserAccess::kWrite:
      store_user_word(at, value);
      break;
    case UserAccess::kReadModifyWrite:
      value += std::atomic_ref(word).fetch_add(value, std::memory_order_relaxed);
      break;
  }
}

}  // namespace

bool SoftMmu::reach(const Place& place, const MmuContext& context, VirtAddr addr,
                    UserAccess access, std::uint64_t& value, PageFault& fault) {
  std::optional<Pte> pte = translate(place, context, addr);
  if (!pte || (writes(access) && !(pte->writable() && pte->dirty()))) {
    pte = fill(place, context, addr, access, fault);
    if (!pte) return false;
  }
  touch(arena_.data(pte->pfn()) + addr % kPageSize, access, value);
  return true;
}

}  // namespace racier
