// core/memory/pte.h - a page-table entry, as the hardware and the kernel see it.
//
// Four levels of 512 entries of 8 bytes, 48-bit addresses.  Bits 0 to 8 are the
// hardware's (x86-64's places); a present entry has a frame number from bit 12.  An
// entry that is not present and not zero is a swap entry of the kernel's, or a
// migration entry: its page is on its way to another frame, and whoever needs it waits
// for the page lock.  A migration entry holds no reference; it exists only while
// somebody who has the page locked does.  In an entry
// that points to a table only kPresent and the frame number count: what a user may do
// is in the pte alone.
#pragma once
#include <cstdint>

#include "core/base/types.h"

namespace racier {

inline constexpr int kTableLevels = 4;
inline constexpr int kTableShift = 9;
inline constexpr int kTableEntries = 1 << kTableShift;

// Returns the index of `addr` in a table of `level`: 3 is the root (pgd), 0 holds the
// ptes.
constexpr int table_index(VirtAddr addr, int level) {
  return static_cast<int>(addr >> (kPageShift + kTableShift * level)) &
         (kTableEntries - 1);
}
// Returns the bytes that one entry of a table of `level` covers.
constexpr std::uint64_t table_span(int level) {
  return 1ull << (kPageShift + kTableShift * level);
}

// A slot of a swap area: the number of the area above, the slot's below.  Kernel:
// swp_entry_t.
struct SwapEntry {
  static constexpr int kOffsetBits = 27;
  std::uint32_t val = 0;  // 0 is never handed out: no area uses its slot 0

  static constexpr SwapEntry of(std::uint32_t type, std::uint32_t offset) {
    return {type << kOffsetBits | offset};
  }
  constexpr std::uint32_t type() const { return val >> kOffsetBits; }
  constexpr std::uint32_t offset() const { return val & ((1u << kOffsetBits) - 1); }
  constexpr explicit operator bool() const { return val != 0; }
  bool operator==(const SwapEntry&) const = default;
};

// The value of an entry; a plain word.
class Pte {
 public:
  static constexpr std::uint64_t kPresent = 1u << 0;
  static constexpr std::uint64_t kWrite = 1u << 1;
  static constexpr std::uint64_t kUser = 1u << 2;
  static constexpr std::uint64_t kAccessed = 1u << 5;
  static constexpr std::uint64_t kDirty = 1u << 6;
  static constexpr std::uint64_t kProtNone = 1u << 8;  // a page is there, no access is
  // The kernel's, in an entry that is not present.
  static constexpr std::uint64_t kMigration = 1u << 9;
  static constexpr std::uint64_t kMigrationWrite = 1u << 10;  // the pte was writable

  constexpr Pte() = default;
  constexpr explicit Pte(std::uint64_t bits) : bits_(bits) {}
  static constexpr Pte page(Pfn pfn, std::uint64_t flags) {
    return Pte((static_cast<std::uint64_t>(pfn) << kPageShift) | flags);
  }
  static constexpr Pte swap(SwapEntry entry) {
    return Pte(static_cast<std::uint64_t>(entry.val) << kPageShift);
  }
  // Kernel: make_migration_entry().
  static constexpr Pte migration(Pfn pfn, bool write) {
    return page(pfn, kMigration | (write ? kMigrationWrite : 0));
  }

  constexpr std::uint64_t bits() const { return bits_; }
  constexpr bool none() const { return bits_ == 0; }
  // A frame is there, accessible or not.  Kernel: pte_present().
  constexpr bool present() const { return (bits_ & (kPresent | kProtNone)) != 0; }
  constexpr bool is_swap() const { return !none() && !present() && !is_migration(); }
  constexpr bool is_migration() const {
    return !present() && (bits_ & kMigration) != 0;
  }
  constexpr bool is_write_migration() const {
    return is_migration() && (bits_ & kMigrationWrite) != 0;
  }
  constexpr Pfn pfn() const { return static_cast<Pfn>(bits_ >> kPageShift); }
  constexpr SwapEntry swap_entry() const {
    return {static_cast<std::uint32_t>(bits_ >> kPageShift)};
  }
  constexpr bool writable() const { return (bits_ & kWrite) != 0; }
  constexpr bool young() const { return (bits_ & kAccessed) != 0; }
  constexpr bool dirty() const { return (bits_ & kDirty) != 0; }
  constexpr bool maps(Pfn pfn_wanted) const { return present() && pfn() == pfn_wanted; }
  constexpr Pte with(std::uint64_t flags) const { return Pte(bits_ | flags); }
  constexpr Pte without(std::uint64_t flags) const { return Pte(bits_ & ~flags); }
  bool operator==(const Pte&) const = default;

 private:
  std::uint64_t bits_ = 0;
};

}  // namespace racier
