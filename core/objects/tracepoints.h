// core/objects/tracepoints.h - what the verbs tell whoever watches.
//
// Called at the moment when the event becomes true for users, under the locks that make
// it so; an implementation takes no lock of the simulated kernel and makes no step.
#pragma once
#include <cstdint>

#include "core/base/types.h"
#include "core/memory/mmu.h"

namespace racier {

class Machine;
struct AddressSpace;
struct Mm;
struct Page;
struct Vma;

// An access to a page through the direct map, by whoever holds a reference that
// get_user_pages() took for `mm_id`.
struct DeviceAccess {
  const Page& page;
  std::uint64_t offset;  // of the word, in the page
  bool write;
  std::uint64_t value;
  std::uint32_t mm_id;
  std::uint32_t newest_mm_id;  // that existed when the reference was taken
};

class Tracepoints {
 public:
  virtual ~Tracepoints() = default;

  virtual void mm_created(const Mm&) {}
  // All of its memory is gone.
  virtual void mm_exited(const Mm&) {}
  // `parent` is being copied to `child`; until the end, stores to the parent through
  // stale translations may or may not reach the child.  Under mmap_sem of the parent
  // (write).
  virtual void fork_begin(const Mm& /*parent*/, const Mm& /*child*/) {}
  virtual void fork_end(const Mm& /*parent*/, const Mm& /*child*/, bool /*ok*/) {}
  // `vma` is mapped now, and empty.  Under mmap_sem (write).
  virtual void mapped(const Vma&) {}
  // `range` of `mm` is about to lose its pages, until the end.  Under mmap_sem (write).
  virtual void unmap_begin(const Mm&, VirtRange) {}
  virtual void unmap_end(const Mm&, VirtRange) {}
  // What `from` holds is about to be what as many pages at `to`, mapped and empty, hold;
  // until the end each word may be reached at either place.  Not ok: it is where it
  // was.  Under mmap_sem (write).
  virtual void move_begin(const Mm&, VirtRange /*from*/, VirtAddr /*to*/) {}
  virtual void move_end(const Mm&, VirtRange /*from*/, VirtAddr /*to*/, bool /*ok*/) {}
  // The reverse map was told that a pte of `vma` at `addr` maps `page`, or maps it no
  // more.  Under page_table_lock.
  virtual void rmap_added(const Page&, const Vma&, VirtAddr) {}
  virtual void rmap_removed(const Page&, const Vma&, VirtAddr) {}
  // Likewise that the pte of the vma at `from` that maps `page` is at `to` now.
  virtual void rmap_moved(const Page&, const Vma&, VirtAddr /*from*/, VirtAddr /*to*/) {}
  // A walk over the mappings of `page` that must be complete: it began; it was shown a
  // candidate; it ended, of its own accord or because its visitor said stop.
  virtual void walk_begin(const Page&) {}
  virtual void walk_shown(const Page&, const Vma&, VirtAddr) {}
  virtual void walk_end(const Page&, bool /*stopped*/) {}
  // A user access was made: `value` was read, stored, or is the sum that was stored.
  // In the same step as the access.
  virtual void accessed(const Mm&, VirtAddr, UserAccess, std::uint64_t /*value*/,
                        std::uint64_t /*before*/) {}
  // Private memory of `range` is thrown away (madvise): between begin and end what was
  // there may go at any moment; then it is gone, or (`lazily`) goes on being so until
  // it is stored to.  Under mmap_sem.
  virtual void discard_begin(const Mm&, VirtRange, bool /*lazily*/) {}
  virtual void discard_end(const Mm&, VirtRange, bool /*lazily*/) {}
  // A word of page `index` of a file was read or written through the page cache.
  // Under the page lock, in the same step as the access.
  virtual void file_accessed(const AddressSpace&, std::uint64_t /*index*/,
                             std::uint64_t /*word*/, UserAccess,
                             std::uint64_t /*value*/) {}
  // The pages [first, end) of a file are zeroes from now on.  Under its tree_lock.
  virtual void file_zeroed(const AddressSpace&, std::uint64_t /*first*/,
                           std::uint64_t /*end*/) {}
  // The file has lost its pages from `first` on, and all private mappings their copies.
  // Under its i_sem.
  virtual void file_truncated(const AddressSpace&, std::uint64_t /*first*/) {}
  // It is about to, until then.
  virtual void file_truncate_begin(const AddressSpace&, std::uint64_t /*first*/) {}
  // A pte of `mm` at the address names frame `pfn` in a migration entry, or does no
  // more.  Under page_table_lock.
  virtual void migration_entry_added(Pfn, const Mm&, VirtAddr) {}
  virtual void migration_entry_removed(Pfn, const Mm&, VirtAddr) {}
  // No pte may name frame `pfn` in a migration entry any more.  Under the page lock.
  virtual void migration_ended(Pfn) {}
  // Somebody got the page that a vma has at an address, to write to it, and lets go of
  // one that he got of `mm_id`.  The first under mmap_sem.
  virtual void pinned_to_write(const Page&, const Vma&, VirtAddr) {}
  virtual void unpinned(const Page&, std::uint32_t /*mm_id*/) {}
  // In the same step as the access.
  virtual void device_accessed(Machine&, const DeviceAccess&) {}
};

}  // namespace racier
