// core/base/list.h - the kernel's circular doubly linked list, with types.
//
// A node that is on no list points to itself, so empty() of a node asks "am I on a
// list?".  Links are plain words: whoever uses a list names the lock that guards it.
#pragma once
#include <cstddef>

#include "core/base/require.h"

namespace racier {

struct ListNode {
  ListNode* next = this;
  ListNode* prev = this;

  ListNode() = default;
  ListNode(const ListNode&) = delete;
  ListNode& operator=(const ListNode&) = delete;

  // Returns whether the node is on no list (of a head: whether the list has no entry).
  bool empty() const { return next == this; }

  // Puts `node`, which is on no list, right after this one.
  void add_after(ListNode& node) {
    require(node.empty(), "a node is on one list at a time");
    node.next = next;
    node.prev = this;
    next->prev = &node;
    next = &node;
  }

  // Puts `node`, which is on no list, right before this one.
  void add_before(ListNode& node) { prev->add_after(node); }

  // Takes this node off its list; harmless if it is on none.  Kernel: list_del_init().
  void unlink() {
    next->prev = prev;
    prev->next = next;
    next = prev = this;
  }
};

// A list of T through its member `Node`: `List<Vma, &Vma::anon_vma_node>`.
template <typename T, ListNode T::* Node>
class List {
 public:
  class Iterator {
   public:
    explicit Iterator(ListNode* at) : at_(at) {}
    T& operator*() const { return *entry(at_); }
    T* operator->() const { return entry(at_); }
    Iterator& operator++() {
      at_ = at_->next;
      return *this;
    }
    bool operator==(const Iterator& other) const = default;

   private:
    ListNode* at_;
  };

  bool empty() const { return head_.empty(); }
  void push_front(T& entry) { head_.add_after(entry.*Node); }
  void push_back(T& entry) { head_.add_before(entry.*Node); }
  void erase(T& entry) { (entry.*Node).unlink(); }
  T* front() { return empty() ? nullptr : entry(head_.next); }
  T* back() { return empty() ? nullptr : entry(head_.prev); }
  Iterator begin() { return Iterator(head_.next); }
  Iterator end() { return Iterator(&head_); }

  // Forgets the entries without looking at them: for a region that is being wiped.
  void reset() { head_.next = head_.prev = &head_; }

 private:
  static T* entry(ListNode* node) {
    T* const sample = reinterpret_cast<T*>(alignof(std::max_align_t) * 64);
    const auto offset = reinterpret_cast<char*>(&(sample->*Node)) -
                        reinterpret_cast<char*>(sample);
    return reinterpret_cast<T*>(reinterpret_cast<char*>(node) - offset);
  }
  ListNode head_;
};

}  // namespace racier
