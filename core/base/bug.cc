// core/base/bug.cc - the only list of bugs.
#include "core/base/bug.h"

#include "core/base/require.h"
#include "core/base/run_state.h"

namespace racier::bug {
namespace {

constexpr Row kRows[] = {
    {Bug::kRemoveRmapClearsMapping, "B07", "remove_rmap_clears_mapping",
     "The last page_remove_rmap resets page->mapping, although a swap-in may "
     "have mapped the page again since mapcount fell to -1.",
     "rmaplock 2/5, Dickins, 2.6.9", "missing-recheck", FindingKind::kRmap},
    {Bug::kAnonVmaFreedBeforeLock, "B09", "anon_vma_freed_before_lock",
     "Between page_mapped() and the anon_vma's lock nothing keeps the anon_vma: its "
     "cache is not type-stable.",
     "rmaplock 3/5, Dickins, 2.6.9", "lifetime-rcu", FindingKind::kUseAfterFree},
    {Bug::kPreparePtlBeforeAnonLock, "B10", "prepare_ptl_before_anonlock",
     "anon_vma_prepare takes page_table_lock before the anon_vma's lock; a reverse-map "
     "walk takes them the other way round.",
     "rmaplock 4/5, Dickins, 2.6.9", "lock-order", FindingKind::kLockOrder},
    {Bug::kMapcountRaisedUnordered, "B77", "mapcount_raised_unordered",
     "page_add_anon_rmap raises mapcount without a barrier: on weakly ordered memory a walk "
     "sees the page mapped, and the index from before.",
     "mutant of 2.6.9; the class of B36 and B76", "missing-barrier", FindingKind::kRmap},
    {Bug::kSwapinYoungestAnonVma, "B28", "swapin_youngest_anon_vma",
     "The first to map a page from swap gives it its own anon_vma, although ancestors may "
     "map it, too, who are not in that one's tree.",
     "2.6.34-rc; ea90002b0fa7, Torvalds", "lifetime", FindingKind::kRmap},
    {Bug::kRootLockChangedUnderWalker, "B30", "root_lock_changed_under_walker",
     "A walk that has locked the root of an anon_vma does not look again whether the page "
     "is mapped: the anon_vma may be another family's when it unlocks that one's root.",
     "2.6.36-rc; f18194275c39, Dickins", "missing-recheck", FindingKind::kLockUse},
    {Bug::kPutAnonVmaSleepsInRcu, "B33", "put_anon_vma_sleeps_in_rcu",
     "A walk that finds its page not mapped puts the anon_vma inside of its RCU read "
     "section; the last put waits for the root's lock.",
     "3.0 to 3.15; 7f39dda9d86f, Dickins", "sleeping-in-atomic",
     FindingKind::kAtomicSleep},
    {Bug::kPteChainAllocAtomic, "B75", "pte_chain_alloc_atomic",
     "page_add_rmap allocates a block of the chain where it needs one: page_table_lock and "
     "the chain lock are held, and the allocation may sleep.",
     "2.5.27 to 2.5.6x", "sleeping-in-atomic", FindingKind::kAtomicSleep},
    {Bug::kAnonPutTrimAfterDrop, "B22", "anon_put_trim_after_drop",
     "anon_put trims the area after it has dropped its reference to it: the last vma of "
     "another process may free the area meanwhile.",
     "anon layer, David S. Miller, 2.3.99", "refcount", FindingKind::kUseAfterFree},
    {Bug::kGetAnonDoubleAlloc, "B23", "get_anon_double_alloc",
     "get_anon does not look again under a lock: of two threads that fault in one vma at "
     "once each gives it an area.",
     "anon layer, David S. Miller, 2.3.99", "lock-missing", FindingKind::kRmap},
    {Bug::kAnonPutBeforeUnmap, "B25", "anon_put_before_unmap",
     "munmap takes the vmas out of the reverse map before their ptes are gone: a walk misses "
     "ptes that are there.",
     "contract of the anon layer, 2.3.99; any design", "rmap-incompleteness",
     FindingKind::kRmap},
    {Bug::kMigrateNullGrabUnpinned, "B02", "migrate_null_grab_unpinned",
     "unmap_and_move goes on when it could get no reference to the anon_vma of a page that "
     "is not mapped, and looks for migration entries there: nothing keeps it.",
     "Convert anon_vma lock to rw_sem, Lameter, 2008", "lifetime-rcu",
     FindingKind::kUseAfterFree},
    {Bug::kMigrateUnmappedAnon, "B27", "migrate_unmapped_anon",
     "unmap_and_move opens its RCU read section and trusts page->mapping, although the page "
     "may have lost its last pte, and the anon_vma its grace period, before.",
     "2.6.23 to 2.6.34; 67b9509b2c68, Gorman", "lifetime-rcu", FindingKind::kUseAfterFree},
    {Bug::kMprotectLeavesWriteMigration, "B46", "mprotect_leaves_write_migration",
     "mprotect passes over a migration entry for writing: when the page has been moved it is "
     "writable where writing is forbidden.",
     "to 3.17; class of d3cb8bf6081b, Gorman", "missing-recheck", FindingKind::kPermission},
    {Bug::kGupWriteRetryAsRead, "B50", "gup_write_retry_as_read",
     "get_user_pages looks for a page to write as if to read it, once it has taken a write "
     "fault: the fault may have left the page shared.",
     "2.6.12; 4ceb5db9757a, and Dirty COW, CVE-2016-5195", "missing-recheck",
     FindingKind::kData},
};
static_assert(sizeof kRows / sizeof kRows[0] == kBugs, "a row for every bug");

}  // namespace

std::span<const Row> rows() { return kRows; }

const Row& row(Bug bug) {
  const Row& found = kRows[static_cast<int>(bug)];
  require(found.bug == bug, "rows stand in the order of the enumeration");
  return found;
}

std::optional<Bug> find(std::string_view name_or_id) {
  for (const Row& row : kRows) {
    if (name_or_id == row.name || name_or_id == row.id) return row.bug;
  }
  return std::nullopt;
}

bool armed(Bug bug) {
  const RunState* const run = current_run();
  return run != nullptr && run->bugs.has(bug);
}

}  // namespace racier::bug
