// core/memory/mmu.h - what stands between a user access and memory.
//
// One face, two makes.  In both the translations that a CPU has cached (its TLB) are
// apart from the page tables: a pte that is changed without a flush leaves a
// translation behind that really works.
#pragma once
#include <cstdint>

#include "core/base/function_ref.h"
#include "core/base/types.h"
#include "core/memory/frame_arena.h"
#include "core/memory/pte.h"

namespace racier {

inline constexpr int kCpusMax = 16;
using CpuSet = std::uint32_t;  // bit i: CPU i
inline constexpr CpuSet kAllCpus = (CpuSet{1} << kCpusMax) - 1;
inline constexpr std::uint32_t kAsidMax = (1u << 29) - 1;

// What the hardware knows of an address space: a tag for its translations, and the root
// table.
struct MmuContext {
  std::uint32_t asid = 0;  // 1 to kAsidMax in use; never used twice in a run
  Pfn root = kNoPfn;
};

enum class UserAccess : std::uint8_t { kRead, kWrite, kReadModifyWrite, kExecute };
constexpr bool writes(UserAccess access) {
  return access == UserAccess::kWrite || access == UserAccess::kReadModifyWrite;
}

// Why an access was refused: the bits of x86's error code.
struct PageFault {
  // A pte was there, but forbade the access.
  static constexpr std::uint32_t kPresent = 1;
  static constexpr std::uint32_t kWrite = 2;
  static constexpr std::uint32_t kUser = 4;
  static constexpr std::uint32_t kExecute = 16;
  std::uint32_t error_code = 0;
};

// A cached translation, for audits.
struct TlbEntry {
  int cpu = 0;
  std::uint32_t asid = 0;
  VirtAddr addr = 0;
  Pfn pfn = kNoPfn;
  bool writable = false;
};

class Mmu {
 public:
  virtual ~Mmu() = default;

  // Makes one aligned 8-byte access of user code on `cpu`: a read stores what it read
  // into `value`, a write stores `value`, a read-modify-write adds `value` and stores
  // the sum back into it.  Walks the tables if no translation is cached, sets accessed
  // and dirty bits as hardware does.  Returns false and the reason in `fault` if it was
  // refused; nothing was accessed then.  One step, before the translation is looked up;
  // its address stands for the user word (Region::word_name()), if the word can be
  // translated when it is announced.  An access to a frame that is free is a finding.
  [[nodiscard]] virtual bool access(int cpu, const MmuContext& context, VirtAddr addr,
                                    UserAccess access, std::uint64_t& value,
                                    PageFault& fault) = 0;

  // Removes translations from each CPU of `cpus`; when it returns, no access through them is
  // under way.  One step each, before the removal: between the change of a pte and its
  // flush there is always room for an access.  Context: any.
  void flush_page(const MmuContext& context, VirtAddr addr, CpuSet cpus = kAllCpus) {
    flush_range(context, {page_floor(addr), page_floor(addr) + kPageSize}, cpus);
  }
  void flush_mm(const MmuContext& context, CpuSet cpus = kAllCpus) {
    flush_range(context, {0, kUserEnd}, cpus);
  }
  virtual void flush_range(const MmuContext& context, VirtRange range,
                           CpuSet cpus = kAllCpus) = 0;

  // Shows every cached translation, in order of CPU.  At quiescence.
  virtual void for_each_entry(FunctionRef<void(const TlbEntry&)> visit) const = 0;
  // Forgets all translations, in time proportional to the CPUs that were used.
  virtual void reset() = 0;
};

// Reads and writes user bytes in the direct map: relaxed atomic, because a race on user
// data is the user's.
std::uint64_t load_user_word(const std::byte* at);
void store_user_word(std::byte* at, std::uint64_t value);
// Copies a frame likewise, word by word.  Kernel: copy_user_highpage().
void copy_user_frame(std::byte* to, const std::byte* from);
// Fills a frame with zeroes that no user can reach yet: a plain write, so that whoever
// still reaches it is found.  Kernel: clear_user_highpage().
void clear_user_frame(std::byte* at);

}  // namespace racier
