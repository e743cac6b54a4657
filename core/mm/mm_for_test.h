// core/mm/mm_for_test.h - a small machine and one-word verbs, for the tests of mm/.
#pragma once
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "core/base/mark.h"
#include "core/base/require.h"
#include "core/mm/boot.h"
#include "core/mm/fault.h"
#include "core/mm/fork.h"
#include "core/mm/mmap.h"
#include "core/mm/page_alloc.h"
#include "core/mm/reclaim.h"
#include "core/rmap/scheme.h"
#include "core/runtime/run_alone.h"

namespace racier {

inline constexpr std::uint32_t kRw = kVmRead | kVmWrite;
inline constexpr VirtAddr kBase = 0x1'0000'0000;

constexpr VirtAddr page_at(VirtAddr base, std::uint64_t page) {
  return base + (page << kPageShift);
}

// A machine, booted for each story.
struct MmForTest : testing::Test {
  explicit MmForTest(const MachineOptions& options = {.frames = 128, .slab_pages = 32})
      : machine(make_machine(options)), m(*machine) {
    boot(m, run);
    frames_free = m.frames.free_count();
  }

  // Runs `body` as the only task; returns what it found, or "".
  std::string tell(Body body) {
    run.reset();
    const std::optional<Finding> finding = run_alone(run, body);
    return finding ? finding->title + " " + finding->detail : "";
  }
  // Likewise, with an address space that has all to itself; nothing may be left behind.
  void story(FunctionRef<void(Mm&)> body) {
    EXPECT_EQ(tell([&] {
                Mm* const mm = mm_create(m);
                body(*mm);
                mmput(m, *mm);
              }),
              "");
    if (!run.over()) expect_nothing_left();
  }
  // Boots the machine anew, and makes an address space as `set_up` says, for tasks to
  // race in.
  Mm& anew(FunctionRef<void(Mm&)> set_up) {
    boot(m, run);
    run.reset();
    Mm* mm = nullptr;
    const auto make = [&] {
      mm = mm_create(m);
      set_up(*mm);
    };
    EXPECT_EQ(run_alone(run, make), std::nullopt);
    require(mm != nullptr, "there is memory for an address space");
    return *mm;
  }
  // Ends it when they have; nothing may be left behind.
  void end(Mm& mm) {
    EXPECT_EQ(run_alone(run, [&] { mmput(m, mm); }), std::nullopt);
    expect_nothing_left();
  }
  // How often the run came to a mark.
  std::uint32_t count(Mark mark) const {
    return run.marks[static_cast<std::size_t>(mark)].load();
  }
  void expect_nothing_left() {
    m.rcu.barrier_at_rest();
    EXPECT_EQ(m.frames.free_count(), frames_free);
    EXPECT_EQ(m.mm_cache.live_objects(), 0u);
    EXPECT_EQ(m.vma_cache.live_objects(), 0u);
    EXPECT_EQ(m.maple_cache.live_objects(), 0u);
    EXPECT_EQ(m.shmem_cache.live_objects(), 0u);
    EXPECT_EQ(m.scheme().live_objects(), 0u);
  }

  // ---- Verbs ---------------------------------------------------------------------

  // Takes an anonymous page away from all who map it; it stays in the swap cache.
  void unmap_everywhere(Page& page) {
    get_page(page);
    lock_page(m, page);
    EXPECT_TRUE(give_slot(m, page));
    EXPECT_EQ(try_to_unmap(m, page, Ttu::kForce), Unmap::kSuccess);
    unlock_page(m, page);
    put_page(m, page);
  }
  VirtAddr map(Mm& mm, std::uint64_t pages, std::uint32_t vm_flags = kRw,
               VirtAddr addr = 0) {
    const Result<VirtAddr> at =
        do_mmap(m, mm, {.addr = addr, .pages = pages, .vm_flags = vm_flags});
    EXPECT_TRUE(at.ok()) << status_name(at.status());
    return at.ok() ? *at : 0;
  }
  VirtAddr map_file(Mm& mm, std::uint32_t file, std::uint64_t pages,
                    std::uint64_t pgoff = 0, std::uint32_t vm_flags = kRw) {
    const Result<VirtAddr> at = do_mmap(
        m, mm,
        {.pages = pages, .vm_flags = vm_flags, .file = &m.file(file), .pgoff = pgoff});
    EXPECT_TRUE(at.ok()) << status_name(at.status());
    return at.ok() ? *at : 0;
  }
  Status try_unmap(Mm& mm, VirtAddr addr, std::uint64_t pages) {
    return do_munmap(m, mm, {addr, page_at(addr, pages)});
  }
  void unmap(Mm& mm, VirtAddr addr, std::uint64_t pages) {
    EXPECT_EQ(try_unmap(mm, addr, pages), Status::kOk);
  }
  Status try_protect(Mm& mm, VirtAddr addr, std::uint64_t pages,
                     std::uint32_t vm_access) {
    return do_mprotect(m, mm, {addr, page_at(addr, pages)}, vm_access);
  }
  void protect(Mm& mm, VirtAddr addr, std::uint64_t pages, std::uint32_t vm_access) {
    EXPECT_EQ(try_protect(mm, addr, pages, vm_access), Status::kOk);
  }
  Status try_write(Mm& mm, VirtAddr addr, std::uint64_t value) {
    return user_access(m, mm, 0, addr, UserAccess::kWrite, value).status;
  }
  void write(Mm& mm, VirtAddr addr, std::uint64_t value) {
    EXPECT_EQ(try_write(mm, addr, value), Status::kOk);
  }
  UserResult read(Mm& mm, VirtAddr addr) {
    return user_access(m, mm, 0, addr, UserAccess::kRead);
  }

  // ---- What there is -------------------------------------------------------------

  Pte pte(Mm& mm, VirtAddr addr) {
    const PteSlot slot = find_pte(m.frames, mm.context, addr);
    return slot ? slot.peek() : Pte{};
  }
  Page& page_of(Mm& mm, VirtAddr addr) { return m.page(pte(mm, addr).pfn()); }
  int tables(Mm& mm) {
    int count = 0;
    for_each_table(m.frames, mm.context, [&](Pfn table, int) {
      EXPECT_EQ(m.page(table).count.read(), 1);
      ++count;
    });
    return count;
  }
  // "rss anon_rss"; the only task may look without the lock.
  static std::string rss(const Mm& mm) NO_THREAD_SAFETY_ANALYSIS {
    return std::to_string(mm.rss) + " " + std::to_string(mm.anon_rss);
  }
  // Draws the vmas of `pages` pages from `base`, a letter a page: A for the first vma,
  // and so on; '.' for a hole.  Checks what holds for every vma.
  std::string drawn(Mm& mm, VirtAddr base, std::uint64_t pages) {
    std::string text(pages, '.');
    int count = 0;
    char letter = 'A';
    for (Vma* vma = mm.vmas.first(); vma != nullptr; vma = VmaTree::next(*vma)) {
      ++count;
      EXPECT_EQ(vma->vm_mm, &mm);
      EXPECT_LT(vma->vm_start, vma->vm_end);
      if (vma->vm_file == nullptr) {
        EXPECT_EQ(vma->vm_pgoff, vma->vm_start >> kPageShift);
      }
      for (std::uint64_t i = 0; i < pages; ++i) {
        if (vma->contains(page_at(base, i))) text[i] = letter;
      }
      ++letter;
    }
    EXPECT_EQ(mm.map_count, count);
    return text;
  }

  std::unique_ptr<Machine> machine;
  Machine& m;
  RunState run;
  std::uint32_t frames_free = 0;
};

}  // namespace racier
