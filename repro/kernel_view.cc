// repro/kernel_view.cc - keeps the picture of one address space.
// Tested by kernel_view_test.cc.
#include "repro/kernel_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/memory/pte.h"
#include "core/objects/vma.h"

namespace racier::repro {
namespace {

// Kernel: fault_around_pages.
constexpr std::uint64_t kFaultAroundPages = 16;

Area part(const Area& area, VirtRange range) {
  Area cut = area;
  cut.range = range;
  if (area.has_file()) cut.pgoff += (range.start - area.range.start) >> kPageShift;
  return cut;
}

// Kernel: accountable_mapping().
bool is_charged(const Area& area) {
  return !area.shared && (area.access & kVmWrite) != 0;
}

bool is_special(const std::string& file) { return file.starts_with('['); }

// Kernel: fork copies the ptes of a VM_PFNMAP vma, whether or not it could fault them.
bool is_pfnmap(const Area& area) { return area.file.starts_with("[vvar"); }

}  // namespace

std::string Area::str() const {
  std::string text = fmt::format(
      "{:#x}-{:#x} {}{}{}{}", range.start, range.end,
      (access & kVmRead) != 0 ? 'r' : '-', (access & kVmWrite) != 0 ? 'w' : '-',
      (access & kVmExec) != 0 ? 'x' : '-', shared ? 's' : 'p');
  if (!file.empty()) text += fmt::format(" {}@{}", file, pgoff);
  return text;
}

bool continues(const Area& a, const Area& b) {
  return a.range.end == b.range.start && a.access == b.access && a.shared == b.shared &&
         a.accounted == b.accounted && a.file == b.file &&
         (!a.has_file() || a.pgoff + a.range.pages() == b.pgoff);
}

void append_merged(std::vector<Area>& areas, const Area& next) {
  if (!areas.empty() && continues(areas.back(), next)) {
    areas.back().range.end = next.range.end;
  } else {
    areas.push_back(next);
  }
}

void KernelView::split_at(VirtAddr addr) {
  Segment* const segment = segment_at(addr);
  if (segment == nullptr || segment->area.range.start == addr) return;
  const Area whole = segment->area;
  segment->area = part(whole, {whole.range.start, addr});
  segments_[addr] = {part(whole, {addr, whole.range.end}), segment->anon_vma,
                     segment->stack};
}

const KernelView::Segment* KernelView::segment_at(VirtAddr addr) const {
  const auto above = segments_.upper_bound(addr);
  if (above == segments_.begin()) return nullptr;
  const Segment& segment = std::prev(above)->second;
  return segment.area.range.contains(addr) ? &segment : nullptr;
}

KernelView::Segment* KernelView::segment_at(VirtAddr addr) {
  return const_cast<Segment*>(std::as_const(*this).segment_at(addr));
}

// Kernel: can_vma_merge_after() and is_mergeable_anon_vma().
KernelView::Joint KernelView::joint(const Segment& a, const Segment& b) {
  Area behind = b.area;
  behind.accounted = a.area.accounted;
  if (a.stack != b.stack || !continues(a.area, behind)) return Joint::kNone;
  if (a.area.accounted != b.area.accounted) return Joint::kAccounted;
  const bool one_anon_vma =
      a.anon_vma == b.anon_vma || a.anon_vma == 0 || b.anon_vma == 0;
  return one_anon_vma ? Joint::kMerges : Joint::kAnonVma;
}

// Merges what lies in `range`, and with the neighbours of it.
void KernelView::merge_around(VirtRange range) {
  auto at = segments_.upper_bound(range.start);
  if (at != segments_.begin()) --at;
  if (at != segments_.begin()) --at;
  while (at != segments_.end()) {
    const auto next = std::next(at);
    if (next == segments_.end() || at->first > range.end) return;
    if (joint(at->second, next->second) == Joint::kMerges) {
      at->second.area.range.end = next->second.area.range.end;
      at->second.anon_vma = std::max(at->second.anon_vma, next->second.anon_vma);
      segments_.erase(next);
    } else {
      at = next;
    }
  }
}

void KernelView::insert(Segment segment) {
  segment.area.accounted = segment.area.accounted || is_charged(segment.area);
  unmap(segment.area.range);
  segments_[segment.area.range.start] = segment;
  merge_around(segment.area.range);
}

void KernelView::map(const Area& area) { insert({.area = area}); }

void KernelView::map_stack(const Area& area) {
  insert({.area = area, .anon_vma = ++anon_vmas_, .stack = true});
}

void KernelView::unmap(VirtRange range) {
  split_at(range.start);
  split_at(range.end);
  segments_.erase(segments_.lower_bound(range.start), segments_.lower_bound(range.end));
  pages_.erase(pages_.lower_bound(range.start), pages_.lower_bound(range.end));
  ahead_.erase(ahead_.lower_bound(range.start), ahead_.lower_bound(range.end));
}

void KernelView::protect(VirtRange range, std::uint32_t access) {
  split_at(range.start);
  split_at(range.end);
  const auto end = segments_.lower_bound(range.end);
  for (auto at = segments_.lower_bound(range.start); at != end; ++at) {
    Area& area = at->second.area;
    area.access = access;
    area.accounted = area.accounted || is_charged(area);
  }
  merge_around(range);
}

void KernelView::resize(VirtRange from, VirtRange to) {
  if (to.end < from.end) unmap({to.end, from.end});
  const Segment* const segment = segment_at(from.start);
  if (segment == nullptr || to.end <= from.end) return;
  Segment more = *segment;
  more.area = part(segment->area, {from.start, from.end});
  more.area.pgoff += more.area.has_file() ? from.pages() : 0;
  more.area.range = {from.end, to.end};
  insert(std::move(more));
}

void KernelView::move(VirtRange from, VirtRange to) {
  const Segment* const segment = segment_at(from.start);
  if (segment == nullptr) return;
  Segment moved = *segment;
  moved.area = part(segment->area, from);
  moved.area.range = to;
  const auto first = pages_.lower_bound(from.start);
  const auto end = pages_.lower_bound(from.end);
  const std::map<VirtAddr, Page> pages(first, end);
  unmap(from);
  insert(std::move(moved));
  for (const auto& [addr, page] : pages) {
    const VirtAddr there = addr - from.start + to.start;
    if (to.contains(there)) pages_[there] = page;
  }
}

KernelView::Apart KernelView::kept_apart(VirtAddr addr) const {
  const Segment* const segment = segment_at(addr);
  if (segment == nullptr) return Apart::kNothing;
  const Segment* const below = segment_at(segment->area.range.start - 1);
  const Segment* const above = segment_at(segment->area.range.end);
  const Joint joints[] = {below != nullptr ? joint(*below, *segment) : Joint::kNone,
                          above != nullptr ? joint(*segment, *above) : Joint::kNone};
  for (const Joint found : joints) {
    if (found == Joint::kAccounted) return Apart::kAccounted;
    if (found == Joint::kAnonVma) return Apart::kAnonVma;
  }
  return Apart::kNothing;
}

// Kernel: find_mergeable_anon_vma().  A neighbour with which nothing but the protection
// is in the way of merging lends its own.
std::uint32_t KernelView::anon_vma_for(const Segment& segment) {
  const auto lends = [](const Segment& a, const Segment& b) {
    Segment alike = b;
    alike.area.access = a.area.access;
    return joint(a, alike) == Joint::kMerges;
  };
  const Segment* const above = segment_at(segment.area.range.end);
  if (above != nullptr && above->anon_vma != 0 && lends(segment, *above)) {
    return above->anon_vma;
  }
  const Segment* const below = segment_at(segment.area.range.start - 1);
  if (below != nullptr && below->anon_vma != 0 && lends(*below, segment)) {
    return below->anon_vma;
  }
  return ++anon_vmas_;
}

std::optional<Area> KernelView::find(VirtAddr addr) const {
  const Segment* const segment = segment_at(addr);
  if (segment == nullptr) return std::nullopt;
  return segment->area;
}

std::vector<Area> KernelView::areas() const {
  std::vector<Area> areas;
  for (const auto& [start, segment] : segments_) areas.push_back(segment.area);
  return areas;
}

const KernelView::Page* KernelView::page(VirtAddr addr) const {
  const auto found = pages_.find(page_floor(addr));
  return found == pages_.end() ? nullptr : &found->second;
}

bool KernelView::put_there_by_exec(VirtAddr addr) const {
  const Segment* const segment = segment_at(addr);
  return segment != nullptr && segment->stack && stack_first_fault_ != 0 &&
         page_floor(addr) > page_floor(stack_first_fault_);
}

std::optional<int> KernelView::mapped_ahead(VirtAddr addr) const {
  const auto found = ahead_.find(page_floor(addr));
  if (found == ahead_.end()) return std::nullopt;
  return found->second;
}

void KernelView::touched(VirtAddr addr, bool write, bool missing, int now) {
  Segment* const segment = segment_at(addr);
  if (segment == nullptr) return;
  const Area& area = segment->area;
  if (segment->stack && stack_first_fault_ == 0) stack_first_fault_ = addr;
  if (write && !area.shared && segment->anon_vma == 0) {
    segment->anon_vma = anon_vma_for(*segment);
  }
  if (missing && !write && area.has_file() && !is_special(area.file)) {
    remember_ahead(area, addr, now);
  }
  Page& page = pages_[page_floor(addr)];
  page.written = page.written || write;
  page.left_by_fork = false;
}

// Kernel: do_fault_around().  At most so many pages, from a multiple of that or the
// start of the vma, within the vma and the page table.
void KernelView::remember_ahead(const Area& area, VirtAddr addr, int now) {
  const VirtAddr window = addr & ~(kFaultAroundPages * kPageSize - 1);
  const VirtAddr table = addr & ~(table_span(1) - 1);
  const VirtAddr first = std::max({window, area.range.start, table});
  const VirtAddr end = std::min(
      {first + kFaultAroundPages * kPageSize, area.range.end, table + table_span(1)});
  for (VirtAddr at = first; at < end; at += kPageSize) ahead_[at] = now;
}

KernelView KernelView::forked() const {
  KernelView child = *this;
  for (auto& [start, segment] : child.segments_) {
    if (segment.anon_vma != 0) segment.anon_vma = ++child.anon_vmas_;
    if (segment.anon_vma != 0 || is_pfnmap(segment.area)) continue;
    const VirtRange range = segment.area.range;
    child.ahead_.erase(child.ahead_.lower_bound(range.start),
                       child.ahead_.lower_bound(range.end));
    const auto end = child.pages_.lower_bound(range.end);
    for (auto at = child.pages_.lower_bound(range.start); at != end; ++at) {
      at->second.left_by_fork = true;
    }
  }
  return child;
}

std::size_t KernelView::tables_count() const {
  // One for each stretch of addresses that a table of each level covers, and the root.
  std::size_t tables = 1;
  for (int level = 1; level < kTableLevels; ++level) {
    VirtAddr last = ~VirtAddr{0};
    for (const auto& [addr, page] : pages_) {
      if (last != addr / table_span(level)) ++tables;
      last = addr / table_span(level);
    }
  }
  return tables;
}

}  // namespace racier::repro
