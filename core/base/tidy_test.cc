// core/base/tidy_test.cc - the written style, as far as a program can check it.
//
// After TigerBeetle's tidy.zig: rules that are not checked decay.  A rule is a row; it
// looks at one line.  The last tests apply the rules to the tree.
#include <gtest/gtest.h>

#include <functional>
#include <sstream>

#include "core/base/source_tree.h"

namespace racier::base {
namespace {

constexpr int kColumnsMax = 100;

bool is_word(char c) {
  return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
         (c >= 'A' && c <= 'Z');
}

// Returns whether `word` occurs in `line` as a whole word.
bool has_word(std::string_view line, std::string_view word) {
  for (auto at = line.find(word); at != line.npos; at = line.find(word, at + 1)) {
    const auto end = at + word.size();
    const bool starts = at == 0 || !is_word(line[at - 1]) || !is_word(word.front());
    const bool ends =
        end == line.size() || !is_word(line[end]) || !is_word(word.back());
    if (starts && ends) return true;
  }
  return false;
}

// Blanks comments and literals of one line, keeping what is code.  `in_comment` carries
// a block comment from line to line.  Raw strings are taken for ordinary ones.
std::string code_of(std::string_view line, bool& in_comment) {
  std::string code;
  char quote = '\0';
  for (std::size_t i = 0; i < line.size(); ++i) {
    const std::string_view rest = line.substr(i);
    if (in_comment) {
      in_comment = !rest.starts_with("*/");
      i += in_comment ? 0 : 1;
    } else if (quote != '\0') {
      if (line[i] == quote) quote = '\0';
      if (line[i] == '\\') ++i;
    } else if (rest.starts_with("//")) {
      break;
    } else if (rest.starts_with("/*")) {
      in_comment = true;
      ++i;
    } else {
      const bool digit_separator =
          line[i] == '\'' && i > 0 && is_word(line[i - 1]);  // 1'000
      if ((line[i] == '"' || line[i] == '\'') && !digit_separator) quote = line[i];
      code += line[i];
    }
  }
  return code;
}

// Returns the length of a line of UTF-8 in columns (code points).
int columns(std::string_view line) {
  return static_cast<int>(std::count_if(line.begin(), line.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

// ---- Where a rule does not hold -----------------------------------------------------

bool nowhere(std::string_view) { return false; }

bool tests(std::string_view path) { return is_test(path); }

// sync and runtime build on the host's own words; so does what lies below sync and
// therefore cannot name racier's Atomic: the state of a run.
bool host_sync(std::string_view path) {
  return is_test(path) || room_of(path) == "sync" || room_of(path) == "runtime" ||
         path.starts_with("core/base/run_state.");
}

// User bytes are accessed with relaxed std::atomic_ref.
bool host_sync_or_memory(std::string_view path) {
  return host_sync(path) || room_of(path) == "memory";
}

// A native run is watched by a clock, a benchmark measures with one.
bool clocks(std::string_view path) {
  return path.ends_with("_benchmark.cc") || path.starts_with("core/runtime/native");
}

struct WordRule {
  std::vector<std::string_view> words;
  std::string_view sentence;
  bool (*allowed_in)(std::string_view path);
};

const std::vector<WordRule>& word_rules() {
  static const std::vector<WordRule> kRules = {
      {{"printf", "fprintf", "vprintf", "vfprintf", "puts", "fputs", "putchar",
        "std::cout", "std::cerr", "std::clog", "<iostream>"},
       "core prints nothing: return it, or make it a finding",
       tests},
      {{"std::mutex", "std::timed_mutex", "std::recursive_mutex", "std::shared_mutex",
        "std::condition_variable", "std::thread", "std::jthread", "std::atomic",
        "std::atomic_flag", "std::atomic_thread_fence", "std::counting_semaphore",
        "std::latch", "std::barrier", "std::call_once", "std::future"},
       "only core/sync and core/runtime touch the host's threads and atomics",
       host_sync},
      {{"std::atomic_ref"},
       "only core/memory (user bytes), core/sync and core/runtime may",
       host_sync_or_memory},
      {{"thread_local"},
       "fibers share it: keep it in the task or the machine",
       host_sync},
      {{"std::unordered_map", "std::unordered_set", "std::unordered_multimap",
        "std::unordered_multiset"},
       "the order of an unordered container must not influence a run",
       nowhere},
      {{"std::random_device", "std::mt19937", "std::mt19937_64", "rand", "srand"},
       "choose() is the only source of nondeterminism",
       nowhere},
      {{"steady_clock", "system_clock", "high_resolution_clock", "clock_gettime",
        "gettimeofday", "sleep_for", "usleep", "nanosleep"},
       "no clock may influence a run",
       clocks},
      {{"std::optional<SpinGuard>", "std::optional<PtlGuard>",
        "std::optional<ReadGuard>", "std::optional<WriteGuard>",
        "std::optional<MutexGuard>", "std::optional<RcuReadGuard>"},
       "letting go may throw: MaybeGuard",
       tests},
  };
  return kRules;
}

// ---- The rules ----------------------------------------------------------------------

// What holds for every line of text, code or not.  The marks are spelled in two halves
// so that this file does not complain of itself.
Complaints line_complaints(const std::string& path, std::string_view text) {
  constexpr std::string_view kUnfinished[] = {
      "TO"
      "DO",
      "FIX"
      "ME",
      "XX"
      "X"};
  Complaints complaints;
  for_each_line(text, [&](int number, std::string_view line) {
    const auto complain = [&](std::string sentence) {
      complaints.push_back({path, number, std::move(sentence)});
    };
    if (columns(line) > kColumnsMax) {
      complain(std::to_string(columns(line)) + " columns, at most " +
               std::to_string(kColumnsMax));
    }
    if (line.find('\t') != line.npos) complain("a tab");
    if (line.ends_with(' ') || line.ends_with('\r')) complain("blanks at the end");
    for (const std::string_view mark : kUnfinished) {
      if (has_word(line, mark)) complain("unfinished: " + std::string(mark));
    }
  });
  return complaints;
}

// What holds for the code of core.
Complaints code_complaints(const std::string& path, std::string_view text) {
  Complaints complaints;
  bool in_comment = false;
  for_each_line(text, [&](int number, std::string_view line) {
    const std::string code = code_of(line, in_comment);
    for (const WordRule& rule : word_rules()) {
      if (rule.allowed_in(path)) continue;
      for (const std::string_view word : rule.words) {
        if (!has_word(code, word)) continue;
        complaints.push_back(
            {path, number, std::string(word) + ": " + std::string(rule.sentence)});
      }
    }
  });
  return complaints;
}

// A comment that says "Tested by" names files that are there: beside it, or by their
// path from the root.
Complaints tester_complaints(const std::string& path, std::string_view text,
                             const std::function<bool(const std::string&)>& is_file) {
  Complaints complaints;
  const std::string folder = path.substr(0, path.rfind('/') + 1);
  bool told = false;  // the comment has come to its testers
  for_each_line(text, [&](int number, std::string_view line) {
    told = told && line.starts_with("//");
    if (!told && line.starts_with("//")) {
      const auto at = std::min(line.find("Tested"), line.size());
      told = at != line.size();
      line.remove_prefix(at);
    }
    if (!told) return;
    std::istringstream words{std::string(line)};
    for (std::string word; words >> word;) {
      word.resize(word.find_last_not_of(".,;:()") + 1);
      word.erase(0, word.find_first_not_of('('));
      if (!word.ends_with("_test.cc") && !word.ends_with("_test.sh")) continue;
      const bool has_folder = word.find('/') != word.npos;
      if (is_file(has_folder ? word : folder + word)) continue;
      complaints.push_back({path, number, "there is no test " + word});
    }
  });
  return complaints;
}

// ---- The rules, on strings ----------------------------------------------------------

std::string lines_verdict(std::string_view text) {
  return listed(line_complaints("x.cc", text));
}

std::string code_verdict(const std::string& path, std::string_view text) {
  return listed(code_complaints(path, text));
}

TEST(Tidy, ALineHasAtMostAHundredColumns) {
  EXPECT_EQ(lines_verdict(std::string(100, 'a') + "\n"), "");
  EXPECT_EQ(lines_verdict("\n" + std::string(101, 'a')),
            "x.cc:2: 101 columns, at most 100\n");
}

TEST(Tidy, AColumnIsACharacterNotAByte) {
  std::string line;
  for (int i = 0; i < 100; ++i) line += "\u2264";
  EXPECT_EQ(lines_verdict(line), "");
}

TEST(Tidy, NoTabsNoBlanksAtTheEnd) {
  EXPECT_EQ(lines_verdict("a\tb"), "x.cc:1: a tab\n");
  EXPECT_EQ(lines_verdict("a \nb\r\n"),
            "x.cc:1: blanks at the end\nx.cc:2: blanks at the end\n");
}

TEST(Tidy, NothingIsLeftUnfinished) {
  EXPECT_EQ(lines_verdict("// TO"
                          "DO: later"),
            "x.cc:1: unfinished: TO"
            "DO\n");
  EXPECT_EQ(lines_verdict("// FIX"
                          "ME later"),
            "x.cc:1: unfinished: FIX"
            "ME\n");
  EXPECT_EQ(lines_verdict("mktemp /tmp/a.XXXXXX"), "");  // not a whole word
}

TEST(Tidy, CoreDoesNotPrint) {
  EXPECT_NE(code_verdict("core/mm/fault.cc", "  std::printf(\"x\");"), "");
  EXPECT_NE(code_verdict("core/mm/fault.cc", "#include <iostream>"), "");
  EXPECT_EQ(code_verdict("core/mm/fault.cc", "std::snprintf(line, n, \"printf\");"),
            "");
  EXPECT_EQ(code_verdict("core/mm/fault_test.cc", "printf(\"x\");"), "");
}

TEST(Tidy, OnlySyncAndRuntimeTouchTheHost) {
  EXPECT_NE(code_verdict("core/mm/mm.h", "std::mutex lock;"), "");
  EXPECT_NE(code_verdict("core/mm/mm.h", "std::atomic<int> users;"), "");
  EXPECT_NE(code_verdict("core/memory/frame.h", "std::atomic<int> count;"), "");
  EXPECT_NE(code_verdict("core/mm/mm.h", "std::atomic_ref byte(b);"), "");
  EXPECT_NE(code_verdict("core/mm/mm.cc", "thread_local int depth;"), "");
  EXPECT_EQ(code_verdict("core/memory/frame.h", "std::atomic_ref byte(b);"), "");
  EXPECT_EQ(code_verdict("core/sync/atomic.h", "std::atomic<T> word_;"), "");
  EXPECT_EQ(code_verdict("core/runtime/native.cc", "std::thread worker;"), "");
  EXPECT_EQ(code_verdict("core/mm/mm_test.cc", "std::thread other;"), "");
}

TEST(Tidy, NothingInfluencesARunButChoices) {
  EXPECT_NE(code_verdict("core/mm/mm.h", "std::unordered_map<Mm*, int> all;"), "");
  EXPECT_NE(code_verdict("core/mm/mm_test.cc", "std::random_device seed;"), "");
  EXPECT_NE(code_verdict("core/mm/mm.cc", "std::chrono::steady_clock::now()"), "");
  EXPECT_EQ(code_verdict("core/mm/mm.cc", "int operand = brand;"), "");
  EXPECT_EQ(code_verdict("core/mm/mm_benchmark.cc", "steady_clock::now()"), "");
}

TEST(Tidy, AGuardThatMayNotBeThereIsNoOptional) {
  EXPECT_NE(code_verdict("core/mm/mm.cc", "std::optional<ReadGuard> tables;"), "");
  EXPECT_EQ(code_verdict("core/mm/mm.cc", "MaybeGuard<ReadGuard> tables;"), "");
}

TEST(Tidy, CommentsAndLiteralsAreNotCode) {
  EXPECT_EQ(code_verdict("core/mm/mm.cc", "x(); // not std::mutex"), "");
  EXPECT_EQ(code_verdict("core/mm/mm.cc", "/* std::mutex\n std::mutex */ int x;"), "");
  EXPECT_NE(code_verdict("core/mm/mm.cc", "/* a */ std::mutex m;"), "");
  EXPECT_EQ(code_verdict("core/mm/mm.cc", "say(\"\\\"std::mutex\");"), "");
  EXPECT_NE(code_verdict("core/mm/mm.cc", "f('\"', 1'000); std::mutex m;"), "");
}

TEST(Tidy, WhoIsNamedAsATestIsThere) {
  const auto verdict = [](std::string_view text) {
    return listed(tester_complaints("core/mm/a.cc", text, [](const std::string& file) {
      return file == "core/mm/a_test.cc" || file == "fuzz/b_test.sh";
    }));
  };
  EXPECT_EQ(verdict("// core/mm/a.cc - does it.  Tested by a_test.cc.\n"), "");
  EXPECT_EQ(verdict("// Tested by a_test.cc, fuzz/b_test.sh and corpus/programs.\n"),
            "");
  EXPECT_EQ(verdict("// Does it.\n//\n// Tested by b_test.cc.\n"),
            "core/mm/a.cc:3: there is no test b_test.cc\n");
  EXPECT_EQ(verdict("// Tested\n// by a_test.cc (b_test.sh):\n"),
            "core/mm/a.cc:2: there is no test b_test.sh\n");
  EXPECT_EQ(verdict("// Tested by a_test.cc.\n\n// As c_test.cc does.\n"), "");
}

// ---- The tree -----------------------------------------------------------------------

bool is_ours(std::string_view path) {
  return is_cxx(path) || path.ends_with("CMakeLists.txt") || path.ends_with(".sh") ||
         path == ".ci/run";
}

TEST(Tidy, EveryLineOfTheTree) {
  constexpr std::string_view kFolders[] = {"core", "fuzz", "stress", "repro", ".ci"};
  auto files = read_tree(RACIER_SOURCE_DIR, kFolders, is_ours);
  ASSERT_FALSE(files.empty()) << "no sources below " RACIER_SOURCE_DIR;
  for (const char* const path : {"CMakeLists.txt", "racier"}) {
    const std::filesystem::path root = RACIER_SOURCE_DIR;
    files.push_back({path, read_text(root / path)});
  }
  Complaints complaints;
  for (const SourceFile& file : files) {
    const Complaints more = line_complaints(file.path, file.text);
    complaints.insert(complaints.end(), more.begin(), more.end());
  }
  EXPECT_TRUE(complaints.empty()) << listed(complaints);
}

TEST(Tidy, EveryTestThatIsNamed) {
  constexpr std::string_view kFolders[] = {"core", "fuzz", "stress", "repro"};
  const std::filesystem::path root = RACIER_SOURCE_DIR;
  const auto is_file = [&](const std::string& path) {
    return std::filesystem::is_regular_file(root / path);
  };
  Complaints complaints;
  for (const SourceFile& file : read_tree(root, kFolders, is_cxx)) {
    const Complaints more = tester_complaints(file.path, file.text, is_file);
    complaints.insert(complaints.end(), more.begin(), more.end());
  }
  EXPECT_TRUE(complaints.empty()) << listed(complaints);
}

TEST(Tidy, EveryWordOfCore) {
  constexpr std::string_view kFolders[] = {"core"};
  const auto files = read_tree(RACIER_SOURCE_DIR, kFolders, is_cxx);
  ASSERT_FALSE(files.empty()) << "no sources below " RACIER_SOURCE_DIR "/core";
  Complaints complaints;
  for (const SourceFile& file : files) {
    const Complaints more = code_complaints(file.path, file.text);
    complaints.insert(complaints.end(), more.begin(), more.end());
  }
  EXPECT_TRUE(complaints.empty()) << listed(complaints);
}

}  // namespace
}  // namespace racier::base
