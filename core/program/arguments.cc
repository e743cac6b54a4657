// core/program/arguments.cc - the only list of argument types.
// Tested by arguments_test.cc.
#include "core/program/arguments.h"

#include <algorithm>
#include <array>
#include <span>

#include "core/program/text.h"

namespace racier::program {
namespace {

// A number in a range.  A fuzzer keeps to small ones.
class NumberType final : public ArgumentType {
 public:
  constexpr NumberType(const char* noun, std::uint64_t min, std::uint64_t max,
                       std::uint64_t fuzzed_max)
      : ArgumentType(noun), min_(min), max_(max), fuzzed_max_(fuzzed_max) {}

  std::string expected() const override {
    std::string text = std::string(noun()) + " (";
    append_decimal(text, min_);
    text += " to ";
    append_decimal(text, max_);
    return text + ")";
  }
  std::optional<std::uint64_t> parse(std::string_view word) const override {
    const auto value = parse_number(word);
    return value && valid(*value, {}) ? value : std::nullopt;
  }
  void print(std::string& text, std::uint64_t value) const override {
    append_decimal(text, value);
  }
  bool valid(std::uint64_t value, const Scope&) const override {
    return min_ <= value && value <= max_;
  }
  std::uint64_t fit(std::uint64_t value, const Scope&) const override {
    if (min_ <= value && value <= fuzzed_max_) return value;
    return min_ + (value - min_) % (fuzzed_max_ - min_ + 1);
  }
  // Small numbers are drawn more often than great ones.
  std::uint64_t draw(Random& random, const Scope&) const override {
    return min_ +
           random.below(1 + random.below(1 + random.below(fuzzed_max_ - min_ + 1)));
  }
  std::uint64_t mutate(Random& random, std::uint64_t value,
                       const Scope& scope) const override {
    switch (random.below(4)) {
      case 0:
        return fit(value + 1, scope);
      case 1:
        return fit(value == 0 ? fuzzed_max_ : value - 1, scope);
      default:
        return draw(random, scope);
    }
  }
  std::uint64_t simplest() const override { return min_; }

 private:
  std::uint64_t min_;
  std::uint64_t max_;
  std::uint64_t fuzzed_max_;
};

struct NamedValue {
  const char* name;
  std::uint32_t weight;
};

// One of a few names; its value is the index.
class ChoiceType final : public ArgumentType {
 public:
  constexpr ChoiceType(const char* noun, std::span<const NamedValue> choices)
      : ArgumentType(noun), choices_(choices) {}

  std::string expected() const override {
    std::string text = noun();
    const char* separator = " (";
    for (const NamedValue& choice : choices_) {
      text += std::string(separator) + choice.name;
      separator = ", ";
    }
    return text + ")";
  }
  std::optional<std::uint64_t> parse(std::string_view word) const override {
    for (std::size_t i = 0; i < choices_.size(); ++i) {
      if (word == choices_[i].name) return i;
    }
    return std::nullopt;
  }
  void print(std::string& text, std::uint64_t value) const override {
    text += choices_[value].name;
  }
  std::uint64_t decode(ByteReader& bytes) const override { return bytes.byte(); }
  void encode(ByteWriter& bytes, std::uint64_t value) const override {
    bytes.byte(value);
  }
  bool valid(std::uint64_t value, const Scope&) const override {
    return value < choices_.size();
  }
  std::uint64_t fit(std::uint64_t value, const Scope&) const override {
    return value % choices_.size();
  }
  std::uint64_t draw(Random& random, const Scope&) const override {
    std::uint32_t sum = 0;
    for (const NamedValue& choice : choices_) sum += choice.weight;
    std::uint64_t rest = random.below(sum);
    std::uint64_t index = 0;
    for (; rest >= choices_[index].weight; ++index) rest -= choices_[index].weight;
    return index;
  }

 private:
  std::span<const NamedValue> choices_;
};

class VariableType final : public ArgumentType {
 public:
  constexpr explicit VariableType(Variable kind, const char* noun)
      : ArgumentType(noun), kind_(kind) {}

  std::string expected() const override { return std::string("a ") + noun(); }
  std::optional<std::uint64_t> parse(std::string_view) const override {
    return std::nullopt;
  }
  void print(std::string& text, std::uint64_t value) const override {
    text += variable_name(kind_, value);
  }
  std::uint64_t decode(ByteReader& bytes) const override {
    const std::uint64_t number = bytes.number();
    return number == kEncodedNone ? kNoVariable : number;
  }
  void encode(ByteWriter& bytes, std::uint64_t value) const override {
    bytes.number(value == kNoVariable ? kEncodedNone : value);
  }
  bool valid(std::uint64_t value, const Scope& scope) const override {
    return value == kNoVariable || value < scope.of(kind_);
  }
  std::uint64_t fit(std::uint64_t value, const Scope& scope) const override {
    if (value == kNoVariable || scope.of(kind_) == 0) return kNoVariable;
    return value % scope.of(kind_);
  }
  // The first ones are drawn more often: they live longest.
  std::uint64_t draw(Random& random, const Scope& scope) const override {
    if (scope.of(kind_) == 0) return kNoVariable;
    if (random.below(2) == 0) return 0;
    return random.below(1 + random.below(scope.of(kind_)));
  }
  std::optional<Variable> variable() const override { return kind_; }

 private:
  static constexpr std::uint64_t kEncodedNone = 0x3fff;
  Variable kind_;
};

class AddressType final : public ArgumentType {
 public:
  constexpr AddressType(const char* noun, std::uint64_t align)
      : ArgumentType(noun), align_(align) {}

