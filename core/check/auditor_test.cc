// core/check/auditor_test.cc - every invariant is proven by a machine that breaks it.
//
// Each row damages one thing of a clean machine by hand, behind the back of the verbs,
// and names the invariant that must speak.
#include "core/check/auditor.h"

#include <gtest/gtest.h>

#include "core/check/world_for_test.h"
#include "core/rmap/anon_vma_spin.h"

namespace racier::check {
namespace {

constexpr std::uint32_t kFreeSlot = 40;  // of swap
constexpr Pfn kFreeFrame = 250;

TEST(Auditor, FindsNothingWrongWithAMachineAtRest) {
  World world;
  EXPECT_EQ(world.audit(), "");
  EXPECT_EQ(world.audit(world.expected()), "");
}

TEST(Auditor, WorksWithoutAWatcher) {
  World world;
  const auto finding = finding_of(world.run, [&] { audit(world.m, nullptr); });
  EXPECT_EQ(name_of(finding), "");
}

struct Damage {
  const char* name;
  Inv found;
  void (*inflict)(World&);
};
std::ostream& operator<<(std::ostream& out, const Damage& damage) {
  return out << damage.name;
}

class Damaged : public testing::TestWithParam<Damage> {};

TEST_P(Damaged, IsFound) {
  World world;
  ASSERT_EQ(world.audit(), "");
  GetParam().inflict(world);
  const auto finding = world.full_audit();
  EXPECT_EQ(name_of(finding), name_of(GetParam().found));
  EXPECT_TRUE(finding && !finding->detail.empty());
}

#define UNLOCKED NO_THREAD_SAFETY_ANALYSIS
const auto kItsName = [](const auto& info) { return info.param.name; };

// Changes what the map says of a slot of the first area.
void add_to_count(World& w, std::uint32_t slot, int change) UNLOCKED {
  SwapArea& area = *w.m.swap.info[0];
  area.set_count(slot, static_cast<std::uint16_t>(area.count(slot) + change));
}

// ---- C1 to C5 -----------------------------------------------------------------------

const Damage kCounts[] = {
    {"MapcountHigh", Inv::kMapcountIsItsPtes,
     [](World& w) { w.anon(0).mapcount.raw()++; }},
    {"MapcountLow", Inv::kMapcountIsItsPtes,
     [](World& w) { w.anon(0).mapcount.raw()--; }},
    {"MapcountOfZeroPage", Inv::kMapcountIsItsPtes,
     [](World& w) { w.m.zero_page().mapcount.raw()++; }},
    {"CountHigh", Inv::kPageCountIsItsUsers, [](World& w) { w.anon(0).count.inc(); }},
    {"CountLow", Inv::kPageCountIsItsUsers, [](World& w) { w.anon(0).count.set(1); }},
    {"CountOfPageTable", Inv::kPageCountIsItsUsers,
     [](World& w) { w.m.page(w.child->context.root).count.inc(); }},
    {"FrameLost", Inv::kPageCountIsItsUsers, [](World& w) { w.m.frames.alloc(); }},
    {"SwapMapHigh", Inv::kSwapMapIsItsUsers,
     [](World& w) UNLOCKED { add_to_count(w, w.slot_out(), 1); }},
    {"SwapMapLow", Inv::kSwapMapIsItsUsers,
     [](World& w) UNLOCKED { add_to_count(w, w.slot_cached(), -1); }},
    {"SwapSlotLost", Inv::kSwapMapIsItsUsers,
     [](World& w) UNLOCKED { add_to_count(w, kFreeSlot, 1); }},
    {"SwapPteToFreeSlot", Inv::kSwapMapIsItsUsers,
     [](World& w) {
       w.slot(*w.parent, w.kAnon + 3 * w.kPage).set(Pte::swap({kFreeSlot}));
     }},
    {"SwapPteToNoSlot", Inv::kSwapMapIsItsUsers,
     [](World& w) { w.slot(*w.parent, w.kAnon + 3 * w.kPage).set(Pte::swap({9999})); }},
    {"SwapInUse", Inv::kSwapTotalsMatch,
     [](World& w) UNLOCKED { ++w.m.swap.info[0]->inuse_pages; }},
    {"SwapLowestBit", Inv::kSwapTotalsMatch,
     [](World& w) UNLOCKED { w.m.swap.info[0]->lowest_bit = kFreeSlot + 1; }},
    {"SwapHighestBit", Inv::kSwapTotalsMatch,
     [](World& w) UNLOCKED { w.m.swap.info[0]->highest_bit = kFreeSlot - 1; }},
    {"SlotOfAnAreaThatIsOff", Inv::kSwapMapIsItsUsers,
     [](World& w) { w.m.swap.info[0]->flags.store(SwapArea::kUsed); }},
    {"BadSlotInUse", Inv::kSwapMapIsItsUsers,
     [](World& w) UNLOCKED { w.m.swap.info[0]->set_count(w.slot_out(), kSwapMapBad); }},
    {"SlotsOfSharedMemory", Inv::kPageCacheHoldsPage,
     [](World& w) UNLOCKED {
       w.m.for_each_file([](AddressSpace& file) UNLOCKED {
         if (file.shmem) ++file.nrswapped;
       });
     }},
    {"Rss", Inv::kRssIsItsPtes, [](World& w) UNLOCKED { ++w.parent->rss; }},
    {"AnonRss", Inv::kAnonRssIsItsPtes, [](World& w) UNLOCKED { --w.child->anon_rss; }},
    {"MapCount", Inv::kMapCountIsItsVmas, [](World& w) { ++w.parent->map_count; }},
    {"MmCount", Inv::kMmCountIsItsHolders, [](World& w) { w.parent->mm_count.set(0); }},
    {"FileCount", Inv::kFileCountIsItsVmas, [](World& w) { w.m.file(1).count.inc(); }},
    {"ShmemCount", Inv::kFileCountIsItsVmas,
     [](World& w) { w.vma_at(*w.child, w.kShared).vm_file->count.set(1); }},
};
INSTANTIATE_TEST_SUITE_P(Counts, Damaged, testing::ValuesIn(kCounts), kItsName);

TEST(Auditor, KnowsItsUsers) {
  World world;
  Expected expected = world.expected();
  mmget(*world.parent);
  EXPECT_EQ(world.audit(expected), name_of(Inv::kMmUsersAreItsUsers));
}

TEST(Auditor, TakesUnlistedMmsForUnused) {
  World world;
  Expected expected = world.expected();
  expected.users = expected.users.first(1);
  EXPECT_EQ(world.audit(expected), name_of(Inv::kMmUsersAreItsUsers));
}

TEST(Auditor, KnowsItsHolders) {
  World world;
  Expected expected = world.expected();
  world.users[1].holders = 1;
  world.child->mm_count.inc();
  EXPECT_EQ(world.audit(expected), "");
  world.child->mm_count.inc();
  EXPECT_EQ(world.audit(expected), name_of(Inv::kMmCountIsItsHolders));
}

TEST(Auditor, CountsPins) {
  World world;
  Page* const pins[] = {&world.anon(0), &world.anon(0), &world.file_page()};
  for (Page* const page : pins) page->count.inc();
  EXPECT_EQ(world.audit({.pins = pins}), "");
  EXPECT_EQ(world.audit(), name_of(Inv::kPageCountIsItsUsers));
}

// ---- R3, R6, R1, C6, C7 -------------------------------------------------------------

// Returns an anon_vma that the parent's empty vma has had, and is free.
rmap::AnonVma& free_anon_vma(World& w) {
  Vma& vma = w.vma_at(*w.parent, w.kEmpty);
  std::uintptr_t anchor = 0;
  w.in_task([&] {
    w.write(*w.parent, w.kEmpty);
    anchor = vma.rmap.anchor.load();
    zap_page_range(w.m, vma, vma.range());
    w.m.scheme().unlink(vma);
  });
  vma.rmap.anchor.raw() = 0;
  return *reinterpret_cast<rmap::AnonVma*>(anchor);
}

const Damage kReverseMap[] = {
    {"IndexOfPage", Inv::kPageIndexIsItsPlace,
     [](World& w) { w.anon(0).index.raw()++; }},
    {"PgoffOfVma", Inv::kPageIndexIsItsPlace,
     [](World& w) { ++w.vma_at(*w.parent, w.kAnon).vm_pgoff; }},
    {"MappingCleared", Inv::kPageOfItsVma,
     [](World& w) { w.anon(4).mapping.raw() = 0; }},
    {"MappingOfOtherFile", Inv::kPageOfItsVma,
     [](World& w) {
       w.file_page().mapping.raw() = reinterpret_cast<std::uintptr_t>(&w.m.file(1));
     }},
    {"AnonPageInSharedVma", Inv::kPageOfItsVma,
     [](World& w) { w.vma_at(*w.parent, w.kFile).vm_flags |= kVmShared; }},
    {"CopyBehindTheEnd", Inv::kPteWithinFile,
     [](World& w) { w.m.file(0).i_size.raw().store(1, std::memory_order_relaxed); }},
    {"FilePageInAnonVma", Inv::kPageOfItsVma,
     [](World& w) {
       w.slot(*w.parent, w.kAnon + 3 * w.kPage).set(w.slot(*w.parent, w.kFile).peek());
     }},
    {"VmaOffItsAnonVma", Inv::kRmapComplete,
     [](World& w) { w.vma_at(*w.child, w.kAnon).rmap.node.unlink(); }},
    {"EmptyVmaOffItsAnonVma", Inv::kVmaIsOnItsAnonVma,
     [](World& w) {
       Vma& vma = w.vma_at(*w.child, w.kNone);
       w.in_task([&] { zap_page_range(w.m, vma, vma.range()); });
       vma.rmap.node.unlink();
     }},
    {"FreeAnonVmaLocked", Inv::kFreeAnonVmaIsIdle,
     [](World& w) UNLOCKED { free_anon_vma(w).lock.lock(); }},
    {"FreeAnonVmaWithVma", Inv::kFreeAnonVmaIsIdle,
     [](World& w) UNLOCKED {
       free_anon_vma(w).vmas.push_back(w.vma_at(*w.parent, w.kEmpty).rmap);
     }},
    {"VmaOffItsFile", Inv::kIMmapHoldsItsVmas,
     [](World& w) UNLOCKED { w.m.file(0).i_mmap.erase(w.vma_at(*w.child, w.kFile)); }},
    {"VmaOnAnotherFile", Inv::kIMmapHoldsItsVmas,
     [](World& w) UNLOCKED { w.m.file(1).i_mmap.insert(w.vma_at(*w.child, w.kAnon)); }},
    {"ToldOfWhatIsNot", Inv::kRmapWasTold,
     [](World& w) {
       w.watcher.rmap_added(w.anon(0), w.vma_at(*w.child, w.kAnon),
                            w.kAnon + 3 * w.kPage);
     }},
    {"PteVanished", Inv::kRmapWasTold,
     [](World& w) { w.slot(*w.parent, w.kAnon + 4 * w.kPage).set(Pte()); }},
    {"PteAppeared", Inv::kRmapWasTold,
     [](World& w) {
       w.watcher.rmap_removed(w.anon(4), w.vma_at(*w.parent, w.kAnon),
                              w.kAnon + 4 * w.kPage);
     }},
};
INSTANTIATE_TEST_SUITE_P(ReverseMap, Damaged, testing::ValuesIn(kReverseMap), kItsName);

// ---- V1, V2 -------------------------------------------------------------------------

const Damage kAddressSpaces[] = {
    {"VmasOverlap", Inv::kVmasInOrder,
     [](World& w) { w.vma_at(*w.parent, w.kAnon).vm_end = w.kFile + w.kPage; }},
    {"VmaIsEmpty", Inv::kVmasInOrder,
     [](World& w) { w.vma_at(*w.parent, w.kEmpty).vm_start += w.kPage; }},
    {"VmaIsUnaligned", Inv::kVmasInOrder,
     [](World& w) { w.vma_at(*w.parent, w.kEmpty).vm_end -= 8; }},
    {"VmaOfAnotherMm", Inv::kVmasInOrder,
     [](World& w) { w.vma_at(*w.parent, w.kEmpty).vm_mm = w.child; }},
    {"VmaNotInTheTree", Inv::kMapCountIsItsVmas,
     [](World& w) { w.parent->vmas.erase(w.vma_at(*w.parent, w.kEmpty)); }},
    {"VmaForgotten", Inv::kNoVmaLeft,
     [](World& w) {
       w.parent->vmas.erase(w.vma_at(*w.parent, w.kEmpty));
       --w.parent->map_count;
     }},
    {"MmForgotten", Inv::kNoMmLeft, [](World& w) { (void)w.m.mm_cache.create(9u); }},
    {"PteOutsideOfVmas", Inv::kPteInsideVma,
     [](World& w) {
       w.slot(*w.parent, w.kAnon + 8 * w.kPage).set(w.slot(*w.parent, w.kAnon).peek());
     }},
    {"TableOfAnotherMm", Inv::kPageTableIsOwn,
     [](World& w) {
       const PteSlot entry = table_entry(w.m.frames, w.child->context.root, 0);
       entry.set(table_entry(w.m.frames, w.parent->context.root, 0).peek());
     }},
    {"TableIsFree", Inv::kPageTableIsOwn,
     [](World& w) {
       table_entry(w.m.frames, w.child->context.root, 1).set(Pte::page(kFreeFrame, 1));
     }},
    {"PteToFreeFrame", Inv::kPteMapsLiveFrame,
     [](World& w) {
       w.slot(*w.parent, w.kAnon + 3 * w.kPage)
           .set(Pte::page(kFreeFrame, Pte::kPresent));
     }},
};
INSTANTIATE_TEST_SUITE_P(AddressSpaces, Damaged, testing::ValuesIn(kAddressSpaces),
                         kItsName);

// ---- V3 -----------------------------------------------------------------------------

const Damage kPermissions[] = {
    {"WritableInReadOnlyVma", Inv::kPteWithinVmaRights,
     [](World& w) { w.vma_at(*w.parent, w.kAnon).vm_flags = kVmRead; }},
    {"AccessibleInForbiddenVma", Inv::kPteWithinVmaRights,
     [](World& w) { w.vma_at(*w.child, w.kFile).vm_flags = 0; }},
    {"CopyOnWritePageIsWritable", Inv::kWritableIsExclusive,
     [](World& w) { w.allow(w.kAnon, Pte::kWrite); }},
    {"ZeroPageIsWritable", Inv::kWritableIsExclusive,
     [](World& w) { w.allow(w.kAnon + 2 * w.kPage, Pte::kWrite); }},
    {"FilePageIsWritable", Inv::kWritableIsExclusive,
     [](World& w) { w.allow(w.kFile, Pte::kWrite); }},
    {"PageOfASwapPteIsWritable", Inv::kWritableIsExclusive,
     [](World& w) UNLOCKED {
       const SwapEntry entry{w.slot_cached()};
       w.slot(*w.child, w.kAnon + 3 * w.kPage).set(Pte::swap(entry));
       add_to_count(w, entry.val, 1);
       w.allow(w.kSwap + w.kPage, Pte::kWrite);
     }},
    {"MigrationEntry", Inv::kMigrationEntryLeft,
     [](World& w) {
       w.slot(*w.parent, w.kAnon + 3 * w.kPage)
           .set(Pte::migration(w.anon(0).pfn, false));
     }},
};
INSTANTIATE_TEST_SUITE_P(Permissions, Damaged, testing::ValuesIn(kPermissions),
                         kItsName);

TEST(Auditor, AllowsToWriteAPageOfTheSwapCacheThatIsNobodyElses) {
  World world;
  world.in_task([&] { world.write(*world.parent, world.kSwap); });
  EXPECT_TRUE(world.slot(*world.parent, world.kSwap).peek().writable());
  EXPECT_TRUE(world.page_at(*world.parent, world.kSwap).peek(PageFlag::kSwapCache));
  EXPECT_EQ(world.audit(), "");
}

// ---- M1, D2, M2 ---------------------------------------------------------------------

const Damage kCaches[] = {
    {"SwapCacheLostPage", Inv::kSwapCacheHoldsPage,
     [](World& w) UNLOCKED { w.m.swapper.slots[w.slot_cached()].page = nullptr; }},
    {"PageSaysOtherSlot", Inv::kSwapCacheHoldsPage,
     [](World& w) { w.cached().private_data.raw()++; }},
    {"PageSaysNoSlot", Inv::kSwapCacheHoldsPage,
     [](World& w) { w.flip(w.cached(), PageFlag::kSwapCache); }},
    {"PageCacheLostPage", Inv::kPageCacheHoldsPage,
     [](World& w) UNLOCKED { w.m.file(0).slots[0].page = nullptr; }},
    {"PageCacheHoldsFreeFrame", Inv::kPageCacheHoldsPage,
     [](World& w) UNLOCKED { w.m.file(0).slots[5].page = &w.m.page(kFreeFrame); }},
    {"PageCacheCount", Inv::kPageCacheHoldsPage,
     [](World& w) UNLOCKED { ++w.m.file(0).nrpages; }},
    {"ShmemInMemoryAndInSwap", Inv::kPageCacheHoldsPage,
     [](World& w) UNLOCKED {
       w.vma_at(*w.child, w.kShared).vm_file->slots[0].swap = {kFreeSlot};
     }},
    {"FileInSwap", Inv::kSwapMapIsItsUsers,
     [](World& w) UNLOCKED { w.m.file(0).slots[7].swap = {kFreeSlot}; }},
    {"CleanFilePageStoredTo", Inv::kCleanPageIsItsStore,
     [](World& w) { w.word(w.file_page(), 511) = 1; }},
    {"CleanFilePageMayBeWritten", Inv::kWritablePageIsDirty,
     [](World& w) {
       w.in_task([&w] {
         w.map(*w.parent, 0x7000'0000, 1, w.kRw | kVmShared, &w.m.file(1));
         w.write(*w.parent, 0x7000'0000);
       });
       w.flip(w.page_at(*w.parent, 0x7000'0000), PageFlag::kDirty);
     }},
    {"CleanSwapPageStoredTo", Inv::kCleanPageIsItsStore,
     [](World& w) { w.word(w.cached(), 511) = 1; }},
};
INSTANTIATE_TEST_SUITE_P(Caches, Damaged, testing::ValuesIn(kCaches), kItsName);

const Damage kMmlist[] = {
    {"SwappedMmIsNotOnTheList", Inv::kSwappedMmOnMmlist,
     [](World& w) { w.parent->mmlist.unlink(); }},
    {"ListEndsInACircle", Inv::kMmlistIsSound,
     [](World& w) {
       MmListNode& first = *w.m.mmlist.next.peek();
       first.next.poke(&first);
     }},
    {"ListIsOneWay", Inv::kMmlistIsSound,
     [](World& w) { w.m.mmlist.next.peek()->prev = w.m.mmlist.next.peek(); }},
    {"HeadDoesNotKnowTheLast", Inv::kMmlistIsSound,
     [](World& w) { w.m.mmlist.prev = &w.m.mmlist; }},
    {"FreedMmIsOnTheList", Inv::kMmlistIsSound,
     [](World& w) {
       alignas(MmListNode) static std::byte freed[sizeof(MmListNode)];
       w.m.mmlist.next.poke(reinterpret_cast<MmListNode*>(freed));
     }},
    {"TakesItselfForAMember", Inv::kMmlistIsSound,
     [](World& w) {
       w.child->mmlist.unlink();
       w.child->mmlist.next.poke(&w.m.mmlist);
     }},
};
INSTANTIATE_TEST_SUITE_P(Mmlist, Damaged, testing::ValuesIn(kMmlist), kItsName);

const Damage kLru[] = {
    {"FlagLost", Inv::kLruIsConsistent,
     [](World& w) { w.flip(w.anon(0), PageFlag::kLru); }},
    {"FlagOfOther", Inv::kLruIsConsistent,
     [](World& w) { w.flip(w.m.zero_page(), PageFlag::kLru); }},
    {"OnTheWrongList", Inv::kLruIsConsistent,
     [](World& w) { w.flip(w.anon(0), PageFlag::kActive); }},
    {"LinkTorn", Inv::kLruIsConsistent,
     [](World& w) { w.anon(0).lru.prev = w.anon(0).lru.prev->prev; }},
    {"ListHasACycle", Inv::kLruIsConsistent,
     [](World& w) { w.anon(0).lru.next = &w.anon(0).lru; }},
    {"FreeFrameOnList", Inv::kLruIsConsistent,
     [](World& w) UNLOCKED { w.m.lru.active.push_front(w.m.page(kFreeFrame)); }},
    {"NrActive", Inv::kLruCountsMatch, [](World& w) UNLOCKED { ++w.m.lru.nr_active; }},
    {"NrInactive", Inv::kLruCountsMatch,
     [](World& w) UNLOCKED { --w.m.lru.nr_inactive; }},
    {"PageOffTheLru", Inv::kLruHasUsedPages,
     [](World& w) UNLOCKED {
       w.m.lru.active.erase(w.anon(0));
       w.flip(w.anon(0), PageFlag::kLru);
       --w.m.lru.nr_active;
     }},
};
INSTANTIATE_TEST_SUITE_P(Lru, Damaged, testing::ValuesIn(kLru), kItsName);

// ---- T1, D1 -------------------------------------------------------------------------

// Returns the translation of a page that no CPU has used.
SecondaryMmu::Entry& secondary_entry(World& w) UNLOCKED {
  w.in_task([&] { EXPECT_TRUE(secondary_write(w.m, *w.secondary, w.kEmpty, 1)); });
  return w.secondary->entries[(w.kEmpty >> kPageShift) % SecondaryMmu::kEntries];
}

const Damage kMemory[] = {
    {"TlbEntryIsWider", Inv::kTlbWithinPte,
     [](World& w) {
       w.slot(*w.parent, w.kAnon + 4 * w.kPage).clear_flags(Pte::kWrite);
     }},
    {"SecondaryMmuReadsAnotherPage", Inv::kSecondaryWithinPte,
     [](World& w) UNLOCKED { secondary_entry(w).pfn = w.anon(0).pfn; }},
    {"SecondaryMmuMayWriteMore", Inv::kSecondaryWithinPte,
     [](World& w) UNLOCKED {
       secondary_entry(w);
       w.slot(*w.parent, w.kEmpty).clear_flags(Pte::kWrite);
     }},
    {"SecondaryMmuWaits", Inv::kSecondaryIsIdle,
     [](World& w) UNLOCKED { ++w.secondary->mmu_notifier_count; }},
    {"ZeroPageStaysInTlb", Inv::kTlbWithinPte,
     [](World& w) {
       // Its pte is not known to the reverse map, so nothing else is wrong.
       w.in_task([&] { w.read(*w.parent, w.kAnon + 2 * w.kPage); });
       w.slot(*w.parent, w.kAnon + 2 * w.kPage).set(Pte());
     }},
    {"CpumaskHasAnotherCpu", Inv::kCpumaskIsWhoHasLoaded,
     [](World& w) { w.parent->cpumask.raw() = 2; }},
    {"CpumaskForgetsACpu", Inv::kCpumaskIsWhoHasLoaded,
     [](World& w) UNLOCKED { w.m.cpus[1].loaded = w.parent; }},
    {"CpuHasAFreedMm", Inv::kCpumaskIsWhoHasLoaded,
     [](World& w) UNLOCKED { w.m.cpus[1].loaded = reinterpret_cast<Mm*>(&w); }},
    {"BytesLost", Inv::kDataIsLastStore, [](World& w) { w.word(w.anon(4)) = 0; }},
    {"BytesOfAnother", Inv::kDataIsLastStore,
     [](World& w) {
       w.word(w.anon(1)) = w.word(w.page_at(*w.child, w.kAnon + w.kPage));
     }},
    {"BytesLostInSwap", Inv::kDataIsLastStore,
     [](World& w) {
       EXPECT_TRUE(w.m.swap.info[0]->file.write(w.slot_out(),
                                                w.m.frames.data(w.m.zero_page().pfn)));
     }},
    {"BytesLostInSharedMemory", Inv::kDataIsLastStore,
     [](World& w) { w.word(w.page_at(*w.child, w.kShared)) = 0; }},
};
INSTANTIATE_TEST_SUITE_P(Memory, Damaged, testing::ValuesIn(kMemory), kItsName);

// An MMU that has one translation cached.
class OneEntry final : public Mmu {
 public:
  explicit OneEntry(const TlbEntry& entry) : entry_(entry) {}
  bool access(int, const MmuContext&, VirtAddr, UserAccess, std::uint64_t&,
              PageFault&) override {
    return false;
  }
  void flush_range(const MmuContext&, VirtRange, CpuSet) override {}
  void for_each_entry(FunctionRef<void(const TlbEntry&)> visit) const override {
    visit(entry_);
  }
  void reset() override {}

 private:
  TlbEntry entry_;
};

struct TlbRow {
  const char* name;
  const char* found;
  TlbEntry entry;  // asid 1 is the parent's; pfn 0: that of the pte
};

class TlbAudit : public testing::TestWithParam<TlbRow> {};

TEST_P(TlbAudit, JudgesAnEntry) {
  World world;
  TlbEntry entry = GetParam().entry;
  if (entry.pfn == 0) entry.pfn = world.slot(*world.parent, entry.addr).peek().pfn();
  world.m.mmu = std::make_unique<OneEntry>(entry);
  EXPECT_EQ(world.audit(), GetParam().found);
}

constexpr const char* kWider = "tlb_within_pte";
INSTANTIATE_TEST_SUITE_P(
    Entries, TlbAudit,
    testing::Values(
        TlbRow{"Same", "", {0, 1, World::kAnon, 0, false}},
        TlbRow{"SameAndWritable", "", {1, 1, World::kAnon + 4 * kPageSize, 0, true}},
        TlbRow{"Narrower", "", {0, 1, World::kAnon + 4 * kPageSize, 0, false}},
        TlbRow{"Wider", kWider, {0, 1, World::kAnon, 0, true}},
        TlbRow{"OfOtherFrame", kWider, {0, 1, World::kAnon, 1, false}},
        TlbRow{"OfForbiddenPage", kWider, {0, 1, World::kNone, 0, false}},
        TlbRow{"OfEmptyPte", kWider, {0, 1, World::kEmpty, 1, false}},
        TlbRow{"OfDeadMm", kWider, {0, 77, World::kAnon, 1, false}},
        TlbRow{"OfFreeFrame", "tlb_to_live_frame", {0, 1, World::kAnon, 250, false}}),
    [](const auto& info) { return info.param.name; });

// Audits a writable translation of CPU 0's whose pte is read-only, where flushes go to
// who needs them; one of them was made.
std::string audited_with(bool loaded, bool lazy, bool flushed) UNLOCKED {
  World world;
  MachineOptions options = world.m.options();
  options.period.mm_cpumask = true;
  world.m.set_knobs(options);
  world.m.mmu = std::make_unique<OneEntry>(
      TlbEntry{0, 1, World::kAnon, world.anon(0).pfn, true});
  world.parent->tlb_gen.raw() = 1;
  world.parent->cpu_tlb_gen[0].raw() = flushed ? 1 : 0;
  world.parent->cpumask.raw() = loaded ? 1 : 0;
  world.m.cpus[0].loaded = loaded ? world.parent : nullptr;
  world.m.cpus[0].is_lazy.raw() = lazy;
  return world.audit();
}

TEST(TlbAuditOfCpumask, ExcusesWhatIsFlushedBeforeItIsUsed) {
  EXPECT_EQ(audited_with(false, false, false), "");
  EXPECT_EQ(audited_with(true, true, false), "");
  EXPECT_EQ(audited_with(true, false, false), kWider);
  EXPECT_EQ(audited_with(false, false, true), kWider);
  EXPECT_EQ(audited_with(true, true, true), kWider);
}

// ---- L1 -----------------------------------------------------------------------------

const Damage kLocks[] = {
    {"Page", Inv::kNoLockAtRest,
     [](World& w) { w.flip(w.anon(0), PageFlag::kLocked); }},
    {"Writeback", Inv::kNoLockAtRest,
     [](World& w) { w.flip(w.cached(), PageFlag::kWriteback); }},
    {"Mms", Inv::kNoLockAtRest, [](World& w) UNLOCKED { w.m.mms_lock.lock(); }},
    {"Lru", Inv::kNoLockAtRest, [](World& w) UNLOCKED { w.m.lru.lru_lock.lock(); }},
    {"SwapList", Inv::kNoLockAtRest,
     [](World& w) UNLOCKED { w.m.swap.swap_list_lock.lock(); }},
    {"SwapDevice", Inv::kNoLockAtRest,
     [](World& w) UNLOCKED { w.m.swap.info[0]->swap_device_lock.lock(); }},
    {"SwapCache", Inv::kNoLockAtRest,
     [](World& w) UNLOCKED { w.m.swapper.tree_lock.lock(); }},
    {"Tree", Inv::kNoLockAtRest,
     [](World& w) UNLOCKED { w.m.file(1).tree_lock.lock(); }},
    {"ISem", Inv::kNoLockAtRest, [](World& w) UNLOCKED { w.m.file(1).i_sem.lock(); }},
    {"IMmap", Inv::kNoLockAtRest,
     [](World& w) UNLOCKED { w.m.file(1).i_mmap_lock.lock(); }},
    {"PageTable", Inv::kNoLockAtRest,
     [](World& w) UNLOCKED { w.child->page_table_lock.lock(); }},
    {"MmapRead", Inv::kNoLockAtRest,
     [](World& w) UNLOCKED { w.child->mmap_sem.down_read(); }},
    {"MmapWrite", Inv::kNoLockAtRest,
     [](World& w) UNLOCKED { w.child->mmap_sem.down_write(); }},
};
INSTANTIATE_TEST_SUITE_P(Locks, Damaged, testing::ValuesIn(kLocks), kItsName);

}  // namespace
}  // namespace racier::check
