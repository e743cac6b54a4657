// core/program/op.h - what an op is: a row made from its function.
//
//   op<&fork>("fork", "Copies a process, copy-on-write.", "process")
//
// The function's parameters, behind the Run, are the arguments of a call, one or more
// each (a place has several parts), in order; a NewProcess or NewMapping is the
// variable that the call defines.  The row is all that decoding, parsing, printing,
// mutating and running know.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <tuple>
#include <utility>

#include "core/program/places.h"

namespace racier::program {

// How far what comes of an op is the same on every design of the reverse map (agree.h).
enum class Agrees : std::uint8_t {
  kAlways,
  kWhileNothingIsTaken,  // it tells of marks in ptes, or on pages: until some are taken
  // It is refused where neighbours are not merged, which is the design's affair.
  kOnOneVma,
  // Who may not is told by a fault only: a pte forbids neither to execute nor to read.
  kUnlessRefused,
  // Together with ops that take pages away it makes what is in memory their affair.
  kAlone,
  kNever,  // it takes pages away: which of them, and from whom, is the design's affair
};

struct Op {
  const char* name = nullptr;
  const char* sentence = nullptr;
  int weight = 10;  // how often a fuzzer draws it, beside the others; 0: never
  std::optional<Variable> defines;
  int argument_count = 0;
  std::array<const char*, kArgumentsMax> argument_names{};
  std::array<const ArgumentType& (*)(), kArgumentsMax> argument_types{};
  Outcome (*run)(Run&, const Call&, std::uint32_t result) = nullptr;
  Agrees agrees = Agrees::kAlways;

  const ArgumentType& type(int argument) const { return argument_types[argument](); }
  // The same op, drawn more or less often.
  constexpr Op weighing(int times) const {
    Op op = *this;
    op.weight = times;
    return op;
  }
  constexpr Op agreeing(Agrees how_far) const {
    Op op = *this;
    op.agrees = how_far;
    return op;
  }
};

// How a parameter of an op's function is made from a call.  A plain argument:
template <typename T>
struct Parameter {
  static constexpr int kParts = 1;
  static constexpr void describe(Op& op) {
    op.argument_types[op.argument_count++] = &T::type;
  }
  static T make(const Call& call, int first, std::uint32_t) {
    return T{call.arguments[first]};
  }
};

// The variable that the call defines.
template <typename T>
  requires requires { T::kDefines; }
struct Parameter<T> {
  static constexpr int kParts = 0;
  static constexpr void describe(Op& op) { op.defines = T::kDefines; }
  static T make(const Call&, int, std::uint32_t result) { return T{result}; }
};

// A place, made of arguments.
template <typename T>
  requires requires { typename T::Parts; }
struct Parameter<T> {
  using Parts = typename T::Parts;
  static constexpr int kParts = std::tuple_size_v<Parts>;
  static constexpr void describe(Op& op) {
    [&]<std::size_t... kIndex>(std::index_sequence<kIndex...>) {
      (Parameter<std::tuple_element_t<kIndex, Parts>>::describe(op), ...);
    }(std::make_index_sequence<kParts>());
  }
  static T make(const Call& call, int first, std::uint32_t result) {
    return [&]<std::size_t... kIndex>(std::index_sequence<kIndex...>) {
      return T{Parameter<std::tuple_element_t<kIndex, Parts>>::make(
          call, first + static_cast<int>(kIndex), result)...};
    }(std::make_index_sequence<kParts>());
  }
};

template <auto kFunction>
struct OpOf;

template <typename... Params, Outcome (*kFunction)(Run&, Params...)>
struct OpOf<kFunction> {
  static constexpr int kArguments = (0 + ... + Parameter<Params>::kParts);
  static_assert(kArguments <= kArgumentsMax);

  // The index of the first argument of each parameter.
  static constexpr auto kFirst = [] {
    std::array<int, sizeof...(Params)> first{};
    int next = 0;
    std::size_t at = 0;
    ((first[at++] = std::exchange(next, next + Parameter<Params>::kParts)), ...);
    return first;
  }();

  static constexpr void describe(Op& op) { (Parameter<Params>::describe(op), ...); }

  static Outcome run(Run& run, const Call& call, std::uint32_t result) {
    return [&]<std::size_t... kIndex>(std::index_sequence<kIndex...>) {
      return kFunction(run, Parameter<Params>::make(call, kFirst[kIndex], result)...);
    }(std::index_sequence_for<Params...>());
  }
};

// Makes the row of `kFunction`, an Outcome(Run&, parameters...).
template <auto kFunction, typename... Names>
constexpr Op op(const char* name, const char* sentence, Names... names) {
  static_assert(sizeof...(Names) == OpOf<kFunction>::kArguments,
                "a name for each argument");
  Op row;
  row.name = name;
  row.sentence = sentence;
  row.argument_names = {names...};
  row.run = &OpOf<kFunction>::run;
  OpOf<kFunction>::describe(row);
  return row;
}

}  // namespace racier::program
