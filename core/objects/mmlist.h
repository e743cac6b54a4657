// core/objects/mmlist.h - the list of mms that may have pages in swap.
//
// What swapoff looks through.  Strung together off a head, and guarded by mmlist_lock;
// whether a node is on the list is asked without it, too.
//
// Kernel: mm_struct::mmlist, init_mm.mmlist, v2.6.9.
#pragma once
#include "core/base/bug.h"
#include "core/sync/atomic.h"

namespace racier {

struct Mm;

struct MmListNode {
  explicit MmListNode(Mm* mm) : mm(mm) {}
  MmListNode(const MmListNode&) = delete;
  MmListNode& operator=(const MmListNode&) = delete;

  // Returns whether it is on no list.  Without the lock a hint: but nobody puts a mm on
  // the list while its pte lock keeps others from doing so, if there is one for all.
  bool empty(std::source_location where = std::source_location::current()) const {
    return next.load(std::memory_order_relaxed, where) == this;
  }
  // Likewise; if it returns true, whoever took it off is done with it.  Kernel:
  // list_empty_careful().
  bool was_left(std::source_location where = std::source_location::current()) const {
    return next.load(std::memory_order_acquire, where) == this;
  }
  // Puts `node` behind this one, wherever it is.  Kernel: list_add().
  // Context: mmlist_lock held.  Neither is a step.
  void add(MmListNode& node) {
    note_side_effects();
    MmListNode* const second = next.peek();
    second->prev = &node;
    node.next.poke(second);
    node.prev = this;
    next.poke(&node);
  }
  // Takes it off its list; harmless if it is on none.  Kernel: list_del_init(), which
  // has the last two stores the other way round.
  // Context: mmlist_lock held.  Once `next` is stored the node may be gone.
  void unlink(std::source_location where = std::source_location::current()) {
    note_side_effects();
    MmListNode* const second = next.peek();
    second->prev = prev;
    prev->next.poke(second);
    const bool next_first = bug::armed(Bug::kMmlistNextFirst);
    if (next_first) next.store(this, std::memory_order_relaxed, where);
    set_prev(where);
    if (!next_first) next.store(this, std::memory_order_release, where);
  }
  // Makes it a node that is on no list.
  void reset() {
    next.raw().store(this, std::memory_order_relaxed);
    prev = this;
  }

  Mm* const mm;  // null: the head
  Atomic<MmListNode*> next{this};
  MmListNode* prev = this;

 private:
  void set_prev(std::source_location where) {
    step({&prev, Access::kWrite, std::memory_order_relaxed, where, sizeof prev});
    prev = this;
  }
};

}  // namespace racier
