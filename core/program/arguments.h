// core/program/arguments.h - the types of the arguments that ops take.
//
// An argument is 64 bits in a Call and a small struct in the op's function.  What can
// be done with one (decode, encode, parse, print, draw, mutate) is in its ArgumentType,
// and nowhere else.  A new type is a struct here and a row in arguments.cc.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/random.h"
#include "core/program/byte_io.h"
#include "core/program/program.h"

namespace racier::program {

class ArgumentType {
 public:
  const char* noun() const { return noun_; }

  // Returns what a value has to look like in a text, for errors: "a page number (0 to
  // 63)".
  virtual std::string expected() const = 0;
  // Returns the value that `word` stands for, or nothing.  Not for variables: their
  // names are the program's (parse.cc).
  virtual std::optional<std::uint64_t> parse(std::string_view word) const = 0;
  virtual void print(std::string& text, std::uint64_t value) const = 0;

  // Reads any value, and writes one so that reading gives fit(value).
  virtual std::uint64_t decode(ByteReader& bytes) const { return bytes.number(); }
  virtual void encode(ByteWriter& bytes, std::uint64_t value) const {
    bytes.number(value);
  }

  // Returns whether a program may say `value`.
  virtual bool valid(std::uint64_t value, const Scope& scope) const = 0;
  // Returns the value that a fuzzer uses for `value`: itself, if it is within its
  // limits.
  virtual std::uint64_t fit(std::uint64_t value, const Scope& scope) const = 0;
  // Returns a random value, and one that differs a little from `value`.
  virtual std::uint64_t draw(Random& random, const Scope& scope) const = 0;
  virtual std::uint64_t mutate(Random& random, [[maybe_unused]] std::uint64_t value,
                               const Scope& scope) const {
    return draw(random, scope);
  }
  // Returns the value that a minimiser likes best.
  virtual std::uint64_t simplest() const { return 0; }

  // Of a variable: what it names.
  virtual std::optional<Variable> variable() const { return std::nullopt; }

 protected:
  constexpr explicit ArgumentType(const char* noun) : noun_(noun) {}
  ~ArgumentType() = default;

 private:
  const char* noun_;
};

// The noun of a kind of variable, and the canonical name of one: "mapping", "m3".
const char* variable_noun(Variable kind);
std::string variable_name(Variable kind, std::uint64_t number);

struct ProcessRef {
  std::uint64_t value;
  static const ArgumentType& type();
};
struct MappingRef {
  std::uint64_t value;
  static const ArgumentType& type();
};
struct FileRef {
  std::uint64_t value;
  static const ArgumentType& type();
};

struct PinRef {
  std::uint64_t value;
  static const ArgumentType& type();
};
struct SecondaryRef {
  std::uint64_t value;
  static const ArgumentType& type();
};
// What the callbacks of an mmu notifier may do.
struct NotifierFlavour {
  std::uint64_t value;
  static const ArgumentType& type();
  bool sleeping() const { return value != 0; }
};

// A page of a mapping, from its start; may lie behind its end.
struct PageNo {
  std::uint64_t value;
  static const ArgumentType& type();
};
// How many pages; at least one.
struct PageCount {
  std::uint64_t value;
  static const ArgumentType& type();
};
// How many pages the heap has; may be none.
struct HeapPages {
  std::uint64_t value;
  static const ArgumentType& type();
};
// An aligned word of 8 bytes in a page.
struct WordNo {
  std::uint64_t value;
  static const ArgumentType& type();
};
// What accesses are allowed; the value is kVmRead | kVmWrite | kVmExec.
struct Protection {
  std::uint64_t value;
  static const ArgumentType& type();
};
struct Sharing {
  std::uint64_t value;  // 1: shared
  static const ArgumentType& type();
  bool shared() const { return value != 0; }
};
// What mremap may do to make room.
struct Moving {
  std::uint64_t value;
  static const ArgumentType& type();
  bool may_move() const { return value != 0; }
  bool dont_unmap() const { return value == 2; }  // the old place stays mapped
};
// Whether msync waits for what it writes.
struct Waiting {
  std::uint64_t value;  // 0: sync
  static const ArgumentType& type();
  bool waits() const { return value == 0; }
};
// What madvise says; the value is a racier::Advice.
struct AdviceNo {
  std::uint64_t value;
  static const ArgumentType& type();
};
// What a page is pinned for.
struct PinAccess {
  std::uint64_t value;  // 1: to be written
  static const ArgumentType& type();
  bool write() const { return value != 0; }
};
// A swap area of the machine, by number; and how soon its slots are handed out.
struct SwapAreaNo {
  std::uint64_t value;
  static const ArgumentType& type();
};
struct SwapPriority {
  std::uint64_t value;
  static const ArgumentType& type();
};
// A CPU of the machine.
struct CpuNo {
  std::uint64_t value;
  static const ArgumentType& type();
};
// Absolute user addresses, for recordings of real programs: page aligned, word aligned.
struct PageAddr {
  std::uint64_t value;
  static const ArgumentType& type();
};
struct WordAddr {
  std::uint64_t value;
  static const ArgumentType& type();
};

}  // namespace racier::program
