// core/base/layering_test.cc - who may include whom, strictly downwards.
//
// The rule is a function of a path and a text; the last tests apply it to the tree.
#include <gtest/gtest.h>

#include <optional>

#include "core/base/source_tree.h"

namespace racier::base {
namespace {

struct Room {
  std::string_view name;
  std::vector<std::string_view> below;  // the rooms that it may include
};

// The picture in design.md as a table, bottom up.
const std::vector<Room>& rooms() {
  static const std::vector<Room> kRooms = {
      {"base", {}},
      {"sync", {"base"}},
      {"runtime", {"sync", "base"}},
      {"memory", {"sync", "base"}},
      {"objects", {"memory", "sync", "base"}},
      {"rmap", {"objects", "memory", "sync", "base"}},
      {"mm", {"rmap", "objects", "memory", "sync", "base"}},
      {"check", {"mm", "rmap", "objects", "memory", "sync", "base"}},
      {"program", {"check", "mm", "rmap", "objects", "memory", "sync", "base"}},
  };
  return kRooms;
}

const Room* find_room(std::string_view name) {
  for (const Room& room : rooms()) {
    if (room.name == name) return &room;
  }
  return nullptr;
}

bool contains(const std::vector<std::string_view>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// Returns what stands between the quotes or brackets, with the opening one, of an
// #include line; nothing for any other line.
std::optional<std::string_view> included(std::string_view line) {
  const auto skip_blanks = [&line] {
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
  };
  const auto skip_word = [&line](std::string_view word) {
    if (!line.starts_with(word)) return false;
    line.remove_prefix(word.size());
    return true;
  };
  skip_blanks();
  if (!skip_word("#")) return std::nullopt;
  skip_blanks();
  if (!skip_word("include")) return std::nullopt;
  skip_blanks();
  if (!line.starts_with('"') && !line.starts_with('<')) return std::nullopt;
  const auto end = line.find_first_of("\">", 1);
  return line.substr(0, std::min(end, line.size()));
}

// Returns why a file of room `from` may not include `target`, or "".
std::string wrong_room(const Room& from, std::string_view target, bool from_test) {
  const std::string_view to = room_of(target);
  if (find_room(to) == nullptr) return "there is no room for " + std::string(target);
  if (to == from.name || contains(from.below, to)) return "";
  if (to == "runtime" && from_test) return "";
  if (to == "runtime") return "only tools and tests may name a runtime";
  return std::string(from.name) + " may not include " + std::string(to);
}

std::string wrong_header(const Room& from, std::string_view header, bool from_test) {
  const bool quoted = header.front() == '"';
  const std::string_view target = header.substr(1);
  if (quoted && target.starts_with("core/")) return wrong_room(from, target, from_test);
  if (quoted) return "core includes only core, by paths from the root";
  for (const std::string_view library : {"boost/", "fmt/", "nlohmann/"}) {
    if (target.starts_with(library)) return "libraries are for tools, not for core";
  }
  return "";
}

Complaints layering_complaints(const std::string& path, std::string_view text) {
  const Room* const from = find_room(room_of(path));
  if (from == nullptr) return {{path, 1, "this is no room of core"}};
  Complaints complaints;
  for_each_line(text, [&](int number, std::string_view line) {
    const auto header = included(line);
    if (!header) return;
    const std::string why = wrong_header(*from, *header, is_test(path));
    if (!why.empty()) complaints.push_back({path, number, why});
  });
  return complaints;
}

// Returns the names after DEPENDS in the racier_room() call of a CMakeLists.txt.
std::vector<std::string_view> cmake_depends(std::string_view text) {
  std::vector<std::string_view> names;
  bool after_depends = false;
  const auto call = text.find("racier_room(");
  if (call == text.npos) return names;
  text = text.substr(call, text.find(')', call) - call);
  for_each_line(text, [&](int, std::string_view line) {
    while (!line.empty()) {
      line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
      const std::string_view word = line.substr(0, line.find_first_of(" \t"));
      line.remove_prefix(word.size());
      if (word == "UNINSTRUMENTED" || word == "AT_REST" || word == "TRACED" ||
          word == "APART") {
        after_depends = false;
      }
      if (after_depends && !word.empty()) names.push_back(word);
      if (word == "DEPENDS") after_depends = true;
    }
  });
  return names;
}

std::string verdict(const std::string& path, std::string_view text) {
  const Complaints complaints = layering_complaints(path, text);
  return complaints.empty() ? "" : complaints.front().str();
}

// ---- The rule, on strings -----------------------------------------------------------

TEST(Layering, DownwardIncludesAreFine) {
  EXPECT_EQ(verdict("core/mm/fault.cc", "#include \"core/rmap/scheme.h\"\n"), "");
  EXPECT_EQ(verdict("core/mm/fault.cc", "#include \"core/mm/fault.h\"\n"), "");
  EXPECT_EQ(verdict("core/sync/rcu.cc", "#include <atomic>\n"), "");
}

TEST(Layering, UpwardIncludesAreNamedWithTheirLine) {
  EXPECT_EQ(verdict("core/rmap/walk.cc", "\n#include \"core/mm/fault.h\"\n"),
            "core/rmap/walk.cc:2: rmap may not include mm");
  EXPECT_EQ(verdict("core/base/list.h", "  #  include \"core/sync/rcu.h\""),
            "core/base/list.h:1: base may not include sync");
  EXPECT_EQ(verdict("core/sync/rcu_test.cc", "#include \"core/memory/slab.h\""),
            "core/sync/rcu_test.cc:1: sync may not include memory");
}

TEST(Layering, OnlyTestsNameARuntime) {
  constexpr std::string_view kText = "#include \"core/runtime/fiber.h\"\n";
  constexpr std::string_view kWhy = ":1: only tools and tests may name a runtime";
  EXPECT_EQ(verdict("core/mm/fault.cc", kText), "core/mm/fault.cc" + std::string(kWhy));
  EXPECT_EQ(verdict("core/mm/fault_test.cc", kText), "");
  EXPECT_EQ(verdict("core/program/run_benchmark.cc", kText), "");
  EXPECT_EQ(verdict("core/runtime/fiber.cc", kText), "");
}

TEST(Layering, CoreKnowsNeitherToolsNorLibraries) {
  EXPECT_NE(verdict("core/mm/fault.cc", "#include \"fuzz/mutate.h\""), "");
  EXPECT_NE(verdict("core/mm/fault.cc", "#include \"fault.h\""), "");
  EXPECT_NE(verdict("core/mm/fault.cc", "#include <fmt/core.h>"), "");
  EXPECT_NE(verdict("core/mm/fault.cc", "#include \"core/util/x.h\""), "");
  EXPECT_NE(verdict("core/util/x.h", ""), "");
}

TEST(Layering, CommentsAndTextAreNoIncludes) {
  EXPECT_EQ(verdict("core/base/x.cc", "// #include \"core/mm/fault.h\""), "");
  EXPECT_EQ(verdict("core/base/x.cc", "say(\"#include \\\"core/mm/fault.h\\\"\");"),
            "");
}

TEST(Layering, CmakeDependsAreRead) {
  using Names = std::vector<std::string_view>;
  EXPECT_EQ(cmake_depends("racier_room(base)"), Names{});
  EXPECT_EQ(cmake_depends("racier_room(sync DEPENDS base)"), Names{"base"});
  EXPECT_EQ(cmake_depends("racier_room(runtime\n  DEPENDS sync base UNINSTRUMENTED)\n"),
            (Names{"sync", "base"}));
  EXPECT_EQ(cmake_depends("racier_room(check DEPENDS sync AT_REST APART)"),
            Names{"sync"});
}

// ---- The tree -----------------------------------------------------------------------

TEST(Layering, NoFileOfCoreIncludesUpwards) {
  constexpr std::string_view kFolders[] = {"core"};
  const auto files = read_tree(RACIER_SOURCE_DIR, kFolders, is_cxx);
  ASSERT_FALSE(files.empty()) << "no sources below " RACIER_SOURCE_DIR "/core";
  Complaints complaints;
  for (const SourceFile& file : files) {
    const Complaints more = layering_complaints(file.path, file.text);
    complaints.insert(complaints.end(), more.begin(), more.end());
  }
  EXPECT_TRUE(complaints.empty()) << listed(complaints);
}

TEST(Layering, CmakeLinksTheRoomsOfTheTable) {
  const std::filesystem::path core = std::filesystem::path(RACIER_SOURCE_DIR) / "core";
  for (const Room& room : rooms()) {
    const auto file = core / room.name / "CMakeLists.txt";
    if (!std::filesystem::exists(file)) continue;
    const std::string text = read_text(file);
    EXPECT_EQ(cmake_depends(text), room.below) << file;
  }
}

}  // namespace
}  // namespace racier::base
