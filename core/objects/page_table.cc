// core/objects/page_table.cc - reaches into tables that are frames.
// Tested by page_table_test.cc.
#include "core/objects/page_table.h"

#include <algorithm>

#include "core/base/bug.h"
#include "core/base/require.h"

namespace racier {
namespace {

using Word = Atomic<std::uint64_t>;
static_assert(sizeof(Word) == 8 && alignof(Word) == 8,
              "an entry is what the hardware reads");

constexpr std::uint64_t kTableFlags = Pte::kPresent | Pte::kWrite | Pte::kUser;
constexpr int kRootLevel = kTableLevels - 1;

Word& word_of(const FrameArena& arena, Pfn table, int index) {
  return reinterpret_cast<Word*>(arena.data(table))[index];
}

// Returns the table that an entry names, or kNoPfn.
Pfn lower_table(const FrameArena& arena, Pfn table, int index) {
  // Acquire: pairs with install_table(), so that the table is seen filled with zeroes.
  const Pte entry(word_of(arena, table, index).raw().load(std::memory_order_acquire));
  return entry.none() ? kNoPfn : entry.pfn();
}

// Returns the table of `level` on the way to `addr`, or kNoPfn.
Pfn table_of(const FrameArena& arena, const MmuContext& context, VirtAddr addr,
             int level) {
  Pfn table = context.root;
  for (int at = kRootLevel; at > level && table != kNoPfn; --at) {
    table = lower_table(arena, table, table_index(addr, at));
  }
  return table;
}

// Shows the parts of `range` that the entries of a table of `level` cover, each with
// the index of its entry.  The table covers all of the range.
template <typename Visit>
void for_each_part(VirtRange range, int level, Visit visit) {
  const std::uint64_t span = table_span(level);
  for (VirtAddr at = range.start; at < range.end;) {
    const VirtAddr end = std::min((at | (span - 1)) + 1, range.end);
    visit(table_index(at, level), VirtRange{at, end});
    at = end;
  }
}

void for_each_pte_in(const FrameArena& arena, Pfn table, int level, VirtRange range,
                     FunctionRef<void(VirtAddr, PteSlot)> visit) {
  for_each_part(range, level, [&](int index, VirtRange part) {
    if (level == 0) return visit(part.start, table_entry(arena, table, index));
    const Pfn lower = lower_table(arena, table, index);
    if (lower != kNoPfn) for_each_pte_in(arena, lower, level - 1, part, visit);
  });
}

void for_each_pte_table_in(const FrameArena& arena, Pfn table, int level,
                           VirtRange range, FunctionRef<void(VirtRange, Pfn)> visit) {
  for_each_part(range, level, [&](int index, VirtRange part) {
    const Pfn lower = lower_table(arena, table, index);
    if (lower == kNoPfn) return;
    if (level == 1) return visit(part, lower);
    for_each_pte_table_in(arena, lower, level - 1, part, visit);
  });
}

void detach_tables_in(const FrameArena& arena, Pfn table, int level, VirtRange range,
                      VirtRange limits, FunctionRef<void(Pfn)> freed) {
  for_each_part(range, level, [&](int index, VirtRange part) {
    const Pfn lower = lower_table(arena, table, index);
    if (lower == kNoPfn) return;
    if (level > 1) detach_tables_in(arena, lower, level - 1, part, limits, freed);
    const VirtAddr start = part.start & ~(table_span(level) - 1);
    if (start < limits.start || start + table_span(level) > limits.end) return;
    note_side_effects();
    word_of(arena, table, index).raw().store(0, std::memory_order_release);
    freed(lower);
  });
}

void for_each_table_in(const FrameArena& arena, Pfn table, int level,
                       FunctionRef<void(Pfn, int)> visit) {
  visit(table, level);
  if (level == 0) return;
  for (int index = 0; index < kTableEntries; ++index) {
    const Pfn lower = lower_table(arena, table, index);
    if (lower != kNoPfn) for_each_table_in(arena, lower, level - 1, visit);
  }
}

}  // namespace

PteSlot table_entry(const FrameArena& arena, Pfn table, int index) {
  return PteSlot(&word_of(arena, table, index));
}

Pfn find_pte_table(const FrameArena& arena, const MmuContext& context, VirtAddr addr) {
  return table_of(arena, context, addr, 0);
}

Pfn find_pte_table_rcu(const FrameArena& arena, const MmuContext& context,
                       VirtAddr addr) {
  Pfn table = context.root;
  for (int level = kRootLevel; level > 0 && table != kNoPfn; --level) {
    // Acquire: as lower_table().
    const Pte entry(word_of(arena, table, table_index(addr, level)).load());
    table = entry.none() ? kNoPfn : entry.pfn();
  }
  return table;
}

PteSlot find_pte(const FrameArena& arena, const MmuContext& context, VirtAddr addr) {
  const Pfn table = find_pte_table(arena, context, addr);
  return table == kNoPfn ? PteSlot() : table_entry(arena, table, table_index(addr, 0));
}

bool install_table(const FrameArena& arena, const MmuContext& context, VirtAddr addr,
                   int level, Pfn table) {
  const Pfn parent = table_of(arena, context, addr, level + 1);
  require(parent != kNoPfn, "the parent of a new table exists");
  Word& word = word_of(arena, parent, table_index(addr, level + 1));
  if (word.raw().load(std::memory_order_relaxed) != 0) return false;
  note_side_effects();
  // Release: whoever walks through the entry, hardware too, sees the table's zeroes.
  // Kernel: smp_wmb() in __pte_alloc(), 2.6.26.
  const std::memory_order order =
      bug::weaken(Bug::kPmdPopulatedBeforeZeroes, std::memory_order_release);
  weak_barrier(order);
  word.raw().store(Pte::page(table, kTableFlags).bits(), order);
  return true;
}

int missing_table(const FrameArena& arena, const MmuContext& context, VirtAddr addr) {
  Pfn table = context.root;
  for (int level = kRootLevel; level > 0; --level) {
    table = lower_table(arena, table, table_index(addr, level));
    if (table == kNoPfn) return level - 1;
  }
  return -1;
}

void for_each_pte(const FrameArena& arena, const MmuContext& context, VirtRange range,
                  FunctionRef<void(VirtAddr, PteSlot)> visit) {
  if (context.root == kNoPfn) return;
  for_each_pte_in(arena, context.root, kRootLevel, range, visit);
}

void for_each_pte_table(const FrameArena& arena, const MmuContext& context,
                        VirtRange range, FunctionRef<void(VirtRange, Pfn)> visit) {
  if (context.root == kNoPfn) return;
  for_each_pte_table_in(arena, context.root, kRootLevel, range, visit);
}

void detach_tables(const FrameArena& arena, const MmuContext& context, VirtRange range,
                   VirtRange limits, FunctionRef<void(Pfn)> freed) {
  require(limits.start <= range.start && range.end <= limits.end,
          "limits contain the range");
  detach_tables_in(arena, context.root, kRootLevel, range, limits, freed);
}

void for_each_table(const FrameArena& arena, const MmuContext& context,
                    FunctionRef<void(Pfn, int level)> visit) {
  if (context.root == kNoPfn) return;
  for_each_table_in(arena, context.root, kRootLevel, visit);
}

}  // namespace racier
