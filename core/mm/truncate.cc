// core/mm/truncate.cc - takes pages out of files while others map and read them.
//
// The order: the new size; then everybody's ptes; then, page by page and under its
// lock, the page.  A fault locks the page that it has found, and looks whether it is
// still the file's and within its size: so what a fault maps behind our back is there
// to be unmapped when we get to the page, or is not mapped.
//
// Tested by truncate_test.cc and corpus/programs/truncate_*.racier.
#include "core/mm/truncate.h"

#include <algorithm>
#include <optional>

#include "core/base/mark.h"
#include "core/mm/filemap.h"
#include "core/mm/mmap.h"
#include "core/mm/page_alloc.h"
#include "core/mm/writeback.h"
#include "core/sync/sites.h"

namespace racier {
namespace {

bool is_of(const Page& page, const AddressSpace& mapping) {
  return page.mapping.load() == reinterpret_cast<std::uintptr_t>(&mapping);
}

// Makes `end` - `first` pages, none of which is in the cache, zeroes on disk.
void zero_pages(Machine& m, AddressSpace& mapping, std::uint64_t first,
                std::uint64_t end) REQUIRES(mapping.tree_lock) {
  for (std::uint64_t index = first; index < end; ++index) mapping.clear_store(index);
  if (first < end) m.tracepoints->file_zeroed(mapping, first, end);
}

// Zeroes the pages from `index` on that are not in the cache.  Returns the first one
// that is, with a reference, and moves `index` there; or nullptr.
// Nobody brings a page in meanwhile: that takes tree_lock, and comes before the read.
Page* zero_up_to_cached(Machine& m, AddressSpace& mapping, std::uint64_t& index,
                        std::uint64_t end) {
  const SpinGuard guard(mapping.tree_lock);
  const std::uint64_t first = index;
  while (index < end && mapping.slots[index].page == nullptr) ++index;
  zero_pages(m, mapping, first, index);
  if (index == end) return nullptr;
  Page* const page = mapping.slots[index].page;
  get_page(*page);
  return page;
}

// Takes the locked page out of the file.  Kernel: truncate_complete_page().
void truncate_complete_page(Machine& m, AddressSpace& mapping, Page& page) {
  const std::uint64_t index = page.index.load(std::memory_order_relaxed);
  wait_on_page_writeback(m, page);
  if (page.is_mapped()) {
    mark::hit(Mark::kTruncateFoundMapped);
    unmap_mapping_range(m, mapping, index, index + 1, EvenCows::kNo);
  }
  page.clear(PageFlag::kDirty);
  {
    const SpinGuard guard(mapping.tree_lock);
    take_from_page_cache(mapping, page);
    zero_pages(m, mapping, index, index + 1);
  }
  put_page(m, page);
}

// Makes pages of the file zeroes, on disk and in the cache.
void truncate_inode_pages_range(Machine& m, AddressSpace& mapping, std::uint64_t first,
                                std::uint64_t end) {
  for (std::uint64_t index = first; index < end;) {
    Page* const page = zero_up_to_cached(m, mapping, index, end);
    if (page == nullptr) return;
    lock_page(m, *page);
    // Reclaim may have been faster.
    if (still(is_of(*page, mapping))) truncate_complete_page(m, mapping, *page);
    unlock_page(m, *page);
    put_page(m, *page);
  }
}

// Returns the page at `index`, locked and uptodate, with a reference; i_sem keeps it
// within the file.
Result<Page*> grab_cache_page(Machine& m, AddressSpace& mapping, std::uint64_t index) {
  for (;;) {
    const Result<Page*> found = read_cache_page(m, mapping, index);
    if (!found) return found;
    lock_page(m, **found);
    if (still(is_of(**found, mapping))) return found;
    unlock_page(m, **found);
    put_page(m, **found);
  }
}

std::byte* word_of(Machine& m, const Page& page, std::uint64_t word) {
  return m.frames.data(page.pfn) + word * sizeof(std::uint64_t);
}

// Reads a word of `page`, unless it has left the file.
// Departs: the kernel holds no lock, and may return what was thrown away meanwhile.
std::optional<std::uint64_t> read_word(Machine& m, AddressSpace& mapping,
                                       const Page& page, std::uint64_t index,
                                       std::uint64_t word) {
  const SpinGuard guard(mapping.tree_lock);
  if (!still(mapping.slots[index].page == &page)) return std::nullopt;
  const std::uint64_t value = load_user_word(word_of(m, page, word));
  m.tracepoints->file_accessed(mapping, index, word, UserAccess::kRead, value);
  return value;
}

}  // namespace

void unmap_mapping_range(Machine& m, AddressSpace& mapping, std::uint64_t first,
                         std::uint64_t end, EvenCows even_cows) {
  if (first >= end) return;
  const AddressSpace* const only = even_cows == EvenCows::kYes ? nullptr : &mapping;
  const SpinGuard guard(mapping.i_mmap_lock);
  for (Vma* vma = mapping.i_mmap.first(first, end - 1); vma != nullptr;
       vma = IMmapTree::next(*vma, first, end - 1)) {
    const std::uint64_t from = std::max(first, vma->vm_pgoff);
    const std::uint64_t to = std::min(end, vma->vm_pgoff + vma->pages());
    zap_page_range(m, *vma,
                   {vma_address(*vma, from),
                    vma_address(*vma, from) + ((to - from) << kPageShift)},
                   only);
  }
}

Status do_truncate(Machine& m, AddressSpace& mapping, std::uint64_t pages) {
  if (pages > mapping.size) return Status::kInvalid;
  const MutexGuard guard(mapping.i_sem);
  mapping.i_size.store(pages);
  m.tracepoints->file_truncate_begin(mapping, pages);
  unmap_mapping_range(m, mapping, pages, mapping.size, EvenCows::kYes);
  truncate_inode_pages_range(m, mapping, pages, mapping.size);
  // A fault that was on its way may have mapped a page before we came to it, and a
  // write may have copied it.
  unmap_mapping_range(m, mapping, pages, mapping.size, EvenCows::kYes);
  m.tracepoints->file_truncated(mapping, pages);
  return Status::kOk;
}

void do_punch_hole(Machine& m, AddressSpace& mapping, std::uint64_t first,
                   std::uint64_t pages) {
  const std::uint64_t end = std::min(first + pages, mapping.size);
  const MutexGuard guard(mapping.i_sem);
  unmap_mapping_range(m, mapping, first, end, EvenCows::kNo);
  truncate_inode_pages_range(m, mapping, first, end);
}

Status do_file_write(Machine& m, AddressSpace& mapping, std::uint64_t index,
                     std::uint64_t word, std::uint64_t value) {
  if (index >= mapping.size) return Status::kInvalid;
  const MutexGuard guard(mapping.i_sem);
  const Result<Page*> grabbed = grab_cache_page(m, mapping, index);
  if (!grabbed) return grabbed.status();
  Page& page = **grabbed;
  store_user_word(word_of(m, page, word), value);
  m.tracepoints->file_accessed(mapping, index, word, UserAccess::kWrite, value);
  page.set(PageFlag::kDirty);
  if (index >= mapping.i_size.load()) mapping.i_size.store(index + 1);
  unlock_page(m, page);
  put_page(m, page);
  return Status::kOk;
}

Result<std::uint64_t> do_file_read(Machine& m, AddressSpace& mapping,
                                   std::uint64_t index, std::uint64_t word) {
  for (;;) {
    const Result<Page*> found = filemap_nopage(m, mapping, index);
    if (found.status() == Status::kBusError) return Status::kNoEntry;
    if (!found) return found.status();
    Page& page = **found;
    const std::optional<std::uint64_t> value = read_word(m, mapping, page, index, word);
    put_page(m, page);
    if (value) return *value;
  }
}

}  // namespace racier
