// core/mm/vma_cache.h - vmas that are found and used without mmap_sem.
//
// With lookup=kamezawa the page of each table of ptes knows the vma of the last fault
// in its range.  A fault finds it there under RCU alone, counts itself among its users,
// and then looks whether anybody has begun to change vmas.  Who changes one takes it
// out of the caches and waits for its users; nobody can become one until he lets go of
// mmap_sem.  With lookup=per_vma all of this is what core/mm/vma_lock.h does, and with
// any other lookup= nothing.
//
// Mail: [RFC 3/4] lockless vma caching, KAMEZAWA Hiroyuki, December 2009.  What it
// lacked is in the list of bugs: B16, B17, B19, B20, B21, B81.
#pragma once
#include <source_location>

#include "core/objects/machine.h"

namespace racier {

// Holds mmap_sem for writing for a scope; who looks for a vma without it is told.
// Kernel: mm_write_lock() of the series; mmap_write_lock() and vm_lock_seq today.
class SCOPED_CAPABILITY MmapWriteGuard {
  using Where = std::source_location;

 public:
  MmapWriteGuard(const Machine& m, Mm& mm, Where where = Where::current())
      ACQUIRE(mm.mmap_sem)
      : MmapWriteGuard(m, mm, 0, where) {}
  // `nest`: of an mm that nobody else has yet, inside of another one's.
  MmapWriteGuard(const Machine& m, Mm& mm, int nest, Where where = Where::current())
      ACQUIRE(mm.mmap_sem);
  ~MmapWriteGuard() noexcept(false) RELEASE();
  // Holds it for reading from now on: vmas stay as they are.  (The analysis goes on
  // believing in the writer.)
  void downgrade(Where where = Where::current());
  MmapWriteGuard(const MmapWriteGuard&) = delete;
  MmapWriteGuard& operator=(const MmapWriteGuard&) = delete;

 private:
  void end_changes();

  Mm& mm_;
  bool versions_;  // vma_version has to be made even
  WriteGuard guard_;
};

// Returns the vma that `addr` is in, if it is cached (or just found) and may have
// anonymous pages, and nobody changes vmas of `mm` (or that one); else nullptr.  It
// stays as it is, and so do the tables of its ptes, until vma_release(). Context: a
// user reference of `mm` is held, and no mmap_sem: who has it may wait.
Vma* lookup_vma_cache(Machine& m, Mm& mm, VirtAddr addr);
// Lets go of a vma that lookup_vma_cache() has returned.
void vma_release(Machine& m, Vma& vma);

// Remembers that `addr`, whose table exists, is in `vma`.
// Context: the lock of its pte is held; and mmap_sem, or the caller uses the vma.
void update_vma_cache(Machine& m, Vma& vma, VirtAddr addr)
    REQUIRES(vma.vm_mm->page_table_lock);

// Makes sure that nobody uses `vma` without mmap_sem before that is let go of.
// Context: may sleep; mmap_sem held (write).  Kernel: invalidate_vma_cache_range(),
// wait_vmas_cache_access() of the series; vma_start_write() today.
void vma_start_write(Machine& m, Vma& vma,
                     std::source_location where = std::source_location::current());
// Likewise of all vmas that overlap `range`.
void vmas_start_write(Machine& m, Mm& mm, VirtRange range,
                      std::source_location where = std::source_location::current())
    REQUIRES(mm.mmap_sem);

// A finding unless `vma` stays as it is: mmap_sem is held, or somebody uses it without.
void assert_vma_stays(const Vma& vma,
                      std::source_location where = std::source_location::current())
    __attribute__((assert_shared_capability(vma.vm_mm->mmap_sem)));

// Returns a new vma that is in no tree, or nullptr.
Vma* alloc_vma_struct(Machine& m);
// Lets a new vma, complete, be used by who finds it without mmap_sem.
// Context: mmap_sem held (write).
void vma_attach(Machine& m, Vma& vma);
// Keeps a vma that is about to leave the tree from those who have found it there.
// Context: may sleep; vma_start_write() was called, or the mm has no user.
void vma_detach(const Machine& m, Vma& vma);

// Frees the memory of a vma that nobody finds any more; behind a grace period, if vmas
// are looked up under RCU and are not type-stable.  Context: any.
void free_vma_struct(Machine& m, Vma& vma);

}  // namespace racier
