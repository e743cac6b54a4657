// core/check/checks.h - the parts of an audit.  For this room only.
//
// Each reports the first thing that it finds wrong.  They build on each other in the
// order in which they stand here: a later one relies on what an earlier one has checked
// or counted.
// Context of all: quiescence, which stands in for all locks.
#pragma once
#include <cstddef>
#include <span>
#include <string>

#include "core/base/invariant.h"
#include "core/check/auditor.h"
#include "core/check/brute_force.h"

namespace racier::check {

// What an Auditor keeps from audit to audit.
struct Auditor::Buffers {
  BruteForce found;
  alignas(8) std::byte slot_page[kPageSize];  // room for the content of a slot
};

// One audit.
struct Audit {
  Machine& m;
  BruteForce& found;
  const Expected& expected;
  const Watcher* watcher;  // may be null
  std::byte* slot_page;    // room for the content of a slot of a disk
};

void check_locks(const Audit& audit);  // L1
void check_vmas(const Audit& audit);   // V1
// The page tables are read here: BruteForce::scan()
void check_ptes_inside_vmas(const Audit& audit);  // V2
void check_vma_lookup(const Audit& audit);        // V1
void check_pages_of_vmas(const Audit& audit);     // R3
void check_i_mmap(const Audit& audit);            // R6
void check_reverse_map(const Audit& audit);       // R1, R2, C6, C7
void check_permissions(const Audit& audit);       // V3
void check_caches(const Audit& audit);            // M1, D2; counts what caches hold
void check_lru(const Audit& audit);               // M2
void check_pages(const Audit& audit);             // C1, C2
void check_swap(const Audit& audit);              // C3
void check_mms(const Audit& audit);               // C4, C5
void check_tasks(const Audit& audit);             // C5
void check_mmlist(const Audit& audit);            // V4
void check_tlb(const Audit& audit);               // T1
void check_secondary(const Audit& audit);         // T2
void check_memory(const Audit& audit);            // D1

void check_leaks(Machine& machine);  // L2

// "what: is 3, should be 2"
std::string differs(const std::string& what, std::int64_t is, std::int64_t should_be);

}  // namespace racier::check
