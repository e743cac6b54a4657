// core/sync/seq_count.h - lets a reader see whether it raced with a writer.
#pragma once
#include <cstdint>
#include <source_location>

#include "core/sync/atomic.h"

namespace racier {

// Kernel: seqcount_t.  Writers exclude each other by a lock of their own; what it
// protects is read and written with relaxed Atomics.
class SeqCount {
  using Where = std::source_location;

 public:
  // Returns a sequence number for retry(); waits while a write is under way.
  std::uint32_t read_begin(Where where = Where::current()) const;
  // Returns whether a write began since read_begin() returned `sequence`.
  [[nodiscard]] bool read_retry(std::uint32_t sequence,
                                Where where = Where::current()) const;
  void write_begin(Where where = Where::current());
  void write_end(Where where = Where::current());

 private:
  Atomic<std::uint32_t> sequence_{0};
};

}  // namespace racier
