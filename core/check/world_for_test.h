// core/check/world_for_test.h - a machine at rest that has something of everything.
#pragma once
#include <array>

#include "core/check/machine_for_test.h"
#include "core/mm/secondary_mmu.h"

namespace racier::check {

struct World : Bench {
  static constexpr std::uint32_t kRw = kVmRead | kVmWrite;
  static constexpr VirtAddr kPage = kPageSize;
  // Eight pages.  0: of parent and child; 1: each has a copy; 2: the zero page; 3:
  // untouched; 4: the parent's own, writable.
  static constexpr VirtAddr kAnon = 0x1000'0000;
  static constexpr VirtAddr kFile = 0x2000'0000;  // two pages.  0: read; 1: written
  static constexpr VirtAddr kShared =
      0x3000'0000;  // two pages.  0: of parent and child
  // Four pages.  0: swapped out; 1: back, read-only, in the swap cache and clean; 2:
  // swapped out before the fork, and back in the child.  The child has the last two
  // only.
  static constexpr VirtAddr kSwap = 0x4000'0000;
  static constexpr VirtAddr kNone = 0x5000'0000;   // a page that nobody may access
  static constexpr VirtAddr kEmpty = 0x6000'0000;  // mapped, but nothing there

  World() {
    in_task([&] {
      parent = mm_create(m);
      map_all();
      fill();
      child = &fork(*parent);
      go_apart();
      secondary = *secondary_mmu_create(m, *parent, false);
    });
  }

  // What mm_users should be.
  Expected expected() {
    users[0] = {parent, 1, 0};
    users[1] = {child, 1, 0};
    return {.users_known = true, .users = users};
  }

  // Frees everything, in order.
  void tear_down() {
    in_task([&] {
      mmput(m, *child);
      mmput(m, *parent);
      end_secondary();
      shut_down(m);
    });
  }
  void end_secondary() {
    secondary_mmu_unregister(m, *secondary);
    secondary_mmu_put(m, *secondary);
  }

  Page& anon(int index) {
    return page_at(*parent, kAnon + static_cast<VirtAddr>(index) * kPage);
  }
  Page& file_page() { return page_at(*parent, kFile); }
  Page& cached() { return page_at(*parent, kSwap + kPage); }
  std::uint32_t slot_out() { return slot(*parent, kSwap).peek().swap_entry().val; }
  std::uint32_t slot_cached() {
    return cached().private_data.raw().load(std::memory_order_relaxed);
  }
  static void flip(Page& page, PageFlag flag) {
    page.flags.raw().fetch_xor(bit_of(flag), std::memory_order_relaxed);
  }
  // Adds flags to a pte, behind everybody's back.
  void allow(VirtAddr addr, std::uint64_t flags) {
    const PteSlot at = slot(*parent, addr);
    at.set(at.peek().with(flags));
  }

  Mm* parent = nullptr;
  Mm* child = nullptr;
  SecondaryMmu* secondary = nullptr;  // the parent's
  std::array<MmUsers, 2> users{};

 private:
  static void must(Status status) { require(status == Status::kOk, "a verb works"); }

  void map_all() {
    map(*parent, kAnon, 8, kRw);
    map(*parent, kFile, 2, kRw, &m.file(0));
    map(*parent, kShared, 2, kRw | kVmShared);
    map(*parent, kSwap, 4, kRw);
    map(*parent, kNone, 1, kRw);
    map(*parent, kEmpty, 1, kRw);
  }

  void fill() {
    for (const VirtAddr at : {kAnon, kAnon + kPage, kFile + kPage, kShared, kSwap,
                              kSwap + kPage, kSwap + 2 * kPage, kNone}) {
      write(*parent, at);
    }
    read(*parent, kAnon + 2 * kPage);
    read(*parent, kFile);
    must(do_mprotect(m, *parent, {kNone, kNone + kPage}, 0));
    swap_out(*parent, kSwap + 2 * kPage);
  }

  void go_apart() {
    write(*child, kAnon + kPage, 1);
    write(*parent, kAnon + 4 * kPage);
    read(*child, kShared, 1);
    read(*child, kSwap + 2 * kPage, 1);
    must(do_munmap(m, *child, {kSwap, kSwap + 2 * kPage}));
    swap_out(*parent, kSwap);
    unmap_to_swap(*parent, kSwap + kPage);
    read(*parent, kSwap + kPage);
  }
};

}  // namespace racier::check
