// core/program/machine_keys.cc - the only list of machine options.
// Tested by parse_test.cc and bytes_test.cc.
#include "core/program/machine_keys.h"

#include <algorithm>
#include <iterator>

#include "core/base/require.h"
#include "core/program/text.h"
#include "core/rmap/scheme.h"

namespace racier::program {
namespace {

const char* scheme_name(std::uint64_t index) {
  return index < rmap::schemes().size() ? rmap::schemes()[index].name : nullptr;
}

std::uint64_t scheme_index(const MachineOptions& options) {
  std::uint64_t index = 0;
  while (scheme_name(index) != nullptr && options.rmap != scheme_name(index)) ++index;
  return index;
}

void set_scheme(MachineOptions& options, std::uint64_t index) {
  options.rmap = scheme_name(index);
}

const char* memory_name(std::uint64_t index) {
  constexpr const char* kNames[] = {"strong", "weak"};
  return index < 2 ? kNames[index] : nullptr;
}

const char* rcu_name(std::uint64_t index) {
  constexpr const char* kNames[] = {"classic", "preempt", nullptr};
  return index < 2 ? kNames[index] : nullptr;
}

const char* swap_lock_name(std::uint64_t index) {
  constexpr const char* kNames[] = {"device", "global"};
  return index < 2 ? kNames[index] : nullptr;
}

const char* fault_name(std::uint64_t index) {
  constexpr const char* kNames[] = {"shared", "exclusive"};
  return index < 2 ? kNames[index] : nullptr;
}

const char* ptl_name(std::uint64_t index) {
  constexpr const char* kNames[] = {"mm", "split"};
  return index < 2 ? kNames[index] : nullptr;
}

const char* gather_name(std::uint64_t index) {
  constexpr const char* kNames[] = {"atomic", "preemptible"};
  return index < 2 ? kNames[index] : nullptr;
}

const char* unmap_name(std::uint64_t index) {
  constexpr const char* kNames[] = {"each", "batched"};
  return index < 2 ? kNames[index] : nullptr;
}

const char* flush_name(std::uint64_t index) {
  constexpr const char* kNames[] = {"all", "cpumask"};
  return index < 2 ? kNames[index] : nullptr;
}

const char* lookup_name(std::uint64_t index) {
  constexpr const char* kNames[] = {"tree", "mmap_cache", "kamezawa", "per_vma",
                                    "vmacache"};
  return index < 5 ? kNames[index] : nullptr;
}

const char* mmu_name(std::uint64_t index) {
  constexpr const char* kNames[] = {"soft", "host"};
  return index < 2 ? kNames[index] : nullptr;
}

const char* alloc_name(std::uint64_t index) {
  constexpr const char* kNames[] = {"sure", "chosen"};
  return index < 2 ? kNames[index] : nullptr;
}

template <std::uint32_t MachineOptions::*kMember>
std::uint64_t get(const MachineOptions& options) {
  return options.*kMember;
}

template <std::uint32_t MachineOptions::*kMember>
void set(MachineOptions& options, std::uint64_t value) {
  options.*kMember = static_cast<std::uint32_t>(value);
}

constexpr std::uint32_t kFuzzedSchemes[] = {0, 1, 2, 3, 4};
constexpr std::uint32_t kFuzzedFrames[] = {32, 48, 64, 96, 128, 256};
constexpr std::uint32_t kFuzzedSlabPages[] = {256};
constexpr std::uint32_t kFuzzedSlots[] = {0, 4, 64};
constexpr std::uint32_t kFuzzedFiles[] = {2};
constexpr std::uint32_t kFuzzedFilePages[] = {16};
constexpr std::uint32_t kFuzzedAreas[] = {1, 1, 2};
constexpr std::uint32_t kFuzzedMapMax[] = {kSwapMapMax, kSwapMapMax, kSwapMapMax, 4};
constexpr std::uint32_t kFuzzedBad[] = {0, 0, 0, 3};
constexpr std::uint32_t kFuzzedCluster[] = {0, 0, 0, 2};
constexpr std::uint32_t kFuzzedRcu[] = {0, 1};
constexpr std::uint32_t kFuzzedGather[] = {0, 1};
constexpr std::uint32_t kFuzzedMemory[] = {0, 0, 0, 1};
constexpr std::uint32_t kFuzzedSwapLock[] = {0, 0, 0, 1};
constexpr std::uint32_t kFuzzedFault[] = {0, 0, 0, 1};
constexpr std::uint32_t kFuzzedUnmap[] = {0, 0, 1};
constexpr std::uint32_t kFuzzedFlush[] = {0, 0, 1};
constexpr std::uint32_t kFuzzedPtl[] = {0, 0, 1};
constexpr std::uint32_t kFuzzedLookup[] = {0, 0, 0, 1, 2, 2, 3, 3, 4};

// Of the host's, which does the same more slowly, who wants it asks for it.
constexpr std::uint32_t kFuzzedMmu[] = {0};
constexpr std::uint32_t kFuzzedAlloc[] = {0, 0, 0, 0, 0, 0, 0, 1};

constexpr MachineKey kKeys[] = {
    {"rmap", "the design of the reverse map", &scheme_index, &set_scheme, 0, 0,
     kFuzzedSchemes, &scheme_name},
    {"frames", "page frames, page tables included", &get<&MachineOptions::frames>,
     &set<&MachineOptions::frames>, 16, 1u << 22, kFuzzedFrames, nullptr},
    {"slab_pages", "pages for slab caches", &get<&MachineOptions::slab_pages>,
     &set<&MachineOptions::slab_pages>, 16, 1u << 20, kFuzzedSlabPages, nullptr},
    {"swap_slots",
     "slots of each swap area, the first of which is never used; 0: no swap",
     &get<&MachineOptions::swap_slots>, &set<&MachineOptions::swap_slots>, 0, 1u << 22,
     kFuzzedSlots, nullptr},
    {"files", "files f0, f1, ...", &get<&MachineOptions::files>,
     &set<&MachineOptions::files>, 0, 1u << 12, kFuzzedFiles, nullptr},
    {"file_pages", "pages of each file", &get<&MachineOptions::file_pages>,
     &set<&MachineOptions::file_pages>, 1, 1u << 20, kFuzzedFilePages, nullptr},
    {"rcu", "whether RCU read sections can be preempted",
     [](const MachineOptions& options) -> std::uint64_t {
       return options.period.rcu == RcuFlavour::kPreempt ? 1 : 0;
     },
     [](MachineOptions& options, std::uint64_t value) {
       options.period.rcu = value == 0 ? RcuFlavour::kClassic : RcuFlavour::kPreempt;
     },
     0, 0, kFuzzedRcu, &rcu_name},
    {"memory", "whether a task's stores may be late, and its loads old",
     [](const MachineOptions& options) -> std::uint64_t {
       return options.weak_memory ? 1 : 0;
     },
     [](MachineOptions& options, std::uint64_t value) {
       options.weak_memory = value != 0;
     },
     0, 0, kFuzzedMemory, &memory_name},
    {"swap_lock", "whether each swap area has a lock of its own",
     [](const MachineOptions& options) -> std::uint64_t {
       return options.period.swap_lock == SwapLocking::kGlobal ? 1 : 0;
     },
     [](MachineOptions& options, std::uint64_t value) {
       options.period.swap_lock =
           value == 0 ? SwapLocking::kDevice : SwapLocking::kGlobal;
     },
     0, 0, kFuzzedSwapLock, &swap_lock_name},
    {"fault", "how a fault holds mmap_sem",
     [](const MachineOptions& options) -> std::uint64_t {
       return options.period.exclusive_faults ? 1 : 0;
     },
     [](MachineOptions& options, std::uint64_t value) {
       options.period.exclusive_faults = value != 0;
     },
     0, 0, kFuzzedFault, &fault_name},
    {"ptl", "whether one lock guards all ptes of an mm, or one those of each table",
     [](const MachineOptions& options) -> std::uint64_t {
       return options.period.split_ptl ? 1 : 0;
     },
     [](MachineOptions& options, std::uint64_t value) {
       options.period.split_ptl = value != 0;
     },
     0, 0, kFuzzedPtl, &ptl_name},
    {"gather", "whether whoever frees page tables can be preempted",
     [](const MachineOptions& options) -> std::uint64_t {
       return options.period.gather == GatherContext::kPreemptible ? 1 : 0;
     },
     [](MachineOptions& options, std::uint64_t value) {
       options.period.gather =
           value == 0 ? GatherContext::kAtomic : GatherContext::kPreemptible;
     },
     0, 0, kFuzzedGather, &gather_name},
    {"unmap", "whether reclaim flushes the TLBs for each pte of a page or once",
     [](const MachineOptions& options) -> std::uint64_t {
       return options.period.batched_unmap ? 1 : 0;
     },
     [](MachineOptions& options, std::uint64_t value) {
       options.period.batched_unmap = value != 0;
     },
     0, 0, kFuzzedUnmap, &unmap_name},
    {"alloc", "whether allocations of the tasks fail where choose() says so",
     [](const MachineOptions& options) -> std::uint64_t {
       return options.chosen_failures ? 1 : 0;
     },
     [](MachineOptions& options, std::uint64_t value) {
       options.chosen_failures = value != 0;
     },
     0, 0, kFuzzedAlloc, &alloc_name},
    {"swap_areas", "swap areas, the first of which is on from the start",
     &get<&MachineOptions::swap_areas>, &set<&MachineOptions::swap_areas>, 1,
     kSwapAreasMax, kFuzzedAreas, nullptr},
    {"swap_map_max", "as many references a swap slot can have",
     &get<&MachineOptions::swap_map_max>, &set<&MachineOptions::swap_map_max>, 4,
     kSwapMapMax, kFuzzedMapMax, nullptr},
    {"swap_bad", "every so-manieth slot of a swap area is bad; 0: none",
     &get<&MachineOptions::swap_bad>, &set<&MachineOptions::swap_bad>, 0, 1u << 22,
     kFuzzedBad, nullptr},
    {"page_cluster", "a swap-in reads so many slots together, as a power of two",
     &get<&MachineOptions::page_cluster>, &set<&MachineOptions::page_cluster>, 0, 5,
     kFuzzedCluster, nullptr},
    {"lookup", "how a fault finds its vma",
     [](const MachineOptions& options) -> std::uint64_t {
       return static_cast<std::uint64_t>(options.period.lookup);
     },
     [](MachineOptions& options, std::uint64_t value) {
       options.period.lookup = static_cast<VmaLookup>(value);
     },
     0, 0, kFuzzedLookup, &lookup_name},
    {"mmu", "whether user accesses go through a TLB in software or the host's MMU",
     [](const MachineOptions& options) -> std::uint64_t {
       return options.host_mmu ? 1 : 0;
     },
     [](MachineOptions& options, std::uint64_t value) {
       options.host_mmu = value != 0;
     },
     0, 0, kFuzzedMmu, &mmu_name},
    {"flush",
     "whether a flush of the TLBs goes to all CPUs or to those that may need it",
     [](const MachineOptions& options) -> std::uint64_t {
       return options.period.mm_cpumask ? 1 : 0;
     },
     [](MachineOptions& options, std::uint64_t value) {
       options.period.mm_cpumask = value != 0;
     },
     0, 0, kFuzzedFlush, &flush_name},
};

}  // namespace

std::span<const MachineKey> machine_keys() { return kKeys; }

const MachineKey& machine_key(std::string_view name) {
  const auto found =
      std::find_if(std::begin(kKeys), std::end(kKeys),
                   [&](const MachineKey& key) { return name == key.name; });
  require(found != std::end(kKeys), "a machine has that option");
  return *found;
}

std::uint64_t MachineKey::last() const {
  if (name_of == nullptr) return max;
  std::uint64_t count = 0;
  while (name_of(count) != nullptr) ++count;
  return count - 1;
}

std::optional<std::uint64_t> MachineKey::parse(std::string_view word) const {
  if (name_of == nullptr) {
    const auto number = parse_number(word);
    return number && valid(*number) ? number : std::nullopt;
  }
  for (std::uint64_t value = 0; name_of(value) != nullptr; ++value) {
    if (word == name_of(value)) return value;
  }
  return std::nullopt;
}

std::string MachineKey::print(std::uint64_t value) const {
  if (name_of != nullptr) return valid(value) ? name_of(value) : "?";
  std::string text;
  append_decimal(text, value);
  return text;
}

std::string MachineKey::expected() const {
  std::string text = name_of == nullptr ? "a number from " : "one of";
  if (name_of == nullptr) return text + print(min) + " to " + print(max);
  for (std::uint64_t value = 0; value <= last(); ++value) {
    text += (value == 0 ? " " : ", ") + print(value);
  }
  return text;
}

}  // namespace racier::program
