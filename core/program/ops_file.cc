// core/program/ops_file.cc - ops that read, write and change files.
// Tested by corpus/programs.
#include "core/program/ops_file.h"

#include "core/mm/truncate.h"
#include "core/mm/writeback.h"

namespace racier::program::ops {

Outcome writeback(Run& run, FileRef file, PageCount pages) {
  AddressSpace* const mapping = run.file(file);
  if (mapping == nullptr) return Outcome::skipped();
  return Outcome::of_value(write_cache_pages(run.machine(), *mapping, 0, mapping->size,
                                             pages.value, WbSync::kAll));
}

Outcome truncate(Run& run, FileRef file, HeapPages pages) {
  AddressSpace* const mapping = run.file(file);
  if (mapping == nullptr) return Outcome::skipped();
  return Outcome::of(do_truncate(run.machine(), *mapping, pages.value));
}

Outcome punch_hole(Run& run, FileRef file, PageNo page, PageCount pages) {
  AddressSpace* const mapping = run.file(file);
  if (mapping == nullptr) return Outcome::skipped();
  do_punch_hole(run.machine(), *mapping, page.value, pages.value);
  return Outcome::of(Status::kOk);
}

Outcome file_write(Run& run, FileRef file, PageNo page, WordNo word) {
  AddressSpace* const mapping = run.file(file);
  if (mapping == nullptr) return Outcome::skipped();
  const std::uint64_t value = run.store_value_of(0);
  const Status status =
      do_file_write(run.machine(), *mapping, page.value, word.value, value);
  return status == Status::kOk ? Outcome::of_value(value) : Outcome::of(status);
}

Outcome file_read(Run& run, FileRef file, PageNo page, WordNo word) {
  AddressSpace* const mapping = run.file(file);
  if (mapping == nullptr) return Outcome::skipped();
  const Result<std::uint64_t> value =
      do_file_read(run.machine(), *mapping, page.value, word.value);
  return value ? Outcome::of_value(*value) : Outcome::of(value.status());
}

Outcome msync(Run& run, ProcessRef process, PageInMapping place, PageCount pages,
              Waiting waiting) {
  return run.in(process, [&](Mm& mm) {
    const auto addr = place.address(run, mm);
    if (!addr) return Outcome::skipped();
    const VirtRange range{*addr, *addr + (pages.value << kPageShift)};
    return Outcome::of(do_msync(run.machine(), mm, range,
                                waiting.waits() ? WbSync::kAll : WbSync::kNone));
  });
}

}  // namespace racier::program::ops
