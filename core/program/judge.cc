// core/program/judge.cc - compares a run with what its program expects.
// Tested by runner_test.cc.
#include "core/program/ops.h"
#include "core/program/print.h"
#include "core/program/runner.h"
#include "core/program/text.h"

namespace racier::program {
namespace {

// Calls `visit` with each call, its number in the program and that of what it defines.
template <typename Calls, typename Visit>
void for_each_call(Calls& program, Visit visit) {
  std::uint32_t number = 0;
  Scope defined;
  for (int list = 0; list < program.lists(); ++list) {
    for (auto& call : program.list(list)) {
      const auto kind = op_of(call).defines;
      visit(list, call, number++, kind ? defined.of(*kind)++ : 0);
    }
  }
}

std::string quoted(const Finding& finding) { return "`" + finding.signature() + "`"; }

void judge_end(const Expectation& expectation, const RunResult& result,
               std::vector<std::string>& problems) {
  const bool found = result.finding.has_value();
  switch (expectation.kind) {
    case Expectation::Kind::kAny:
      return;
    case Expectation::Kind::kClean:
      if (found)
        problems.push_back("expected a clean run, found " + quoted(*result.finding));
      return;
    case Expectation::Kind::kFinding:
      break;
  }
  const bool met =
      found && result.finding->kind == expectation.finding &&
      (expectation.title.empty() || result.finding->title == expectation.title);
  if (met) return;
  Finding wanted;
  wanted.kind = expectation.finding;
  wanted.title = expectation.title.empty() ? "any" : expectation.title;
  problems.push_back(
      "expected " + quoted(wanted) + ", " +
      (found ? "found " + quoted(*result.finding) : "the run was clean"));
}

// Which row of the table of marks belongs to `mark`.
const char* name_of(Mark mark) {
  return mark::rows()[static_cast<std::size_t>(mark)].name;
}

}  // namespace

Verdict judge(const Program& program, const RunResult& result) {
  Verdict verdict;
  judge_end(program.expectation, result, verdict.problems);
  for_each_call(program, [&](int list, const Call& call, std::uint32_t number,
                             std::uint64_t defined) {
    const Outcome& outcome = result.outcomes[number];
    if (!call.expected || outcome.kind == Outcome::Kind::kNotRun) return;
    if (call.expected->met_by(outcome)) return;
    const std::string where =
        list == 0 ? "setup" : "task " + task_name(list - 1, program.lists());
    verdict.problems.push_back(where + ": `" + print_call(call, defined) + "` gave " +
                               outcome.str());
  });
  for (const MarkExpectation& mark : program.marks) {
    if (result.mark(mark.mark) >= mark.at_least) continue;
    std::string problem = std::string("mark ") + name_of(mark.mark);
    append_decimal(problem += ": expected at least ", mark.at_least);
    append_decimal(problem += ", was ", result.mark(mark.mark));
    verdict.problems.push_back(std::move(problem));
  }
  return verdict;
}

void rewrite_outcomes(Program& program, const RunResult& result) {
  for_each_call(program, [&](int, Call& call, std::uint32_t number, std::uint64_t) {
    if (call.expected)
      call.expected = call.expected->rewritten(result.outcomes[number]);
  });
}

}  // namespace racier::program
