// repro/trace_text.cc - lays a trace out in columns.  Tested by trace_text_test.cc.
#include "repro/trace_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/source_name.h"
#include "core/program/ops.h"
#include "core/program/print.h"
#include "core/runtime/plain_steps.h"
#include "repro/place_names.h"

namespace racier::repro {
namespace {

const char* access_name(Access access) {
  switch (access) {
    case Access::kRead:
      return "read";
    case Access::kWrite:
      return "write";
    case Access::kRmw:
      return "rmw";
    case Access::kNone:
      return "-";
  }
  return "?";
}

}  // namespace

void CallLog::begin(const program::Program& program) {
  lanes_.assign(static_cast<std::size_t>(program.lists()), {});
  std::uint32_t first = 0;
  for (int list = 0; list < program.lists(); ++list) {
    Lane& lane = lanes_[static_cast<std::size_t>(list)];
    lane.first_call = first;
    lane.steps.resize(program.list(list).size());
    first += static_cast<std::uint32_t>(lane.steps.size());
  }
}

void CallLog::call_begins(int list, std::uint32_t) {
  Lane& lane = lanes_[static_cast<std::size_t>(list)];
  lane.steps[lane.begun++] = current()->steps;
}

std::int64_t CallLog::call_at(int list, std::uint32_t step) const {
  if (static_cast<std::size_t>(list) >= lanes_.size()) return -1;
  const Lane& lane = lanes_[static_cast<std::size_t>(list)];
  const auto begin = lane.steps.begin();
  const auto after =
      std::upper_bound(begin, begin + static_cast<std::ptrdiff_t>(lane.begun), step);
  return after == begin ? -1 : lane.first_call + (after - begin) - 1;
}

std::vector<std::string> call_texts(const program::Program& program) {
  std::vector<std::string> texts;
  program::Scope defined;
  for (int list = 0; list < program.lists(); ++list) {
    for (program::Call call : program.list(list)) {
      call.expected.reset();
      const auto kind = program::op_of(call).defines;
      texts.push_back(program::print_call(call, kind ? defined.of(*kind)++ : 0));
    }
  }
  return texts;
}

std::string trace_text(const program::Program& program, const Trace& trace,
                       const CallLog& calls, Machine& machine, bool at_rest) {
  const std::vector<std::string> texts = call_texts(program);
  PlaceNames names(machine, at_rest);
  const int tasks = static_cast<int>(program.tasks.size());
  std::string text = fmt::format("{:>7} {:<4} {:<32} {:<44} {:<6} {}\n", "step", "task",
                                 "call", "place", "access", "object");
  std::size_t number = 0;
  for (const TraceEntry& entry : trace.entries()) {
    const std::int64_t call = calls.call_at(entry.task + 1, entry.number);
    const auto& where = entry.step.where;
    const std::string place =
        entry.step.pc != nullptr ? describe_pc(entry.step.pc)
        : where.line() == 0
            ? "start"
            : fmt::format("{}:{} {}", base_name(where.file_name()), where.line(),
                          bare_function_name(where.function_name()));
    std::string line =
        fmt::format("{:>7} {:<4} {:<32} {:<44} {:<6} {}", number++,
                    program::task_name(entry.task, tasks),
                    call < 0 ? "" : texts[static_cast<std::size_t>(call)], place,
                    access_name(entry.step.access), names.name(entry.step.address));
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

}  // namespace racier::repro
