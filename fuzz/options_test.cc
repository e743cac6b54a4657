#include "fuzz/options.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "core/rmap/scheme.h"

namespace racier::fuzz {
namespace {

// Options of the environment, for a scope.
class Environment {
 public:
  Environment(const char* name, const char* value) : name_(name) {
    setenv(name, value, 1);
  }
  ~Environment() { unsetenv(name_); }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

 private:
  const char* name_;
};

ParsedOptions take(std::vector<std::string> arguments) {
  return take_options(arguments);
}
std::string error_of(std::vector<std::string> arguments) {
  return take(arguments).error;
}

std::string scheme_names() {
  std::string names;
  for (const rmap::SchemeRow& row : rmap::schemes()) {
    names += (names.empty() ? "" : ", ") + std::string(row.name);
  }
  return names;
}

TEST(Options, OursAreTakenAndLibFuzzersStay) {
  std::vector<std::string> arguments = {"-runs=3", "--bug=B07", "corpus",
                                        "--steps-max=0x10"};
  const ParsedOptions parsed = take_options(arguments);
  EXPECT_EQ(parsed.error, "");
  EXPECT_EQ(arguments, (std::vector<std::string>{"-runs=3", "corpus"}));
  EXPECT_TRUE(parsed.options.bugs.has(Bug::kRemoveRmapClearsMapping));
  EXPECT_EQ(parsed.options.steps_max, 16u);
}

TEST(Options, SeveralBugsByNameAndNumber) {
  const BugSet bugs =
      take({"--bug=B07,prepare_ptl_before_anonlock", "--bug=B09"}).options.bugs;
  EXPECT_TRUE(bugs.has(Bug::kRemoveRmapClearsMapping));
  EXPECT_TRUE(bugs.has(Bug::kAnonVmaFreedBeforeLock));
  EXPECT_TRUE(bugs.has(Bug::kPreparePtlBeforeAnonLock));
}

TEST(Options, WhatIsWrongIsSaidInALine) {
  EXPECT_EQ(error_of({"--nonsense"}), "no option --nonsense (--help lists them)");
  EXPECT_EQ(error_of({"--bugs=B07"}), "no option --bugs (--help lists them)");
  EXPECT_EQ(error_of({"--"}), "no option -- (--help lists them)");
  EXPECT_EQ(error_of({"--bug"}), "--bug needs a value: --bug=NAME");
  EXPECT_TRUE(error_of({"--bug=B99"}).starts_with("--bug: expected one of B07 "));
  EXPECT_TRUE(error_of({"--bug=B07,B99"}).ends_with("not 'B07,B99'"));
  EXPECT_EQ(error_of({"--as-posted=x"}),
            "--as-posted: expected one of lameter, dickins-rmaplock, davem, "
            "dickins-mmlist, dickins-mmlist-split, kamezawa, not 'x'");
  EXPECT_EQ(error_of({"--rmap=x"}),
            "--rmap: expected one of " + scheme_names() + ", not 'x'");
  EXPECT_EQ(error_of({"--memory=x"}),
            "--memory: expected one of strong, weak, not 'x'");
  EXPECT_EQ(error_of({"--findings="}), "--findings: expected a folder, not ''");
  for (const char* number : {"", "0", "-1", "1x", "99999999999999999999"}) {
    EXPECT_EQ(error_of({std::string("--steps-max=") + number}),
              std::string("--steps-max: expected a number from 1 to 67108864, not '") +
                  number + "'");
  }
  EXPECT_EQ(error_of({"--check-determinism=0"}), "");
}

TEST(Options, TheEnvironmentSaysThemFirst) {
  const Environment steps("RACIER_FUZZ_STEPS_MAX", "7");
  const Environment bug("RACIER_FUZZ_BUG", "B09");
  EXPECT_EQ(take({}).options.steps_max, 7u);
  EXPECT_EQ(take({"--steps-max=8"}).options.steps_max, 8u);
  EXPECT_TRUE(take({"--bug=B07"}).options.bugs.has(Bug::kAnonVmaFreedBeforeLock));
  const Environment wrong("RACIER_FUZZ_RMAP", "x");
  EXPECT_EQ(error_of({}),
            "RACIER_FUZZ_RMAP: expected one of " + scheme_names() + ", not 'x'");
}

TEST(Options, ChildrenGetThemFromTheEnvironment) {
  const Options options =
      take({"--bug=B07,B10", "--findings=/x", "--check-determinism=3",
            "--rmap=anon_vma_spin", "--memory=weak"})
          .options;
  export_options(options);
  const Options child = take({}).options;
  for (const char* name :
       {"BUG", "RMAP", "MEMORY", "FINDINGS", "STEPS_MAX", "CHECK_DETERMINISM"}) {
    unsetenv((std::string("RACIER_FUZZ_") + name).c_str());
  }
  EXPECT_EQ(child.bugs, options.bugs);
  EXPECT_EQ(child.findings, "/x");
  EXPECT_EQ(child.check_determinism, 3u);
  EXPECT_EQ(child.rmap, "anon_vma_spin");
  EXPECT_EQ(child.memory, "weak");
  EXPECT_EQ(child.steps_max, Options().steps_max);
}

TEST(Options, FindingsGoWhereArtifactsGo) {
  EXPECT_EQ(artifact_folder({}), ".");
  EXPECT_EQ(artifact_folder({"-artifact_prefix=/a/b/", "corpus"}), "/a/b");
  EXPECT_EQ(artifact_folder({"-artifact_prefix=/a/b"}), "/a");
  EXPECT_EQ(artifact_folder({"-artifact_prefix=b-"}), ".");
  EXPECT_EQ(artifact_folder({"-exact_artifact_path=/c/crash"}), "/c");
}

TEST(Options, HelpNamesAll) {
  EXPECT_TRUE(take({"--help"}).help);
  const std::string help = options_help("program_fuzz");
  for (const char* word :
       {"--bug=", "--rmap=", "--memory=", "--findings=", "--steps-max=",
        "--check-determinism=", "-help=1", "B07 remove_rmap"}) {
    EXPECT_NE(help.find(word), help.npos) << word;
  }
}

}  // namespace
}  // namespace racier::fuzz
