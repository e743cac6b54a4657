// core/check/auditor.h - what must be true of a machine at rest.
//
// Recounts from the page tables, the caches and the lists what mm/ keeps incrementally,
// and asks the reverse map about every page.  README.md lists the invariants.
#pragma once
#include <memory>
#include <span>
#include <vector>

#include "core/check/watcher.h"
#include "core/objects/machine.h"

namespace racier::check {

// Who still uses a mm: what its two counts must be.
struct MmUsers {
  const Mm* mm = nullptr;
  int users = 0;  // tasks that run in it, and explicit gets
  // References to the object alone, beside that of the users, and those of requests of
  // asynchronous I/O.
  int holders = 0;
};

// Puts the users and holders of all mms in `users`, as the machine's table of tasks has
// them.  At quiescence.
void count_users(const Machine& machine, std::vector<MmUsers>& users);

// What only whoever runs the tasks can know.
struct Expected {
  bool users_known = false;  // `users` is complete: a mm that is not in it has none
  std::span<const MmUsers> users = {};
  std::span<Page* const> pins = {};  // one for each reference held from outside of mm
};

// Checks one machine, again and again; its buffers stay.
class Auditor {
 public:
  explicit Auditor(Machine& machine);
  ~Auditor();
  Auditor(const Auditor&) = delete;
  Auditor& operator=(const Auditor&) = delete;

  // Reports the first invariant that does not hold.  With a watcher, also compares
  // memory with what it has seen.
  // Context: outside of any task, no task of the machine in the middle of anything; RCU
  // callbacks need not have run.  No step.
  void audit(const Watcher* watcher, const Expected& expected = {});
  // Reports what is left of a machine after all mms are gone and shut_down().
  // Context: as audit(), and RCU callbacks have run.
  void audit_leaks();

 private:
  struct Buffers;
  Machine& machine_;
  std::unique_ptr<Buffers> buffers_;
};

// Likewise, for once.
void audit(Machine& machine, const Watcher* watcher, const Expected& expected = {});
void audit_leaks(Machine& machine);

}  // namespace racier::check
