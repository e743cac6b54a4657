// core/mm/vma_link_test.cc - splits that no walk can see half done.
#include "core/mm/vma_link.h"

#include "core/mm/mm_for_test.h"

namespace racier {
namespace {

using VmaLink = MmForTest;

TEST_F(VmaLink, ASplitCutsFilePagesAndIndexes) {
  story([&](Mm& mm) {
    const VirtAddr at = map_file(mm, 0, 5, 2);
    {
      const WriteGuard guard(mm.mmap_sem);
      Vma& lower = *mm.vmas.first();
      lower.vm_mm->mmap_sem.assert_held();
      const Result<Vma*> upper = split_vma(m, lower, page_at(at, 2));
      ASSERT_TRUE(upper.ok());
      EXPECT_EQ((*upper)->range(), (VirtRange{page_at(at, 2), page_at(at, 5)}));
      EXPECT_EQ((*upper)->vm_pgoff, 4u);
      EXPECT_EQ((*upper)->vm_flags, lower.vm_flags);
      EXPECT_EQ(lower.range(), (VirtRange{at, page_at(at, 2)}));
      EXPECT_EQ(lower.vm_pgoff, 2u);
    }
    EXPECT_EQ(m.file(0).count.read(), 3);
    const SpinGuard guard(m.file(0).i_mmap_lock);
    EXPECT_EQ(m.file(0).i_mmap.first(3, 3), mm.vmas.first());
    EXPECT_EQ(m.file(0).i_mmap.first(4, 4), mm.vmas.last());
    EXPECT_EQ(m.file(0).i_mmap.first(7, 9), nullptr);
  });
}

TEST_F(VmaLink, BothPartsOfASplitAreFoundByTheirPages) {
  story([&](Mm& mm) {
    map(mm, 4, kRw, kBase);
    for (std::uint64_t i = 0; i < 4; ++i) write(mm, page_at(kBase, i), i);
    protect(mm, page_at(kBase, 1), 2, kVmRead);
    for (std::uint64_t i = 0; i < 4; ++i) {
      std::string shown;
      m.scheme().walk(page_of(mm, page_at(kBase, i)), [&](const rmap::Mapping& at) {
        EXPECT_EQ(at.addr, page_at(kBase, i));
        shown += static_cast<char>('0' + (at.vma->vm_start - kBase) / kPageSize);
        return rmap::Walk::kContinue;
      });
      EXPECT_EQ(shown, i == 0 ? "0" : i == 3 ? "3" : "1");
    }
  });
}

// In every schedule a walk sees each page of a vma that is being split: once, or twice.
void walk_while_splitting(MmForTest& test, bool file, std::uint64_t seed) {
  Machine& m = test.m;
  boot(m, test.run);
  test.run.reset();
  Mm* mm = nullptr;
  VirtAddr at = 0;
  ASSERT_EQ(run_alone(test.run,
                      [&] {
                        mm = mm_create(m);
                        at = file ? test.map_file(*mm, 0, 3, 1) : test.map(*mm, 3);
                        for (std::uint64_t i = 0; i < 3; ++i) {
                          test.read(*mm, page_at(at, i));
                          if (!file) test.write(*mm, page_at(at, i), i);
                        }
                      }),
            std::nullopt);
  const auto splits = [&] { test.protect(*mm, page_at(at, 1), 1, kVmRead); };
  const auto walks = [&] {
    for (std::uint64_t i = 0; i < 3; ++i) {
      Page& page = test.page_of(*mm, page_at(at, i));
      get_page(page);
      lock_page(m, page);
      int shown = 0;
      m.scheme().walk(page, [&](const rmap::Mapping& mapping) {
        EXPECT_EQ(mapping.addr, page_at(at, i));
        ++shown;
        return rmap::Walk::kContinue;
      });
      EXPECT_TRUE(1 <= shown && shown <= (file ? 1 : 2)) << shown << " seed " << seed;
      unlock_page(m, page);
      put_page(m, page);
    }
  };
  const auto finding = run_tasks(test.run, random_walk_seed(seed), {splits, walks});
  ASSERT_EQ(finding ? finding->title + finding->detail : "", "") << "seed " << seed;
  ASSERT_EQ(run_alone(test.run, [&] { mmput(m, *mm); }), std::nullopt);
}

TEST_F(VmaLink, ASplitHidesNoAnonymousPage) {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    walk_while_splitting(*this, false, seed);
  }
}

TEST_F(VmaLink, ASplitHidesNoFilePage) {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    walk_while_splitting(*this, true, seed);
  }
}

}  // namespace
}  // namespace racier
