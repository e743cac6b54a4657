// core/mm/lookup_for_test.h - races around a vma that is found without mmap_sem,
// however that is done.
#pragma once
#include <initializer_list>
#include <vector>

#include "core/mm/mm_for_test.h"

namespace racier {

struct LookupForTest : MmForTest {
  using MmForTest::MmForTest;

  // Maps `pages` from kBase on, with something to anchor anonymous pages with.
  void map_used(Mm& mm, std::uint64_t pages) {
    map(mm, pages, kRw, kBase);
    write(mm, kBase, 1);
  }

  // One looks the vma at kBase up with `take`, which may not find it, and has done with
  // it at `let_go`; one unmaps it.  It stays as it is in between, and the other waits.
  void expect_changes_wait(FunctionRef<Vma*(Mm&)> take,
                           FunctionRef<void(Vma&)> let_go) {
    std::uint32_t waited = 0;
    std::uint32_t came_late = 0;
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
      Mm& mm = anew([&](Mm& fresh) { map_used(fresh, 2); });
      bool unmapped = false;
      const auto uses = [&] {
        Vma* const vma = take(mm);
        if (vma == nullptr) {
          ++came_late;
          return;
        }
        for (int i = 0; i < 8; ++i) {
          EXPECT_FALSE(unmapped) << "seed " << seed;
          EXPECT_EQ(vma->vm_start, kBase);
          (void)mm.flags.load();
        }
        let_go(*vma);
      };
      const auto unmaps = [&] {
        unmap(mm, kBase, 1);
        unmapped = true;
      };
      const auto finding = run_tasks(run, pos_seed(seed), {uses, unmaps});
      ASSERT_EQ(finding ? finding->title : "", "") << "seed " << seed;
      waited += count(Mark::kVmaUserWaited);
      end(mm);
    }
    EXPECT_GT(waited, 0u);
    EXPECT_GT(came_late, 0u);
  }

  // Two who fault, one who splits, merges and unmaps what they fault in, and one whose
  // vmas are made of the memory of theirs.  Each of `marks` is come to.
  void expect_races_are_clean(std::initializer_list<Mark> marks) {
    std::vector<std::uint32_t> counts(marks.size());
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
      Mm& mm = anew([&](Mm& fresh) { map_used(fresh, 6); });
      const auto faults = [&] {
        for (std::uint64_t page = 0; page < 6; ++page) {
          (void)try_write(mm, page_at(kBase, page), page);
          (void)read(mm, page_at(kBase, page));
        }
      };
      const auto changes = [&] {
        protect(mm, page_at(kBase, 1), 2, kVmRead);
        protect(mm, page_at(kBase, 1), 2, kRw);
        unmap(mm, page_at(kBase, 2), 3);
        map(mm, 3, kRw, page_at(kBase, 2));
        unmap(mm, kBase, 6);
      };
      const auto strangers = [&] {
        for (int i = 0; i < 3; ++i) {
          Mm* const other = mm_create(m);
          for (std::uint64_t page = 0; page < 3; ++page) {
            map(*other, 1, kRw, page_at(kBase, 2 * page));
          }
          mmput(m, *other);
        }
      };
      const auto callbacks = [&] { m.rcu.callback_loop(); };
      Atomic<int> left{4};
      const auto ends = [&] {
        if (left.fetch_sub(1) == 1) m.rcu.stop();
      };
      const auto finding = run_tasks(
          run, pos_seed(seed),
          {[&] { faults(), ends(); }, [&] { faults(), ends(); },
           [&] { changes(), ends(); }, [&] { strangers(), ends(); }, callbacks});
      ASSERT_EQ(finding ? finding->title + finding->detail : "", "") << "seed " << seed;
      std::size_t at = 0;
      for (const Mark mark : marks) counts[at++] += count(mark);
      end(mm);
    }
    for (const std::uint32_t hits : counts) EXPECT_GT(hits, 0u);
  }
};

}  // namespace racier
