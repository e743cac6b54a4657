// core/mm/gup.h - get_user_pages: the pages behind user addresses, for others to use.
//
// Kernel: mm/memory.c get_user_pages(), kernel/ptrace.c access_process_vm(), v2.6.9; a
// write goes on being one when it is tried again (2.6.13).
#pragma once
#include "core/base/status.h"
#include "core/objects/machine.h"

namespace racier {

// A page with the reference that get_user_page() took.  It may leave the address space
// meanwhile, but is not freed, and not moved.
struct PinnedPage {
  Page* page = nullptr;
  std::uint32_t mm_id = 0;         // whose it was
  std::uint32_t newest_mm_id = 0;  // that existed then
  bool write = false;              // it may be written
};

enum class Gup : std::uint8_t {
  kRead,
  kWrite,
  kForceRead,  // also where the vma forbids it: for a debugger
};

// Whose pages.  Kernel: FOLL_ANON.
enum class GupVmas : std::uint8_t {
  kAny,
  kAnon,  // of vmas without a file only
};

// Pins the page at `addr`, faulting it in as an access would, and making it the mm's
// own before a write.
// Errors: kFault (no vma, one that forbids it, or none of `vmas`), kBusError,
// kNoMemory. Context: may sleep; mmap_sem not held.
Result<PinnedPage> get_user_page(Machine& m, Mm& mm, VirtAddr addr, Gup gup,
                                 GupVmas vmas = GupVmas::kAny);
// Lets go of it.  Context: any.
void put_user_page(Machine& m, const PinnedPage& pinned);

// Load and store the word at `offset` of a pinned page, as a device does; a store marks
// the page dirty afterwards.
// Context: a store may sleep.
std::uint64_t load_pinned(Machine& m, const PinnedPage& pinned, std::uint64_t offset);
void store_pinned(Machine& m, const PinnedPage& pinned, std::uint64_t offset,
                  std::uint64_t value);

// Loads the word at `addr` of another process, or stores `value` there.
// Errors: as get_user_page().  Context: may sleep; mmap_sem not held.
Result<std::uint64_t> read_process_vm(Machine& m, Mm& mm, VirtAddr addr);
Status write_process_vm(Machine& m, Mm& mm, VirtAddr addr, std::uint64_t value);

}  // namespace racier
