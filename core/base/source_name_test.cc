// core/base/source_name_test.cc - what reports call a function.
#include "core/base/source_name.h"

#include <gtest/gtest.h>

#include <source_location>

namespace racier {
namespace {

TEST(SourceName, IsBare) {
  constexpr struct {
    const char* pretty;
    const char* bare;
  } kRows[] = {
      {"int main()", "main"},
      {"main", "main"},
      {"void racier::SpinLock::lock(int, Where)", "lock"},
      {"racier::mm::try_to_unmap(racier::Page&)", "try_to_unmap"},
      {"void racier::(anonymous namespace)::A<int>::m(int) const & [T = int]", "m"},
      {"racier::(anonymous namespace)::A<int>::~A() [T = int]", "~A"},
      {"T racier::f(void (*)(int)) [T = int]", "f"},
      {"std::pair<int, int> *racier::q()", "q"},
      {"void racier::each<int>(racier::List<int>&)", "each"},
      {"auto racier::f(void (*)(int))::(anonymous class)::operator()() const", "f"},
      {"auto racier::f()::(anonymous class)::operator()(auto) const [auto:1 = int]",
       "f"},
      {"racier::fault(int)::$_0::operator()() const", "fault"},
      {"racier::fault(int)::{lambda()#1}::operator()() const", "fault"},
      {"auto (anonymous class)::operator()() const", "lambda"},
      {"void racier::A::operator()()", "operator()"},
      {"bool racier::A::operator==(int)", "operator=="},
      {"", "?"},
  };
  for (const auto& row : kRows) EXPECT_EQ(bare_function_name(row.pretty), row.bare);
}

TEST(SourceName, OfThisFunction) {
  EXPECT_EQ(bare_function_name(std::source_location::current().function_name()),
            "TestBody");
}

TEST(SourceName, FirstFrameOfAReport) {
  const FrameName frame =
      first_frame("write by A\n    removed (walk_audit.cc:66)\n    audit (a.cc:1)\n");
  EXPECT_EQ(frame.function, "removed");
  EXPECT_EQ(frame.place, "walk_audit.cc:66");
  EXPECT_EQ(first_frame("f (a.cc:1)").function, "f");
  for (const char* const text : {"", "no frame", "not (closed", ") ("}) {
    EXPECT_EQ(first_frame(text).function, "?") << text;
    EXPECT_EQ(first_frame(text).place, "?:0") << text;
  }
}

TEST(SourceName, FileWithoutFolders) {
  EXPECT_EQ(base_name("core/mm/fault.cc"), "fault.cc");
  EXPECT_EQ(base_name("fault.cc"), "fault.cc");
}

}  // namespace
}  // namespace racier
