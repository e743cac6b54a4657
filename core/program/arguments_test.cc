// core/program/arguments_test.cc
#include "core/program/arguments.h"

#include <gtest/gtest.h>

#include <vector>

namespace racier::program {
namespace {

std::vector<const ArgumentType*> all_types() {
  return {&ProcessRef::type(), &MappingRef::type(), &FileRef::type(),
          &PageNo::type(),     &PageCount::type(),  &HeapPages::type(),
          &WordNo::type(),     &Protection::type(), &Sharing::type(),
          &PageAddr::type(),   &WordAddr::type()};
}

Scope some_scope() {
  Scope scope;
  scope.counts = {3, 5, 2};
  return scope;
}

std::string printed(const ArgumentType& type, std::uint64_t value) {
  std::string text;
  type.print(text, value);
  return text;
}

TEST(Arguments, WhatIsDrawnIsValidAndFits) {
  Random random(1);
  for (const ArgumentType* const type : all_types()) {
    for (const Scope& scope : {some_scope(), Scope()}) {
      std::uint64_t value = type->draw(random, scope);
      for (int i = 0; i < 200; ++i) {
        ASSERT_TRUE(type->valid(value, scope)) << type->expected() << " " << value;
        ASSERT_EQ(type->fit(value, scope), value) << type->expected();
        value = type->mutate(random, value, scope);
      }
    }
  }
}

TEST(Arguments, EveryNumberFitsSomehow) {
  Random random(2);
  for (const ArgumentType* const type : all_types()) {
    for (int i = 0; i < 200; ++i) {
      const std::uint64_t value =
          type->fit(random.next() >> random.below(64), some_scope());
      ASSERT_TRUE(type->valid(value, some_scope())) << type->expected() << " " << value;
      ASSERT_EQ(type->fit(value, some_scope()), value);
    }
  }
}

TEST(Arguments, BytesAndTextsRoundTrip) {
  Random random(3);
  for (const ArgumentType* const type : all_types()) {
    for (int i = 0; i < 200; ++i) {
      const std::uint64_t value = type->draw(random, some_scope());
      std::vector<std::uint8_t> bytes;
      ByteWriter out(bytes);
      type->encode(out, value);
      ByteReader in(bytes);
      ASSERT_EQ(type->decode(in), value) << type->expected();
      ASSERT_TRUE(in.at_end());
      if (type->variable()) continue;
      ASSERT_EQ(type->parse(printed(*type, value)), value) << type->expected();
    }
  }
}

TEST(Arguments, TheSimplestIsValid) {
  for (const ArgumentType* const type : all_types()) {
    EXPECT_TRUE(type->valid(type->simplest(), some_scope())) << type->expected();
  }
}

TEST(Arguments, ReadAsPeopleWriteThem) {
  EXPECT_EQ(printed(ProcessRef::type(), 3), "p3");
  EXPECT_EQ(printed(MappingRef::type(), kNoVariable), "-");
  EXPECT_EQ(printed(Protection::type(), kVmRead | kVmExec), "rx");
  EXPECT_EQ(printed(Sharing::type(), 1), "shared");
  EXPECT_EQ(printed(PageAddr::type(), 0x7000), "0x7000");
}

}  // namespace
}  // namespace racier::program
