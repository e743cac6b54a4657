// core/program/ops_test.cc
#include "core/program/ops.h"

#include <gtest/gtest.h>

#include <set>

namespace racier::program {
namespace {

TEST(Ops, EachHasANameASentenceAndAFunction) {
  std::set<std::string> names;
  for (const Op& op : op_table()) {
    EXPECT_TRUE(names.insert(op.name).second) << op.name;
    EXPECT_EQ(std::string(op.sentence).back(), '.') << op.name;
    EXPECT_NE(op.run, nullptr) << op.name;
    for (int i = 0; i < op.argument_count; ++i) {
      EXPECT_NE(op.argument_names[static_cast<std::size_t>(i)], nullptr) << op.name;
      EXPECT_NE(op.argument_types[static_cast<std::size_t>(i)], nullptr) << op.name;
    }
  }
}

TEST(Ops, AreFoundByName) {
  for (std::size_t i = 0; i < op_table().size(); ++i) {
    EXPECT_EQ(find_op(op_table()[i].name), i);
  }
  EXPECT_EQ(find_op("no_such_op"), std::nullopt);
}

TEST(Ops, ARowIsMadeFromItsFunction) {
  const Op& op = op_table()[*find_op("mmap_over")];
  EXPECT_EQ(op.defines, Variable::kMapping);
  ASSERT_EQ(op.argument_count, 6);
  EXPECT_EQ(&op.type(0), &ProcessRef::type());
  EXPECT_EQ(&op.type(1), &MappingRef::type());
  EXPECT_EQ(&op.type(2), &PageNo::type());
  EXPECT_EQ(&op.type(5), &Sharing::type());
}

TEST(Ops, TheReferenceHasALineForEach) {
  const std::string text = ops_reference();
  EXPECT_EQ(static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')),
            op_table().size() + 2);
  EXPECT_NE(text.find("| `m0 = mmap process pages protection sharing` | "), text.npos);
}

TEST(Ops, TheDictionaryHasALineForEachThatIsDrawn) {
  const std::string text = fuzzer_dictionary();
  EXPECT_NE(text.find("process=\"\\x00\\x00\"\n"), text.npos) << text;
  EXPECT_NE(text.find("reclaim=\"\\x10\\x00\\x01\"\n"), text.npos) << text;
  EXPECT_EQ(text.find("mmap_at"), text.npos);
}

}  // namespace
}  // namespace racier::program
