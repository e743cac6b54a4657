// core/check/walk_audit.cc - a reverse map with a memory of when.
// Tested by walk_audit_test.cc.
#include "core/check/walk_audit.h"

#include <string>

#include "core/check/complain.h"

namespace racier::check {
namespace {

std::string about(Pfn pfn, std::uint32_t mm_id, VirtAddr addr) {
  return "pfn " + std::to_string(pfn) + ", mm " + std::to_string(mm_id) + " page " +
         std::to_string(addr >> kPageShift);
}

}  // namespace

int WalkAudit::walker() {
  const Task* const self = current();
  return self == nullptr ? kOutside : self->id;
}

// Returns the link that leads to the entry, or nullptr.
std::uint32_t* WalkAudit::find(Pfn pfn, std::uint32_t mm_id, VirtAddr addr) {
  if (pfn >= heads_.size()) return nullptr;
  for (std::uint32_t* link = &heads_[pfn]; *link != kNone;
       link = &entries_[*link].next) {
    const Entry& entry = entries_[*link];
    if (entry.addr == addr && entry.mm_id == mm_id) return link;
  }
  return nullptr;
}

bool WalkAudit::has(Pfn pfn, std::uint32_t mm_id, VirtAddr addr) const {
  return const_cast<WalkAudit*>(this)->find(pfn, mm_id, addr) != nullptr;
}

void WalkAudit::added(Pfn pfn, std::uint32_t mm_id, VirtAddr addr) {
  if (find(pfn, mm_id, addr) != nullptr) {
    complain(Inv::kRmapWasTold, "added twice: " + about(pfn, mm_id, addr));
    return;
  }
  if (pfn >= heads_.size()) heads_.resize(pfn + 1, kNone);
  std::uint32_t& head = heads_[pfn];
  if (head == kNone) touched_.push_back(pfn);
  std::uint32_t at = free_;
  if (at == kNone) {
    at = static_cast<std::uint32_t>(entries_.size());
    entries_.emplace_back();
  } else {
    free_ = entries_[at].next;
  }
  entries_[at] = {addr, ++now_, mm_id, head, 0};
  head = at;
  ++live_;
}

void WalkAudit::removed(Pfn pfn, std::uint32_t mm_id, VirtAddr addr) {
  std::uint32_t* const link = find(pfn, mm_id, addr);
  if (link == nullptr) {
    complain(Inv::kRmapWasTold, "removed, but never added: " + about(pfn, mm_id, addr));
    return;
  }
  const std::uint32_t at = *link;
  *link = entries_[at].next;
  entries_[at].next = free_;
  free_ = at;
  --live_;
}

void WalkAudit::moved(Pfn pfn, std::uint32_t mm_id, VirtAddr from, VirtAddr to) {
  std::uint32_t* const link = find(pfn, mm_id, from);
  if (link == nullptr || find(pfn, mm_id, to) != nullptr) {
    complain(Inv::kRmapWasTold, "moved, but never added, or to where it was: " +
                                    about(pfn, mm_id, from));
    return;
  }
  entries_[*link].addr = to;
}

void WalkAudit::walk_begin(Pfn pfn) {
  const int self = walker();
  begun_[static_cast<std::size_t>(self)] = ++now_;
  if (pfn >= heads_.size()) return;
  for (std::uint32_t at = heads_[pfn]; at != kNone; at = entries_[at].next) {
    entries_[at].shown_to &= ~(1u << self);
  }
}

void WalkAudit::walk_shown(Pfn pfn, std::uint32_t mm_id, VirtAddr addr) {
  // A candidate that is no mapping is only a hint.
  const std::uint32_t* const link = find(pfn, mm_id, addr);
  if (link != nullptr) entries_[*link].shown_to |= 1u << walker();
}

void WalkAudit::walk_end(Pfn pfn, bool stopped) {
  if (stopped || pfn >= heads_.size()) return;
  const int self = walker();
  const std::uint64_t begun = begun_[static_cast<std::size_t>(self)];
  for (std::uint32_t at = heads_[pfn]; at != kNone; at = entries_[at].next) {
    const Entry& entry = entries_[at];
    if (entry.since > begun || (entry.shown_to & (1u << self)) != 0) continue;
    complain(Inv::kRmapWalkMissesNothing, about(pfn, entry.mm_id, entry.addr));
    return;
  }
}

void WalkAudit::for_each(Pfn pfn,
                         FunctionRef<void(std::uint32_t mm_id, VirtAddr)> visit) const {
  if (pfn >= heads_.size()) return;
  for (std::uint32_t at = heads_[pfn]; at != kNone; at = entries_[at].next) {
    visit(entries_[at].mm_id, entries_[at].addr);
  }
}

void WalkAudit::reset() {
  for (const Pfn pfn : touched_) heads_[pfn] = kNone;
  touched_.clear();
  entries_.clear();
  free_ = kNone;
  live_ = 0;
  now_ = 0;
}

}  // namespace racier::check
