// core/memory/region_test.cc - host memory, and which of it is alive.
#include "core/memory/region.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cstring>
#include <string>
#include <system_error>
#include <vector>

#include "core/memory/memory_for_test.h"

namespace racier {
namespace {

TEST(HostMemory, IsZeroAndWritableAndSharedThroughItsFd) {
  HostMemory memory("racier-test", 2 * kPageSize);
  EXPECT_EQ(memory.data()[kPageSize], std::byte{0});
  memory.data()[kPageSize] = std::byte{7};
  void* const again =
      mmap(nullptr, 2 * kPageSize, PROT_READ, MAP_SHARED, memory.fd(), 0);
  ASSERT_NE(again, MAP_FAILED);
  EXPECT_EQ(static_cast<const std::byte*>(again)[kPageSize], std::byte{7});
  munmap(again, 2 * kPageSize);
}

TEST(HostMemory, SaysWhatTheHostRefused) {
  try {
    HostMemory memory("racier-test", std::size_t{1} << 62);
    FAIL() << "the host gave 4 EiB";
  } catch (const std::system_error& error) {
    EXPECT_NE(std::string(error.what()).find("\"racier-test\""), std::string::npos)
        << error.what();
    EXPECT_NE(error.code().value(), 0);
  }
}

// A page that is never touched is not backed: a machine may be larger than what it
// uses.
TEST(HostMemory, IsNotBackedBeforeItIsTouched) {
  HostMemory memory("racier-test", std::size_t{1} << 32);
  memory.data()[kPageSize * 1000] = std::byte{1};
  std::vector<unsigned char> backed(1024);
  ASSERT_EQ(mincore(memory.data(), 1024 * kPageSize, backed.data()), 0);
  EXPECT_EQ(backed[0] & 1, 0);
  EXPECT_EQ(backed[1000] & 1, 1);
}

TEST(Region, IsDeadAtFirst) {
  MemoryForTest m;
  EXPECT_TRUE(m.dead(m.region.frame(0)));
  EXPECT_TRUE(m.dead(m.region.frame(15) + kPageSize - 1));
  EXPECT_TRUE(m.dead(m.region.slab_page(0)));
  EXPECT_TRUE(m.dead(m.region.slab_page(7) + kPageSize - 1));
}

TEST(Region, IsAliveWhereItWasSaid) {
  MemoryForTest m;
  std::byte* const at = m.region.slab_page(2);
  m.region.set_alive(at + 32, 40);
  EXPECT_TRUE(m.dead(at + 31));
  EXPECT_TRUE(m.alive(at + 32));
  EXPECT_TRUE(m.alive(at + 71));
  EXPECT_TRUE(m.dead(at + 80));
  m.region.set_dead(at + 32, 40);
  EXPECT_TRUE(m.dead(at + 32));
  EXPECT_TRUE(m.dead(at + 79));
}

TEST(Region, PoisonsBehindTheLastByteOfAnObject) {
  if (__asan_address_is_poisoned == nullptr) GTEST_SKIP() << "needs AddressSanitizer";
  MemoryForTest m;
  std::byte* const at = m.region.slab_page(0);
  m.region.set_alive(at, 40);
  EXPECT_FALSE(m.poisoned(at + 39));
  EXPECT_TRUE(m.poisoned(at + 40));
}

TEST(Region, DiesOfATouchOfDeadMemoryUnderAddressSanitizer) {
  if (__asan_address_is_poisoned == nullptr) GTEST_SKIP() << "needs AddressSanitizer";
  MemoryForTest m;
  EXPECT_DEATH(std::memset(m.region.frame(3), 0, 8), "use-after-poison");
}

TEST(Region, NamesUserWordsApartFromMemory) {
  MemoryForTest m;
  const std::byte* const name = m.region.word_name(3, 8);
  EXPECT_FALSE(m.region.live().is_dead(name));
  EXPECT_NE(m.region.live().offset_of(name), -1);
  EXPECT_NE(name, m.region.word_name(3, 16));
  EXPECT_NE(name, m.region.word_name(4, 8));
  EXPECT_GE(name, m.region.slab_page(7) + kPageSize);
}

TEST(Pattern, DamageIsFoundAtItsFirstByte) {
  std::vector<std::byte> bytes(kPageSize);
  fill_pattern(bytes.data(), bytes.size(), kPatternFree);
  EXPECT_EQ(pattern_damage(bytes.data(), bytes.size()), bytes.size());
  bytes[4000] = bytes[77] = std::byte{0};
  EXPECT_EQ(pattern_damage(bytes.data(), bytes.size()), 77u);
}

}  // namespace
}  // namespace racier
