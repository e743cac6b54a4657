// repro/explain_page.cc - see explain_page.h.  Tested by explain_page_test.cc.
#include "repro/explain_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "repro/markup.h"

namespace racier::repro {
namespace {

using program::Phase;
using Json = nlohmann::ordered_json;

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

class Document {
 public:
  explicit Document(const Explanation& of) : of_(of) {
    for (std::size_t task = 0; task < of.tasks.size(); ++task) {
      if (of.tells(static_cast<int>(task))) ran_.insert(task);
    }
  }

  std::string text() {
    add("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    add("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    add(fmt::format("<title>{}</title>\n", escaped(of_.finding.title)));
    add(fmt::format("<style>{}</style>\n</head>\n<body>\n", kPageStyle));
    head();
    buttons();
    add("<main>\n");
    run();
    add("<aside id=\"state\" aria-live=\"polite\" aria-label=\"State at the current "
        "step\"></aside>\n</main>\n");
    add(fmt::format("<script type=\"application/json\" id=\"data\">{}</script>\n",
                    data()));
    add(fmt::format("<script>{}</script>\n</body>\n</html>\n", kPageScript));
    return std::move(text_);
  }

 private:
  void add(std::string_view text) { text_ += text; }

  void field(std::string_view name, const std::vector<std::string>& lines,
             std::string_view kind = "") {
    if (lines.empty()) return;
    add(fmt::format("<dt>{}</dt><dd{}>", name,
                    kind.empty() ? "" : fmt::format(" class=\"{}\"", kind)));
    for (const std::string& line : lines) add(fmt::format("<p>{}</p>", escaped(line)));
    add("</dd>\n");
  }

  void head() {
    add(fmt::format("<header>\n<h1>{}</h1>\n<dl>\n", escaped(of_.finding.title)));
    field("signature", {of_.finding.signature()});
    field("place", {of_.where});
    std::vector<std::string> armed;
    for (const ExplainedRow& row : of_.rows) {
      armed.push_back(
          fmt::format("{} ({}): {}", row_title(row), row.origin, row.sentence));
    }
    field("armed", armed);
    field("run", {counts_text(of_)});
    field("story", of_.story);
    field("clash", of_.clash, "clash");
    field("last good", {of_.last_good});
    field("first bad", {of_.first_bad});
    if (of_.detail != of_.clash) field("detail", of_.detail);
    std::string set_up;
    for (const ExplainedCall& call : of_.calls) {
      if (call.list == 0) set_up += (set_up.empty() ? "" : "; ") + call.text;
    }
    if (!set_up.empty()) field("set-up", {set_up});
    add("</dl>\n</header>\n");
  }

  void button(std::string_view id, std::string_view words, std::string_view keys,
              std::string_view shown) {
    add(fmt::format(
        "<button type=\"button\" id=\"{}\" aria-keyshortcuts=\"{}\"{}>{} "
        "<kbd>{}</kbd></button>\n",
        id, keys, id == "all" ? " aria-pressed=\"false\"" : "", words, shown));
  }

  void buttons() {
    add("<nav aria-label=\"Steps\">\n");
    button("first", "first", "Home", "Home");
    button("back", "back", "k ArrowUp", "k ↑");
    button("next", "next", "j ArrowDown", "j ↓");
    button("last", "last", "End", "End");
    button("turnback", "switch before", "p", "p");
    button("turn", "next switch", "n", "n");
    button("clash", "clash", "c", "c");
    button("all", "all steps", "a", "a");
    add("</nav>\n");
  }

  std::string name_of(std::size_t task) const {
    return (of_.tasks[task] == "rcu" ? "" : "task ") + of_.tasks[task];
  }

  void run() {
    add("<section id=\"run\" tabindex=\"0\" aria-label=\"Steps of each "
        "task\">\n<table>\n"
        "<caption>Time goes downwards, a lane for each task.");
    if (of_.skipped > 0)
      add(fmt::format(" {} steps before are left out.", of_.skipped));
    add("</caption>\n"
        "<thead><tr><th scope=\"col\" class=\"number\">step</th>");
    for (const std::size_t task : ran_) {
      add(fmt::format("<th scope=\"col\">{}</th>", escaped(name_of(task))));
    }
    add("</tr></thead>\n<tbody>\n");
    const int count = static_cast<int>(of_.steps.size());
    for (int i = 0; i < count; ++i) {
      turn(i);
      fold(i);
      row(i);
    }
    add("</tbody>\n</table>\n</section>\n");
  }

  const ExplainedStep& at(int i) const {
    return of_.steps[static_cast<std::size_t>(i)];
  }
  bool plain(int i) const { return !at(i).notable; }
  bool turns(int i) const {
    const ExplainedStep& step = at(i);
    return step.turn != Turn::kGoesOn && step.task >= 0 && of_.tells(step.task) &&
           of_.tells(at(i - 1).task);
  }

  // Says how many steps are hidden, in front of the first of them.
  void fold(int begin) {
    const int task = at(begin).task;
    if (!plain(begin) ||
        (begin > 0 && plain(begin - 1) && at(begin - 1).task == task)) {
      return;
    }
    int end = begin;
    const int count = static_cast<int>(of_.steps.size());
    while (end < count && plain(end) && at(end).task == task) ++end;
    const std::string words =
        fmt::format("… {} {} of {}", end - begin, end - begin == 1 ? "step" : "steps",
                    of_.tasks[static_cast<std::size_t>(task)]);
    add("<tr class=\"fold\"><th></th>");
    lanes(task, escaped(words));
    add("</tr>\n");
  }

  void turn(int i) {
    const ExplainedStep& step = at(i);
    if (!turns(i)) return;
    const ExplainedStep& before = at(i - 1);
    const std::string& who = of_.tasks[static_cast<std::size_t>(before.task)];
    std::string words;
    if (step.turn == Turn::kPreempts) {
      words = who + " is interrupted";
      if (!before.holds.empty()) words += ", holds " + joined(before.holds);
      if (before.in_rcu) words += ", in an RCU read section";
      words += "; ";
    } else if (!before.waits_for.empty()) {
      words = who + " waits for " + before.waits_for + "; ";
    }
    words += of_.tasks[static_cast<std::size_t>(step.task)] + " runs";
    add(fmt::format("<tr class=\"turn\"><th></th><td colspan=\"{}\">{}</td></tr>\n",
                    std::max<std::size_t>(ran_.size(), 1), escaped(words)));
  }

  // The cells of a row: one of them has `content`.
  void lanes(int task, const std::string& content) {
    if (task < 0 || !ran_.contains(static_cast<std::size_t>(task))) {
      add(fmt::format("<td class=\"mine\" colspan=\"{}\">{}</td>",
                      std::max<std::size_t>(ran_.size(), 1), content));
      return;
    }
    for (const std::size_t lane : ran_) {
      const bool mine = lane == static_cast<std::size_t>(task);
      add(mine ? fmt::format("<td class=\"mine\">{}</td>", content)
               : std::string("<td></td>"));
    }
  }

  bool begins_call(int i) const {
    for (int before = i - 1; before >= 0; --before) {
      if (at(before).task == at(i).task) return at(before).call != at(i).call;
    }
    return true;
  }

  void row(int i) {
    const ExplainedStep& step = at(i);
    std::string kinds = "step";
    if (plain(i)) kinds += " plain";
    if (step.clashes) kinds += " clash";
    if (step.finding) kinds += " finding";
    add(fmt::format("<tr id=\"s{}\" class=\"{}\"><th scope=\"row\">{}</th>", i, kinds,
                    step.finding ? "finding" : fmt::format("{}", of_.number_of(i))));
    std::string content;
    if (step.call >= 0 && begins_call(i)) {
      content +=
          fmt::format("<span class=\"call\">{}</span>",
                      escaped(of_.calls[static_cast<std::size_t>(step.call)].text));
    }
    if (step.task < 0 && of_.phase != Phase::kTasks) {
      content += fmt::format("the {} says: ", program::phase_name(of_.phase));
    }
    content += escaped(step.function);
    if (!step.place.empty()) {
      content += fmt::format(" <span class=\"site\">{}</span>", escaped(step.place));
    }
    content += fmt::format("<span class=\"words\">{}</span>", escaped(step.what));
    lanes(step.task, content);
    add("</tr>\n");
  }

  // What the script wants to know of the steps.
  std::string data() const {
    Json steps = Json::array();
    for (int i = 0; i < static_cast<int>(of_.steps.size()); ++i) {
      const ExplainedStep& step = at(i);
      steps.push_back({{"task", step.task},
                       {"what", step.what},
                       {"object", step.object},
                       {"before", step.before},
                       {"after", step.after},
                       {"counts", step.counts},
                       {"holds", step.holds},
                       {"waits", step.waits_for},
                       {"rcu", step.in_rcu},
                       {"turn", turns(i)},
                       {"clash", step.clashes},
                       {"finding", step.finding}});
    }
    const std::string plain =
        Json{{"tasks", of_.tasks}, {"skipped", of_.skipped}, {"steps", steps}}.dump();
    std::string safe;  // nothing in it ends the element
    for (const char c : plain) {
      if (c == '<') {
        safe += "\\u003c";
      } else {
        safe += c;
      }
    }
    return safe;
  }

  const Explanation& of_;
  std::set<std::size_t> ran_;  // tasks that tell something
  std::string text_;
};

}  // namespace

std::string explain_page(const Explanation& explanation) {
  return Document(explanation).text();
}

}  // namespace racier::repro
