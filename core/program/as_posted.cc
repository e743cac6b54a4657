// core/program/as_posted.cc - the only list of patches.  Tested by as_posted_test.cc.
#include "core/program/as_posted.h"

#include "core/rmap/scheme.h"

namespace racier::program {
namespace {

// A reference to an anon_vma that a neighbour shares was taken in the mail (B05 is a
// mutant of it).
constexpr Bug kLameter[] = {Bug::kMigrateNullGrabUnpinned,
                            Bug::kUnlinkSleepsInMmuGather,
                            Bug::kNewAnonVmaLinkedUnlocked};

// What the five patches of the series mended, one after another.
constexpr Bug kDickins[] = {Bug::kAnonFlagAndMappingTorn, Bug::kRemoveRmapClearsMapping,
                            Bug::kFileMappingUnlocked, Bug::kAnonVmaFreedBeforeLock,
                            Bug::kPreparePtlBeforeAnonLock};

// That ptes are gone before anon_put (B25) is what it asks of callers.
constexpr Bug kDavem[] = {Bug::kAnonPutTrimAfterDrop, Bug::kGetAnonDoubleAlloc};

// It asks without mmlist_lock whether a mm is on the list: who joins, and not again
// with the lock (then one page_table_lock kept two who ask apart); and who frees the
// mm.
constexpr Bug kMmlist[] = {Bug::kMmlistAddNoRecheck, Bug::kMmlistNextFirst};

// Its author: "maybe some more consideration for invalidation point is necessary".
constexpr Bug kKamezawa[] = {Bug::kVmaHoldAfterFree,
                             Bug::kVmaReleaseAfterDrop,
                             Bug::kVmaMergeFreesUninvalidatedNext,
                             Bug::kLocklessPgtableWalkUnprotected,
                             Bug::kVmaCacheStaleProt,
                             Bug::kVmaCacheRefilledByUser,
                             Bug::kForkVsLocklessFault};

constexpr AsPosted kPatches[] = {
    {"lameter",
     "Convert anon_vma lock to rw_sem and refcount; Christoph Lameter, March 2008",
     "anon_vma_rwsem", kLameter},
    {"dickins-rmaplock",
     "page_map_lock gone, and nothing of what rmaplock 1/5 to 4/5 put in its place; Hugh "
     "Dickins, 2.6.9",
     "anon_vma_spin", kDickins},
    {"davem", "the anon layer of 2.3.99; David S. Miller, April 2000", "anon_area",
     kDavem},
    {"dickins-mmlist", "lighten mmlist_lock; Hugh Dickins, October 2004",
     "anon_vma_spin", kMmlist},
    {"dickins-mmlist-split", "the same, a year later: page_table_lock is split",
     "anon_vma_spin", kMmlist, true},
    {"kamezawa", "lockless vma caching; KAMEZAWA Hiroyuki, December 2009",
     "anon_vma_spin", kKamezawa, true, VmaLookup::kKamezawa},
};

}  // namespace

BugSet AsPosted::bugs() const {
  BugSet bugs;
  for (const Bug bug : lacks) bugs.arm(bug);
  return bugs;
}

void AsPosted::set_machine(MachineOptions& machine) const {
  machine.rmap = rmap;
  for (const rmap::SchemeRow& row : rmap::schemes()) {
    if (machine.rmap == row.name) machine.period = row.written_under;
  }
  if (split_ptl) machine.period.split_ptl = true;
  machine.period.lookup = lookup;
}

std::span<const AsPosted> patches_as_posted() { return kPatches; }

const AsPosted* find_as_posted(std::string_view name) {
  for (const AsPosted& patch : kPatches) {
    if (name == patch.name) return &patch;
  }
  return nullptr;
}

std::string names_as_posted() {
  std::string names;
  for (const AsPosted& patch : kPatches) {
    names += (names.empty() ? "" : ", ") + std::string(patch.name);
  }
  return names;
}

}  // namespace racier::program
