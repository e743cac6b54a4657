// core/check/mmlist_audit.cc - swapoff can find every mm that has a page in swap.  V4.
// Tested by auditor_test.cc.
#include <algorithm>
#include <vector>

#include "core/check/checks.h"

namespace racier::check {
namespace {

bool is_alive(const Audit& audit, const MmListNode* node) {
  return std::ranges::any_of(
      audit.found.mms(), [node](const FoundMm& of) { return &of.mm->mmlist == node; });
}

// Returns the members, in order.  Looks at no node that is not one of a live mm.
std::vector<const MmListNode*> members(const Audit& audit) {
  std::vector<const MmListNode*> found;
  const MmListNode* before = &audit.m.mmlist;
  for (const MmListNode* node = before->next.peek(); node != &audit.m.mmlist;
       node = node->next.peek()) {
    const std::string place = "member " + std::to_string(found.size() + 1);
    if (!is_alive(audit, node)) {
      broken(Inv::kMmlistIsSound, place + " is a mm that is freed");
    }
    const std::string name = place + ", mm " + std::to_string(node->mm->id);
    if (std::ranges::find(found, node) != found.end()) {
      broken(Inv::kMmlistIsSound, name + ", was there before");
    }
    if (node->prev != before) {
      broken(Inv::kMmlistIsSound, name + ", names another one before it");
    }
    found.push_back(node);
    before = node;
  }
  if (audit.m.mmlist.prev != before) {
    broken(Inv::kMmlistIsSound, "the head names another last member");
  }
  return found;
}

bool has_swap_pte(const Audit& audit, const FoundMm& of) {
  return std::ranges::any_of(audit.found.ptes(of),
                             [](const FoundPte& found) { return found.pte.is_swap(); });
}

}  // namespace

void check_mmlist(const Audit& audit) {
  const std::vector<const MmListNode*> on_list = members(audit);
  for (const FoundMm& of : audit.found.mms()) {
    const MmListNode* const node = &of.mm->mmlist;
    const bool member = std::ranges::find(on_list, node) != on_list.end();
    const std::string name = "mm " + std::to_string(of.mm->id);
    if (member) continue;
    if (has_swap_pte(audit, of)) broken(Inv::kSwappedMmOnMmlist, name);
    if (node->next.peek() != node) {
      broken(Inv::kMmlistIsSound, name + " is no member, but takes itself for one");
    }
  }
}

}  // namespace racier::check
