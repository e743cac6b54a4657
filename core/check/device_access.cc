// core/check/device_access.cc - looks through page tables for who has a page.
// Tested by device_access_test.cc and corpus/programs/pin_*.racier.
#include "core/check/device_access.h"

#include <string>

#include "core/check/complain.h"
#include "core/objects/page_table.h"

namespace racier::check {
namespace {

// How a pte has a page.
enum class Has : std::uint8_t { kNot, kAway, kReadOnly, kWritable };

Has has(Pte pte, const Page& page) {
  if (pte.maps(page.pfn)) return pte.writable() ? Has::kWritable : Has::kReadOnly;
  if (pte.is_migration()) return pte.pfn() == page.pfn ? Has::kAway : Has::kNot;
  const bool cached = pte.is_swap() && page.peek(PageFlag::kSwapCache);
  return cached && pte.swap_entry().val == page.private_data.peek() ? Has::kAway
                                                                    : Has::kNot;
}

// Returns whether `mm` may have got the page from the one that it was pinned in.  A
// child may have been made before, and be filled only now.
bool is_entitled(const Mm& mm, const DeviceAccess& access) {
  return mm.id == access.mm_id || mm.parent_id == access.mm_id ||
         mm.id > access.newest_mm_id;
}

// Shows each pte of an entitled mm that has the page.
void for_each_holder(Machine& m, const DeviceAccess& access,
                     FunctionRef<void(const Mm&, VirtAddr, Has)> visit)
    NO_THREAD_SAFETY_ANALYSIS {
  for (const Mm& mm : m.mms) {
    if (!is_entitled(mm, access) || mm.context.root == kNoPfn) continue;
    for_each_pte(m.frames, mm.context, {0, kUserEnd}, [&](VirtAddr addr, PteSlot slot) {
      const Has how = has(slot.peek(), access.page);
      if (how != Has::kNot) visit(mm, addr, how);
    });
  }
}

// Likewise those that have it, but for the moment in which the pte is changed.
void for_each_changing(const WalkAudit& walks, Machine& m, const DeviceAccess& access,
                       FunctionRef<void(const Mm&, VirtAddr)> visit)
    NO_THREAD_SAFETY_ANALYSIS {
  const Page& page = access.page;
  walks.for_each(page.pfn,
                 [&](std::uint32_t mm_id, VirtAddr addr) NO_THREAD_SAFETY_ANALYSIS {
                   for (const Mm& mm : m.mms) {
                     if (mm.id != mm_id || mm.context.root == kNoPfn) continue;
                     const PteSlot slot = find_pte(m.frames, mm.context, addr);
                     const bool settled = slot && has(slot.peek(), page) != Has::kNot;
                     if (is_entitled(mm, access) && !settled) visit(mm, addr);
                   }
                 });
}

void note_private(ShadowMemory& memory, const WalkAudit& walks, Machine& m,
                  const DeviceAccess& access) {
  bool loaded = access.write;
  for_each_holder(m, access, [&](const Mm& mm, VirtAddr addr, Has how) {
    const VirtAddr word = addr + access.offset;
    if (access.write) {
      memory.device_stored(mm.id, word, access.value, how == Has::kWritable);
    } else if (!loaded && how != Has::kAway) {
      memory.accessed(mm.id, word, UserAccess::kRead, access.value, 0);
      loaded = true;  // one is enough: they see the same
    }
  });
  if (!access.write) return;
  for_each_changing(walks, m, access, [&](const Mm& mm, VirtAddr addr) {
    memory.device_stored(mm.id, addr + access.offset, access.value, false);
  });
}

// A store to a page of shared memory, in its cache or on its way through swap.
void note_shared_store(ShadowMemory& memory, Machine& m,
                       const DeviceAccess& access) NO_THREAD_SAFETY_ANALYSIS {
  const Page& page = access.page;
  const std::uintptr_t mapping = page.mapping.peek();
  const std::uint64_t index = page.index.peek();
  const bool cached = page.peek(PageFlag::kSwapCache);
  m.for_each_file([&](AddressSpace& file) NO_THREAD_SAFETY_ANALYSIS {
    const bool here = mapping == reinterpret_cast<std::uintptr_t>(&file);
    const bool swapped = cached && file.shmem && index < file.size &&
                         file.slots[index].swap.val == page.private_data.peek();
    if (!here && !swapped) return;
    memory.device_stored(file, (index << kPageShift) + access.offset, access.value);
  });
}

}  // namespace

void note_device_access(ShadowMemory& memory, const WalkAudit& walks, Machine& m,
                        const DeviceAccess& access) {
  if (m.is_zero_page(access.page.pfn)) return;
  if ((access.page.mapping.peek() & kPageMappingAnon) != 0) {
    note_private(memory, walks, m, access);
  } else if (access.write) {
    note_shared_store(memory, m, access);
  }
}

void check_write_pins(const WritePins& pins, const WalkAudit& walks, Machine& m,
                      const DeviceAccess& access) NO_THREAD_SAFETY_ANALYSIS {
  const Page& page = access.page;
  for (const Mm& mm : m.mms) {
    const bool lives = mm.mm_users.read() > 0 && mm.context.root != kNoPfn;
    if (mm.id != access.mm_id || !lives) continue;
    pins.for_each(page.pfn, mm.id, [&](VirtAddr addr) NO_THREAD_SAFETY_ANALYSIS {
      const PteSlot slot = find_pte(m.frames, mm.context, addr);
      if (slot && has(slot.peek(), page) != Has::kNot) return;
      if (walks.has(page.pfn, mm.id, addr)) return;  // the pte is being changed
      complain(Inv::kPinnedPageStays, "pfn " + std::to_string(page.pfn) + ", mm " +
                                          std::to_string(mm.id) + " page " +
                                          std::to_string(addr >> kPageShift));
    });
  }
}

}  // namespace racier::check
