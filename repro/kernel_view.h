// repro/kernel_view.h - what a recording proves about one address space of the
// kernel's.
//
// A vma map that is kept as the kernel keeps it (merged), and for each page what is
// known of its pte.  Knows how Linux 6.18 departs from the kernel that racier
// simulates:
//
// - a read fault on a file maps its neighbours too, if they are in the page cache
//   (mm/memory.c, do_fault_around());
// - fork leaves a vma without anonymous pages to be faulted again (vma_needs_copy()).
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/base/types.h"

namespace racier::repro {

// A vma, or several that are equal but for where they are and continue each other.
struct Area {
  VirtRange range;
  std::uint32_t access = 0;  // kVmRead | kVmWrite | kVmExec
  bool shared = false;
  std::string file = {};    // "": anonymous memory, shared or not
  std::uint64_t pgoff = 0;  // of the file, or of shared memory; else 0
  // The kernel has charged it for memory of its own, and does not merge it with one
  // that it has not (VM_ACCOUNT): private, and writable now or once.
  bool accounted = false;

  bool is_anonymous() const { return file.empty(); }
  // Returns whether its pages are those of a file, shared memory among them.
  bool has_file() const { return shared || !file.empty(); }
  bool operator==(const Area&) const = default;
  // "0x7f00-0x7f02 rw-p /bin/ls@3".
  std::string str() const;
};

// Returns whether the vma `b` continues `a`, so that the kernel may merge them.
bool continues(const Area& a, const Area& b);
// Appends `next`, which lies behind all of `areas`, merging it with the last if it
// continues that.
void append_merged(std::vector<Area>& areas, const Area& next);

class KernelView {
 public:
  struct Page {
    bool written = false;
    // The kernel has no pte here, though the parent had one at fork; racier copied it.
    bool left_by_fork = false;
  };

  // Maps `area` over what is there.
  void map(const Area& area);
  // Maps the stack, or what it has grown by.
  void map_stack(const Area& area);
  void unmap(VirtRange range);
  void protect(VirtRange range, std::uint32_t access);
  // Gives what is mapped at `from` another end, or another place and end, and takes its
  // pages along.  Kernel: mremap().
  void resize(VirtRange from, VirtRange to);
  void move(VirtRange from, VirtRange to);
  // Why the vma at `addr` is not one with a neighbour that racier merges it with.
  enum class Apart : std::uint8_t { kNothing, kAccounted, kAnonVma };
  Apart kept_apart(VirtAddr addr) const;
  // Returns the vma at `addr`, merged, or nothing.
  std::optional<Area> find(VirtAddr addr) const;
  // Returns all vmas, merged, by address.
  std::vector<Area> areas() const;

  // What is known of the pte at `addr`; nothing: it was never touched.
  const Page* page(VirtAddr addr) const;
  // Returns the moment of the last read fault nearby that may have mapped `addr` ahead,
  // or nothing.
  std::optional<int> mapped_ahead(VirtAddr addr) const;
  // Returns whether exec may have put a page at `addr`: it is in the stack, above the
  // place where the recording sees exec go on with it.
  bool put_there_by_exec(VirtAddr addr) const;

  // The page at `addr` has a pte now, at the moment `now`.  `missing`: it had none
  // before.
  void touched(VirtAddr addr, bool write, bool missing, int now);
  // Returns the view of a child of this address space.
  KernelView forked() const;

  std::size_t pages_count() const { return pages_.size(); }
  std::size_t areas_count() const { return segments_.size(); }
  // Returns a bound of how many page tables it needs.
  std::size_t tables_count() const;

 private:
  struct Segment {
    Area area;
    std::uint32_t anon_vma = 0;  // the kernel's; 0: it has no anonymous page yet
    bool stack = false;
  };
  // What stands in the way of merging a vma with the one behind it, if anything.
  enum class Joint : std::uint8_t { kNone, kAccounted, kAnonVma, kMerges };
  static Joint joint(const Segment& a, const Segment& b);
  using Segments = std::map<VirtAddr, Segment>;  // by start; they never overlap

  void insert(Segment segment);
  void split_at(VirtAddr addr);
  void merge_around(VirtRange range);
  const Segment* segment_at(VirtAddr addr) const;
  Segment* segment_at(VirtAddr addr);
  std::uint32_t anon_vma_for(const Segment& segment);
  void remember_ahead(const Area& area, VirtAddr addr, int now);

  Segments segments_;
  std::map<VirtAddr, Page> pages_;
  std::map<VirtAddr, int> ahead_;
  VirtAddr stack_first_fault_ = 0;
  std::uint32_t anon_vmas_ = 0;  // handed out
};

}  // namespace racier::repro
