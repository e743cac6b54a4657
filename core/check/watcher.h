// core/check/watcher.h - watches a run through its tracepoints.
//
// For runs on fibers, which share one OS thread: it has no locks and makes no step.  It
// keeps pictures of what the machine should be like: who maps which page (WalkAudit),
// what user memory holds (ShadowMemory), who waits for pages that are being moved
// (MigrationAudit), and who has pages pinned to write to them (WritePins).
#pragma once
#include "core/check/migration_audit.h"
#include "core/check/shadow_memory.h"
#include "core/check/walk_audit.h"
#include "core/check/write_pins.h"
#include "core/objects/tracepoints.h"

namespace racier::check {

class Watcher final : public Tracepoints {
 public:
  // Forgets everything, in time proportional to what there is: before each run.
  void reset();

  const WalkAudit& walks() const { return walks_; }
  const ShadowMemory& memory() const { return memory_; }

  void mm_created(const Mm& mm) override;
  void mm_exited(const Mm& mm) override;
  void fork_begin(const Mm& parent, const Mm& child) override;
  void fork_end(const Mm& parent, const Mm& child, bool ok) override;
  void mapped(const Vma& vma) override;
  void unmap_begin(const Mm& mm, VirtRange range) override;
  void unmap_end(const Mm& mm, VirtRange range) override;
  void move_begin(const Mm& mm, VirtRange from, VirtAddr to) override;
  void move_end(const Mm& mm, VirtRange from, VirtAddr to, bool ok) override;
  void rmap_added(const Page& page, const Vma& vma, VirtAddr addr) override;
  void rmap_removed(const Page& page, const Vma& vma, VirtAddr addr) override;
  void rmap_moved(const Page& page, const Vma& vma, VirtAddr from,
                  VirtAddr to) override;
  void walk_begin(const Page& page) override;
  void walk_shown(const Page& page, const Vma& vma, VirtAddr addr) override;
  void walk_end(const Page& page, bool stopped) override;
  void accessed(const Mm& mm, VirtAddr addr, UserAccess access, std::uint64_t value,
                std::uint64_t before) override;
  void discard_begin(const Mm& mm, VirtRange range, bool lazily) override;
  void discard_end(const Mm& mm, VirtRange range, bool lazily) override;
  void file_accessed(const AddressSpace& file, std::uint64_t index, std::uint64_t word,
                     UserAccess access, std::uint64_t value) override;
  void file_zeroed(const AddressSpace& file, std::uint64_t first,
                   std::uint64_t end) override;
  void file_truncated(const AddressSpace& file, std::uint64_t first) override;
  void file_truncate_begin(const AddressSpace& file, std::uint64_t first) override;
  void migration_entry_added(Pfn pfn, const Mm& mm, VirtAddr addr) override;
  void migration_entry_removed(Pfn pfn, const Mm& mm, VirtAddr addr) override;
  void migration_ended(Pfn pfn) override;
  void pinned_to_write(const Page& page, const Vma& vma, VirtAddr addr) override;
  void unpinned(const Page& page, std::uint32_t mm_id) override;
  void device_accessed(Machine& m, const DeviceAccess& access) override;

 private:
  WalkAudit walks_;
  ShadowMemory memory_;
  MigrationAudit migrations_;
  WritePins pins_;
};

}  // namespace racier::check
