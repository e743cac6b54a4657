// core/objects/vma_test.cc - the arithmetic of vmas, and the two trees they are on.
#include "core/objects/vma.h"

#include <gtest/gtest.h>

#include <memory>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/random.h"

namespace racier {
namespace {

VirtAddr page(std::uint64_t number) { return number << kPageShift; }

// Vmas drawn as a map, one letter a page: "AA.B" is two pages, a hole, one page.
struct Map {
  std::vector<std::unique_ptr<Vma>> vmas;
  VmaTree tree;

  explicit Map(std::string_view text) {
    for (std::size_t at = 0; at < text.size();) {
      std::size_t end = at;
      while (end < text.size() && text[end] == text[at]) ++end;
      if (text[at] != '.') add(at, end);
      at = end;
    }
  }
  void add(std::uint64_t start, std::uint64_t end) {
    vmas.push_back(std::make_unique<Vma>());
    vmas.back()->vm_start = page(start);
    vmas.back()->vm_end = page(end);
  }
  void link_all() {
    // Not in the order of addresses.
    for (std::size_t i = 0; i < vmas.size(); i += 2) tree.insert(*vmas[i]);
    for (std::size_t i = 1; i < vmas.size(); i += 2) tree.insert(*vmas[i]);
  }
  char name(const Vma* vma) const {
    if (vma == nullptr) return '-';
    for (std::size_t i = 0; i < vmas.size(); ++i) {
      if (vmas[i].get() == vma) return static_cast<char>('A' + i);
    }
    return '?';
  }
};

TEST(VmaTree, FindsTheFirstThatEndsBehindAnAddress) {
  struct Row {
    const char* map;
    const char* found;  // for each page
  };
  for (const Row& row : {
           Row{"....", "----"},
           Row{"AAAA", "AAAA"},
           Row{".AA.", "AAA-"},
           Row{"AABB", "AABB"},
           Row{"A..B", "ABBB"},
           Row{".A.BB..C.", "AABBBCCC-"},
           Row{"ABCDEFGH", "ABCDEFGH"},
       }) {
    Map map(row.map);
    map.link_all();
    std::string found;
    for (std::size_t at = 0; at < std::string_view(row.map).size(); ++at) {
      found += map.name(map.tree.find(page(at)));
      EXPECT_EQ(map.tree.find(page(at)), map.tree.find(page(at) + kPageSize - 1));
    }
    EXPECT_EQ(found, row.found) << row.map;
  }
}

TEST(VmaTree, FindsTheFirstThatOverlapsARange) {
  struct Row {
    const char* map;
    std::uint64_t start, end;
    char found;
  };
  for (const Row& row : {
           Row{"..AA..", 0, 2, '-'},
           Row{"..AA..", 0, 3, 'A'},
           Row{"..AA..", 3, 6, 'A'},
           Row{"..AA..", 4, 6, '-'},
           Row{"..AA..", 0, 6, 'A'},
           Row{"AA..BB", 2, 4, '-'},
           Row{"AA..BB", 1, 5, 'A'},
           Row{"AA..BB", 2, 5, 'B'},
       }) {
    Map map(row.map);
    map.link_all();
    EXPECT_EQ(map.name(map.tree.find_intersection({page(row.start), page(row.end)})),
              row.found)
        << row.map << " " << row.start << "-" << row.end;
  }
}

TEST(VmaTree, GoesThroughThemInOrder) {
  Map map("A.BBCC.D");
  map.link_all();
  std::string forward;
  for (Vma* at = map.tree.first(); at != nullptr; at = VmaTree::next(*at)) {
    forward += map.name(at);
  }
  std::string backward;
  for (Vma* at = map.tree.last(); at != nullptr; at = VmaTree::prev(*at)) {
    backward += map.name(at);
  }
  EXPECT_EQ(forward, "ABCD");
  EXPECT_EQ(backward, "DCBA");
}

TEST(VmaTree, RefusesAnOverlap) {
  Map map("AABB");
  map.vmas[1]->vm_start = page(1);
  map.tree.insert(*map.vmas[0]);
  EXPECT_DEATH(map.tree.insert(*map.vmas[1]), "do not overlap");
}

TEST(Vma, TurnsIndexesIntoAddressesAndBack) {
  Vma vma;
  vma.vm_start = page(100);
  vma.vm_end = page(104);
  vma.vm_pgoff = 7;
  EXPECT_EQ(vma_address(vma, 6), kUserEnd);
  EXPECT_EQ(vma_address(vma, 7), page(100));
  EXPECT_EQ(vma_address(vma, 10), page(103));
  EXPECT_EQ(vma_address(vma, 11), kUserEnd);
  EXPECT_EQ(vma.index_of(page(102) + 5), 9u);
}

TEST(Vma, OfLowerIndexThanAddressHasNoPagesBelow) {
  Vma vma;
  vma.vm_start = page(2);
  vma.vm_end = page(4);
  vma.vm_pgoff = 0;
  EXPECT_EQ(vma_address(vma, ~0ull), kUserEnd);
  EXPECT_EQ(vma_address(vma, 2), kUserEnd);
}

// The tree must show what a look at every vma shows.
TEST(IMmapTree, FindsExactlyThoseThatMapTheRange) {
  Random random(2);
  std::vector<std::unique_ptr<Vma>> vmas;
  for (int i = 0; i < 60; ++i) vmas.push_back(std::make_unique<Vma>());
  IMmapTree tree;
  for (int round = 0; round < 3000; ++round) {
    Vma& vma = *vmas[random.below(vmas.size())];
    if (vma.shared.linked()) {
      tree.erase(vma);
    } else {
      vma.vm_pgoff = random.below(50);
      vma.vm_start = page(random.below(1000));
      vma.vm_end = vma.vm_start + page(1 + random.below(12));
      tree.insert(vma);
    }
    const std::uint64_t first = random.below(60);
    const std::uint64_t last = first + random.below(6);
    std::size_t expected = 0;
    for (const auto& each : vmas) {
      const bool maps = each->shared.linked() && each->vm_pgoff <= last &&
                        each->vm_pgoff + each->pages() > first;
      if (maps) ++expected;
    }
    std::size_t shown = 0;
    std::uint64_t before = 0;
    for (Vma* at = tree.first(first, last); at != nullptr;
         at = IMmapTree::next(*at, first, last)) {
      ASSERT_LE(at->vm_pgoff, last);
      ASSERT_GT(at->vm_pgoff + at->pages(), first);
      ASSERT_GE(at->vm_pgoff, before);
      before = at->vm_pgoff;
      ++shown;
    }
    ASSERT_EQ(shown, expected) << "round " << round;
  }
}

}  // namespace
}  // namespace racier
