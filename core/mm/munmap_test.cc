// core/mm/munmap_test.cc - what goes, what stays, and that nothing is left behind.
#include "core/mm/munmap.h"

#include "core/mm/mm_for_test.h"

namespace racier {
namespace {

using Munmap = MmForTest;

// Maps what a drawing shows, and writes each page's number into it.
void map_drawing(MmForTest& test, Mm& mm, std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find_first_not_of(text[at], at), text.size());
    if (text[at] != '.') test.map(mm, end - at, kRw, page_at(kBase, at));
    at = end;
  }
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '.') {
      test.write(mm, page_at(kBase, at), 100 + at);
    }
  }
}

TEST_F(Munmap, TakesPagesOutOfAnyPlace) {
  struct Row {
    const char* before;
    std::uint64_t start, pages;
    const char* after;
  };
  for (const Row& row : {
           Row{"AAAA", 0, 4, "...."},
           Row{"AAAA", 0, 1, ".AAA"},
           Row{"AAAA", 3, 1, "AAA."},
           Row{"AAAA", 1, 2, "A..B"},
           Row{"AABB", 1, 2, "A..B"},
           Row{"AABB", 0, 2, "..AA"},
           Row{"AABBCC", 1, 4, "A....B"},
           Row{"AABBCC", 2, 2, "AA..BB"},
           Row{"A.B.C.", 0, 6, "......"},
           Row{"A.B.CC", 1, 4, "A....B"},
           Row{"..AA..", 0, 2, "..AA.."},
           Row{"..AA..", 1, 2, "...A.."},
           Row{"..AA..", 4, 2, "..AA.."},
           Row{"AAABBBCCC", 2, 5, "AA.....BB"},
       }) {
    story([&](Mm& mm) {
      map_drawing(*this, mm, row.before);
      unmap(mm, page_at(kBase, row.start), row.pages);
      const std::string after = drawn(mm, kBase, std::string_view(row.before).size());
      EXPECT_EQ(after, row.after) << row.before;
      int mapped = 0;
      for (std::size_t at = 0; at < after.size(); ++at) {
        const UserResult got = read(mm, page_at(kBase, at));
        EXPECT_EQ(got.status, after[at] == '.' ? Status::kFault : Status::kOk);
        if (after[at] == '.') continue;
        ++mapped;
        EXPECT_EQ(got.value, 100 + at);
      }
      EXPECT_EQ(rss(mm), std::to_string(mapped) + " " + std::to_string(mapped));
    });
  }
}

TEST_F(Munmap, RefusesWhatMakesNoSense) {
  story([&](Mm& mm) {
    EXPECT_EQ(do_munmap(m, mm, {kBase, kBase}), Status::kInvalid);
    EXPECT_EQ(do_munmap(m, mm, {kBase + kPageSize, kBase}), Status::kInvalid);
    EXPECT_EQ(do_munmap(m, mm, {kBase + 1, page_at(kBase, 1)}), Status::kInvalid);
    EXPECT_EQ(do_munmap(m, mm, {kBase, page_at(kBase, 1) + 1}), Status::kInvalid);
    EXPECT_EQ(do_munmap(m, mm, {kBase, kUserEnd + kPageSize}), Status::kInvalid);
    EXPECT_EQ(do_munmap(m, mm, {0, kUserEnd}), Status::kOk);
  });
}

TEST_F(Munmap, FreesTablesThatNobodyNeeds) {
  struct Row {
    const char* what;
    VirtAddr other;  // of a page that stays
    int tables;      // root included
  };
  for (const Row& row : {
           Row{"a neighbour in the same table", page_at(kBase, 1), 4},
           Row{"a neighbour under the same upper tables", kBase + table_span(1), 4},
           Row{"a neighbour far away", kBase + table_span(3), 4},
       }) {
    story([&](Mm& mm) {
      map_drawing(*this, mm, "A");
      map(mm, 1, kRw, row.other);
      write(mm, row.other, 1);
      unmap(mm, kBase, 1);
      EXPECT_EQ(tables(mm), row.tables) << row.what;
      EXPECT_EQ(read(mm, row.other).value, 1u);
    });
  }
}

TEST_F(Munmap, FreesAllTablesWithTheLastVma) {
  story([&](Mm& mm) {
    map_drawing(*this, mm, "AAA..BBB");
    EXPECT_EQ(tables(mm), 4);
    unmap(mm, kBase, 8);
    EXPECT_EQ(tables(mm), 1);
    EXPECT_EQ(m.frames.free_count(), frames_free - 1);
  });
}

