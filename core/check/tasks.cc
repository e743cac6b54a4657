// core/check/tasks.cc - who uses which address space, by the table of tasks.  C5.
// Tested by tasks_test.cc.
#include <algorithm>
#include <cstdint>

#include "core/check/checks.h"

namespace racier::check {
namespace {

MmUsers& row_of(std::vector<MmUsers>& users, const Mm& mm) {
  const auto known = std::ranges::find(users, &mm, &MmUsers::mm);
  return known != users.end() ? *known : users.emplace_back(MmUsers{&mm, 0, 0});
}

bool is_mm(const Audit& audit, const Mm* mm) {
  return std::ranges::any_of(audit.found.mms(),
                             [mm](const FoundMm& of) { return of.mm == mm; });
}

// A process has its mm active, and a kernel thread at rest works in none.
bool is_well_formed(const Audit& audit, const TaskStruct& task) {
  const Mm* const mm = task.mm.peek();
  const Mm* const active = task.active_mm.peek();
  if (active != nullptr && !is_mm(audit, active)) return false;
  if (task.is(TaskFlag::kBorrowedMm) || task.is(TaskFlag::kOnCpu)) return false;
  return task.is(TaskFlag::kKthread) ? mm == nullptr : mm == active;
}

}  // namespace

void count_users(const Machine& machine, std::vector<MmUsers>& users) {
  users.clear();
  for (const TaskStruct& task : machine.tasks) {
    const Mm* const active = task.active_mm.peek();
    if (active == nullptr) continue;
    MmUsers& row = row_of(users, *active);
    ++(task.is(TaskFlag::kKthread) ? row.holders : row.users);
  }
}

void check_tasks(const Audit& audit) {
  for (const TaskStruct& task : audit.m.tasks) {
    if (is_well_formed(audit, task)) continue;
    broken(Inv::kTaskMmIsLive, "task " + std::to_string(&task - audit.m.tasks.data()));
  }
}

}  // namespace racier::check
