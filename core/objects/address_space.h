// core/objects/address_space.h - the pages of a file that are in memory, and who maps
// it.
#pragma once
#include <cstdint>
#include <memory>

#include "core/base/types.h"
#include "core/memory/page_store.h"
#include "core/memory/pte.h"
#include "core/objects/lock_classes.h"
#include "core/objects/page.h"
#include "core/objects/vma.h"
#include "core/sync/mutex.h"
#include "core/sync/ref_count.h"
#include "core/sync/spin_lock.h"

namespace racier {

// One slot of a page cache: a page, or (shared anonymous memory) where it was swapped
// to.
struct CacheSlot {
  Page* page = nullptr;
  SwapEntry swap;
};

// Kernel: struct address_space with what we need of its inode.  Three kinds: a file of
// the machine; shared anonymous memory (`shmem`, an unnamed file whose backing store is
// swap); the swap cache (`swapper`, indexed by swap slot).
struct AddressSpace {
  AddressSpace(int id, std::uint64_t pages, bool shmem)
      : id(id), shmem(shmem), size(pages), i_size(pages), slots(new CacheSlot[pages]) {}

  // Makes it as new, without looking at pages and vmas.  Context: no task is running.
  void reset();

  int id;      // number of the file; names the content that its pages start with
  bool shmem;  // pages start as zeroes and are swap-backed
  const std::uint64_t size;  // slots: as many pages as it can ever have
  // Pages that it has; an access behind them is SIGBUS.  Changed under i_sem.
  Atomic<std::uint64_t> i_size;
  // One reference for each vma that maps it, and one for the machine's table of files.
  RefCount count{1};

  // Keeps those apart who write to the file, or change its size.
  Mutex i_sem{lock_class::kISem};

  SpinLock tree_lock{lock_class::kTreeLock};
  std::unique_ptr<CacheSlot[]> slots GUARDED_BY(tree_lock);  // by page index
  std::uint64_t nrpages GUARDED_BY(tree_lock) = 0;           // slots with a page
  std::uint64_t nrswapped GUARDED_BY(tree_lock) = 0;         // slots with an entry

  SpinLock i_mmap_lock{lock_class::kIMmapLock};
  IMmapTree i_mmap GUARDED_BY(i_mmap_lock);

  // Where a file's content is when it is not in memory; null: as the file started.
  // What was never written back there is what the file starts with.
  PageStore* store = nullptr;
  std::uint32_t store_first = 0;  // the slot of its first page

  // Each without a step: what a disk does.
  void read_store(std::uint64_t index, std::byte* frame) const;
  void write_store(std::uint64_t index, const std::byte* frame);
  void clear_store(std::uint64_t index);
  std::uint64_t stored_word(std::uint64_t index, std::uint64_t word) const;

 private:
  std::uint32_t slot_of(std::uint64_t index) const {
    return store_first + static_cast<std::uint32_t>(index);
  }
  bool is_stored(std::uint64_t index) const {
    return store != nullptr && store->is_written(slot_of(index));
  }
};

// Returns word `word` (0 to 511) that page `index` of file `id` starts with: different
// for every place, and never what a program writes.
std::uint64_t file_word(int id, std::uint64_t index, std::uint64_t word);

}  // namespace racier