  std::string expected() const override {
    std::string text = std::string(noun()) + " (below ";
    append_hex(text, kUserEnd);
    text += ", a multiple of ";
    append_decimal(text, align_);
    return text + ")";
  }
  std::optional<std::uint64_t> parse(std::string_view word) const override {
    const auto value = parse_number(word);
    return value && valid(*value, {}) ? value : std::nullopt;
  }
  void print(std::string& text, std::uint64_t value) const override {
    append_hex(text, value);
  }
  bool valid(std::uint64_t value, const Scope&) const override {
    return value < kUserEnd && value % align_ == 0;
  }
  std::uint64_t fit(std::uint64_t value, const Scope&) const override {
    return value % kUserEnd & ~(align_ - 1);
  }
  std::uint64_t draw(Random& random, const Scope& scope) const override {
    return fit(kFuzzedBase + random.below(kFuzzedPages * kPageSize), scope);
  }

 private:
  static constexpr std::uint64_t kFuzzedBase = 0x10000000;
  static constexpr std::uint64_t kFuzzedPages = 16;
  std::uint64_t align_;
};

constexpr NamedValue kProtections[] = {{"none", 1}, {"r", 3},  {"w", 1},  {"rw", 12},
                                       {"x", 1},    {"rx", 1}, {"wx", 1}, {"rwx", 1}};
static_assert(kVmRead == 1 && kVmWrite == 2 && kVmExec == 4,
              "an index is a set of bits");
constexpr NamedValue kSharings[] = {{"private", 3}, {"shared", 1}};
constexpr NamedValue kMovings[] = {{"in_place", 1}, {"may_move", 3}, {"dont_unmap", 2}};

constexpr NamedValue kWaitings[] = {{"sync", 3}, {"async", 1}};

constexpr NamedValue kAdvices[] = {{"dontneed", 4},  {"free", 4},   {"pageout", 4},
                                   {"dontfork", 1},  {"dofork", 1}, {"wipeonfork", 1},
                                   {"keeponfork", 1}};
constexpr NamedValue kPinAccesses[] = {{"read", 1}, {"write", 3}};

constexpr NamedValue kNotifierFlavours[] = {{"atomic", 3}, {"sleeping", 1}};

constexpr VariableType kProcessType(Variable::kProcess, "process");
constexpr VariableType kMappingType(Variable::kMapping, "mapping");
constexpr VariableType kFileType(Variable::kFile, "file");
constexpr VariableType kPinType(Variable::kPin, "kept page");
constexpr VariableType kSecondaryType(Variable::kSecondary, "secondary MMU");
constexpr NumberType kPageNoType("a page number", 0, 1u << 24, 7);
constexpr NumberType kPageCountType("a number of pages", 1, 1u << 24, 8);
constexpr NumberType kHeapPagesType("a number of pages", 0, 1u << 24, 8);
constexpr NumberType kWordNoType("a word of a page", 0, 511, 7);
constexpr NumberType kSwapAreaNoType("a swap area", 0, kSwapAreasMax - 1, 1);
constexpr NumberType kSwapPriorityType("a priority", 0, 32767, 2);
constexpr NumberType kCpuNoType("a CPU", 0, kCpusMax - 1, 8);
constexpr ChoiceType kProtectionType("a protection", kProtections);
constexpr ChoiceType kSharingType("a sharing", kSharings);
constexpr ChoiceType kMovingType("a way to move", kMovings);
constexpr ChoiceType kWaitingType("a way to wait", kWaitings);
constexpr ChoiceType kAdviceType("an advice", kAdvices);
constexpr ChoiceType kPinAccessType("an access", kPinAccesses);
constexpr ChoiceType kNotifierFlavourType("a flavour of notifier", kNotifierFlavours);
constexpr AddressType kPageAddrType("an address of a page", kPageSize);
constexpr AddressType kWordAddrType("an address of a word", 8);

}  // namespace

const ArgumentType& ProcessRef::type() { return kProcessType; }
const ArgumentType& MappingRef::type() { return kMappingType; }
const ArgumentType& FileRef::type() { return kFileType; }
const ArgumentType& PinRef::type() { return kPinType; }
const ArgumentType& SecondaryRef::type() { return kSecondaryType; }
const ArgumentType& NotifierFlavour::type() { return kNotifierFlavourType; }
const ArgumentType& PageNo::type() { return kPageNoType; }
const ArgumentType& PageCount::type() { return kPageCountType; }
const ArgumentType& HeapPages::type() { return kHeapPagesType; }
const ArgumentType& WordNo::type() { return kWordNoType; }
const ArgumentType& Protection::type() { return kProtectionType; }
const ArgumentType& Sharing::type() { return kSharingType; }
const ArgumentType& Moving::type() { return kMovingType; }
const ArgumentType& Waiting::type() { return kWaitingType; }
const ArgumentType& AdviceNo::type() { return kAdviceType; }
const ArgumentType& PinAccess::type() { return kPinAccessType; }
const ArgumentType& SwapAreaNo::type() { return kSwapAreaNoType; }
const ArgumentType& SwapPriority::type() { return kSwapPriorityType; }
const ArgumentType& CpuNo::type() { return kCpuNoType; }
const ArgumentType& PageAddr::type() { return kPageAddrType; }
const ArgumentType& WordAddr::type() { return kWordAddrType; }

const char* variable_noun(Variable kind) {
  switch (kind) {
    case Variable::kProcess:
      return "process";
    case Variable::kMapping:
      return "mapping";
    case Variable::kFile:
      return "file";
    case Variable::kPin:
      return "kept page";
    case Variable::kSecondary:
      return "secondary MMU";
  }
  return "?";
}

std::string variable_name(Variable kind, std::uint64_t number) {
  if (number == kNoVariable) return "-";
  std::string text(1, *variable_noun(kind));
  append_decimal(text, number);
  return text;
}

}  // namespace racier::program
