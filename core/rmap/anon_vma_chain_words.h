// core/rmap/anon_vma_chain_words.h - how anon_vma_chain reads the words it keeps in
// vmas.
//
// For the files of anon_vma_chain only.
#pragma once
#include <cstddef>

#include "core/base/function_ref.h"
#include "core/rmap/anon_vma_chain.h"

namespace racier::rmap {

// Returns the own anon_vma of a vma, or nullptr; a peek is no step.
inline ChainedAnonVma* anon_vma_of(const Vma& vma) {
  return reinterpret_cast<ChainedAnonVma*>(
      vma.rmap.anchor.load());
}

inline ChainedAnonVma* peek_anon_vma_of(const Vma& vma) {
  return reinterpret_cast<ChainedAnonVma*>(
      vma.rmap.anchor.raw().load(std::memory_order_relaxed));
}

inline void set_anon_vma_of(Vma& vma, ChainedAnonVma* anon_vma) {
  vma.rmap.anchor.store(reinterpret_cast<std::uintptr_t>(anon_vma));
}

inline ChainedAnonVma& root_of(const ChainedAnonVma& anon_vma) {
  return *anon_vma.root.load();
}

inline ChainedAnonVma& peek_root_of(const ChainedAnonVma& anon_vma) {
  return *anon_vma.root.raw().load(std::memory_order_relaxed);
}

// The avcs of a vma, newest first.  Their head is the node by which other schemes put
// the vma itself on a list.
class Chain {
 public:
  explicit Chain(Vma& vma) : head_(vma.rmap.node) {}

  bool empty() const { return head_.empty(); }
  bool singular() const { return !empty() && head_.next == head_.prev; }
  std::size_t length() const {
    std::size_t length = 0;
    for (const ListNode* at = head_.next; at != &head_; at = at->next) ++length;
    return length;
  }
  AnonVmaChain& newest() const { return entry(*head_.next); }
  AnonVmaChain& oldest() const { return entry(*head_.prev); }
  void push(AnonVmaChain& avc) { head_.add_after(avc.same_vma); }
  // Shows each, the newest first; `visit` may take it off.
  void for_each(FunctionRef<void(AnonVmaChain&)> visit) const {
    for (ListNode* at = head_.next; at != &head_;) {
      AnonVmaChain& avc = entry(*at);
      at = at->next;
      visit(avc);
    }
  }
  void for_each_from_oldest(FunctionRef<void(AnonVmaChain&)> visit) const {
    for (ListNode* at = head_.prev; at != &head_; at = at->prev) visit(entry(*at));
  }

 private:
  static AnonVmaChain& entry(ListNode& node) {
    return *reinterpret_cast<AnonVmaChain*>(reinterpret_cast<char*>(&node) -
                                            offsetof(AnonVmaChain, same_vma));
  }
  ListNode& head_;
};

}  // namespace racier::rmap
