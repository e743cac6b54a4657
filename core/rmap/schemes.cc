// core/rmap/schemes.cc - the only list of schemes.
#include "core/rmap/anon_area.h"
#include "core/rmap/anon_vma_chain.h"
#include "core/rmap/anon_vma_rwsem.h"
#include "core/rmap/anon_vma_spin.h"
#include "core/rmap/pte_chain.h"
#include "core/rmap/scheme.h"

namespace racier::rmap {
namespace {

template <typename T>
std::shared_ptr<Scheme> make(Machine& machine) {
  return std::make_shared<T>(machine);
}

constexpr SchemeRow kSchemes[] = {
    {"anon_vma_spin",
     "anon_vma with a spinlock, type-stable by RCU; atomic mapcount from -1 (2.6.9)",
     make<AnonVmaSpin>,
     {}},
    {"anon_vma_rwsem",
     "anon_vma with a reference count and an rw semaphore (Lameter, 2008)",
     make<AnonVmaRwsem>,
     {.swap_lock = SwapLocking::kGlobal, .split_ptl = true}},
    {"anon_vma_chain",
     "an anon_vma for each child, and chains of them; the root's rw semaphore (2.6.34)",
     make<AnonVmaChains>,
     {.rcu = RcuFlavour::kPreempt,
      .swap_lock = SwapLocking::kGlobal,
      .split_ptl = true,
      .gather = GatherContext::kPreemptible}},
    {"pte_chain",
     "each page knows its ptes: one, or a chain of blocks; a bit lock in the page "
     "(2.5)",
     make<PteChains>,
     {},
     /*split_ptl=*/false},
    {"anon_area",
     "areas with a list of pages, which they refer to, and a list of vmas (anon layer, "
     "2000)",
     make<AnonAreas>,
     {.exclusive_faults = true}},
};

}  // namespace

std::span<const SchemeRow> schemes() { return kSchemes; }

MachineOptions claimed(MachineOptions options) {
  for (const SchemeRow& row : kSchemes) {
    if (options.rmap == row.name && !row.split_ptl) options.period.split_ptl = false;
  }
  return options;
}

std::shared_ptr<Scheme> make_scheme(std::string_view name, Machine& machine) {
  for (const SchemeRow& row : kSchemes) {
    if (name == row.name) return row.make(machine);
  }
  return nullptr;
}

}  // namespace racier::rmap
