// core/rmap/scheme_for_test.h - what the tests of schemes stand on.
#pragma once
#include <gtest/gtest.h>

#include <deque>
#include <set>

#include "core/rmap/scheme.h"
#include "core/runtime/run_alone.h"

namespace racier::rmap {

// A machine with nothing on it but what a test puts there: pages, mms and vmas by hand.
class SchemeTest : public testing::Test {
 protected:
  explicit SchemeTest(const char* name) : machine_(options()) {
    machine_.install(make_scheme(name, machine_));
  }

  static MachineOptions options() {
    MachineOptions options;
    options.frames = 32;
    options.slab_pages = 32;
    return options;
  }

  // Runs `body` on a fresh machine; returns what was found.
  std::optional<Finding> run(Body body) {
    mms_.clear();
    boot();
    return run_alone(run_, body);
  }
  // Likewise `setup`, then `bodies` as tasks under `schedule`.
  std::optional<Finding> run(const Schedule& schedule, Body setup, Bodies bodies) {
    const auto finding = run(setup);
    return finding ? finding : run_tasks(run_, schedule, bodies);
  }

  Scheme& scheme() { return machine_.scheme(); }
  Mm& mm() { return mms_.emplace_back(machine_.next_mm_id()); }

  Vma& vma(Mm& mm, VirtAddr start, std::uint64_t pages) {
    Vma& vma = *machine_.vma_cache.create();
    vma.vm_mm = &mm;
    vma.vm_start = start;
    vma.vm_end = start + pages * kPageSize;
    vma.vm_flags = kVmRead | kVmWrite;
    vma.vm_pgoff = start >> kPageShift;
    mm.vmas.insert(vma);
    return vma;
  }

  Page& page() {
    Page& page = machine_.page(machine_.frames.alloc());
    page.count.set(1);
    return page;
  }

  Ticket prepare(Vma& vma) {
    const ReadGuard guard(vma.vm_mm->mmap_sem);
    return prepare_locked(vma).value();
  }
  // The caller's guard is on mmap_sem, by another name.
  Result<Ticket> prepare_locked(Vma& vma) NO_THREAD_SAFETY_ANALYSIS {
    return scheme().prepare(vma);
  }
  void map(Page& page, Vma& vma, VirtAddr addr) {
    const Ticket ticket = prepare(vma);
    const SpinGuard guard(vma.vm_mm->page_table_lock);
    scheme().add_anon(page, vma, addr, ticket);
  }
  void dup(Page& page, Vma& vma, VirtAddr addr) {
    const SpinGuard guard(vma.vm_mm->page_table_lock);
    scheme().dup(page, vma, addr, Ticket{});
  }
  void unmap(Page& page, Vma& vma, VirtAddr addr) {
    const SpinGuard guard(vma.vm_mm->page_table_lock);
    scheme().remove(page, vma, addr);
  }
  void link(Vma& dst, Vma& src, Why why) {
    const WriteGuard guard(src.vm_mm->mmap_sem);
    ASSERT_EQ(link_locked(dst, src, why), Status::kOk);
  }
  // As above.
  Status link_locked(Vma& dst, Vma& src, Why why) NO_THREAD_SAFETY_ANALYSIS {
    return scheme().link(dst, src, why);
  }

  // Makes two of `lower`, at `addr`; returns the upper one.
  Vma& split(Vma& lower, VirtAddr addr) {
    Vma& upper = *machine_.vma_cache.create();
    upper.vm_mm = lower.vm_mm;
    upper.vm_start = addr;
    upper.vm_end = lower.vm_end;
    upper.vm_flags = lower.vm_flags;
    upper.vm_pgoff = lower.index_of(addr);
    upper.vm_file = lower.vm_file;
    link(upper, lower, Why::kSplit);
    const WriteGuard guard(lower.vm_mm->mmap_sem);
    scheme().adjust(lower, [&] {
      lower.vm_end = addr;
      lower.vm_mm->vmas.insert(upper);
    });
    return upper;
  }

  using Places = std::multiset<std::pair<std::uint32_t, VirtAddr>>;  // mm id, address
  Places walk(Page& page) {
    Places places;
    scheme().walk(page, [&](const Mapping& at) {
      places.emplace(at.vma->vm_mm->id, at.addr);
      return Walk::kContinue;
    });
    return places;
  }

  // The audit of the scheme, given these vmas.
  void audit(std::initializer_list<Vma*> vmas) {
    scheme().audit(std::span<Vma* const>(vmas.begin(), vmas.size()));
  }

  void boot() {
    RunState* const before = set_current_run(&run_);
    run_.reset();
    machine_.reset(run_);
    scheme().reset();
    set_current_run(before);
  }

  RunState run_;
  Machine machine_;
  std::deque<Mm> mms_;
};

}  // namespace racier::rmap
