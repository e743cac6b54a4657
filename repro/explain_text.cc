// repro/explain_text.cc - lays an explanation out in columns.
//
// Tested by explain_text_test.cc.
#include "repro/explain_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <vector>

namespace racier::repro {
namespace {

using program::Phase;

constexpr int kGutter = 6;  // the number of a step, and a mark
constexpr int kColumnMin = 26;

constexpr std::string_view kPlain = "\033[0m";
constexpr std::string_view kBold = "\033[1m";
constexpr std::string_view kDim = "\033[2m";
constexpr std::string_view kRed = "\033[1;31m";
constexpr std::string_view kYellow = "\033[33m";

bool continues(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

int columns_of(std::string_view text) {
  return static_cast<int>(
      std::count_if(text.begin(), text.end(), [](char c) { return !continues(c); }));
}

// Returns the first `columns` of `text`.
std::string_view first_columns(std::string_view text, int columns) {
  std::size_t end = 0;
  while (end < text.size() && columns > 0) {
    ++end;
    while (end < text.size() && continues(text[end])) ++end;
    --columns;
  }
  return text.substr(0, end);
}

// Breaks `text` into lines of at most `width` columns, at spaces where it can be;
// from the second on they are indented.
std::vector<std::string> wrapped(std::string_view text, int width, int indent) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const int left = lines.empty() ? width : width - indent;
    std::string_view line = first_columns(text, left);
    if (line.size() < text.size()) {
      const std::size_t space = text.substr(0, line.size() + 1).rfind(' ');
      if (space != text.npos && space > 0) line = text.substr(0, space);
    }
    lines.push_back(
        std::string(lines.empty() ? 0 : static_cast<std::size_t>(indent), ' ') +
        std::string(line));
    text.remove_prefix(line.size());
    while (text.starts_with(' ')) text.remove_prefix(1);
  }
  return lines;
}

class Page {
 public:
  Page(const Explanation& of, const TextLook& look) : of_(of), look_(look) {
    lay_out();
  }

  std::string text() {
    head();
    steps();
    return std::move(text_);
  }

 private:
  // Tasks that tell something get a column; too many for the width share one.
  void lay_out() {
    column_.assign(of_.tasks.size(), -1);
    for (std::size_t task = 0; task < column_.size(); ++task) {
      if (of_.tells(static_cast<int>(task))) column_[task] = 0;
    }
    int count = 0;
    for (int& column : column_) {
      if (column == 0) column = count++;
    }
    columns_ = std::max(count, 1);
    column_width_ = (look_.width - kGutter - 2 * (columns_ - 1)) / columns_;
    if (column_width_ >= kColumnMin) return;
    for (int& column : column_) column = std::min(column, 0);
    columns_ = 1;
    column_width_ = std::max(look_.width - kGutter, kColumnMin);
    shared_ = true;
  }

  std::string in(std::string_view style, std::string_view text) const {
    if (!look_.colour) return std::string(text);
    return std::string(style) + std::string(text) + std::string(kPlain);
  }

  void paragraph(std::string_view label, std::string_view text,
                 std::string_view style = "") {
    constexpr int kIndent = 11;
    bool first = true;
    for (const std::string& line : wrapped(text, look_.width - kIndent, 0)) {
      text_ += in(kDim, fmt::format("{:<{}}", first ? label : "", kIndent));
      text_ += (style.empty() ? line : in(style, line)) + "\n";
      first = false;
    }
  }

  void head() {
    paragraph("finding", of_.finding.title, kRed);
    paragraph("signature", of_.finding.signature());
    paragraph("place", of_.where);
    for (const ExplainedRow& row : of_.rows) {
      paragraph("armed",
                fmt::format("{} ({}): {}", row_title(row), row.origin, row.sentence));
    }
    paragraph("run", counts_text(of_));
    bool first = true;
    for (const std::string& sentence : of_.story) {
      paragraph(first ? "story" : "", sentence);
      first = false;
    }
    first = true;
    for (const std::string& line : of_.clash) {
      paragraph(first ? "clash" : "", line, kYellow);
      first = false;
    }
    paragraph("last good", of_.last_good);
    paragraph("first bad", of_.first_bad);
    if (of_.clash != of_.detail) {
      first = true;
      for (const std::string& line : of_.detail) {
        paragraph(first ? "detail" : "", line);
        first = false;
      }
    }
    text_ += "\n";
  }

  void steps() {
    set_up();
    titles();
    if (of_.skipped > 0) {
      text_ +=
          in(kDim, fmt::format("{:{}}… {} steps before", "", kGutter, of_.skipped)) +
          "\n";
    }
    const int count = static_cast<int>(of_.steps.size());
    for (int i = 0; i < count; ++i) {
      const int hidden = folded_from(i);
      if (hidden > 1) {
        turn(i);
        fold(i, hidden);
        i += hidden - 1;
        continue;
      }
      turn(i);
      row(i);
    }
  }

  void set_up() {
    std::string calls;
    for (const ExplainedCall& call : of_.calls) {
      if (call.list == 0) calls += (calls.empty() ? "" : "; ") + call.text;
    }
    if (!calls.empty()) paragraph("set-up", calls);
    if (!calls.empty()) text_ += "\n";
  }

