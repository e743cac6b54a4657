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
    {Bug::kFileMappingUnlocked, "B08", "file_mapping_unlocked",
     "page_referenced of a page of a file does without the page lock: truncation may take "
     "the page out of the file, and the file may go, before its i_mmap_lock is taken.",
     "rmaplock 2/5, Dickins, 2.6.9", "lifetime", FindingKind::kUseAfterFree},
    {Bug::kAnonPageInFileVma, "B72", "anon_page_in_file_vma",
     "A fault that the file of a shared mapping cannot serve gets an anonymous page, and no "
     "SIGBUS: no walk finds it there.",
     "CVE-2015-3288; 6b7339f4c31a, Shutemov, 4.2", "rmap-incompleteness",
     FindingKind::kRmap},
    {Bug::kCowRmapRemovedEarly, "B49", "cow_rmap_removed_early",
     "A copy on write takes the old page out of the reverse map before its pte has been "
     "switched and flushed: a sharer sees itself alone and writes in place.",
     "945754a1754f, Piggin, 2.6.26", "refcount", FindingKind::kData},
    {Bug::kMkcleanVsDoWpPage, "B58", "mkclean_vs_do_wp_page",
     "do_wp_page makes its pte writable and the page dirty without waiting for the page "
     "lock: who has cleaned the ptes then clears the page's mark.",
     "79352894b28b, Piggin, 2.6.23", "lock-missing", FindingKind::kData},
    {Bug::kZapDirtyBeforeTlbFlush, "B59", "zap_dirty_before_tlb_flush",
     "A zap marks the page dirty and unmaps it before the TLBs are flushed: it may be written "
     "and clean while somebody stores to it still.",
     "1cf35d47712d, Torvalds, 3.15; 5df397dec7c4, 6.2", "tlb-flush-order",
     FindingKind::kData},
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
    {Bug::kMremapMergeUnfaultedTarget, "B37", "mremap_merge_unfaulted_target",
     "mremap merges its new place with a vma that has no pages of its own yet, and does "
     "not make that findable for the pages which move there.",
     "6.17 to 6.19; 879bca0a2c4f, Stoakes", "lifetime", FindingKind::kRmap},
    {Bug::kMremapDodgesMigrationWalk, "B39", "mremap_dodges_migration_walk",
     "mremap moves ptes under page_table_lock alone: a walk looks at the new place before "
     "the move, at the old one after it, and sees the page at neither.",
     "2.6.18 to 3.0; 486cf46f3f9b, Dickins", "rmap-incompleteness", FindingKind::kRmap},
    {Bug::kShiftArgPagesUnfindable, "B41", "shift_arg_pages_unfindable",
     "exec changes the bounds of the stack's vma before it moves the ptes: in between a "
     "walk looks for the pages where they are not yet.",
     "2.6.23 to 2.6.34; a8bef8ff6ea1, Gorman", "rmap-incompleteness",
     FindingKind::kRmap},
    {Bug::kExpandStackUnserialised, "B67", "expand_stack_unserialised",
     "A fault below a stack does not look again, under the lock, whether another one has "
     "let the stack grow further: it makes the stack smaller.",
     "2.4 to 2.6.10; CVE-2005-0001", "lock-missing", FindingKind::kPermission},
    {Bug::kUnlinkSleepsInMmuGather, "B03", "unlink_sleeps_in_mmu_gather",
     "munmap takes the vmas out of the reverse map before its mmu_gather is done: that has "
     "preemption disabled, and the lock of the reverse map sleeps.",
     "anon_vma rwsem, Lameter, 2008, without the patch that moves the flush",
     "sleeping-in-atomic", FindingKind::kAtomicSleep},
    {Bug::kNewAnonVmaLinkedUnlocked, "B04", "new_anon_vma_linked_unlocked",
     "anon_vma_prepare puts a vma on the list of a new anon_vma without its lock; the "
     "memory is type-stable, and a walk that comes late may have locked it.",
     "2.6.9 to 2.6.27; d9d332e0874f, Torvalds; Lameter, 2008", "lock-missing",
     FindingKind::kLockUse},
    {Bug::kMergeableAnonVmaUnpinned, "B05", "mergeable_anon_vma_unpinned",
     "anon_vma_prepare takes a reference to a new anon_vma only, and none to one that it "
     "shares with a neighbour.",
     "mutant of anon_vma rwsem, Lameter, 2008; the class of CVE-2024-1312", "refcount",
     FindingKind::kRefcount},
    {Bug::kAnonFlagAndMappingTorn, "B06", "anon_flag_and_mapping_torn",
     "That a page is anonymous is stored apart from its anon_vma: a walk between the two "
     "takes the one for a file.",
     "rmaplock 1/5, Dickins, 2.6.9", "torn-state", FindingKind::kRmap},
    {Bug::kLockAnonVmaPreemptRcu, "B26", "lock_anon_vma_preempt_rcu",
     "A walk leaves its RCU read section when it has the anon_vma's lock: that keeps no "
     "preemptible grace period from ending.",
     "2.6.12 to 2.6.20; 34bbd704051c, Nesterov", "lifetime-rcu",
     FindingKind::kLockUse},
    {Bug::kAvcAllocUnderAnonLock, "B32", "avc_alloc_under_anon_lock",
     "anon_vma_clone allocates under the root's lock, and may reclaim, which takes it.",
     "2.6.36 to 3.0-rc; dd34739c03f2, Torvalds", "lock-order", FindingKind::kLockOrder},
    {Bug::kGupWriteRetryAsRead, "B50", "gup_write_retry_as_read",
     "get_user_pages looks for a page to write as if to read it, once it has taken a write "
     "fault: the fault may have left the page shared.",
     "2.6.12; 4ceb5db9757a, and Dirty COW, CVE-2016-5195", "missing-recheck",
     FindingKind::kData},
    {Bug::kCowCopyUnlocked, "B78", "cow_copy_unlocked",
     "A copy on write does not lock the page: another thread may have it to itself meanwhile "
     "and store to it; when it comes back from swap, the pte is as it was.",
     "2.6.13 to 5.8, when uses were counted without references; ours, no report known",
     "missing-recheck", FindingKind::kData},
    {Bug::kMappingStoreTearing, "B36", "mapping_store_tearing",
     "page_move_anon_rmap stores the anon_vma first, and that it is one later: a walk that "
     "does not hold the page lock takes it for a file between the two.",
     "2.6.34 to 4.1, where a compiler splits the store; 414e2fb8ce5a, Davydov",
     "torn-state", FindingKind::kRmap},
    {Bug::kGetTaskMmBorrowed, "B15", "get_task_mm_borrowed",
     "get_task_mm takes whatever mm a task has: a kernel thread has one that it only works "
     "in, and whose last user may have gone.",
     "lighten mmlist_lock, Dickins, 2.6.10, without PF_BORROWED_MM", "refcount",
     FindingKind::kRefcount},
    {Bug::kBorrowedFlagUnlocked, "B15b", "borrowed_flag_unlocked",
     "get_task_mm tests PF_BORROWED_MM before it has task_lock: the thread may borrow an mm "
     "in between.",
     "mutant of 2.6.10; ours", "lock-missing", FindingKind::kRefcount},
    {Bug::kUnuseMmFlagFirst, "B15c", "unuse_mm_flag_first",
     "unuse_mm clears PF_BORROWED_MM without task_lock, and before the mm: in between the "
     "thread seems to have one of its own.",
     "mutant of 2.6.10; ours", "order-of-effects", FindingKind::kRefcount},
    {Bug::kTaskMmUnreferenced, "B15d", "task_mm_unreferenced",
     "A reader of /proc uses the mm of a task without a reference, and without task_lock.",
     "mutant of 2.6.10; ours", "refcount", FindingKind::kUseAfterFree},
    {Bug::kReaperVsExitMmap, "B61", "reaper_vs_exit_mmap",
     "exit_mmap tears an address space down without mmap_sem: the reaper of a killed process "
     "walks vmas that are being freed.",
     "4.6 to 4.17, 5.15; CVE-2018-1000200, 27ae357fa82b; f798a1d4f94d", "lifetime",
     FindingKind::kUseAfterFree},
    {Bug::kUnstableNotTested, "B61b", "unstable_not_tested",
     "A fault does not ask whether the address space has been reaped: a kernel thread that "
     "works there gets zeroes in the place of what was taken away.",
     "4.6 to 4.13; 6b31d5955cb2, Hocko", "missing-recheck", FindingKind::kData},
    {Bug::kCoredumpVsMmget, "B62", "coredump_vs_mmget",
     "A core dump walks the vmas without mmap_sem, as all who share them are stopped; but "
     "whoever has a user reference may unmap.",
     "to 5.0; CVE-2019-11599, 04f5866e41fb, Arcangeli", "lock-missing",
     FindingKind::kUseAfterFree},
    {Bug::kForkErrorPathRefs, "B63", "fork_error_path_refs",
     "A fork that fails before the child's exe_file got its own reference has copied the "
     "pointer: mmput drops the parent's.",
     "4.7 to 4.12; CVE-2017-17052, 2b7e8665b4ff, Biggers", "error-path",
     FindingKind::kCount},
    {Bug::kForkErrorKeepsMmCount, "B63b", "fork_error_keeps_mm_count",
     "A fork that fails when the child's mm is active already ends the child as one that "
     "has run: its reference to the mm_struct stays.",
     "2.4, to 2.6.5; CVE-2004-0427", "error-path", FindingKind::kCount},
    {Bug::kForkErrorForgetsVma, "B63c", "fork_error_forgets_vma",
     "A fork that cannot put a vma in the reverse map forgets it: it is in no list of the "
     "mm that is torn down then.",
     "mutant of dup_mmap; ours", "error-path", FindingKind::kLeak},
    {Bug::kMunmapDowngradeVsExpand, "B68", "munmap_downgrade_vs_expand",
     "munmap goes on under mmap_sem for reading although the stack above can grow under "
     "that, too, into the range that is torn down.",
     "4.20 to 5.7; CVE-2020-29369, 246c320a8cfe, Shutemov", "lock-missing",
     FindingKind::kInvariant},
    {Bug::kMmlistAddNoRecheck, "B11", "mmlist_add_no_recheck",
     "A mm is put on the mmlist by who saw, without the lock, that it is not on it: two may do "
     "so, and swapoff does not get past it any more.",
     "2.6.15, page_table_lock split over the seed of 2.6.9; f412ac08c986", "missing-recheck",
     FindingKind::kInvariant},
    {Bug::kMmlistJoinedBeforeSlot, "B14a", "mmlist_joined_before_slot",
     "A mm joins the mmlist before its page has a slot: whoever finds no swap in use takes it "
     "off again, and its swap pte is one that no swapoff can find.",
     "a rule of Dickins, 2.6.9: just after swap_duplicate; ours", "missing-recheck",
     FindingKind::kInvariant},
    {Bug::kMmlistLeftBeforeExit, "B14b", "mmlist_left_before_exit",
     "mmput takes the mm off the mmlist before exit_mmap: reclaim comes to it by the reverse map "
     "and puts it on again, and it is freed there.",
     "before Dickins, 2.6.9, where only reclaim did not put it there", "lifetime",
     FindingKind::kUseAfterFree},
    {Bug::kMmlistChildBehindStranger, "B14c", "mmlist_child_behind_stranger",
     "Fork puts the child behind its parent on the mmlist, and the parent is not on it: the two "
     "take each other for the list.",
     "dup_mmap before Dickins, 2.6.9, when every mm was on the list; lkml 2026-04",
     "missing-recheck", FindingKind::kInvariant},
    {Bug::kMmlistDrainedAreaByArea, "B14d", "mmlist_drained_area_by_area",
     "drain_mmlist asks each area under its own lock only: a slot is handed out behind it, and "
     "who gets it is on the list, by what he sees.",
     "ours, of per-device swap locks", "missing-recheck", FindingKind::kInvariant},
    {Bug::kSwapinStaleSwapcache, "B53", "swapin_stale_swapcache",
     "do_swap_page locks the page that it found and asks only whether it is in the swap cache: it "
     "may be there for another slot, while its own went to another page of that place.",
     "until 2.6.36; 4969c1192d15 and 31c4a3d3a0f8, Arcangeli, Dickins", "aba-reuse",
     FindingKind::kData},
    {Bug::kUnusePageLeftSwapcache, "B54", "unuse_page_left_swapcache",
     "try_to_unuse takes the page that it found out of the swap cache without asking whether it "
     "is still there for that slot: it may have been put in swap again and not be written yet.",
     "until 2.6.29; 68bdc8d64742, Dickins", "missing-recheck", FindingKind::kData},
    {Bug::kSwapoffFreesMapUnderSwapin, "B55", "swapoff_frees_map_under_swapin",
     "swapoff frees swap_map while a swap-in looks at it.",
     "until 5.3; eb085574a752, Ying", "lifetime-rcu", FindingKind::kUseAfterFree},
    {Bug::kMmlistNextFirst, "B79", "mmlist_next_first",
     "drain_mmlist says that a mm is on no list before it is done with its node (list_del_init): "
     "mmput asks without the lock, and frees the mm.",
     "lighten mmlist_lock, Dickins, 2.6.10, to today; ours, no report known", "order-of-effects",
     FindingKind::kUseAfterFree},
    {Bug::kGupSwappedPageCopied, "B51", "gup_swapped_page_copied",
     "do_wp_page asks the references of a page, not its ptes, whether somebody shares it: a page "
     "that is pinned and came back from swap is copied, and the device keeps the old one.",
     "until 2.6.13; c475a8ab625d, Dickins", "refcount-heuristic", FindingKind::kData},
    {Bug::kWpPageCopiedWhenLocked, "B80", "wp_page_copied_when_locked",
     "do_wp_page takes a page whose lock somebody has for a shared one and copies it: who has it "
     "pinned keeps the old one.",
     "until 2.6.29; ab967d860150, Dickins", "refcount-heuristic", FindingKind::kData},
    {Bug::kMmapCacheRefetch, "B65", "mmap_cache_refetch",
     "find_vma reads mm->mmap_cache a second time: what it returns is not what it has looked at, "
     "another fault has stored its own vma there.",
     "until 3.9, where the compiler reads twice; b6a9b7f6b1f2, Stancek", "lock-missing",
     FindingKind::kInvariant},
    {Bug::kVmaHoldAfterFree, "B16", "vma_hold_after_free",
     "lookup_vma_cache counts itself in a vma that it has found without a lock, and vmas are freed "
     "without a grace period.",
     "lockless vma caching, KAMEZAWA, 2009", "lifetime-rcu", FindingKind::kUseAfterFree},
    {Bug::kVmaReleaseAfterDrop, "B17", "vma_release_after_drop",
     "vma_release drops its count and then looks whether somebody waits, in a vma that the waiter "
     "may have freed.",
     "lockless vma caching, KAMEZAWA, 2009", "refcount", FindingKind::kUseAfterFree},
    {Bug::kVmaMergeFreesUninvalidatedNext, "B19", "vma_merge_frees_uninvalidated_next",
     "vma_merge takes a range out of the caches and waits for its users, but not for those of the "
     "vma behind, which it frees when it fills the hole between two.",
     "lockless vma caching, KAMEZAWA, 2009", "missing-recheck", FindingKind::kUseAfterFree},
    {Bug::kLocklessPgtableWalkUnprotected, "B20", "lockless_pgtable_walk_unprotected",
     "lookup_vma_cache walks page tables with preemption disabled, and they are freed without "
     "waiting for that.",
     "lockless vma caching, KAMEZAWA, 2009", "lifetime-rcu", FindingKind::kUseAfterFree},
    {Bug::kVmaCacheStaleProt, "B21", "vma_cache_stale_prot",
     "mprotect, mlock, mremap and the growth of a stack change a vma without waiting for who uses "
     "it without mmap_sem.",
     "lockless vma caching, KAMEZAWA, 2009", "missing-recheck", FindingKind::kInvariant},
    {Bug::kVmaCacheRefilledByUser, "B81", "vma_cache_refilled_by_user",
     "A fault without mmap_sem puts its vma back in the cache although munmap has taken it out and "
     "waits for the fault: the vma is freed, and stays there.",
     "lockless vma caching, KAMEZAWA, 2009; ours, no report known", "missing-recheck",
     FindingKind::kUseAfterFree},
    {Bug::kForkVsLocklessFault, "B38", "fork_vs_lockless_fault",
     "Fork relies on mmap_sem to keep the parent's vmas as they are: a fault that does not take it "
     "copies a page whose sharer is being made.",
     "lockless vma caching, KAMEZAWA, 2009; again in 6.4: fb49c455323f, Baghdasaryan",
     "lock-missing", FindingKind::kData},
    {Bug::kSwapoffOrphansPinnedPage, "B82", "swapoff_orphans_pinned_page",
     "swapoff has not found who refers to a slot, for reclaim has only put it there meanwhile, and "
     "takes the page out of the swap cache all the same: its owner reads another one, and who has "
     "it pinned keeps the old one.",
     "2.6.13 to 5.0, when uses were counted without references; ours, no report known",
     "refcount-heuristic", FindingKind::kData},
    {Bug::kMremapLateTlbFlush, "B42", "mremap_late_tlb_flush",
     "mremap flushes the old place of a clean page when it has let go of page_table_lock: who "
     "unmaps the new place meanwhile flushes that only, and frees the page.",
     "CVE-2018-18281, 4.10 to 4.18; eb66ae030829, Torvalds, 4.19", "tlb-flush-order",
     FindingKind::kTlb},
    {Bug::kMremapDirtyLost, "B43", "mremap_dirty_lost",
     "mremap flushes the old place of a dirty page late, too: who writes the page back makes the "
     "new place clean, and a store through the old one is noted nowhere.",
     "to 4.9; 5d1904204c99, a2ce2666aa87, Aaron Lu", "tlb-flush-order", FindingKind::kData},
    {Bug::kRecycledVmaMmUaf, "B70", "recycled_vma_mm_uaf",
     "Who has locked a vma that was freed, and is another process's now, lets go of it and then "
     "looks who waits for that, in an mm that nothing keeps.",
     "6.15 to 6.16, vmas type-stable by RCU; CVE-2025-38554, 9bbffee67ffd", "refcount",
     FindingKind::kUseAfterFree},
    {Bug::kMapleNodeReplacedUnderReadLock, "B69", "maple_node_replaced_under_read_lock",
     "A stack grows under mmap_sem for reading, and takes the place of a node of the tree: who "
     "holds mmap_sem for reading, too, and is in no RCU read section, walks in what is freed.",
     "6.1 to 6.4; StackRot, CVE-2023-3269, c2508ec5a58d, Torvalds", "lifetime-rcu",
     FindingKind::kUseAfterFree},
    {Bug::kVmaAnonTestedUnlocked, "B05b", "vma_anon_tested_unlocked",
     "lock_vma_under_rcu asks whether the vma has an anon_vma before it has locked it: the fault "
     "may have to share a neighbour's then, and nothing keeps those.",
     "6.4 to 6.5-rc3; CVE-2024-1312, 657b5146955e, Horn", "missing-recheck",
     FindingKind::kLockUse},
    {Bug::kVmaDetachedAfterDowngrade, "B83", "vma_detached_after_downgrade",
     "munmap says that its vmas are detached after it has downgraded mmap_sem, which unlocks "
     "them: who has found one before locks it, and maps a page behind the back of the zap.",
     "mutant of 6.4; ours", "missing-recheck", FindingKind::kRmap},
    {Bug::kVmacacheFlushSkipped, "B84", "vmacache_flush_skipped",
     "When the number of a process's unmappings comes round, caches of vmas are not emptied if "
     "there is one task: when it comes round to what an old cache has, that one is taken for a "
     "new one.",
     "3.16 to 4.18; CVE-2018-17182, 7a9cdebdcc17, Torvalds", "missing-recheck",
     FindingKind::kUseAfterFree},
    {Bug::kBatchedUnmapFlushMissed, "B85", "batched_unmap_flush_missed",
     "Who unmaps, moves or frees pages finds ptes that reclaim has emptied, and does not flush "
     "what reclaim has put off: when he is done, the old translations work still.",
     "4.3 to 4.12; 3ea277194daa, Gorman, 4.13", "tlb-flush-order", FindingKind::kTlb},
    {Bug::kBatchedFlushAfterRemoval, "B86", "batched_flush_after_removal",
     "Reclaim flushes what it has put off just before it frees a page, when that is in no cache "
     "any more: one thread stores to a new copy, and another one loads from the old.",
     "since 4.3 (72b252aed506, Gorman); ours, no report known", "tlb-flush-order",
     FindingKind::kData},
    {Bug::kSecondaryFaultNotRetried, "B90", "secondary_fault_not_retried",
     "A secondary MMU installs the page that it has got without looking whether anything was "
     "invalidated meanwhile: it goes on using a page that is no longer there.",
     "mutant of KVM's mmu_notifier_retry, 2.6.27 (e930bffe95e1, Arcangeli)", "missing-recheck",
     FindingKind::kTlb},
    {Bug::kCowChangePteAlone, "B91", "cow_change_pte_alone",
     "A write fault tells a secondary MMU of the copy when the pte is there, and not before: "
     "until then it reads the old page, while the copy is stored to.",
     "2.6.32 to 3.6; 6bdb913f0a70, Haggai Eran, 3.7", "lock-missing (order)",
     FindingKind::kData},
    {Bug::kMkcleanNotNotified, "B92", "mkclean_not_notified",
     "Who cleans a page of a file takes the right to write from the ptes, and leaves it to "
     "secondary MMUs: what they store is never written.",
     "mutant of 2.6.27's ptep_clear_flush_notify in page_mkclean_one", "missing-flush",
     FindingKind::kData},
    {Bug::kNotifierFreedUnderWalk, "B93", "notifier_freed_under_walk",
     "Who unregisters a notifier frees it without waiting for callbacks that are under way.",
     "mutant of synchronize_srcu in mmu_notifier_unregister, 3.7 (21a92735f660)",
     "lifetime-RCU", FindingKind::kUseAfterFree},
    {Bug::kNotifierRegisteredUnlocked, "B94", "notifier_registered_unlocked",
     "A notifier is registered while somebody is between the begin and the end of a change: it "
     "is told of the end only, and may translate what is about to go.",
     "mutant of mm_take_all_locks, 2.6.27 (7906d00cd1f6, Arcangeli)", "lock-missing",
     FindingKind::kInvariant},
    {Bug::kNotifierHiddenBeforeRelease, "B95", "notifier_hidden_before_release",
     "Who unregisters a notifier takes it off the list, and then calls release: the last user "
     "of the mm does not find it, and frees pages that are still translated.",
     "3.9; d34883d4e35c, Xiao Guangrong, 3.10", "lifetime (order)", FindingKind::kTlb},
    {Bug::kNotifierCalledInGather, "B96", "notifier_called_in_gather",
     "munmap calls notifiers inside of an mmu_gather, which must not sleep: their callbacks may.",
     "to 2.6.26; mmu notifier #v13, patch 4 of 12, Arcangeli, 2008", "sleep-in-atomic",
     FindingKind::kAtomicSleep},
    {Bug::kForkNotNotified, "B97", "fork_not_notified",
     "Fork makes private pages read-only, and leaves secondary MMUs the right to write them: "
     "the child sees what they store.",
     "mutant of 2.6.27's copy_page_range", "missing-flush", FindingKind::kData},
    {Bug::kSecondaryDirtyDropped, "B98", "secondary_dirty_dropped",
     "A secondary MMU forgets a translation, and with it that it has stored: a page that "
     "madvise said is free is dropped, though it was used again.",
     "mutant of kvm_set_pfn_dirty, KVM, 2.6.27", "lost-update", FindingKind::kData},
    {Bug::kUptodateBeforeData, "B76", "uptodate_before_data",
     "SetPageUptodate has no write barrier in front: on weakly ordered memory a read of a file "
     "finds its page uptodate, and in it the bytes from before it was filled.",
     "until 2.6.25 (0ed361dec369, Piggin)", "missing-barrier", FindingKind::kData},
    {Bug::kPmdPopulatedBeforeZeroes, "B76b", "pmd_populated_before_zeroes",
     "A new page table is put in its place with no write barrier behind its zeroes: on weakly "
     "ordered memory who walks there goes by what the frame held before.",
     "until 2.6.26 (362a61ad6119, Piggin)", "missing-barrier", FindingKind::kUseAfterFree},
    {Bug::kLazyTlbNotCompared, "B87", "lazy_tlb_not_compared",
     "A CPU that was lazy goes on with the address space that it has loaded, and does not ask "
     "whether flushes have left it out.",
     "mutant of 145f573b89a6, van Riel, 4.20", "tlb-flush-order", FindingKind::kTlb},
    {Bug::kSwitchMmReadsGenFirst, "B88", "switch_mm_reads_gen_first",
     "A CPU that comes back to an address space asks for the number of its flushes before it "
     "says that it has loaded it: one in between neither finds the CPU, nor is found.",
     "order as in 71b3c126e611, Lutomirski, 4.5; mutant of 4.14", "missing-barrier",
     FindingKind::kTlb},
    {Bug::kBatchForgetsCpus, "B89", "batch_forgets_cpus",
     "Reclaim remembers which CPUs to flush when it first puts off a flush of an address space, "
     "and not when it does so again: a task of that has moved to another CPU meanwhile.",
     "mutant of 72b252aed506, Gorman, 4.3", "tlb-flush-order", FindingKind::kTlb},
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
