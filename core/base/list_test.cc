// core/base/list_test.cc - lists.
#include "core/base/list.h"

#include <gtest/gtest.h>

#include <string>

namespace racier {
namespace {

struct Letter {
  char name;
  ListNode node;
};
using Letters = List<Letter, &Letter::node>;

struct Story : testing::Test {
  Letter a{'a', {}}, b{'b', {}}, c{'c', {}};
  Letters list;

  std::string read() {
    std::string text;
    for (const Letter& letter : list) text += letter.name;
    return text;
  }
};
using ListTest = Story;

TEST_F(ListTest, StartsEmpty) {
  EXPECT_TRUE(list.empty());
  EXPECT_EQ(list.front(), nullptr);
  EXPECT_EQ(list.back(), nullptr);
  EXPECT_EQ(read(), "");
}

TEST_F(ListTest, GrowsAtBothEnds) {
  list.push_back(b);
  list.push_back(c);
  list.push_front(a);
  EXPECT_EQ(read(), "abc");
  EXPECT_EQ(list.front(), &a);
  EXPECT_EQ(list.back(), &c);
}

TEST_F(ListTest, LosesEntriesAnywhere) {
  list.push_back(a);
  list.push_back(b);
  list.push_back(c);
  list.erase(b);
  EXPECT_EQ(read(), "ac");
  list.erase(a);
  list.erase(c);
  EXPECT_TRUE(list.empty());
}

TEST_F(ListTest, ANodeKnowsWhetherItIsOnAList) {
  EXPECT_TRUE(a.node.empty());
  list.push_back(a);
  EXPECT_FALSE(a.node.empty());
  list.erase(a);
  EXPECT_TRUE(a.node.empty());
}

TEST_F(ListTest, UnlinkingTwiceIsHarmless) {
  list.push_back(a);
  list.push_back(b);
  a.node.unlink();
  a.node.unlink();
  EXPECT_EQ(read(), "b");
}

TEST_F(ListTest, AnEntryThatIsLeftGoesToAnotherList) {
  Letters other;
  list.push_back(a);
  list.erase(a);
  other.push_back(a);
  EXPECT_TRUE(list.empty());
  EXPECT_EQ(other.front(), &a);
}

TEST_F(ListTest, ResetForgetsWithoutLooking) {
  list.push_back(a);
  list.reset();
  EXPECT_TRUE(list.empty());
  EXPECT_FALSE(a.node.empty());
}

TEST_F(ListTest, OneListAtATime) {
  Letters other;
  list.push_back(a);
  EXPECT_DEATH(other.push_back(a), "one list at a time");
}

}  // namespace
}  // namespace racier
