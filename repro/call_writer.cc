// repro/call_writer.cc - writes calls.  Tested by translate_test.cc.
#include "repro/call_writer.h"

#include <algorithm>

#include "core/base/require.h"
#include "core/memory/mmu.h"

namespace racier::repro {

void CallWriter::add(std::string_view op, Arguments arguments) {
  const auto index = program::find_op(op);
  require(index.has_value(), "import writes ops that there are");
  program::Call call;
  call.op = *index;
  std::copy(arguments.begin(), arguments.end(), call.arguments.begin());
  call.expected = program::Expected{.what = program::Expected::What::kStatus};
  calls_.push_back(std::move(call));
  lines_.push_back(line_);
}

std::uint64_t CallWriter::define(std::string_view op, Arguments arguments) {
  add(op, arguments);
  return processes_++;
}

std::uint64_t CallWriter::file_number(const std::string& name) {
  const auto [found, fresh] = file_numbers_.try_emplace(name, files_.size());
  if (fresh) files_.push_back(name);
  return found->second;
}

void CallWriter::map(std::uint64_t process, const Area& area) {
  const VirtAddr start = area.range.start;
  const std::uint64_t pages = area.range.pages();
  if (area.is_anonymous()) {
    add("mmap_at", {process, start, pages, area.access, area.shared ? 1u : 0u});
    return;
  }
  file_pages_max_ = std::max(file_pages_max_, area.pgoff + pages);
  add(area.shared ? "mmap_file_shared_at" : "mmap_file_at",
      {process, start, pages, area.access, file_number(area.file), area.pgoff});
}

void CallWriter::resize(std::uint64_t process, VirtRange range, std::uint64_t pages) {
  constexpr std::uint64_t kInPlace = 0;  // program::Moving
  add("mremap_at", {process, range.start, range.pages(), pages, kInPlace});
}

void CallWriter::move(std::uint64_t process, VirtRange from, VirtRange to) {
  add("mremap_over_at", {process, from.start, from.pages(), to.pages(), to.start});
}

void CallWriter::unmap(std::uint64_t process, VirtRange range) {
  add("munmap_at", {process, range.start, range.pages()});
}

void CallWriter::protect(std::uint64_t process, VirtRange range, std::uint32_t access) {
  add("mprotect_at", {process, range.start, range.pages(), access});
}

void CallWriter::put_heap(std::uint64_t process, VirtAddr start) {
  add("heap_at", {process, start});
}

void CallWriter::set_brk(std::uint64_t process, VirtAddr end) {
  add("brk_at", {process, end});
}

void CallWriter::access(std::uint64_t process, VirtAddr addr, std::uint32_t error_code,
                        Fault fault, std::string note) {
  const bool write = (error_code & PageFault::kWrite) != 0;
  const bool fetch = (error_code & PageFault::kExecute) != 0;
  constexpr VirtAddr kWord = sizeof(std::uint64_t);
  add(write   ? "write_at"
      : fetch ? "fetch_at"
              : "read_at",
      {process, addr & ~(kWord - 1)});
  program::Call& call = calls_.back();
  call.expected->fault = fault;
  // Racier's accesses are always those of user code.
  if (fault == Fault::kCode) call.expected->error_code = error_code | PageFault::kUser;
  call.note = std::move(note);
}

}  // namespace racier::repro
