// core/objects/machine_test.cc - a machine is as new after a reset, come what may.
#include "core/objects/machine.h"

#include <gtest/gtest.h>

namespace racier {
namespace {

const MachineOptions kSmall{.frames = 16, .slab_pages = 16, .swap_slots = 8};

// What tasks that ended in the middle of something left behind: they held locks, and
// wrote under them.  The analysis would have the locks released.
void hold_locks(Machine& m) NO_THREAD_SAFETY_ANALYSIS {
  m.mms_lock.lock();
  m.lru.lru_lock.lock();
  m.swap.swap_list_lock.lock();
  m.swap.info[0]->swap_device_lock.lock();
  m.file(1).tree_lock.lock();
  m.file(1).i_mmap_lock.lock();
  m.swapper.tree_lock.lock();
}

void fill_files_and_swap(Machine& m) NO_THREAD_SAFETY_ANALYSIS {
  m.file(0).slots[3].page = &m.page(1);
  m.file(0).nrpages = 1;
  m.file(0).count.set(4);
  m.swapper.slots[2].page = &m.page(1);
  SwapArea& area = *m.swap.info[0];
  area.swap_map[0].store(m.swap_map_cache.create());
  area.flags.store(SwapArea::kUsed);
  area.inuse_pages = 1;
  area.lowest_bit = 3;
  m.swap.list_head = m.swap.list_next = 0;
  m.mmlist_lock.lock();
}

void expect_files_and_swap_empty(Machine& m) NO_THREAD_SAFETY_ANALYSIS {
  EXPECT_EQ(m.file(0).slots[3].page, nullptr);
  EXPECT_EQ(m.file(0).nrpages, 0u);
  EXPECT_EQ(m.file(0).count.read(), 1);
  EXPECT_EQ(m.swapper.slots[2].page, nullptr);
  const SwapArea& area = *m.swap.info[0];
  EXPECT_EQ(area.swap_map[0].load(), nullptr);
  EXPECT_EQ(area.flags.load(), 0u);
  EXPECT_EQ(area.inuse_pages, 0u);
  EXPECT_EQ(area.lowest_bit, 1u);
  EXPECT_EQ(m.swap.list_head, -1);
  EXPECT_FALSE(m.mmlist_lock.is_locked());
}

void put_on_lru(Machine& m, Page& page) NO_THREAD_SAFETY_ANALYSIS {
  m.lru.active.push_front(page);
}
bool lru_is_empty(Machine& m) NO_THREAD_SAFETY_ANALYSIS { return m.lru.active.empty(); }

void lock_new_mm(Machine& m) NO_THREAD_SAFETY_ANALYSIS {
  Mm* const mm = m.mm_cache.create(m.next_mm_id());
  m.mms.push_back(*mm);
  mm->mmap_sem.down_write();
  mm->page_table_lock.lock();
}
bool no_mms(Machine& m) NO_THREAD_SAFETY_ANALYSIS { return m.mms.empty(); }

struct Story : testing::Test {
  Machine m{kSmall};
  RunState run;
  void SetUp() override { m.reset(run); }
};
using MachineTest = Story;

TEST_F(MachineTest, TellsTheRunWhatToWatch) {
  EXPECT_EQ(run.live, &m.region.live());
  EXPECT_EQ(run.lock_checker, &m.lock_checker);
}

TEST_F(MachineTest, NumbersItsPages) {
  for (Pfn pfn = 0; pfn < kSmall.frames; ++pfn) EXPECT_EQ(m.page(pfn).pfn, pfn);
}

TEST_F(MachineTest, GivesMmsNumbersFromOne) {
  EXPECT_EQ(m.next_mm_id(), 1u);
  EXPECT_EQ(m.next_mm_id(), 2u);
  m.reset(run);
  EXPECT_EQ(m.next_mm_id(), 1u);
}

TEST_F(MachineTest, ForgetsPagesThatWereInUse) {
  const Pfn pfn = m.frames.alloc();
  Page& page = m.page(pfn);
  page.count.set(3);
  page.mapcount.raw() = 2;
  page.flags.raw() = bit_of(PageFlag::kLocked) | bit_of(PageFlag::kLru);
  put_on_lru(m, page);
  m.reset(run);
  EXPECT_EQ(page.count.read(), 0);
  EXPECT_EQ(page.mapcount.raw(), -1);
  EXPECT_EQ(page.flags.raw(), 0u);
  EXPECT_EQ(page.pfn, pfn);
  EXPECT_TRUE(page.lru.empty());
  EXPECT_TRUE(lru_is_empty(m));
  EXPECT_EQ(m.frames.free_count(), kSmall.frames);
}

TEST_F(MachineTest, FreesLocksThatWereHeld) {
  hold_locks(m);
  m.reset(run);
  EXPECT_FALSE(m.mms_lock.is_locked());
  EXPECT_FALSE(m.lru.lru_lock.is_locked());
  EXPECT_FALSE(m.swap.swap_list_lock.is_locked());
  EXPECT_FALSE(m.swap.info[0]->swap_device_lock.is_locked());
  EXPECT_FALSE(m.file(1).tree_lock.is_locked());
  EXPECT_FALSE(m.file(1).i_mmap_lock.is_locked());
  EXPECT_FALSE(m.swapper.tree_lock.is_locked());
  EXPECT_FALSE(run.over());
}

TEST_F(MachineTest, EmptiesFilesAndSwap) {
  fill_files_and_swap(m);
  m.reset(run);
  expect_files_and_swap_empty(m);
}

TEST_F(MachineTest, ForgetsWhatItsSlabsHold) {
  lock_new_mm(m);
  ASSERT_NE(m.vma_cache.create(), nullptr);
  m.reset(run);
  EXPECT_TRUE(no_mms(m));
  EXPECT_EQ(m.mm_cache.live_objects(), 0u);
  EXPECT_EQ(m.vma_cache.live_objects(), 0u);
  EXPECT_FALSE(run.over());
}

TEST_F(MachineTest, MakesAndDestroysSharedMemory) {
  AddressSpace* const first = m.create_shmem(3);
  AddressSpace* const second = m.create_shmem(4);
  EXPECT_TRUE(first->shmem);
  EXPECT_EQ(second->size, 4u);
  EXPECT_EQ(first->id, static_cast<int>(kSmall.files));
  EXPECT_EQ(second->id, static_cast<int>(kSmall.files) + 1);
  m.destroy_shmem(*first);
  int files = 0;
  m.for_each_file([&](AddressSpace&) { ++files; });
  EXPECT_EQ(files, static_cast<int>(kSmall.files) + 1);
  m.reset(run);  // frees the slots of the second
  EXPECT_EQ(m.shmem_cache.live_objects(), 0u);
}

TEST_F(MachineTest, SharedMemoryHasALimit) {
  EXPECT_EQ(m.create_shmem(kShmemPagesMax + 1), nullptr);
}

TEST_F(MachineTest, MayHaveNoSwap) {
  Machine none(MachineOptions{.frames = 16, .slab_pages = 16, .swap_slots = 0});
  none.reset(run);
  EXPECT_EQ(none.swap.find(SwapEntry::of(0, 1)), nullptr);
}

TEST_F(MachineTest, EveryPageHasAQueue) {
  for (Pfn pfn = 0; pfn < kSmall.frames; ++pfn) {
    EXPECT_EQ(&m.page_wait(m.page(pfn)), &m.page_wait(m.page(pfn)));
  }
}

TEST(FileWord, DiffersFromPlaceToPlace) {
  EXPECT_NE(file_word(0, 0, 0), file_word(1, 0, 0));
  EXPECT_NE(file_word(0, 0, 0), file_word(0, 1, 0));
  EXPECT_NE(file_word(0, 0, 0), file_word(0, 0, 1));
  EXPECT_NE(file_word(0, 1, 0), file_word(0, 0, 1));
}

}  // namespace
}  // namespace racier
