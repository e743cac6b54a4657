// core/check/device_access.cc - looks through page tables for who has a page.
// Tested by device_access_test.cc and corpus/programs/pin_*.racier.
#include "core/check/device_access.h"

#include <string>

#include "core/check/complain.h"
#include "core/objects/page_table.h"
#include "core/objects/ptl.h"

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

// Returns whether somebody has emptied the pte and not let go of its lock: what he has
// put there since is late, if memory is weakly ordered.
bool is_emptied(Machine& m, Mm& mm, VirtAddr addr) {
  const PteSlot slot = find_pte(m.frames, mm.context, addr);
  if (!slot || !slot.peek().none()) return false;
  const SpinLock* const lock = pte_lockptr(m, mm, addr);
  return lock != nullptr && lock->is_locked();
}

// Shows each place where `pins` has the page, of a mm that lives.
void for_each_pin(const WritePins& pins, Machine& m, const DeviceAccess& access,
                  FunctionRef<void(Mm&, VirtAddr)> visit) NO_THREAD_SAFETY_ANALYSIS {
  for (Mm& mm : m.mms) {
    const bool lives = mm.mm_users.read() > 0 && mm.context.root != kNoPfn;
    if (mm.id != access.mm_id || !lives) continue;
    pins.for_each(access.page.pfn, mm.id, [&](VirtAddr addr) { visit(mm, addr); });
  }
}

void note_private(ShadowMemory& memory, const WalkAudit& walks, const WritePins& pins,
                  Machine& m, const DeviceAccess& access) {
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
  for_each_pin(pins, m, access, [&](Mm& mm, VirtAddr addr) {
    if (!is_emptied(m, mm, addr) || walks.has(access.page.pfn, mm.id, addr)) return;
    memory.device_stored(mm.id, addr + access.offset, access.value, false);
  });
  pins.for_each_leaving(access.page.pfn, access.mm_id, [&](VirtAddr addr) {
    memory.device_stored(access.mm_id, addr + access.offset, access.value, false);
  });
}

// A store to a page of shared memory, in its cache or on its way through swap.
void note_shared_store(ShadowMemory& memory, Machine& m,
                       const DeviceAccess& access) NO_THREAD_SAFETY_ANALYSIS {
  const Page& page = access.page;
  const std::uintptr_t mapping = page.mapping.peek();
  const std::uint64_t index = page.index.peek();
  // (Who takes it out forgets the entry first, and then says that it is out.)
  const bool cached = page.peek(PageFlag::kSwapCache) && page.private_data.peek() != 0;
  m.for_each_file([&](AddressSpace& file) NO_THREAD_SAFETY_ANALYSIS {
    const bool here = mapping == reinterpret_cast<std::uintptr_t>(&file);
    const bool swapped = cached && file.shmem && index < file.size &&
                         file.slots[index].swap.val == page.private_data.peek();
    if (!here && !swapped) return;
    memory.device_stored(file, (index << kPageShift) + access.offset, access.value);
  });
}

}  // namespace

void note_device_access(ShadowMemory& memory, const WalkAudit& walks,
                        const WritePins& pins, Machine& m, const DeviceAccess& access) {
  if (m.is_zero_page(access.page.pfn)) return;
  if ((access.page.mapping.peek() & kPageMappingAnon) != 0) {
    note_private(memory, walks, pins, m, access);
  } else if (access.write) {
    note_shared_store(memory, m, access);
  }
}

void check_write_pins(const WritePins& pins, const WalkAudit& walks, Machine& m,
                      const DeviceAccess& access) {
  const Page& page = access.page;
  for_each_pin(pins, m, access, [&](Mm& mm, VirtAddr addr) {
    const PteSlot slot = find_pte(m.frames, mm.context, addr);
    if (slot && has(slot.peek(), page) != Has::kNot) return;
    if (walks.has(page.pfn, mm.id, addr)) return;  // the pte is being changed
    if (is_emptied(m, mm, addr)) return;           // likewise
    complain(Inv::kPinnedPageStays, "pfn " + std::to_string(page.pfn) + ", mm " +
                                        std::to_string(mm.id) + " page " +
                                        std::to_string(addr >> kPageShift));
  });
}

}  // namespace racier::check
