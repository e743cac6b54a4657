// core/mm/mmap.cc - maps files and anonymous memory.
// Tested by mmap_test.cc.
#include "core/mm/mmap.h"

#include "core/mm/filemap.h"
#include "core/mm/munmap.h"
#include "core/mm/unmapped_area.h"
#include "core/mm/vma_cache.h"
#include "core/mm/vma_link.h"

namespace racier {
namespace {

bool is_valid(const MmapRequest& request) {
  constexpr std::uint64_t kPages = kUserEnd >> kPageShift;
  return request.pages != 0 && request.pages <= kPages &&
         request.addr % kPageSize == 0 &&
         request.addr <= kUserEnd - (request.pages << kPageShift) &&
         request.pgoff <= ~0ull - request.pages;
}

// Makes room at the address that is asked for, or finds one; kNoMemory: there is none.
Result<VirtAddr> make_room(Machine& m, Mm& mm, const MmapRequest& request)
    REQUIRES(mm.mmap_sem) {
  const std::uint64_t size = request.pages << kPageShift;
  if (request.addr != 0) {
    const Status status = do_munmap_locked(m, mm, {request.addr, request.addr + size});
    if (status != Status::kOk) return status;
    return request.addr;
  }
  const VirtAddr addr = get_unmapped_area(mm, size);
  if (addr == 0) return Status::kNoMemory;
  return addr;
}

}  // namespace

Result<VirtAddr> do_mmap(Machine& m, Mm& mm, const MmapRequest& request) {
  if (!is_valid(request)) return Status::kInvalid;
  const MmapWriteGuard guard(m, mm);
  const Result<VirtAddr> addr = make_room(m, mm, request);
  if (!addr) return addr;
  NewVma what{{*addr, *addr + (request.pages << kPageShift)}, request.vm_flags};
  if (request.file != nullptr) {
    what.file = request.file;
    what.pgoff = request.pgoff;
    what.file->count.inc();
  } else if ((request.vm_flags & kVmShared) != 0) {
    what.file = m.create_shmem(request.pages);
    if (what.file == nullptr) return Status::kNoMemory;
  }
  const Status status = map_new_vma(m, mm, what);
  if (status == Status::kOk) return addr;
  if (what.file != nullptr) fput(m, *what.file);
  return status;
}

}  // namespace racier