TEST_F(Munmap, AnEmptyNeighbourKeepsItsTable) {
  story([&](Mm& mm) {
    map_drawing(*this, mm, "AA");
    map(mm, 1, kRw, page_at(kBase, 2));  // never touched
    unmap(mm, kBase, 2);
    EXPECT_EQ(tables(mm), 4);
  });
}

TEST_F(Munmap, TheZeroPageIsNotCounted) {
  story([&](Mm& mm) {
    map(mm, 2, kRw, kBase);
    EXPECT_EQ(read(mm, kBase).value, 0u);
    EXPECT_TRUE(m.is_zero_page(pte(mm, kBase).pfn()));
    EXPECT_EQ(rss(mm), "0 0");
    unmap(mm, kBase, 2);
    EXPECT_EQ(m.zero_page().count.read(), 1);
  });
}

TEST_F(Munmap, APageOfAFileStaysInThePageCache) {
  story([&](Mm& mm) {
    const VirtAddr at = map_file(mm, 0, 2);
    read(mm, at);
    EXPECT_EQ(rss(mm), "1 0");
    Page& page = page_of(mm, at);
    EXPECT_EQ(page.count.read(), 2);
    unmap(mm, at, 2);
    EXPECT_EQ(page.count.read(), 1);
    EXPECT_EQ(page.mapcount.raw(), -1);
    EXPECT_EQ(rss(mm), "0 0");
    frames_free -= 1;
  });
}

TEST_F(Munmap, ASplitFileMappingStillShowsTheRightPages) {
  story([&](Mm& mm) {
    const VirtAddr at = map_file(mm, 0, 6, 4);
    unmap(mm, page_at(at, 2), 2);
    EXPECT_EQ(drawn(mm, at, 6), "AA..BB");
    EXPECT_EQ(m.file(0).count.read(), 3);
    EXPECT_EQ(read(mm, page_at(at, 1)).value, file_word(0, 5, 0));
    EXPECT_EQ(read(mm, page_at(at, 5)).value, file_word(0, 9, 0));
    frames_free -= 2;
  });
}

TEST_F(Munmap, WithoutMemoryForASplitAllStaysMapped) {
  story([&](Mm& mm) {
    map_drawing(*this, mm, "AAAA");
    for (std::uint32_t nth = 1; nth <= 2; ++nth) {
      current()->fail_nth = nth;
      EXPECT_EQ(try_unmap(mm, page_at(kBase, 1), 2), Status::kNoMemory);
      EXPECT_EQ(current()->fail_nth, 0u);
      for (std::uint64_t i = 0; i < 4; ++i) {
        EXPECT_EQ(read(mm, page_at(kBase, i)).value, 100 + i);
      }
    }
    unmap(mm, page_at(kBase, 1), 2);
  });
}

TEST_F(Munmap, AStaleTranslationIsFlushed) {
  story([&](Mm& mm) {
    map_drawing(*this, mm, "AA");
    for (int cpu = 0; cpu < 3; ++cpu) {
      user_access(m, mm, cpu, kBase, UserAccess::kRead);
    }
    unmap(mm, kBase, 1);
    m.mmu->for_each_entry([&](const TlbEntry& entry) { EXPECT_NE(entry.addr, kBase); });
  });
}

// Two tasks unmap what the other one touches; whoever comes late gets a fault, nobody a
// page of the other's.
TEST_F(Munmap, RacesWithAccesses) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    Mm& mm = anew([&](Mm& fresh) { map(fresh, 4, kRw, kBase); });
    const auto access = [&] {
      for (std::uint64_t i = 0; i < 4; ++i) {
        if (try_write(mm, page_at(kBase, i), i) != Status::kOk) continue;
        const UserResult got = read(mm, page_at(kBase, i));
        EXPECT_TRUE(got.status == Status::kFault || got.value == i) << "seed " << seed;
      }
    };
    const auto unmaps = [&] {
      unmap(mm, page_at(kBase, 1), 2);
      unmap(mm, page_at(kBase, 0), 4);
    };
    const auto finding = run_tasks(run, pos_seed(seed), {access, unmaps});
    ASSERT_EQ(finding ? finding->title : "", "") << "seed " << seed;
    end(mm);
  }
}

TEST_F(Munmap, ExitLeavesNothingWhateverWasMapped) {
  story([&](Mm& mm) {
    map_drawing(*this, mm, "AA.BBB");
    map(mm, 3, kRw | kVmShared);
    const VirtAddr shared = map(mm, 2, kRw | kVmShared);
    write(mm, page_at(shared, 1), 1);
    map_file(mm, 1, 2);
    map(mm, 1, kRw, 0x7000'0000'0000);
    write(mm, 0x7000'0000'0000, 1);
  });
}

}  // namespace
}  // namespace racier