  void titles() {
    if (shared_) return;
    std::string line(kGutter, ' ');
    for (std::size_t task = 0; task < column_.size(); ++task) {
      if (column_[task] < 0) continue;
      const std::string name =
          (of_.tasks[task] == "rcu" ? "" : "task ") + of_.tasks[task];
      line += fmt::format("{:<{}}", name, column_width_ + 2);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text_ += in(kBold, line) + "\n";
  }

  // How many steps of one task from `begin` on tell nothing.
  int folded_from(int begin) const {
    if (look_.all) return 0;
    const int count = static_cast<int>(of_.steps.size());
    int end = begin;
    while (end < count && !of_.steps[static_cast<std::size_t>(end)].notable &&
           of_.steps[static_cast<std::size_t>(end)].task ==
               of_.steps[static_cast<std::size_t>(begin)].task) {
      ++end;
    }
    return end - begin;
  }

  void fold(int begin, int hidden) {
    const ExplainedStep& step = of_.steps[static_cast<std::size_t>(begin)];
    if (column_[static_cast<std::size_t>(step.task)] < 0) return;
    std::string words = fmt::format("… {} steps of {}", hidden,
                                    of_.tasks[static_cast<std::size_t>(step.task)]);
    int calls = 0;
    for (int i = begin; i < begin + hidden; ++i) calls += begins_call(i) ? 1 : 0;
    if (calls > 1) words += fmt::format(", {} calls begin", calls);
    cell(step.task, "", {words}, kDim);
  }

  // A line where another task goes on.
  void turn(int i) {
    const ExplainedStep& step = of_.steps[static_cast<std::size_t>(i)];
    if (step.turn == Turn::kGoesOn || step.task < 0) return;
    const ExplainedStep& before = of_.steps[static_cast<std::size_t>(i - 1)];
    if (!of_.tells(step.task) || !of_.tells(before.task)) return;
    const std::string& name = of_.tasks[static_cast<std::size_t>(step.task)];
    std::string words;
    if (step.turn == Turn::kPreempts) {
      words = fmt::format("{} is interrupted",
                          of_.tasks[static_cast<std::size_t>(before.task)]);
      if (!before.holds.empty()) words += ", holds " + joined(before.holds);
      if (before.in_rcu) words += ", in an RCU read section";
      words += "; ";
    } else if (!before.waits_for.empty()) {
      words = fmt::format("{} waits for {}; ",
                          of_.tasks[static_cast<std::size_t>(before.task)],
                          before.waits_for);
    }
    words += name + " runs";
    const int left = look_.width - kGutter;
    for (const std::string& part : wrapped(words, left - 6, 0)) {
      std::string line = fmt::format("{:>{}}── {} ", "", kGutter, part);
      for (int at = columns_of(line); at < look_.width; ++at) line += "─";
      text_ += in(kYellow, line) + "\n";
    }
  }

  static std::string joined(const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
    return text;
  }

  void row(int i) {
    const ExplainedStep& step = of_.steps[static_cast<std::size_t>(i)];
    if (step.what == "starts" && !look_.all) return;
    if (step.task >= 0 && column_[static_cast<std::size_t>(step.task)] < 0) return;
    const bool of_all = step.task < 0;
    std::string title = step.function;
    if (!step.place.empty()) title += fmt::format(" {}", step.place);
    if (shared_ && !of_all) {
      title = of_.tasks[static_cast<std::size_t>(step.task)] + "  " + title;
    }
    std::vector<std::string> words;
    if (step.call >= 0 && (i == 0 || begins_call(i))) {
      words.push_back("`" + of_.calls[static_cast<std::size_t>(step.call)].text + "`");
    }
    if (of_all && of_.phase != Phase::kTasks) {
      words.push_back(fmt::format("the {} says:", program::phase_name(of_.phase)));
    }
    if (!step.function.empty()) words.push_back(title);
    const int width = of_all ? look_.width - kGutter : column_width_;
    std::vector<std::string> lines;
    for (const std::string& part : words) {
      for (const std::string& line : wrapped(part, width, 2)) lines.push_back(line);
    }
    for (const std::string& line : wrapped(step.what, width - 2, 0)) {
      lines.push_back("  " + line);
    }
    const std::string number = step.finding ? "" : fmt::format("{}", of_.number_of(i));
    const std::string mark = step.finding ? "!!" : step.clashes ? "!" : "";
    cell(step.task,
         fmt::format("{:>4}{:<2}", step.finding ? mark : number,
                     step.finding ? "" : mark),
         lines, step.clashes ? kRed : std::string_view());
  }

  // Returns whether its task was in another call before.
  bool begins_call(int i) const {
    const ExplainedStep& step = of_.steps[static_cast<std::size_t>(i)];
    if (step.call < 0) return false;
    for (int j = i - 1; j >= 0; --j) {
      const ExplainedStep& other = of_.steps[static_cast<std::size_t>(j)];
      if (other.task == step.task) return other.call != step.call;
    }
    return true;
  }

  // Lines in the column of a task; the first one has a number.
  void cell(int task, std::string_view number, const std::vector<std::string>& lines,
            std::string_view style) {
    const int column =
        task < 0 ? 0 : std::max(column_[static_cast<std::size_t>(task)], 0);
    const int indent = column * (column_width_ + 2);
    bool first = true;
    for (const std::string& line : lines) {
      text_ += fmt::format("{:<{}}", first ? number : "", kGutter);
      text_ += std::string(static_cast<std::size_t>(indent), ' ');
      text_ += (style.empty() ? line : in(style, line)) + "\n";
      first = false;
    }
  }

  const Explanation& of_;
  const TextLook& look_;
  std::vector<int> column_;  // by task; -1: it has none
  int columns_ = 1;
  int column_width_ = 0;
  bool shared_ = false;
  std::string text_;
};

}  // namespace

std::string explain_text(const Explanation& explanation, const TextLook& look) {
  return Page(explanation, look).text();
}

}  // namespace racier::repro
