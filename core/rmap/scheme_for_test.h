// core/rmap/scheme_for_test.h - mms, vmas, tables and pages put up by hand, for the
// tests of schemes.
#pragma once
#include <gtest/gtest.h>

#include <deque>
#include <set>
#include <vector>

#include "core/rmap/scheme.h"
#include "core/runtime/run_alone.h"

namespace racier::rmap {

inline constexpr VirtAddr kAt = 0x10000;

// A machine with nothing on it but what a test puts there.  Does what mm/ would: tables
// first, ptes under page_table_lock, a reference for each.
class SchemeTest : public testing::Test {
 protected:
  explicit SchemeTest(const char* name) : machine_(options()) {
    machine_.install(make_scheme(name, machine_));
    scheme().set_put_page([](Machine& m, Page& page) {
      if (page.count.dec_and_test()) m.frames.free(page.pfn);
    });
  }

  static MachineOptions options() {
    MachineOptions options;
    options.frames = 128;
    options.slab_pages = 64;
    return options;
  }

  // Runs `body` on a fresh machine; returns what was found.
  std::optional<Finding> run(Body body) {
    fresh();
    return run_alone(run_, body);
  }
  // Likewise `set_up`, then `bodies` as tasks under `schedule`.
  std::optional<Finding> run(const Schedule& schedule, Body set_up, Bodies bodies) {
    const auto finding = run(set_up);
    return finding ? finding : run_tasks(run_, schedule, bodies);
  }

  Scheme& scheme() { return machine_.scheme(); }

  Mm& mm() {
    Mm& mm = mms_.emplace_back(machine_.next_mm_id());
    mm.context.root = table();
    return mm;
  }

  Vma& vma(Mm& mm, VirtAddr start, std::uint64_t pages) {
    Vma& vma = unlisted_vma(mm, start, start + pages * kPageSize);
    vma.vm_pgoff = start >> kPageShift;
    mm.vmas.insert(vma);
    return vma;
  }
  // Likewise of a file, from its page `pgoff` on.
  Vma& file_vma(Mm& mm, VirtAddr start, std::uint64_t pages, AddressSpace& file,
                std::uint64_t pgoff) {
    Vma& vma = unlisted_vma(mm, start, start + pages * kPageSize);
    vma.vm_file = &file;
    vma.vm_pgoff = pgoff;
    mm.vmas.insert(vma);
    const SpinGuard guard(file.i_mmap_lock);
    file.i_mmap.insert(vma);
    return vma;
  }

  Page& page() {
    Page& page = machine_.page(machine_.frames.alloc());
    page.count.set(1);
    return page;
  }
  // Page `index` of `file`, locked.
  Page& file_page(AddressSpace& file, std::uint64_t index) {
    Page& cached = page();
    cached.mapping.store(reinterpret_cast<std::uintptr_t>(&file));
    cached.index.store(index);
    cached.set(PageFlag::kLocked);
    return cached;
  }

  Ticket prepare(Vma& vma) {
    const ReadGuard guard(vma.vm_mm->mmap_sem);
    return prepare_locked(vma).value();
  }
  // The caller's guard is on mmap_sem, by another name.
  Result<Ticket> prepare_locked(Vma& vma) NO_THREAD_SAFETY_ANALYSIS {
    return scheme().prepare(vma);
  }
  // Prepares a vma for a page that does not come.
  void anchor(Vma& vma) { scheme().refund(prepare(vma)); }

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

  // What a write fault does that finds no other user of the page.
  void move_anon(Page& page, Vma& vma) {
    const SpinGuard guard(vma.vm_mm->page_table_lock);
    page.set(PageFlag::kLocked);
    scheme().move_anon(page, vma);
    page.clear(PageFlag::kLocked);
  }

  void link(Vma& dst, Vma& src, Why why) {
    const WriteGuard guard(src.vm_mm->mmap_sem);
    ASSERT_EQ(link_locked(dst, src, why), Status::kOk);
  }
  // As prepare_locked().
  Status link_locked(Vma& dst, Vma& src, Why why) NO_THREAD_SAFETY_ANALYSIS {
    return scheme().link(dst, src, why);
  }
  // A copy of `parent` in a new mm, without its ptes.
  Vma& fork(Vma& parent) {
    Vma& child = vma(mm(), parent.vm_start, parent.pages());
    child.vm_pgoff = parent.vm_pgoff;
    link(child, parent, Why::kFork);
    return child;
  }
  // Makes two of `lower`, at `addr`; returns the upper one.
  Vma& split(Vma& lower, VirtAddr addr) {
    Vma& upper = unlisted_vma(*lower.vm_mm, addr, lower.vm_end);
    upper.vm_pgoff = lower.index_of(addr);
    upper.vm_file = lower.vm_file;
    link(upper, lower, Why::kSplit);
    const WriteGuard guard(lower.vm_mm->mmap_sem);
    scheme().adjust(lower, [&] {
      const SpinGuard ptl(lower.vm_mm->page_table_lock);
      lower.vm_end = addr;
      lower.vm_mm->vmas.insert(upper);
    });
    return upper;
  }
  // What munmap does with a vma whose ptes are gone.
  void leave(Vma& vma) {
    {
      const SpinGuard ptl(vma.vm_mm->page_table_lock);
      vma.vm_mm->vmas.erase(vma);
    }
    scheme().unlink(vma);
  }

  PteSlot slot(Mm& mm, VirtAddr addr) {
    return find_pte(machine_.frames, mm.context, addr);
  }

  using Places = std::multiset<std::pair<std::uint32_t, VirtAddr>>;  // mm id, address
  // Returns all that a walk shows, which must be complete.
  Places walk(Page& page) {
    Places places;
    EXPECT_TRUE(scheme().walk(page, [&](const Mapping& at) {
      places.emplace(at.vma->vm_mm->id, at.addr);
      return Walk::kContinue;
    }));
    return places;
  }
  // Returns those of them where a pte maps the page, as a visitor finds out.
  Places who_maps(Page& page) {
    Places places;
    EXPECT_TRUE(scheme().walk(page, [&](const Mapping& at) {
      if (!scheme().lock_ptl(at)) return Walk::kContinue;
      const SpinGuard guard(at.vma->vm_mm->page_table_lock, kAdopt);
      const PteSlot pte = slot(*at.vma->vm_mm, at.addr);
      if (pte && pte.get().maps(page.pfn)) places.emplace(at.vma->vm_mm->id, at.addr);
      return Walk::kContinue;
    }));
    return places;
  }

  // The audit of the scheme, given all vmas that there ever were.
  void audit() { scheme().audit(vmas_); }

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

  Vma& unlisted_vma(Mm& mm, VirtAddr start, VirtAddr end) {
    Vma& vma = *machine_.vma_cache.create();
    vma.vm_mm = &mm;
    vma.vm_start = start;
    vma.vm_end = end;
    vma.vm_flags = kVmRead | kVmWrite;
    vmas_.push_back(&vma);
    return vma;
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
