// stress/curves_test.cc - what curves look like.
#include "stress/curves.h"

#include <gtest/gtest.h>

namespace racier {
namespace {

Curves example() {
  return {.title = "walk <of a page>",
          .x_name = "children",
          .y_name = "ns",
          .x = {1, 10, 100},
          .series = {{"list", {20, 200, 2000}}, {"tree", {25, 25.5, 0}}},
          .reference_name = "a switch",
          .reference = 12.5};
}

TEST(Curves, AsText) {
  EXPECT_EQ(to_text(example()),
            "walk <of a page>: ns\n"
            "children                   1        10       100\n"
            "list                      20       200      2000\n"
            "tree                      25      25.5         0\n"
            "a switch                12.5\n");
}

TEST(Curves, AsJson) {
  const Curves curves = example();
  const auto json = to_json({&curves, 1});
  ASSERT_EQ(json.size(), 1u);
  EXPECT_EQ(json[0]["series"]["list"][2], 2000);
  EXPECT_EQ(json[0]["x"][1], 10);
  EXPECT_EQ(json[0]["reference"], 12.5);
}

// The axes go from 1 to 100 and from 10 to 10,000 (what is 0 is at the edge).
TEST(Curves, AsAPictureWithLogarithmicAxes) {
  const Curves curves = example();
  const std::string svg = to_svg({&curves, 1});
  EXPECT_TRUE(svg.starts_with("<svg "));
  EXPECT_NE(svg.find("walk &lt;of a page>"), std::string::npos);
  EXPECT_NE(svg.find("<polyline points=\"64.0,258.3 234.0,186.3 404.0,114.3 \""),
            std::string::npos)
      << svg;
  EXPECT_NE(svg.find("404.0,280.0 \" fill"), std::string::npos) << svg;
  EXPECT_NE(svg.find(">10000</text>"), std::string::npos);
}

TEST(Curves, APictureOfNothingIsEmpty) {
  EXPECT_EQ(to_svg({}).find("<polyline"), std::string::npos);
}

}  // namespace
}  // namespace racier
