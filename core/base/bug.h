// core/base/bug.h - the bugs that racier can carry, as rows.
//
// A row is a switchable defect.  It has one armed place in the code: one line of a
// form,
//   if (!bug::armed(Bug::kX)) correct_step();
//   word.fetch_add(1, bug::weaken(Bug::kX, std::memory_order_acq_rel));
// which, read without the condition, is the correct code.  Nothing is armed unless a
// run asks for it.  Each row has a program in corpus/bugs/ of the row's name, and
// may have more whose names go on after that.
#pragma once
#include <atomic>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "core/base/finding.h"

namespace racier {

enum class Bug : std::uint8_t {
  kRemoveRmapClearsMapping,
  kAnonVmaFreedBeforeLock,
  kPreparePtlBeforeAnonLock,
  kMapcountRaisedUnordered,
  kSwapinYoungestAnonVma,
  kRootLockChangedUnderWalker,
  kPutAnonVmaSleepsInRcu,
  kPteChainAllocAtomic,
  kAnonPutTrimAfterDrop,
  kGetAnonDoubleAlloc,
  kAnonPutBeforeUnmap,
  kFileMappingUnlocked,
  kAnonPageInFileVma,
  kCowRmapRemovedEarly,
  kMkcleanVsDoWpPage,
  kZapDirtyBeforeTlbFlush,
  kMigrateNullGrabUnpinned,
  kMigrateUnmappedAnon,
  kMprotectLeavesWriteMigration,
  kMremapMergeUnfaultedTarget,
  kMremapDodgesMigrationWalk,
  kShiftArgPagesUnfindable,
  kExpandStackUnserialised,
  kUnlinkSleepsInMmuGather,
  kNewAnonVmaLinkedUnlocked,
  kMergeableAnonVmaUnpinned,
  kAnonFlagAndMappingTorn,
  kLockAnonVmaPreemptRcu,
  kAvcAllocUnderAnonLock,
  kGupWriteRetryAsRead,
  kCowCopyUnlocked,
  kMappingStoreTearing,
  kGetTaskMmBorrowed,
  kBorrowedFlagUnlocked,
  kUnuseMmFlagFirst,
  kTaskMmUnreferenced,
  kReaperVsExitMmap,
  kUnstableNotTested,
  kCoredumpVsMmget,
  kForkErrorPathRefs,
  kForkErrorKeepsMmCount,
  kForkErrorForgetsVma,
  kMunmapDowngradeVsExpand,
  kMmlistAddNoRecheck,
  kMmlistJoinedBeforeSlot,
  kMmlistLeftBeforeExit,
  kMmlistChildBehindStranger,
  kMmlistDrainedAreaByArea,
  kSwapinStaleSwapcache,
  kUnusePageLeftSwapcache,
  kSwapoffFreesMapUnderSwapin,
  kMmlistNextFirst,
  kGupSwappedPageCopied,
  kWpPageCopiedWhenLocked,
  kMmapCacheRefetch,
  kVmaHoldAfterFree,
  kVmaReleaseAfterDrop,
  kVmaMergeFreesUninvalidatedNext,
  kLocklessPgtableWalkUnprotected,
  kVmaCacheStaleProt,
  kVmaCacheRefilledByUser,
  kForkVsLocklessFault,
  kSwapoffOrphansPinnedPage,
  kMremapLateTlbFlush,
  kMremapDirtyLost,
  kRecycledVmaMmUaf,
  kMapleNodeReplacedUnderReadLock,
  kVmaAnonTestedUnlocked,
  kVmaDetachedAfterDowngrade,
  kVmacacheFlushSkipped,
  kBatchedUnmapFlushMissed,
  kBatchedFlushAfterRemoval,
  kSecondaryFaultNotRetried,
  kCowChangePteAlone,
  kMkcleanNotNotified,
  kNotifierFreedUnderWalk,
  kNotifierRegisteredUnlocked,
  kNotifierHiddenBeforeRelease,
  kNotifierCalledInGather,
  kForkNotNotified,
  kSecondaryDirtyDropped,
  kUptodateBeforeData,
  kPmdPopulatedBeforeZeroes,
  kLazyTlbNotCompared,
  kSwitchMmReadsGenFirst,
  kBatchForgetsCpus,
};
inline constexpr int kBugs = static_cast<int>(Bug::kBatchForgetsCpus) + 1;

// A set of armed bugs; a value.
class BugSet {
 public:
  constexpr BugSet() = default;
  constexpr void arm(Bug bug) { bits_ |= bit(bug); }
  constexpr bool has(Bug bug) const { return (bits_ & bit(bug)) != 0; }
  constexpr bool empty() const { return bits_ == 0; }
  constexpr bool operator==(const BugSet&) const = default;

 private:
  using Bits = unsigned __int128;
  static_assert(kBugs <= 128);
  static constexpr Bits bit(Bug bug) { return Bits{1} << static_cast<int>(bug); }
  Bits bits_ = 0;
};

namespace bug {

struct Row {
  Bug bug;
  const char* id;        // the catalogue's number: "B07"
  const char* name;      // the catalogue's, with underscores; the program's file name
  const char* sentence;  // what is wrong
  const char* origin;    // where it comes from: kernel version, mail, commit
  const char* family;    // missing-recheck, lifetime-rcu, lock-order, ...
  FindingKind shows;     // the detector that must fire
};

// Returns all rows, in the order of the enumeration.
std::span<const Row> rows();
const Row& row(Bug bug);

// Returns the bug of that name or id ("remove_rmap_clears_mapping", "B07"), or nothing.
std::optional<Bug> find(std::string_view name_or_id);

// Returns whether the current run has `bug` armed.
bool armed(Bug bug);

// Returns `order`, the correct one; relaxed if the current run has `bug` armed.
inline std::memory_order weaken(Bug bug, std::memory_order order) {
  return armed(bug) ? std::memory_order_relaxed : order;
}

}  // namespace bug
}  // namespace racier
