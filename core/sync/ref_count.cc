// core/sync/ref_count.cc - one step each, and three ways to be wrong.
//
// Tested by ref_count_test.cc.
#include "core/sync/ref_count.h"

#include <limits>
#include <string>

#include "core/base/invariant.h"
#include "core/base/source_name.h"
#include "core/sync/contention.h"
#include "core/sync/sites.h"

namespace racier {
namespace {

constexpr std::int32_t kMax = std::numeric_limits<std::int32_t>::max();

// Destructors of a run that is over drop references too; they must not throw.  All
// counts share these rules, so a title says who broke one.
void check(Inv inv, bool holds, std::source_location where) {
  if (holds || sync::unwinding()) [[likely]]
    return;
  const inv::Row& row = inv::row(inv);
  report(row.kind,
         std::string(row.sentence) + " in " + bare_function_name(where.function_name()),
         std::string("invariant ") + row.name, where);
}

bool has_sites() {
  const Task* const self = current();
  return self != nullptr && self->sites != nullptr;
}

// Returns whether the run does without the reference that the caller wants.
bool is_left_out(const void* count, std::source_location where) {
  if (!has_sites()) [[likely]]
    return false;
  const Task& self = *current();
  const bool left_out =
      sync::is_left_out(&self, SiteKind::kReference, "reference", where);
  self.sites->takes(self, count, left_out);
  return left_out;
}

// Returns whether the reference that the caller drops was left out.
bool was_left_out(const void* count) {
  return has_sites() && current()->sites->drops(*current(), count);
}

}  // namespace

void RefCount::set(std::int32_t value) {
  note_side_effects();
  count_.poke(value, std::memory_order_release);
  if (has_sites()) [[unlikely]]
    current()->sites->takes(*current(), this, false);
}

// Relaxed: who owns a reference needs no order to make another.
void RefCount::inc(Where where) {
  if (is_left_out(this, where)) return;
  const std::int32_t before = count_.fetch_add(1, std::memory_order_relaxed, where);
  check(Inv::kRefcountNotFromZero, before != 0, where);
  check(Inv::kRefcountNotBelowZero, before >= 0, where);
  check(Inv::kRefcountNotSaturated, before != kMax, where);
}

bool RefCount::inc_unless_zero(std::memory_order order, Where where) {
  if (has_sites() && count_.peek() != 0 && is_left_out(this, where)) return true;
  step({&count_, Access::kRmw, order, where, sizeof count_});
  std::atomic<std::int32_t>& word = count_.raw();
  std::int32_t count = word.load(std::memory_order_relaxed);
  while (count != 0) {
    check(Inv::kRefcountNotBelowZero, count > 0, where);
    check(Inv::kRefcountNotSaturated, count != kMax, where);
    if (word.compare_exchange_weak(count, count + 1, order,
                                   std::memory_order_relaxed)) {
      return true;
    }
  }
  return false;
}

bool RefCount::inc_not_zero(Where where) {
  return inc_unless_zero(std::memory_order_relaxed, where);
}

bool RefCount::inc_not_zero_acquire(Where where) {
  return inc_unless_zero(std::memory_order_acquire, where);
}

bool RefCount::dec_and_test(Where where) {
  if (was_left_out(this)) return false;
  const std::int32_t before =
      count_.fetch_sub(1, OwnOrder{std::memory_order_release}, where);
  check(Inv::kRefcountNotBelowZero, before > 0, where);
  if (before != 1) return false;
  // Acquire: pairs with the releases of all droppers before.
  static_cast<void>(count_.peek(std::memory_order_acquire));
  return true;
}

}  // namespace racier
