// core/mm/truncate.h - files that shrink, grow, and get holes; reads and writes of
// them.
//
// Kernel: mm/truncate.c and vmtruncate() of mm/memory.c, v2.6.24; holes are those of
// fallocate(), 2.6.38.
#pragma once
#include "core/base/status.h"
#include "core/objects/machine.h"

namespace racier {

// Does unmapping take the copies of private mappings, too?
enum class EvenCows : bool { kNo, kYes };

// Takes the pages [first, end) of `mapping` away from everybody who maps them.
// Context: any but atomic; the page lock of a page in the range may be held.
void unmap_mapping_range(Machine& m, AddressSpace& mapping, std::uint64_t first,
                         std::uint64_t end, EvenCows even_cows);

// Makes the file `pages` long.  What is cut off is gone, and what is added is zeroes.
// Errors: kInvalid (longer than it can become).  Context: may sleep.
Status do_truncate(Machine& m, AddressSpace& mapping, std::uint64_t pages);

// Makes pages of the file zeroes; copies of private mappings stay.  Behind the end
// there is nothing to do.  Context: may sleep.
void do_punch_hole(Machine& m, AddressSpace& mapping, std::uint64_t first,
                   std::uint64_t pages);

// Writes a word of the file through the page cache; behind the end the file grows.
// Errors: kInvalid (it cannot become so long), kNoMemory.  Context: may sleep.
// Kernel: generic_file_write().
Status do_file_write(Machine& m, AddressSpace& mapping, std::uint64_t index,
                     std::uint64_t word, std::uint64_t value);

// Returns a word of the file; who reads the page in may still have it locked.
// Errors: kNoEntry (behind the end), kNoMemory.  Context: may sleep.
// Kernel: generic_file_read().
Result<std::uint64_t> do_file_read(Machine& m, AddressSpace& mapping,
                                   std::uint64_t index, std::uint64_t word);

}  // namespace racier
