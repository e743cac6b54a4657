// core/rmap/world_for_test.h - mms, vmas, tables and pages put up by hand, for the
// tests of a scheme.
#pragma once
#include <gtest/gtest.h>

#include <deque>
#include <set>

#include "core/rmap/scheme.h"
#include "core/runtime/run_alone.h"

namespace racier::rmap {

// A machine with nothing on it but what a test puts there.  Does what mm/ would: tables
// first, ptes under page_table_lock, a reference for each.
class World : public testing::Test {
 protected:
  explicit World(const char* scheme) : machine_(options()) {
    machine_.install(make_scheme(scheme, machine_));
    this->scheme().set_put_page([](Machine& m, Page& page) {
      if (page.count.dec_and_test()) m.frames.free(page.pfn);
    });
  }

  static MachineOptions options() {
    MachineOptions options;
    options.frames = 64;
    options.slab_pages = 64;
    return options;
  }

  // Runs `body` on a fresh machine; returns what was found.
  std::optional<Finding> run(Body body) {
    fresh();
    return run_alone(run_, body);
  }

  // Likewise, `set_up` and then `bodies` as tasks.
  std::optional<Finding> run_with(const Schedule& schedule, Body set_up,
                                  Bodies bodies) {
    fresh();
    auto finding = run_alone(run_, set_up);
    return finding ? finding : run_tasks(run_, schedule, bodies);
  }

  Scheme& scheme() { return machine_.scheme(); }

  Mm& mm() {
    Mm& mm = mms_.emplace_back(machine_.next_mm_id());
    mm.context.root = table();
    return mm;
  }

  Vma& vma(Mm& mm, VirtAddr start, std::uint64_t pages) {
    Vma& vma = *machine_.vma_cache.create();
    vma.vm_mm = &mm;
    vma.vm_start = start;
    vma.vm_end = start + pages * kPageSize;
    vma.vm_flags = kVmRead | kVmWrite;
    vma.vm_pgoff = start >> kPageShift;
    mm.vmas.insert(vma);
    vmas_.push_back(&vma);
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
    make_tables(*vma.vm_mm, addr);
    const SpinGuard guard(vma.vm_mm->page_table_lock);
    scheme().add_anon(page, vma, addr, ticket);
    set_pte(page, vma, addr);
  }
  void map_file(Page& page, Vma& vma, VirtAddr addr) {
    const Ticket ticket = prepare(vma);
    make_tables(*vma.vm_mm, addr);
    const SpinGuard guard(vma.vm_mm->page_table_lock);
    scheme().add_file(page, vma, addr, ticket);
    set_pte(page, vma, addr);
  }
  void dup(Page& page, Vma& vma, VirtAddr addr) {
    const Ticket ticket = prepare(vma);
    make_tables(*vma.vm_mm, addr);
    const SpinGuard guard(vma.vm_mm->page_table_lock);
    scheme().dup(page, vma, addr, ticket);
    set_pte(page, vma, addr);
  }
  void unmap(Page& page, Vma& vma, VirtAddr addr) {
    const SpinGuard guard(vma.vm_mm->page_table_lock);
    unmap_locked(page, vma, addr);
  }
  void unmap_locked(Page& page, Vma& vma, VirtAddr addr)
      REQUIRES(vma.vm_mm->page_table_lock) {
    slot(*vma.vm_mm, addr).get_and_clear();
    scheme().remove(page, vma, addr);
    EXPECT_FALSE(page.count.dec_and_test());
  }
  void link(Vma& dst, Vma& src, Why why) {
    const WriteGuard guard(src.vm_mm->mmap_sem);
    ASSERT_EQ(link_locked(dst, src, why), Status::kOk);
  }
  // As above.
  Status link_locked(Vma& dst, Vma& src, Why why) NO_THREAD_SAFETY_ANALYSIS {
    return scheme().link(dst, src, why);
  }
  void audit() { scheme().audit(vmas_); }

  PteSlot slot(Mm& mm, VirtAddr addr) {
    return find_pte(machine_.frames, mm.context, addr);
  }

  using Places = std::multiset<std::pair<std::uint32_t, VirtAddr>>;  // mm id, address
  Places walk(Page& page) {
    Places places;
    EXPECT_TRUE(scheme().walk(page, [&](const Mapping& at) {
      places.emplace(at.vma->vm_mm->id, at.addr);
      return Walk::kContinue;
    }));
    return places;
  }

  RunState run_;
  Machine machine_;

 private:
  void fresh() {
    mms_.clear();
    vmas_.clear();
    RunState* const before = set_current_run(&run_);
    run_.reset();
    machine_.reset(run_);
    scheme().reset();
    set_current_run(before);
  }

  Pfn table() {
    Page& table = page();
    std::byte* const data = machine_.frames.data(table.pfn);
    std::fill_n(data, kPageSize, std::byte{0});
    return table.pfn;
  }

  void make_tables(Mm& mm, VirtAddr addr) {
    for (int level = 0; level >= 0;) {
      level = missing_table(machine_.frames, mm.context, addr);
      if (level >= 0) install_table(machine_.frames, mm.context, addr, level, table());
    }
  }

  void set_pte(Page& page, Vma& vma, VirtAddr addr) {
    page.count.inc();
    slot(*vma.vm_mm, addr).set(Pte::page(page.pfn, Pte::kPresent | Pte::kUser));
  }

  std::deque<Mm> mms_;
  std::vector<Vma*> vmas_;
};

}  // namespace racier::rmap
