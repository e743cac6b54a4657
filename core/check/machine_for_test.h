// core/check/machine_for_test.h - a machine with watcher and auditor, in few words.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/invariant.h"
#include "core/base/require.h"
#include "core/check/auditor.h"
#include "core/check/brute_force.h"
#include "core/mm/boot.h"
#include "core/mm/fault.h"
#include "core/mm/fork.h"
#include "core/mm/mmap.h"
#include "core/mm/page_alloc.h"
#include "core/mm/reclaim.h"
#include "core/mm/swap.h"
#include "core/objects/page_table.h"
#include "core/runtime/run_alone.h"

namespace racier::check {

// Returns what `body`, which is no task, finds in `run`.
inline std::optional<Finding> finding_of(RunState& run, FunctionRef<void()> body) {
  RunState* const before = set_current_run(&run);
  try {
    body();
  } catch (const RunOver&) {
  }
  set_current_run(before);
  return run.finding();
}
inline std::optional<Finding> finding_of(FunctionRef<void()> body) {
  RunState run;
  return finding_of(run, body);
}

// Returns the name of the invariant that was broken: "" is none.
inline std::string name_of(const std::optional<Finding>& finding) {
  if (!finding) return "";
  for (const inv::Row& row : inv::rows()) {
    if (finding->title == row.sentence) return row.name;
  }
  return finding->signature();
}

inline const char* name_of(Inv inv) { return inv::row(inv).name; }

// A value that no one else stores.
constexpr std::uint64_t tag(std::uint32_t mm_id, std::uint32_t call) {
  return (std::uint64_t{mm_id} << 40) | call;
}

class Bench {
 public:
  explicit Bench(const MachineOptions& options = {})
      : machine(make_machine(options)), m(*machine), auditor(m) {
    boot(m, run);
    m.tracepoints = &watcher;
  }

  // Runs `body` as a task, which must find nothing.
  void in_task(FunctionRef<void()> body) {
    const std::optional<Finding> finding = run_alone(run, body);
    if (!finding) return;
    const std::string text = finding->signature() + ": " + finding->detail;
    require_failed(text.c_str(), finding->where);
  }

  // Returns the name of the invariant that the audit finds broken: "" is none.
  std::string audit(const Expected& expected = {}) {
    return name_of(full_audit(expected));
  }
  std::optional<Finding> full_audit(const Expected& expected = {}) {
    return finding_of(run, [&] { auditor.audit(&watcher, expected); });
  }
  std::string audit_leaks() {
    return name_of(finding_of(run, [&] { auditor.audit_leaks(); }));
  }

  // ---- Verbs, for use in tasks ------------------------------------------------------
  VirtAddr map(Mm& mm, VirtAddr addr, std::uint64_t pages, std::uint32_t flags,
               AddressSpace* file = nullptr) {
    const Result<VirtAddr> at =
        do_mmap(m, mm, {.addr = addr, .pages = pages, .vm_flags = flags, .file = file});
    return at.value();
  }
  void write(Mm& mm, VirtAddr addr, int cpu = 0) {
    const UserResult result =
        user_access(m, mm, cpu, addr, UserAccess::kWrite, tag(mm.id, ++stores));
    require(result.status == Status::kOk, "a write of a test is allowed");
  }
  std::uint64_t read(Mm& mm, VirtAddr addr, int cpu = 0) {
    const UserResult result = user_access(m, mm, cpu, addr, UserAccess::kRead);
    require(result.status == Status::kOk, "a read of a test is allowed");
    return result.value;
  }
  Mm& fork(Mm& parent) { return *dup_mm(m, parent).value(); }
  // Unmaps the anonymous page at `addr` into the swap cache and writes it out.
  Page& unmap_to_swap(Mm& mm, VirtAddr addr) {
    Page& page = page_at(mm, addr);
    get_page(page);
    lock_page(m, page);
    require(add_to_swap(m, page), "there is swap");
    page_referenced(m, page);
    require(try_to_unmap(m, page) == Unmap::kSuccess, "nobody uses the page");
    require(swap_writepage(m, page), "the swap file can be written");
    unlock_page(m, page);
    put_page(m, page);
    return page;
  }
  // Likewise, and frees the frame.
  void swap_out(Mm& mm, VirtAddr addr) {
    Page& page = page_at(mm, addr);
    get_page(page);
    unmap_to_swap(mm, addr);
    lock_page(m, page);
    delete_from_swap_cache(m, page);
    unlock_page(m, page);
    put_page(m, page);
  }

  // ---- Looks, and pokes -------------------------------------------------------------
  PteSlot slot(const Mm& mm, VirtAddr addr) {
    return find_pte(m.frames, mm.context, addr);
  }
  Page& page_at(const Mm& mm, VirtAddr addr) {
    return m.page(slot(mm, addr).peek().pfn());
  }
  Vma& vma_at(const Mm& mm, VirtAddr addr) { return *mm.vmas.find(addr); }
  std::uint64_t& word(const Page& page, int index = 0) {
    return reinterpret_cast<std::uint64_t*>(m.frames.data(page.pfn))[index];
  }

  std::unique_ptr<Machine> machine;
  Machine& m;
  RunState run;
  Watcher watcher;
  Auditor auditor;
  std::uint32_t stores = 0;
};

}  // namespace racier::check
