// repro/place_names.cc - finds out what a word belongs to.  Tested by
// trace_text_test.cc.
#include "repro/place_names.h"

#include <fmt/format.h>

#include "core/objects/page_table.h"

namespace racier::repro {

PlaceNames::PlaceNames(Machine& machine, bool at_rest) : machine_(machine) {
  for (Pfn pfn = 0; pfn < machine.options().frames; ++pfn) add_page(machine.page(pfn));
  add(machine.mms_lock, "mms_lock");
  add(machine.rcu, "rcu");
  add(machine.lru.lru_lock, "lru_lock");
  add(machine.swap.swap_list_lock, "swap_list_lock");
  for (const auto& area : machine.swap.info) add_area(*area);
  add(machine.mmlist_lock, "mmlist_lock");
  add_file(machine.swapper, "swap cache");
  machine.for_each_file([&](AddressSpace& file) {
    add_file(file, fmt::format("{} {}", file.shmem ? "shmem" : "file", file.id));
  });
  for (std::size_t cpu = 0; cpu < machine.cpus.size(); ++cpu) {
    add(machine.cpus[cpu].is_lazy, fmt::format("cpu {} is_lazy", cpu));
  }
  machine.mm_cache.for_each_live([&](Mm& mm) {
    add_mm(mm);
    if (at_rest) add_memory_of(mm);
  });
}

// The first is the one that there is, mostly.
void PlaceNames::add_area(const SwapArea& area) {
  const std::string name =
      area.type == 0 ? "swap_" : fmt::format("swap area {} ", area.type);
  add(area.swap_device_lock, name + "device_lock");
  add(area.flags, name + "flags");
}

void PlaceNames::add_page(const Page& page) {
  const auto name = [&page](const char* field) {
    return fmt::format("page {} {}", page.pfn, field);
  };
  add(page.flags, name("flags"));
  add(page.count, name("count"));
  add(page.mapcount, name("mapcount"));
  add(page.mapping, name("mapping"));
  add(page.index, name("index"));
  add(page.private_data, name("private"));
}

void PlaceNames::add_file(const AddressSpace& file, const std::string& name) {
  add(file.count, name + " count");
  add(file.tree_lock, name + " tree_lock");
  add(file.i_mmap_lock, name + " i_mmap_lock");
}

void PlaceNames::add_mm(const Mm& mm) {
  const std::string name = fmt::format("mm {} ", mm.id);
  add(mm.mm_users, name + "mm_users");
  add(mm.mm_count, name + "mm_count");
  add(mm.mmap_sem, name + "mmap_sem");
  add(mm.page_table_lock, name + "page_table_lock");
  add(mm.mmlist, name + "mmlist");
  add(mm.flags, name + "flags");
  add(mm.mmap_cache, name + "mmap_cache");
  add(mm.vma_version, name + "vma_version");
  add(mm.cpumask, name + "cpumask");
  add(mm.tlb_gen, name + "tlb_gen");
}

// What an address space points to: only a machine at rest has it in order.
void PlaceNames::add_memory_of(const Mm& mm) {
  const std::string name = fmt::format("mm {} ", mm.id);
  for (Vma* vma = mm.vmas.first(); vma != nullptr; vma = VmaTree::next(*vma)) {
    add(vma->rmap.anchor, fmt::format("{}vma {:#x} rmap", name, vma->vm_start));
  }
  if (mm.context.root == kNoPfn) return;
  for_each_table(machine_.frames, mm.context, [&](Pfn pfn, int level) {
    constexpr const char* kLevels[] = {"pte", "pmd", "pud", "pgd"};
    tables_[pfn] = name + kLevels[level];
  });
}

std::string PlaceNames::name_in_region(const void* address, std::size_t offset) const {
  const Pfn pfn = static_cast<Pfn>(offset / kPageSize);
  const std::size_t in_page = offset % kPageSize;
  if (pfn < machine_.region.frames()) {
    const auto table = tables_.find(pfn);
    return table == tables_.end()
               ? fmt::format("frame {}+{:#x}", pfn, in_page)
               : fmt::format("{} [{}]", table->second, in_page / sizeof(std::uint64_t));
  }
  if (pfn >= machine_.region.frames() + machine_.region.slab_pages()) {
    const std::size_t names = machine_.region.frames() + machine_.region.slab_pages();
    return fmt::format("user word in frame {}+{:#x}", pfn - names, in_page);
  }
  const SlabPage* const page = machine_.slab_pages.page_of(address);
  if (page == nullptr || page->owner == nullptr)
    return fmt::format("region+{:#x}", offset);
  return fmt::format("slab {}+{:#x}", page->owner->name(),
                     in_page % page->owner->stride());
}

std::string PlaceNames::known_name(const void* address) const {
  const auto above = places_.upper_bound(reinterpret_cast<std::uintptr_t>(address));
  if (above != places_.begin()) {
    const auto& [start, place] = *std::prev(above);
    const std::size_t offset = reinterpret_cast<std::uintptr_t>(address) - start;
    if (offset < place.size) return place.name;
  }
  const std::ptrdiff_t offset = machine_.region.live().offset_of(address);
  return offset < 0 ? "" : name_in_region(address, static_cast<std::size_t>(offset));
}

std::string PlaceNames::name(const void* address) {
  if (address == nullptr) return "";
  std::string known = known_name(address);
  if (!known.empty()) return known;
  const auto [found, fresh] = unknown_.try_emplace(address, unknown_.size());
  return fmt::format("word {}", found->second);
}

}  // namespace racier::repro
