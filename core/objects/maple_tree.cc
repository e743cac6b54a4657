// core/objects/maple_tree.cc - walks a tree that does not change, and makes the next.
//
// A change goes down to the leaves that overlap its range, and comes back with what has
// to be in each parent's slots instead: nothing for a node that has become empty, two
// where one did not have room.  A node that has become small stays so.
//
// Tested by maple_tree_test.cc.
#include "core/objects/maple_tree.h"

#include <algorithm>
#include <utility>

#include "core/base/require.h"

namespace racier {
namespace {

// What is in use of a node that does not change.
struct Used {
  std::span<const MapleEntry> slots;
  bool leaf = false;
};

// The first access to a node is a step: it tells whether the node is alive.  What a
// walk reads of a node that is not may be anything.
Used used(const MapleNode& node) {
  const std::uint32_t meta = node.meta.load(std::memory_order_relaxed);
  const std::size_t count = std::min<std::size_t>(meta / 2, MapleNode::kSlots);
  return {std::span(node.slots).first(count), meta % 2 != 0};
}

Used peek_used(const MapleNode& node) {
  const std::uint32_t meta = node.meta.peek();
  return {std::span(node.slots).first(meta / 2), meta % 2 != 0};
}

bool overlaps(const MapleEntry& entry, VirtRange range) {
  return entry.start < range.end && range.start < entry.end;
}

void show(const MapleNode& node, FunctionRef<void(const MapleEntry&)> visit) {
  const Used in = peek_used(node);
  for (const MapleEntry& entry : in.slots) {
    if (in.leaf) {
      visit(entry);
    } else {
      show(*entry.node(), visit);
    }
  }
}

void take_apart(MapleNode& node, FunctionRef<void(MapleNode&)> visit) {
  const Used in = peek_used(node);
  if (!in.leaf) {
    for (const MapleEntry& entry : in.slots) take_apart(*entry.node(), visit);
  }
  visit(node);
}

}  // namespace

// ---- Walks -----------------------------------------------------------------------

const MapleEntry* MapleTree::look_up(VirtAddr addr, MapleNode*& node) const {
  node = root_.load(std::memory_order_acquire);
  while (node != nullptr) {
    const Used in = used(*node);
    const auto found = std::find_if(in.slots.begin(), in.slots.end(),
                                    [&](const MapleEntry& e) { return e.end > addr; });
    if (found == in.slots.end()) return nullptr;
    if (in.leaf) return &*found;
    node = found->node();
  }
  return nullptr;
}

Vma* MapleTree::find(VirtAddr addr) const {
  MapleNode* node = nullptr;
  const MapleEntry* const found = look_up(addr, node);
  return found == nullptr ? nullptr : found->vma();
}

Vma* MapleTree::walk(VirtAddr addr) const {
  MapleNode* node = nullptr;
  const MapleEntry* const found = look_up(addr, node);
  return found == nullptr || found->start > addr ? nullptr : found->vma();
}

void MapleTree::for_each(FunctionRef<void(const MapleEntry&)> visit) const {
  const MapleNode* const root = root_.peek();
  if (root != nullptr) show(*root, visit);
}

void MapleTree::clear(FunctionRef<void(MapleNode&)> visit) {
  MapleNode* const root = root_.peek();
  root_.poke(nullptr);
  if (root != nullptr) take_apart(*root, visit);
}

// ---- Changes ---------------------------------------------------------------------

void MapleUpdate::Entries::add(const MapleEntry& entry) {
  require(count < static_cast<int>(at.size()), "a node becomes two nodes at most");
  at[static_cast<std::size_t>(count++)] = entry;
}

void MapleUpdate::Entries::add(const Entries& more) {
  for (int i = 0; i < more.count; ++i) add(more.at[static_cast<std::size_t>(i)]);
}

bool MapleUpdate::build(const MapleTree& tree, VirtRange range,
                        std::span<const MapleEntry> entries,
                        FunctionRef<MapleNode*()> alloc) {
  alloc_ = &alloc;
  Entries what;
  for (const MapleEntry& entry : entries) what.add(entry);
  MapleNode* const root = tree.root_.load();
  Entries top = root == nullptr ? packed(what, true) : rebuilt(*root, range, what);
  if (top.count > 1) top = packed(top, false);
  root_ = top.count == 0 ? nullptr : top.at[0].node();
  return std::exchange(alloc_, nullptr) != nullptr;
}

MapleUpdate::Entries MapleUpdate::rebuilt(MapleNode& node, VirtRange range,
                                          const Entries& what) {
  node.list = std::exchange(replaced_, &node);
  const Used in = used(node);
  if (in.leaf) return rebuilt_leaf(node, range, what);
  // Where nothing is in the way, the one before has room, or makes some.
  std::size_t target = 0;
  for (std::size_t i = 0; i < in.slots.size(); ++i) {
    if (in.slots[i].start <= range.start) target = i;
  }
  for (std::size_t i = in.slots.size(); i-- > 0;) {
    if (overlaps(in.slots[i], range)) target = i;
  }
  Entries all;
  for (std::size_t i = 0; i < in.slots.size(); ++i) {
    if (i != target && !overlaps(in.slots[i], range)) {
      all.add(in.slots[i]);
    } else {
      all.add(rebuilt(*in.slots[i].node(), range, i == target ? what : Entries{}));
    }
  }
  return packed(all, false);
}

MapleUpdate::Entries MapleUpdate::rebuilt_leaf(const MapleNode& node, VirtRange range,
                                               const Entries& what) {
  const Used in = peek_used(node);
  Entries all;
  for (const MapleEntry& entry : in.slots) {
    if (entry.end <= range.start) all.add(entry);
  }
  all.add(what);
  for (const MapleEntry& entry : in.slots) {
    if (entry.start >= range.end) all.add(entry);
  }
  return packed(all, true);
}

// Puts `entries` in as few nodes as they need; returns what their parent has to have.
MapleUpdate::Entries MapleUpdate::packed(const Entries& entries, bool leaf) {
  const std::span all =
      std::span(entries.at).first(static_cast<std::size_t>(entries.count));
  Entries parents;
  if (all.size() > MapleNode::kSlots) {
    parents.add(made(all.first(all.size() / 2), leaf));
    parents.add(made(all.subspan(all.size() / 2), leaf));
  } else if (!all.empty()) {
    parents.add(made(all, leaf));
  }
  return parents;
}

MapleEntry MapleUpdate::made(std::span<const MapleEntry> entries, bool leaf) {
  MapleEntry parent{entries.front().start, entries.back().end, nullptr};
  MapleNode* const node = alloc_ == nullptr ? nullptr : (*alloc_)();
  if (node == nullptr) {
    alloc_ = nullptr;
    return parent;
  }
  std::copy(entries.begin(), entries.end(), node->slots.begin());
  node->meta.poke(static_cast<std::uint32_t>(entries.size()) * 2 + (leaf ? 1 : 0));
  node->list = std::exchange(made_, node);
  parent.below = node;
  return parent;
}

void MapleUpdate::publish(MapleTree& tree) {
  tree.root_.store(root_, std::memory_order_release);
  made_ = nullptr;
  published_ = true;
}

MapleNode* MapleUpdate::take_made() { return std::exchange(made_, nullptr); }

MapleNode* MapleUpdate::take_replaced() {
  return published_ ? std::exchange(replaced_, nullptr) : nullptr;
}

}  // namespace racier
