// core/sync/lock_checker.cc - the order graph of lock classes, as a matrix of bits.
//
// The graph never has a cycle, or the run is over.  So an edge that is in it already
// needs no search, and almost every acquisition is one AND.  A new edge outer -> inner
// closes a cycle if `outer` can be reached from `inner`; the search goes upwards,
// breadth first.
//
// Threads share the matrix: an edge is added before the search for its cycle, both
// sequentially consistent, so of two threads that add the two halves of a cycle at
// least one sees it.
//
// Tested by lock_checker_test.cc.
#include "core/sync/lock_checker.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "core/base/finding.h"
#include "core/base/require.h"
#include "core/base/source_name.h"
#include "core/sync/contention.h"

namespace racier {
namespace {

std::uint64_t bit_of(std::uint8_t id) { return 1ull << id; }

std::string place(std::source_location where) {
  return std::string(base_name(where.file_name())) + ":" + std::to_string(where.line());
}

std::string titled(const char* what, const LockClass& lock_class) {
  return std::string("WARNING: ") + what + ": " + lock_class.name;
}

HeldLock* find_held(Task& self, const void* lock, const LockClass& lock_class) {
  for (int i = self.held_count; i-- > 0;) {
    HeldLock& held = self.held[static_cast<std::size_t>(i)];
    if (held.lock == lock && held.lock_class == &lock_class) return &held;
  }
  return nullptr;
}

std::span<const HeldLock> locks_of(const Task& self) {
  return {self.held.data(), static_cast<std::size_t>(self.held_count)};
}

const char* word_of(Hold hold) { return hold == Hold::kShared ? "for reading" : ""; }

}  // namespace

void LockChecker::reset() {
  for (std::size_t i = 0; i < outers_.size(); ++i) {
    outers_[i].store(documented_[i], std::memory_order_relaxed);
  }
}

void LockChecker::reset(std::span<const LockOrder> documented) {
  documented_.fill(0);
  for (const LockOrder& edge : documented) {
    documented_[edge.inner->id] |= bit_of(edge.outer->id);
    classes_[edge.outer->id].store(edge.outer, std::memory_order_relaxed);
    classes_[edge.inner->id].store(edge.inner, std::memory_order_relaxed);
  }
  // The transitive closure (Warshall): whoever is outside of `via` is outside of what
  // is inside of `via`.
  for (std::uint8_t via = 0; via < kLockClassesMax; ++via) {
    for (ClassSet& outers : documented_) {
      if ((outers & bit_of(via)) != 0) outers |= documented_[via];
    }
  }
  for (std::uint8_t id = 0; id < kLockClassesMax; ++id) {
    require((documented_[id] & bit_of(id)) == 0,
            "a documented lock order has no cycle");
  }
  reset();
}

void LockChecker::check(const Task& self, const void* lock, const LockClass& lock_class,
                        Hold hold, int nest, Where where) {
  ClassSet outers = 0;
  for (const HeldLock& held : locks_of(self)) {
    const bool same_class = held.lock_class->id == lock_class.id;
    if (same_class && (nest == 0 || held.lock == lock)) [[unlikely]] {
      if (sync::unwinding()) return;
      report(FindingKind::kLockUse,
             titled("possible recursive locking detected", lock_class),
             std::string("taken ") + word_of(hold) + " at " + place(where) +
                 held_locks(self),
             where);
    }
    if (!same_class) outers |= bit_of(held.lock_class->id);
  }
  const ClassSet known = outers_[lock_class.id].load(std::memory_order_relaxed);
  if ((outers & ~known) == 0) [[likely]]
    return;
  if (sync::unwinding()) return;
  for (const HeldLock& held : locks_of(self)) {
    if (held.lock_class->id != lock_class.id) add_edge(held, lock_class, where);
  }
}

void LockChecker::add_edge(const HeldLock& outer, const LockClass& inner, Where where) {
  const std::uint8_t outer_id = outer.lock_class->id;
  require(outer_id < kLockClassesMax && inner.id < kLockClassesMax,
          "a lock class's id");
  if ((outers_[inner.id].load(std::memory_order_relaxed) & bit_of(outer_id)) != 0)
    return;
  classes_[outer_id].store(outer.lock_class, std::memory_order_relaxed);
  classes_[inner.id].store(&inner, std::memory_order_relaxed);
  site(outer_id, inner.id).outer.store(outer.where, std::memory_order_relaxed);
  site(outer_id, inner.id).inner.store(where, std::memory_order_relaxed);
  outers_[inner.id].fetch_or(bit_of(outer_id), std::memory_order_seq_cst);
  const Cycle cycle = find_cycle(outer_id, inner.id);
  if (cycle.length == 0) return;
  report(FindingKind::kLockOrder, title_of(cycle), detail_of(cycle), where);
}

// Returns the shortest cycle through the edge outer -> inner, or one of length 0.
LockChecker::Cycle LockChecker::find_cycle(std::uint8_t outer,
                                           std::uint8_t inner) const {
  std::array<std::uint8_t, kLockClassesMax> inner_of;  // the way down to `outer`
  std::array<std::uint8_t, kLockClassesMax> queue;
  int queued = 0;
  ClassSet seen = bit_of(outer);
  queue[static_cast<std::size_t>(queued++)] = outer;
  for (int next = 0; next < queued && (seen & bit_of(inner)) == 0; ++next) {
    const std::uint8_t at = queue[static_cast<std::size_t>(next)];
    for (ClassSet up = outers_[at].load(std::memory_order_seq_cst) & ~seen; up != 0;
         up &= up - 1) {
      const auto id = static_cast<std::uint8_t>(std::countr_zero(up));
      seen |= bit_of(id);
      inner_of[id] = at;
      queue[static_cast<std::size_t>(queued++)] = id;
    }
  }
  Cycle cycle;
  if ((seen & bit_of(inner)) == 0) return cycle;
  cycle.classes[static_cast<std::size_t>(cycle.length++)] = outer;
  for (std::uint8_t id = inner; id != outer; id = inner_of[id]) {
    cycle.classes[static_cast<std::size_t>(cycle.length++)] = id;
  }
  const auto end = cycle.classes.begin() + cycle.length;
  std::rotate(cycle.classes.begin(),
              std::min_element(cycle.classes.begin(), end,
                               [this](std::uint8_t a, std::uint8_t b) {
                                 return std::strcmp(name_of(a), name_of(b)) < 0;
                               }),
              end);
  return cycle;
}

const char* LockChecker::name_of(std::uint8_t id) const {
  return classes_[id].load(std::memory_order_relaxed)->name;
}

std::string LockChecker::title_of(const Cycle& cycle) const {
  std::string title = "WARNING: possible circular locking dependency: ";
  for (int i = 0; i < cycle.length; ++i) {
    title += name_of(cycle.classes[static_cast<std::size_t>(i)]);
    title += " -> ";
  }
  return title + name_of(cycle.classes[0]);
}

std::string LockChecker::detail_of(const Cycle& cycle) const {
  std::string detail;
  for (int i = 0; i < cycle.length; ++i) {
    const std::uint8_t outer = cycle.classes[static_cast<std::size_t>(i)];
    const std::uint8_t inner =
        cycle.classes[static_cast<std::size_t>((i + 1) % cycle.length)];
    detail +=
        std::string(i == 0 ? "" : "\n") + name_of(outer) + " -> " + name_of(inner);
    if ((documented_[inner] & bit_of(outer)) != 0) {
      detail += ": the documented order";
      continue;
    }
    const Site& seen = site(outer, inner);
    detail += ": held since " + place(seen.outer.load(std::memory_order_relaxed)) +
              ", taken at " + place(seen.inner.load(std::memory_order_relaxed));
  }
  return detail;
}

// A release that is not the one of the lock taken last.
void LockChecker::forget(Task& self, const void* lock, const LockClass& lock_class,
                         Hold hold, Where where) {
  HeldLock* const held = find_held(self, lock, lock_class);
  if (held != nullptr && held->hold == hold) {
    std::move(held + 1, self.held.data() + self.held_count, held);
    --self.held_count;
    return;
  }
  if (self.run->lock_checker == nullptr || sync::unwinding()) return;
  report(FindingKind::kLockUse, titled("bad unlock balance detected", lock_class),
         (held == nullptr ? "released by a task that does not hold it"
                          : "released in another way than it was taken") +
             held_locks(self),
         where);
}

// Nothing is checked: the lock is not there, and no cycle is one that has it.
bool LockChecker::do_without(Task& self, const void* lock, const LockClass& lock_class,
                             Hold hold, Where where) {
  if (!sync::is_left_out(&self, SiteKind::kLock, lock_class.name, where)) return false;
  after_lock(&self, lock, lock_class, hold, false, where);
  self.held[static_cast<std::size_t>(self.held_count - 1)].left_out = true;
  ++self.locks_left_out;
  return true;
}

bool LockChecker::did_without(Task& self, const void* lock, const LockClass& lock_class,
                              Hold hold, Where where) {
  const HeldLock* const held = find_held(self, lock, lock_class);
  if (held == nullptr || !held->left_out) return false;
  --self.locks_left_out;
  on_unlock(&self, lock, lock_class, hold, where);
  return true;
}

bool LockChecker::does_without(const Task* self, const void* lock) {
  if (self == nullptr || self->sites == nullptr) return false;
  const auto locks = locks_of(*self);
  return std::any_of(locks.begin(), locks.end(), [lock](const HeldLock& held) {
    return held.lock == lock && held.left_out;
  });
}

void LockChecker::on_downgrade(Task* self, const void* lock,
                               const LockClass& lock_class, Where where) {
  if (self == nullptr) return;
  HeldLock* const held = find_held(*self, lock, lock_class);
  if (held != nullptr && held->hold == Hold::kExclusive) {
    held->hold = Hold::kShared;
    return;
  }
  if (self->run->lock_checker == nullptr || sync::unwinding()) return;
  report(FindingKind::kLockUse, titled("bad downgrade detected", lock_class),
         "downgraded by a task that does not hold it for writing" + held_locks(*self),
         where);
}

void LockChecker::at_task_end(const Task& self) {
  if (self.run->lock_checker == nullptr || self.run->over()) return;
  if (self.held_count > 0) {
    const HeldLock& held = self.held[0];
    report(FindingKind::kLockUse,
           titled("lock held when returning to user space", *held.lock_class),
           "the task ends" + held_locks(self), held.where);
  }
  if (self.rcu_nesting != 0 || self.preempt_count != 0) {
    const char* const what =
        self.rcu_nesting != 0 ? "rcu_read_lock" : "preempt_disable";
    report(FindingKind::kLockUse,
           std::string("WARNING: lock held when returning to user space: ") + what,
           "the task ends in atomic context");
  }
}

bool LockChecker::holds(const void* lock) {
  const Task* const self = current();
  if (self == nullptr) return false;
  const auto locks = locks_of(*self);
  return std::any_of(locks.begin(), locks.end(),
                     [lock](const HeldLock& held) { return held.lock == lock; });
}

void LockChecker::assert_held(const void* lock, const LockClass& lock_class, Hold hold,
                              Where where) {
  Task* const self = current();
  if (self == nullptr) return;
  const HeldLock* const held = find_held(*self, lock, lock_class);
  if (held != nullptr && (held->hold == Hold::kExclusive || held->hold == hold)) return;
  if (sync::unwinding()) return;
  report(FindingKind::kLockUse,
         titled("lock is not held", lock_class) + " in " +
             bare_function_name(where.function_name()),
         (held == nullptr ? "the task does not hold it"
                          : "the task holds it for reading") +
             held_locks(*self),
         where);
}

std::string LockChecker::held_locks(const Task& self) {
  std::string text;
  for (const HeldLock& held : locks_of(self)) {
    text += text.empty() ? ", holds " : ", ";
    text += std::string(held.lock_class->name) + " (" + place(held.where) +
            (held.hold == Hold::kShared ? ", for reading)" : ")");
  }
  return text;
}

void LockChecker::too_many(const Task& self, Where where) {
  report(FindingKind::kLockUse, "BUG: MAX_LOCK_DEPTH too low!",
         "a task holds too many locks" + held_locks(self), where);
}

void lock_map_acquire(const LockClass& lock_class, std::source_location where) {
  Task* const self = current();
  LockChecker::before_lock(self, &lock_class, lock_class, Hold::kExclusive, 0, where);
  LockChecker::after_lock(self, &lock_class, lock_class, Hold::kExclusive, false,
                          where);
}

void lock_map_release(const LockClass& lock_class, std::source_location where) {
  LockChecker::on_unlock(current(), &lock_class, lock_class, Hold::kExclusive, where);
}

}  // namespace racier
