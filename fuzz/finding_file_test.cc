#include "fuzz/finding_file.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <iterator>

#include "core/program/parse.h"

namespace racier::fuzz {
namespace {

namespace fs = std::filesystem;

// A folder that is gone at the end.
class Folder {
 public:
  Folder() {
    std::string name = fs::temp_directory_path() / "racier_test.XXXXXX";
    path_ = mkdtemp(name.data());
  }
  ~Folder() { fs::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  const fs::path& path() const { return path_; }
  std::size_t files() const {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(path_), fs::directory_iterator()));
  }

 private:
  fs::path path_;
};

Found found() {
  Found found;
  found.finding.kind = FindingKind::kRmap;
  found.finding.title = "a \"title\"";
  found.finding.detail = "one\n\ntwo\n";
  found.finding.task = 1;
  found.finding.step = 7;
  found.phase = program::Phase::kTasks;
  found.program.tasks.resize(2);
  found.program.expectation = {program::Expectation::Kind::kFinding, found.finding.kind,
                               found.finding.title};
  return found;
}

TEST(FindingFile, IsNamedByItsSignature) {
  Finding a = found().finding;
  Finding b = a;
  b.detail = "something else";
  b.step = 9;
  EXPECT_EQ(finding_file_name(a), finding_file_name(b));
  EXPECT_TRUE(finding_file_name(a).starts_with("finding-rmap-"));
  EXPECT_TRUE(finding_file_name(a).ends_with(".racier"));
  b.title = "another";
  EXPECT_NE(finding_file_name(a), finding_file_name(b));
}

TEST(FindingFile, IsAProgramWithAComment) {
  const program::Parsed parsed = program::parse(finding_text(found()));
  ASSERT_TRUE(parsed.program) << parsed.error.str("text");
  EXPECT_EQ(parsed.program->expectation, found().program.expectation);
  const std::string& header = parsed.program->header;
  EXPECT_TRUE(header.starts_with("rmap | a \"title\"\nat ")) << header;
  EXPECT_NE(header.find("one\n\ntwo\n"), header.npos);
  EXPECT_NE(header.find("replay: racier repro run finding-rmap-"), header.npos);
}

TEST(FindingFile, AReportBeginsLikeAFailedAssertion) {
  Found bug = found();
  bug.finding.where = std::source_location::current();
  const std::string report = finding_report(bug);
  EXPECT_TRUE(report.starts_with("racier: fuzz/finding_file_test.cc:")) << report;
  EXPECT_NE(report.find(": TestBody: Assertion 'rmap | a \"title\"' failed.\n"),
            report.npos)
      << report;
  EXPECT_NE(
      report.find("\nBUG: a \"title\"\n in the tasks, by task B at its step 7\n one\n"),
      report.npos)
      << report;
}

TEST(FindingFile, APlaceThatIsNotKnownIsThatOfTheFirstFrame) {
  Found race = found();
  race.finding.where = {};
  race.finding.detail = "  write by task 1\n    removed (walk_audit.cc:66)\n";
  EXPECT_TRUE(finding_report(race).starts_with(
      "racier: walk_audit.cc:66: removed: Assertion 'rmap | a \"title\"' failed.\n"));
  race.finding.detail = "nothing";
  EXPECT_TRUE(finding_report(race).starts_with("racier: ?:0: ?: Assertion "));
}

TEST(FindingFile, IsWrittenWhole) {
  const Folder folder;
  const fs::path file = folder.path() / "x";
  EXPECT_EQ(write_whole(file, "first"), "");
  EXPECT_EQ(write_whole(file, "second\n"), "");
  std::ifstream in(file);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(in), {}), "second\n");
  EXPECT_EQ(folder.files(), 1u);
}

TEST(FindingFile, WhatCannotBeWrittenIsSaid) {
  const Folder folder;
  EXPECT_EQ(write_whole(folder.path() / "no" / "x", "text"),
            "cannot write " + (folder.path() / "no" / "x").string() +
                ": No such file or directory");
  // A folder in its place: the text is written aside, and goes again.
  fs::create_directory(folder.path() / "x");
  EXPECT_EQ(write_whole(folder.path() / "x", "text"),
            "cannot write " + (folder.path() / "x").string() + ": Is a directory");
  EXPECT_EQ(folder.files(), 1u);
}

TEST(FindingFile, FoldersAreMadeIfTheyCanBe) {
  const Folder folder;
  EXPECT_EQ(prepare_folder(folder.path() / "a" / "b"), "");
  EXPECT_TRUE(fs::is_directory(folder.path() / "a" / "b"));
  EXPECT_EQ(write_whole(folder.path() / "file", ""), "");
  EXPECT_NE(prepare_folder(folder.path() / "file"), "");
  EXPECT_NE(prepare_folder(folder.path() / "file" / "a"), "");
  EXPECT_NE(prepare_folder("/proc/racier"), "");
}

}  // namespace
}  // namespace racier::fuzz
