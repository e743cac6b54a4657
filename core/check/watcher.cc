// core/check/watcher.cc - tells its pictures what happens.
#include "core/check/watcher.h"

#include "core/check/device_access.h"
#include "core/check/unseen.h"
#include "core/objects/mm.h"
#include "core/objects/page.h"
#include "core/objects/vma.h"

namespace racier::check {

void Watcher::reset() {
  walks_.reset();
  memory_.reset();
  migrations_.reset();
  pins_.reset();
}

void Watcher::mm_created(const Mm& mm) {
  const Unseen unseen;
  memory_.mm_created(mm.id);
}
void Watcher::mm_exited(const Mm& mm) {
  const Unseen unseen;
  memory_.mm_exited(mm.id);
}

void Watcher::fork_begin(const Mm& parent, const Mm& child) {
  const Unseen unseen;
  memory_.fork_begin(parent.id, child.id);
  pins_.released(parent.id, {0, kUserEnd});
}
void Watcher::fork_end(const Mm& parent, const Mm& child, bool ok) {
  const Unseen unseen;
  memory_.fork_end(parent.id, child.id, ok);
}

void Watcher::mapped(const Vma& vma) {
  const Unseen unseen;
  memory_.mapped(vma);
}
// Until the end, cached translations go on showing the old memory.
void Watcher::unmap_begin(const Mm& mm, VirtRange range) {
  const Unseen unseen;
  pins_.leave_begins(mm.id, range);
}
void Watcher::unmap_end(const Mm& mm, VirtRange range) {
  const Unseen unseen;
  pins_.leave_ends(mm.id, range);
  memory_.unmap_end(mm.id, range);
}

void Watcher::move_begin(const Mm& mm, VirtRange from, VirtAddr to) {
  const Unseen unseen;
  memory_.move_begin(mm.id, from, to);
  pins_.released(mm.id, from);
}
void Watcher::move_end(const Mm& mm, VirtRange from, VirtAddr to, bool ok) {
  const Unseen unseen;
  memory_.move_end(mm.id, from, to, ok);
}

void Watcher::rmap_added(const Page& page, const Vma& vma, VirtAddr addr) {
  const Unseen unseen;
  walks_.added(page.pfn, vma.vm_mm->id, addr);
}
void Watcher::rmap_removed(const Page& page, const Vma& vma, VirtAddr addr) {
  const Unseen unseen;
  walks_.removed(page.pfn, vma.vm_mm->id, addr);
}

void Watcher::rmap_moved(const Page& page, const Vma& vma, VirtAddr from, VirtAddr to) {
  const Unseen unseen;
  walks_.moved(page.pfn, vma.vm_mm->id, from, to);
}

// A walk is to show what was there when it began, so it must not read what was before.
void Watcher::walk_begin(const Page& page) {
  const Unseen unseen;
  weak_barrier(std::memory_order_acquire);
  walks_.walk_begin(page.pfn);
}
void Watcher::walk_shown(const Page& page, const Vma& vma, VirtAddr addr) {
  const Unseen unseen;
  walks_.walk_shown(page.pfn, vma.vm_mm->id, addr);
}
void Watcher::walk_end(const Page& page, bool stopped) {
  const Unseen unseen;
  walks_.walk_end(page.pfn, stopped);
}

void Watcher::accessed(const Mm& mm, VirtAddr addr, UserAccess access,
                       std::uint64_t value, std::uint64_t before) {
  const Unseen unseen;
  memory_.accessed(mm.id, addr, access, value, before);
}

void Watcher::discard_begin(const Mm& mm, VirtRange range, bool lazily) {
  const Unseen unseen;
  memory_.discard_begin(mm.id, range, lazily);
  pins_.release_begins(mm.id, range);
}
void Watcher::discard_end(const Mm& mm, VirtRange range, bool lazily) {
  const Unseen unseen;
  memory_.discard_end(mm.id, range, lazily);
  pins_.release_ends(mm.id, range);
}

void Watcher::file_accessed(const AddressSpace& file, std::uint64_t index,
                            std::uint64_t word, UserAccess access,
                            std::uint64_t value) {
  const Unseen unseen;
  memory_.file_accessed(file, (index << kPageShift) + word * sizeof word, access,
                        value);
}
void Watcher::file_zeroed(const AddressSpace& file, std::uint64_t first,
                          std::uint64_t end) {
  const Unseen unseen;
  memory_.file_zeroed(file, first, end);
}
void Watcher::file_truncated(const AddressSpace& file, std::uint64_t first) {
  const Unseen unseen;
  memory_.file_truncated(file, first);
}

void Watcher::file_truncate_begin(const AddressSpace& file, std::uint64_t first) {
  const Unseen unseen;
  memory_.file_truncate_begin(file, first);
}
// A page of a file, or a copy of one, goes when the file is truncated.
void Watcher::pinned_to_write(const Page& page, const Vma& vma, VirtAddr addr) {
  const Unseen unseen;
  if (vma.vm_file == nullptr) pins_.pinned(page.pfn, vma.vm_mm->id, addr);
}
void Watcher::unpinned(const Page& page, std::uint32_t mm_id) {
  const Unseen unseen;
  pins_.unpinned(page.pfn, mm_id);
}
void Watcher::device_accessed(Machine& m, const DeviceAccess& access) {
  const Unseen unseen;
  check_write_pins(pins_, walks_, m, access);
  note_device_access(memory_, walks_, pins_, m, access);
}

void Watcher::migration_entry_added(Pfn pfn, const Mm& mm, VirtAddr addr) {
  const Unseen unseen;
  migrations_.added(pfn, mm.id, addr);
}
void Watcher::migration_entry_removed(Pfn pfn, const Mm& mm, VirtAddr addr) {
  const Unseen unseen;
  migrations_.removed(pfn, mm.id, addr);
}
void Watcher::migration_ended(Pfn pfn) {
  const Unseen unseen;
  migrations_.ended(pfn);
}

}  // namespace racier::check
