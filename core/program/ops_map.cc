// core/program/ops_map.cc - ops that change what is mapped where.
// Tested by corpus/programs.
#include "core/program/ops_map.h"

#include "core/mm/mmap.h"

namespace racier::program::ops {
namespace {

VirtRange range_of(VirtAddr start, PageCount pages) {
  return {start, start + (pages.value << kPageShift)};
}

std::uint32_t flags_of(Protection protection) {
  return static_cast<std::uint32_t>(protection.value);
}

Outcome map(Run& run, NewMapping result, Mm& mm, const MmapRequest& request) {
  const Result<VirtAddr> start = do_mmap(run.machine(), mm, request);
  if (!start) return Outcome::of(start.status());
  run.define(result, range_of(*start, {request.pages}));
  return Outcome::of_value(*start);
}

// As map(), of a file; skipped if there is none.
template <typename Place>
Outcome map_file(Run& run, NewMapping result, ProcessRef process, Place place,
                 MmapRequest request) {
  return run.in(process, [&](Mm& mm) {
    const auto addr = place.address(run, mm);
    if (!addr || request.file == nullptr) return Outcome::skipped();
    request.addr = *addr;
    return map(run, result, mm, request);
  });
}

}  // namespace

template <typename Place>
Outcome mmap(Run& run, NewMapping result, ProcessRef process, Place place,
             PageCount pages, Protection protection, Sharing sharing) {
  return run.in(process, [&](Mm& mm) {
    const auto addr = place.address(run, mm);
    if (!addr) return Outcome::skipped();
    const std::uint32_t shared = sharing.shared() ? kVmShared : 0;
    return map(run, result, mm,
               {.addr = *addr,
                .pages = pages.value,
                .vm_flags = flags_of(protection) | shared});
  });
}

template <typename Place>
Outcome mmap_file(Run& run, NewMapping result, ProcessRef process, Place place,
                  PageCount pages, Protection protection, FileRef file,
                  PageNo file_page) {
  return map_file(run, result, process, place,
                  {.pages = pages.value,
                   .vm_flags = flags_of(protection),
                   .file = run.file(file),
                   .pgoff = file_page.value});
}

template <typename Place>
Outcome mmap_file_shared(Run& run, NewMapping result, ProcessRef process, Place place,
                         PageCount pages, Protection protection, FileRef file,
                         PageNo file_page) {
  return map_file(run, result, process, place,
                  {.pages = pages.value,
                   .vm_flags = flags_of(protection) | kVmShared,
                   .file = run.file(file),
                   .pgoff = file_page.value});
}

template <typename Place>
Outcome munmap(Run& run, ProcessRef process, Place place, PageCount pages) {
  return run.in(process, [&](Mm& mm) {
    const auto addr = place.address(run, mm);
    if (!addr) return Outcome::skipped();
    return Outcome::of(do_munmap(run.machine(), mm, range_of(*addr, pages)));
  });
}

template <typename Place>
Outcome mprotect(Run& run, ProcessRef process, Place place, PageCount pages,
                 Protection protection) {
  return run.in(process, [&](Mm& mm) {
    const auto addr = place.address(run, mm);
    if (!addr) return Outcome::skipped();
    return Outcome::of(
        do_mprotect(run.machine(), mm, range_of(*addr, pages), flags_of(protection)));
  });
}

template <typename End>
Outcome brk(Run& run, NewMapping result, ProcessRef process, End end) {
  return run.in(process, [&](Mm& mm) {
    const VirtAddr wanted = *end.address(run, mm);
    const VirtAddr got = do_brk(run.machine(), mm, wanted);
    run.define(result, {heap_start(mm), page_ceil(got)});
    return got == wanted ? Outcome::of_value(got) : Outcome::of(Status::kNoMemory);
  });
}

Outcome heap_at(Run& run, ProcessRef process, PageAddr start) {
  return run.in(process, [&](Mm& mm) {
    const WriteGuard guard(mm.mmap_sem);
    if (mm.brk != mm.start_brk) return Outcome::of(Status::kBusy);
    mm.start_brk = mm.brk = start.value;
    return Outcome::of(Status::kOk);
  });
}

template Outcome mmap(Run&, NewMapping, ProcessRef, Anywhere, PageCount, Protection,
                      Sharing);
template Outcome mmap(Run&, NewMapping, ProcessRef, PageInMapping, PageCount,
                      Protection, Sharing);
template Outcome mmap(Run&, NewMapping, ProcessRef, PageAt, PageCount, Protection,
                      Sharing);
template Outcome mmap_file(Run&, NewMapping, ProcessRef, Anywhere, PageCount,
                           Protection, FileRef, PageNo);
template Outcome mmap_file(Run&, NewMapping, ProcessRef, PageAt, PageCount, Protection,
                           FileRef, PageNo);
template Outcome mmap_file_shared(Run&, NewMapping, ProcessRef, Anywhere, PageCount,
                                  Protection, FileRef, PageNo);
template Outcome mmap_file_shared(Run&, NewMapping, ProcessRef, PageAt, PageCount,
                                  Protection, FileRef, PageNo);
template Outcome munmap(Run&, ProcessRef, PageInMapping, PageCount);
template Outcome munmap(Run&, ProcessRef, PageAt, PageCount);
template Outcome mprotect(Run&, ProcessRef, PageInMapping, PageCount, Protection);
template Outcome mprotect(Run&, ProcessRef, PageAt, PageCount, Protection);
template Outcome brk(Run&, NewMapping, ProcessRef, HeapEnd);
template Outcome brk(Run&, NewMapping, ProcessRef, PageAt);

}  // namespace racier::program::ops
