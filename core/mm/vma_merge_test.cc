// core/mm/vma_merge_test.cc - neighbours that become one.
#include "core/mm/vma_merge.h"

#include <array>

#include "core/mm/schemes_for_test.h"

namespace racier {
namespace {

using VmaMerge = EachScheme;
INSTANTIATE_TEST_SUITE_P(Schemes, VmaMerge, testing::ValuesIn(EachScheme::names()),
                         EachScheme::name_of);

constexpr std::uint64_t kPages = 6;

// Maps pages as `picture` says: w, r; others are holes.
void paint(EachScheme& test, Mm& mm, std::string_view picture) {
  for (std::uint64_t i = 0; i < picture.size(); ++i) {
    const VirtAddr addr = page_at(kBase, i);
    if (picture[i] == 'w') test.map(mm, 1, kRw, addr);
    if (picture[i] == 'r') test.map(mm, 1, kVmRead, addr);
  }
}

struct Row {
  const char* before;
  char verb;  // m: pages 2 and 3 are mapped; p: they are protected; for writing
  const char* after;
};

constexpr Row kRows[] = {
    {"ww....", 'm', "AAAA.."},  //
    {"....ww", 'm', "..AAAA"},  //
    {"ww..ww", 'm', "AAAAAA"},  //
    {"wwrrww", 'm', "AAAAAA"},  // unmaps first
    {"rr..ww", 'm', "AABBBB"},  //
    {"ww..rr", 'm', "AAAABB"},  //
    {"rr..rr", 'm', "AABBCC"},  //
    {"w....w", 'm', "A.BB.C"},  //
    {"wwrr..", 'p', "AAAA.."},  //
    {"..rrww", 'p', "..AAAA"},  //
    {"wwrrww", 'p', "AAAAAA"},  //
    {"wwrrrr", 'p', "AAAABB"},  // page 4 on is cut off
    {"rrrrww", 'p', "AABBBB"},  // up to page 1 likewise
    {"rrrrrr", 'p', "AABBCC"},  //
    {"wrrrrw", 'p', "ABCCDE"},  //
};

void carry_out(EachScheme& test, Mm& mm, const Row& row) {
  const VirtAddr at = page_at(kBase, 2);
  if (row.verb == 'm') test.map(mm, 2, kRw, at);
  if (row.verb == 'p') test.protect(mm, at, 2, kRw);
}

TEST_P(VmaMerge, NeighboursThatAreAlikeBecomeOne) {
  for (const Row& row : kRows) {
    story([&](Mm& mm) {
      paint(*this, mm, row.before);
      carry_out(*this, mm, row);
      EXPECT_EQ(drawn(mm, kBase, kPages), row.after) << row.before << ' ' << row.verb;
    });
  }
}

TEST_P(VmaMerge, EachPageStaysAndIsFoundOnce) {
  for (const Row& row : kRows) {
    story([&](Mm& mm) {
      // All of it was one vma once, so that its pages have one anchor.
      map(mm, kPages, kRw, kBase);
      for (std::uint64_t i = 0; i < kPages; ++i) write(mm, page_at(kBase, i), 10 + i);
      for (std::uint64_t i = 0; i < kPages; ++i) {
        const char kind = row.before[i];
        if (kind == '.') unmap(mm, page_at(kBase, i), 1);
        if (kind == 'r') protect(mm, page_at(kBase, i), 1, kVmRead);
      }
      carry_out(*this, mm, row);
      EXPECT_EQ(drawn(mm, kBase, kPages), row.after) << row.before << ' ' << row.verb;
      for (std::uint64_t i = 0; i < kPages; ++i) {
        const bool fresh = row.verb == 'm' && (i == 2 || i == 3);
        if (row.after[i] == '.') continue;
        if (fresh) write(mm, page_at(kBase, i), 10 + i);
        if (!fresh && row.before[i] == '.') continue;
        EXPECT_EQ(read(mm, page_at(kBase, i)).value, 10 + i);
        EXPECT_EQ(found(mm, page_at(kBase, i), kBase), std::to_string(i) + " ");
      }
    });
  }
}

TEST_P(VmaMerge, AVmaWithoutPagesTakesPagesOver) {
  story([&](Mm& mm) {
    map(mm, 2, kRw, kBase);
    map(mm, 2, kRw, page_at(kBase, 4));
    write(mm, page_at(kBase, 5), 7);
    map(mm, 2, kRw, page_at(kBase, 2));
    EXPECT_EQ(drawn(mm, kBase, 6), "AAAAAA");
    EXPECT_EQ(read(mm, page_at(kBase, 5)).value, 7u);
    EXPECT_EQ(found(mm, page_at(kBase, 5), kBase), "5 ");
    write(mm, kBase, 8);
    EXPECT_EQ(found(mm, kBase, kBase), "0 ");
  });
}

TEST_P(VmaMerge, PagesOfTwoAnchorsStayApart) {
  story([&](Mm& mm) {
    map(mm, 2, kRw, kBase);
    map(mm, 2, kRw, page_at(kBase, 4));
    write(mm, kBase, 6);
    write(mm, page_at(kBase, 5), 7);
    map(mm, 2, kRw, page_at(kBase, 2));
    EXPECT_EQ(drawn(mm, kBase, 6), is("pte_chain") ? "AAAAAA" : "AAAABB");
    EXPECT_EQ(found(mm, kBase, kBase), "0 ");
    EXPECT_EQ(found(mm, page_at(kBase, 5), kBase), "5 ");
  });
}

TEST_P(VmaMerge, AChildsPagesStayFindable) {
  story([&](Mm& mm) {
    map(mm, 4, kRw, kBase);
    write(mm, kBase, 6);
    const Result<Mm*> child = dup_mm(m, mm);
    protect(**child, page_at(kBase, 2), 2, kVmRead);
    write(**child, page_at(kBase, 1), 7);
    protect(**child, page_at(kBase, 2), 2, kRw);
    EXPECT_EQ(drawn(**child, kBase, 4), "AAAA");
    EXPECT_EQ(found(mm, kBase, kBase), "0 0 ");
    EXPECT_EQ(found(**child, page_at(kBase, 1), kBase), "1 ");
    mmput(m, **child);
  });
}

TEST_P(VmaMerge, PagesOfAFileMustContinue) {
  story([&](Mm& mm) {
    const auto map_at = [&](std::uint64_t page, std::uint32_t file,
                            std::uint64_t pgoff) {
      const Result<VirtAddr> at = do_mmap(m, mm,
                                          {.addr = page_at(kBase, page),
                                           .pages = 1,
                                           .vm_flags = kRw,
                                           .file = &m.file(file),
                                           .pgoff = pgoff});
      EXPECT_TRUE(at.ok());
    };
    map_at(0, 0, 3);
    map_at(1, 0, 5);
    map_at(2, 1, 6);
    map_at(3, 1, 7);
    map_at(4, 1, 9);
    EXPECT_EQ(mm.map_count, 4);
    EXPECT_EQ(m.file(1).count.read(), 3);
    const SpinGuard guard(m.file(1).i_mmap_lock);
    EXPECT_EQ(m.file(1).i_mmap.first(7, 7), mm.vmas.find(page_at(kBase, 2)));
    EXPECT_EQ(m.file(1).i_mmap.first(8, 8), nullptr);
  });
}

TEST_P(VmaMerge, WithoutMemoryItStaysApart) {
  story([&](Mm& mm) {
    map(mm, 2, kRw, kBase);
    map(mm, 2, kRw, page_at(kBase, 4));
    write(mm, page_at(kBase, 5), 7);
    current()->fail_nth = 1;
    map(mm, 2, kRw, page_at(kBase, 2));
    // Only a link of a chain is memory.
    EXPECT_EQ(drawn(mm, kBase, 6), is("anon_vma_chain") ? "AABBCC" : "AAAAAA");
    current()->fail_nth = 0;
    EXPECT_EQ(found(mm, page_at(kBase, 5), kBase), "5 ");
  });
}

// In every schedule a walk sees each page of vmas that become one.
void walk_while_merging(EachScheme& test, bool file, std::uint64_t seed) {
  Machine& m = test.m;
  boot(m, test.run);
  test.run.reset();
  Mm* mm = nullptr;
  VirtAddr at = 0;
  std::array<Page*, 3> pages{};
  const auto set_up = [&] {
    mm = mm_create(m);
    at = file ? test.map_file(*mm, 0, 3, 1) : test.map(*mm, 3);
    for (std::uint64_t i = 0; i < 3; ++i) {
      test.read(*mm, page_at(at, i));
      if (!file) test.write(*mm, page_at(at, i), i);
      pages[i] = &test.page_of(*mm, page_at(at, i));
    }
    test.protect(*mm, page_at(at, 1), 1, kVmRead);
  };
  ASSERT_EQ(run_alone(test.run, set_up), std::nullopt);
  ASSERT_EQ(mm->map_count, 3);
  const auto merges = [&] { test.protect(*mm, page_at(at, 1), 1, kRw); };
  const auto walks = [&] {
    for (std::uint64_t i = 0; i < 3; ++i) {
      Page& page = *pages[i];
      get_page(page);
      lock_page(m, page);
      int shown = 0;
      const bool all = m.scheme().walk(page, [&](const rmap::Mapping& mapping) {
        EXPECT_EQ(mapping.addr, page_at(at, i));
        ++shown;
        return rmap::Walk::kContinue;
      });
      EXPECT_TRUE(!all || shown >= 1) << "page " << i << ", seed " << seed;
      unlock_page(m, page);
      put_page(m, page);
    }
  };
  const auto finding = run_tasks(test.run, random_walk_seed(seed), {merges, walks});
  ASSERT_EQ(finding ? finding->title + finding->detail : "", "") << "seed " << seed;
  EXPECT_EQ(mm->map_count, 1);
  ASSERT_EQ(run_alone(test.run, [&] { mmput(m, *mm); }), std::nullopt);
}

TEST_P(VmaMerge, HidesNoAnonymousPage) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed)
    walk_while_merging(*this, false, seed);
}

TEST_P(VmaMerge, HidesNoFilePage) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed)
    walk_while_merging(*this, true, seed);
}

}  // namespace
}  // namespace racier
