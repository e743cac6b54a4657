// core/mm/maple_store.h - changes the tree in which vmas are found under RCU.
//
// With lookup=per_vma an mm has its vmas in two trees: mm->vmas, for who holds mmap_sem
// or page_table_lock, and mm->mm_mt, for who holds neither.  Who changes where vmas are
// changes both under page_table_lock, and allocates before.  With any other lookup= all
// of this does nothing.  For mm/ only.
#pragma once
#include <initializer_list>

#include "core/objects/machine.h"

namespace racier {

// Returns the entry of a vma that is, or is to be, at `range`.
inline MapleEntry entry_at(Vma& vma, VirtRange range) {
  return {range.start, range.end, &vma};
}

// One change of mm->mm_mt.  Kernel: vma_iter_prealloc() and vma_iter_store(), mm/vma.c.
class MapleStore {
 public:
  MapleStore(Machine& m, Mm& mm) : m_(m), mm_(mm) {}
  // Drops what was prepared and not stored.
  ~MapleStore() noexcept(false);
  MapleStore(const MapleStore&) = delete;
  MapleStore& operator=(const MapleStore&) = delete;

  // Makes what is needed to put `entries`, at most two, in the place of all that
  // overlaps `range`; once.  Returns false if there is no memory.
  // Context: mmap_sem held (write), or page_table_lock until after store().
  [[nodiscard]] bool prepare(VirtRange range,
                             std::initializer_list<MapleEntry> entries);
  // Puts them there.  Context: page_table_lock held.
  void store();

 private:
  Machine& m_;
  Mm& mm_;
  MapleUpdate update_;
  bool prepared_ = false;
};

// Frees the tree of an mm that has no user.  Kernel: __mt_destroy().
void destroy_maple_tree(Machine& m, Mm& mm);

}  // namespace racier
