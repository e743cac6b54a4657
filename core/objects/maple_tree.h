// core/objects/maple_tree.h - the vmas of one mm, for who looks without mmap_sem.
//
// A tree of nodes none of which changes once it can be found: whoever changes where
// vmas are makes the nodes on the way to them anew, and then lets the root lead there.
// So a walk sees all of a change, or nothing of it.  What was replaced may be freed
// when nobody walks any more: behind a grace period for those who walk under RCU; under
// mmap_sem there is nobody else.
//
// Kernel: lib/maple_tree.c, v6.1, which replaces only some nodes, and changes others in
// place.
#pragma once
#include <array>
#include <cstdint>
#include <span>

#include "core/base/function_ref.h"
#include "core/base/types.h"
#include "core/sync/atomic.h"
#include "core/sync/rcu.h"

namespace racier {

struct MapleNode;
struct Vma;

// A range, and what is there.
struct MapleEntry {
  VirtAddr start = 0;
  VirtAddr end = 0;
  void* below = nullptr;  // in a leaf a Vma, else a MapleNode

  Vma* vma() const { return static_cast<Vma*>(below); }
  MapleNode* node() const;
};

// As a head of RCU it is freed behind a grace period.
struct MapleNode : RcuHead {
  static constexpr int kSlots = 8;  // few, so that a few vmas make a tree deep

  // How many slots are in use, twice, and one more in a leaf.
  Atomic<std::uint32_t> meta{0};
  // By address; of those of an inner node each spans all that is below it.
  std::array<MapleEntry, kSlots> slots;
  // Of who makes it, or takes its place: the next such node.
  MapleNode* list = nullptr;
};

inline MapleNode* MapleEntry::node() const { return static_cast<MapleNode*>(below); }

class MapleTree {
 public:
  // Returns the first vma that ends behind `addr`, which may start behind it, too;
  // nullptr if there is none.
  // Context: mmap_sem held, or in an RCU read section.  Kernel: mas_find().
  Vma* find(VirtAddr addr) const;
  // Returns the vma that `addr` is in, or nullptr.  Likewise.  Kernel: mas_walk().
  Vma* walk(VirtAddr addr) const;
  // Shows all that it has, by address.  At quiescence.
  void for_each(FunctionRef<void(const MapleEntry&)> visit) const;
  // Forgets all, and shows `visit` each node, which it may free.
  // Context: nobody can walk any more.
  void clear(FunctionRef<void(MapleNode&)> visit);

 private:
  friend class MapleUpdate;
  const MapleEntry* look_up(VirtAddr addr, MapleNode*& node) const;

  Atomic<MapleNode*> root_{nullptr};
};

// A change of a tree on its way.  Nobody else changes the tree meanwhile.
class MapleUpdate {
 public:
  // Makes the nodes of a tree that has `entries` in the place of all that overlaps
  // `range`, which they lie in: at most two.  Returns false if `alloc` does not give
  // it the nodes that it needs.
  [[nodiscard]] bool build(const MapleTree& tree, VirtRange range,
                           std::span<const MapleEntry> entries,
                           FunctionRef<MapleNode*()> alloc);
  // Lets everybody find the new ones.
  void publish(MapleTree& tree);

  // Return the nodes that were made and not published, and those that were replaced:
  // the first of a list.  They are the caller's.
  MapleNode* take_made();
  MapleNode* take_replaced();

 private:
  // Entries in order: one more than fits in a node, or two.
  struct Entries {
    std::array<MapleEntry, MapleNode::kSlots + 2> at;
    int count = 0;
    void add(const MapleEntry& entry);
    void add(const Entries& more);
  };
  Entries rebuilt(MapleNode& node, VirtRange range, const Entries& what);
  Entries rebuilt_leaf(const MapleNode& node, VirtRange range, const Entries& what);
  Entries packed(const Entries& entries, bool leaf);
  MapleEntry made(std::span<const MapleEntry> entries, bool leaf);

  FunctionRef<MapleNode*()>* alloc_ = nullptr;  // null: it has failed
  MapleNode* root_ = nullptr;
  MapleNode* made_ = nullptr;
  MapleNode* replaced_ = nullptr;
  bool published_ = false;
};

}  // namespace racier
