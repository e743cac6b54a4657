// core/mm/boot.cc - switches a machine on and off.
// Tested by boot_test.cc.
#include "core/mm/boot.h"

#include "core/base/require.h"
#include "core/mm/page_alloc.h"
#include "core/mm/swap.h"
#include "core/mm/swapon.h"
#include "core/rmap/scheme.h"

namespace racier {
namespace {

// Makes `run` the current one for a scope: what boots looks at the bugs it has armed.
class CurrentRun {
 public:
  explicit CurrentRun(RunState& run) : before_(set_current_run(&run)) {}
  ~CurrentRun() { set_current_run(before_); }
  CurrentRun(const CurrentRun&) = delete;
  CurrentRun& operator=(const CurrentRun&) = delete;

 private:
  RunState* before_;
};

}  // namespace

std::unique_ptr<Machine> make_machine(const MachineOptions& options) {
  auto machine = std::make_unique<Machine>(rmap::claimed(options));
  auto scheme = rmap::make_scheme(options.rmap, *machine);
  if (scheme == nullptr) return nullptr;
  scheme->set_put_page([](Machine& m, Page& page) { put_page(m, page); });
  machine->install(std::move(scheme));
  return machine;
}

void boot(Machine& m, RunState& run) {
  const CurrentRun current_run(run);
  m.reset(run);
  m.scheme().reset();
  Page* const zero = alloc_zeroed_page(m, Gfp::kAtomic);
  require(zero != nullptr, "a machine has a frame for the zero page");
  zero->set(PageFlag::kUptodate);
  m.set_zero_page(*zero);
  // (Too large a map for its slab pages: a machine without swap.)
  if (m.swap.count() != 0) static_cast<void>(do_swapon(m, 0, 0));
}

void shut_down(Machine& m) {
  forget_stuck_counts(m);
  drop_unused_swap_cache(m);
  put_page(m, m.zero_page());
}

}  // namespace racier
