// core/check/auditor.cc - the order of an audit.
// Tested by auditor_test.cc and by each part's own test.
#include "core/check/auditor.h"

#include "core/base/require.h"
#include "core/check/checks.h"

namespace racier::check {
namespace {

// While it lives, nobody watches the machine: the audit's own walks are not the run's.
class Unwatched {
 public:
  explicit Unwatched(Machine& machine)
      : machine_(machine), before_(machine.tracepoints) {
    machine_.tracepoints = &nobody_;
  }
  ~Unwatched() { machine_.tracepoints = before_; }
  Unwatched(const Unwatched&) = delete;
  Unwatched& operator=(const Unwatched&) = delete;

 private:
  Machine& machine_;
  Tracepoints* before_;
  Tracepoints nobody_;
};

}  // namespace

Auditor::Auditor(Machine& machine)
    : machine_(machine), buffers_(std::make_unique<Buffers>()) {}
Auditor::~Auditor() = default;

void Auditor::audit(const Watcher* watcher, const Expected& expected) {
  require(current() == nullptr, "an audit is no task");
  const Unwatched unwatched(machine_);
  BruteForce& found = buffers_->found;
  const Audit audit{machine_, found, expected, watcher, buffers_->slot_page};
  check_locks(audit);  // first: a lock that is held would stop the walks
  check_vmas(audit);
  found.scan(machine_);
  check_ptes_inside_vmas(audit);
  check_vma_lookup(audit);
  check_pages_of_vmas(audit);
  check_i_mmap(audit);
  check_reverse_map(audit);
  check_permissions(audit);
  check_caches(audit);
  check_lru(audit);
  check_pages(audit);
  check_swap(audit);
  check_mms(audit);
  check_tasks(audit);
  check_mmlist(audit);
  check_tlb(audit);
  check_secondary(audit);
  if (watcher != nullptr) check_memory(audit);
}

void Auditor::audit_leaks() {
  require(current() == nullptr, "an audit is no task");
  check_leaks(machine_);
}

void audit(Machine& machine, const Watcher* watcher, const Expected& expected) {
  Auditor(machine).audit(watcher, expected);
}

void audit_leaks(Machine& machine) { Auditor(machine).audit_leaks(); }

std::string differs(const std::string& what, std::int64_t is, std::int64_t should_be) {
  return what + ": is " + std::to_string(is) + ", should be " +
         std::to_string(should_be);
}

}  // namespace racier::check
