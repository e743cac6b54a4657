// repro/page_in_browser_test.cc - presses the keys of a page, in Chromium without a
// window.  Skipped where that is not installed: it is too large to be installed for
// this.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <sstream>

#include "repro/explain_page.h"
#include "repro/explainer.h"
#include "repro/files.h"
#include "repro/program_file.h"

namespace racier::repro {
namespace {

namespace fs = std::filesystem;

// What is done in the page, and what it then looks like: `name=value` lines, which end
// up in the document that the browser prints.
constexpr std::string_view kDriver = R"js(<script>
const said = [];
const say = (name, value) => said.push(name + '=' + value);
const press = (key, more) => document.body.dispatchEvent(
  new KeyboardEvent('keydown', {key, bubbles: true, cancelable: true, ...more}));
const at = () => [...document.querySelectorAll('[aria-current=step]')].map((row) => row.id);
const panel = () => document.getElementById('state').innerText.replaceAll('\n', '|');
const shown = (id) => getComputedStyle(document.getElementById(id)).display !== 'none';
say('opened', at());
for (const key of ['Home', 'j', 'ArrowDown', 'k', 'ArrowUp', 'k', 'End', 'j', 'p', 'p', 'n',
                   'p', 'k']) {
  press(key);
  say('after ' + said.length + ' ' + key, at());
}
say('panel', panel());
press('j', {ctrlKey: true});
say('with ctrl', at());
press('c');
say('clash', at());
say('clash panel', panel());
press('Home');
press('j');
press('j');
say('hidden but current', shown('s2'));
say('hidden', shown('s3'));
press('a');
say('all', shown('s3') + ' ' + document.getElementById('all').ariaPressed);
press('a');
say('not all', shown('s3') + ' ' + document.getElementById('all').ariaPressed);
document.getElementById('last').click();
say('button', at());
document.getElementById('s24').click();
say('row', at() + ' ' + location.hash);
say('loaded', performance.getEntriesByType('resource').length);
document.body.dataset.said = said.join('^');
</script>)js";

std::string in_quotes(const std::string& text) { return "'" + text + "'"; }

// Returns what a command prints.
std::string output_of(const std::string& command) {
  std::string text;
  FILE* const pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) return text;
  char bytes[4096];
  while (const std::size_t count = std::fread(bytes, 1, sizeof bytes, pipe)) {
    text.append(bytes, count);
  }
  ::pclose(pipe);
  return text;
}

// Opens `page` in a browser with a profile in `folder`; returns what the driver said.
std::map<std::string, std::string> said_by(const std::string& page,
                                           const fs::path& folder) {
  write_file(folder / "page.html", page);
  const std::string dom = output_of(
      "timeout 90 chromium --headless --no-sandbox --disable-gpu --disable-quic "
      "--no-first-run --disable-background-networking --disable-component-update "
      "--disable-sync --window-size=1200,800 --user-data-dir=" +
      in_quotes((folder / "profile").string()) + " --dump-dom " +
      in_quotes("file://" + (folder / "page.html").string()) + " 2>/dev/null");
  constexpr std::string_view kSaid = "data-said=\"";
  const std::size_t at = dom.find(kSaid);
  EXPECT_NE(at, dom.npos) << dom.substr(0, 2000);
  if (at == dom.npos) return {};
  const std::size_t begin = at + kSaid.size();
  std::istringstream lines(dom.substr(begin, dom.find('"', begin) - begin));
  std::map<std::string, std::string> said;
  for (std::string line; std::getline(lines, line, '^');) {
    const std::size_t equals = line.find('=');
    said[line.substr(0, equals)] = line.substr(equals + 1);
  }
  return said;
}

TEST(PageInABrowser, KeysGoThroughTheSteps) {
  if (std::system("command -v chromium >/dev/null") != 0) {
    GTEST_SKIP()
        << "chromium is not installed: nobody presses the keys of an explanation";
  }
  const std::string file =
      RACIER_SOURCE_DIR "/corpus/bugs/anon_vma_freed_before_lock.racier";
  std::string page = explain_page(explain(read_program(file).program, file).value());
  page.insert(page.rfind("</body>"), kDriver);
  std::string name = (fs::temp_directory_path() / "racier-page-XXXXXX").string();
  ASSERT_NE(::mkdtemp(name.data()), nullptr);
  const fs::path folder = name;
  auto said = said_by(page, folder);
  fs::remove_all(folder);

  EXPECT_EQ(said["opened"], "s41") << "where the memory is freed";
  EXPECT_EQ(said["after 1 Home"], "s0");
  EXPECT_EQ(said["after 2 j"], "s1");
  EXPECT_EQ(said["after 3 ArrowDown"], "s2");
  EXPECT_EQ(said["after 4 k"], "s1");
  EXPECT_EQ(said["after 5 ArrowUp"], "s0");
  EXPECT_EQ(said["after 6 k"], "s0") << "there is none before";
  EXPECT_EQ(said["after 7 End"], "s45");
  EXPECT_EQ(said["after 8 j"], "s45") << "there is none behind";
  EXPECT_EQ(said["after 9 p"], "s44") << "A goes on";
  EXPECT_EQ(said["after 10 p"], "s14") << "B begins";
  EXPECT_EQ(said["after 11 n"], "s44");
  EXPECT_EQ(said["after 12 p"], "s14");
  EXPECT_EQ(said["after 13 k"], "s13");
  EXPECT_NE(said["panel"].find("Behind step 13|"), std::string::npos) << said["panel"];
  EXPECT_NE(said["panel"].find("task A|"), std::string::npos);
  EXPECT_NE(said["panel"].find("holds page_lock of page 5|in an RCU read section"),
            std::string::npos)
      << said["panel"];
  EXPECT_NE(said["panel"].find("page 5 count|2"), std::string::npos) << said["panel"];
  EXPECT_EQ(said["with ctrl"], "s13") << "a key of the browser's own";
  EXPECT_EQ(said["clash"], "s41");
  EXPECT_NE(said["clash panel"].find("task B|holds mm 1 mmap_sem|"), std::string::npos)
      << said["clash panel"];
  EXPECT_EQ(said["hidden but current"], "true");
  EXPECT_EQ(said["hidden"], "false");
  EXPECT_EQ(said["all"], "true true");
  EXPECT_EQ(said["not all"], "false false");
  EXPECT_EQ(said["button"], "s45");
  EXPECT_EQ(said["row"], "s24 #s24");
  EXPECT_EQ(said["loaded"], "0") << "a page that needs nothing else";
}

}  // namespace
}  // namespace racier::repro
