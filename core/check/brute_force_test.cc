// core/check/brute_force_test.cc - who maps this page?
#include <gtest/gtest.h>

#include "core/check/brute_force.h"

#include "core/check/world_for_test.h"

namespace racier::check {
namespace {

// "1:65536 2:65536": mm and page number of each mapping.
std::string mappers(World& world, const Page& page) {
  std::string text;
  for (const rmap::Mapping& at : who_maps(world.m, page)) {
    if (!text.empty()) text += ' ';
    text +=
        std::to_string(at.vma->vm_mm->id) + ":" + std::to_string(at.addr >> kPageShift);
  }
  return text;
}

std::string at(int mm, VirtAddr addr) {
  return std::to_string(mm) + ":" + std::to_string(addr >> kPageShift);
}

TEST(BruteForce, FindsEveryMapping) {
  World world;
  const VirtAddr page = kPageSize;
  EXPECT_EQ(mappers(world, world.anon(0)),
            at(1, World::kAnon) + " " + at(2, World::kAnon));
  EXPECT_EQ(mappers(world, world.anon(1)), at(1, World::kAnon + page));
  EXPECT_EQ(mappers(world, world.file_page()),
            at(1, World::kFile) + " " + at(2, World::kFile));
  EXPECT_EQ(mappers(world, world.cached()), at(1, World::kSwap + page));
  EXPECT_EQ(mappers(world, world.m.page(200)), "");
}

TEST(BruteForce, AgreesWithTheSchemeOnEveryPage) {
  World world;
  BruteForce all;
  all.scan(world.m);
  int pages = 0;
  for (const Pfn pfn : all.frames()) {
    Page& page = world.m.page(pfn);
    if (all.use(pfn).ptes == 0 || !page.is_anon()) continue;
    ++pages;
    std::string walked;
    world.in_task([&] {
      world.m.scheme().walk(page, [&](const rmap::Mapping& shown) {
        const PteSlot slot = world.slot(*shown.vma->vm_mm, shown.addr);
        if (slot && slot.peek().maps(pfn)) {
          const std::string one =
              at(static_cast<int>(shown.vma->vm_mm->id), shown.addr);
          walked = walked.empty() ? one
                                  : std::min(one, walked) + " " + std::max(one, walked);
        }
        return rmap::Walk::kContinue;
      });
    });
    EXPECT_EQ(walked, mappers(world, page)) << describe(world.m, pfn);
  }
  EXPECT_GE(pages, 6);
}

TEST(BruteForce, CountsTablesPtesAndSlots) {
  World world;
  BruteForce all;
  all.scan(world.m);
  EXPECT_EQ(all.mms().size(), 2u);
  EXPECT_EQ(all.vmas().size(), 12u);
  EXPECT_EQ(all.use(world.parent->context.root).tables, 1);
  EXPECT_EQ(all.use(world.anon(0).pfn).ptes, 2);
  EXPECT_EQ(all.swap_ptes(world.slot_out()), 1u);
  EXPECT_EQ(all.swap_ptes(world.slot_cached()), 0u);
  EXPECT_EQ(all.mm_of(1), world.parent);
  EXPECT_EQ(all.mm_of(3), nullptr);
}

TEST(BruteForce, DescribesPages) {
  World world;
  const std::string pfn = std::to_string(world.anon(0).pfn);
  EXPECT_EQ(describe(world.m, world.anon(0).pfn),
            "page " + pfn + " count 2 mapcount 2 anon index 65536 uptodate lru active");
}

}  // namespace
}  // namespace racier::check
