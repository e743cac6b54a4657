// core/sync/weak_memory.h - the port to a memory that is weakly ordered.
//
// A runtime may delay stores and show loads old values, within what their orders allow
// (core/runtime/store_buffers.h does).  A task whose `weak` is set asks at each access;
// for any other, memory is what the host makes of it.
#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <source_location>

#include "core/sync/runtime.h"

namespace racier {

// What a read-modify-write does to a word, whatever it holds.
enum class Change : std::uint8_t { kSet, kAdd, kOr, kAnd };

// All are called behind the step of the access, on the task itself, and none but
// fence() lets another task run.
class WeakMemory {
 public:
  virtual ~WeakMemory() = default;

  // Returns what a load shows `self`; `newest` is what memory holds.
  virtual std::uint64_t load(Task& self, const Step& access, std::uint64_t newest) = 0;
  // Likewise, but no value older than the last store to the word that was made.
  virtual std::uint64_t peek(Task& self, const Step& access, std::uint64_t newest) = 0;
  // Returns true if the store is to be made later, and not by the caller.
  virtual bool delay(Task& self, const Step& access, std::uint64_t value) = 0;
  // The caller is about to read and write the word, in memory.
  virtual void before_rmw(Task& self, const Step& access) = 0;
  // Likewise, of an access without an order that the code asks for: returns when the
  // caller is to say late() instead, in steps of all tasks; 0: it is to do it now.
  virtual std::uint32_t rmw_is_late(Task& self, const Step& access) = 0;
  // `change` of the word, with `operand`, is made then.
  virtual void late(Task& self, const Step& access, Change change,
                    std::uint64_t operand, std::uint32_t due) = 0;
  // Likewise, if no Atomic load ever looks at the word: a lock's.
  virtual void order(Task& self, const Step& access) = 0;
  // The caller is about to fill [at, at + size), words of 8 bytes, in memory, with no
  // step until it has done.  Returns true if it is to say filled() then: others may see
  // what was there before for a while longer.
  virtual bool fills(Task& self, void* at, std::size_t size,
                     std::source_location where) = 0;
  virtual void filled(Task& self) = 0;
  // The caller is about to look at what it may have filled.
  virtual void settle_fills(Task& self) = 0;
  // `self` frees [at, at + size), and has no store that is late itself: one of another
  // task to there is a use after free.
  virtual void freed(Task& self, const void* at, std::size_t size) = 0;
  // Another task may run first, as if a step came before the fence.
  virtual void fence(Task& self, std::memory_order order,
                     std::source_location where) = 0;
};

}  // namespace racier
