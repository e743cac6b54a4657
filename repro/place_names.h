// repro/place_names.h - names for the words that steps touch.
#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "core/objects/machine.h"

namespace racier::repro {

// The words of one machine, as a run has left it: "page 5 flags", "mm 1
// page_table_lock", "slab anon_vma+0x10".  An object that is gone goes by the cache
// that it was of.  The same in every build.
class PlaceNames {
 public:
  // `at_rest`: no task was in the middle of anything when the run ended.
  PlaceNames(Machine& machine, bool at_rest);

  // Returns the name of the word at `address`; "" for none.
  std::string name(const void* address);
  // Likewise; "" for a word of which nothing is known.
  std::string known_name(const void* address) const;

 private:
  struct Place {
    std::size_t size;
    std::string name;
  };

  template <typename T>
  void add(const T& object, std::string name) {
    places_[reinterpret_cast<std::uintptr_t>(&object)] = {sizeof object,
                                                          std::move(name)};
  }
  void add_area(const SwapArea& area);
  void add_page(const Page& page);
  void add_file(const AddressSpace& file, const std::string& name);
  void add_mm(const Mm& mm);
  void add_memory_of(const Mm& mm);
  std::string name_in_region(const void* address, std::size_t offset) const;

  Machine& machine_;
  std::map<std::uintptr_t, Place> places_;
  std::map<Pfn, std::string> tables_;
  std::map<const void*, std::size_t> unknown_;  // numbered as they come up
};

}  // namespace racier::repro
