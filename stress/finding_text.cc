// stress/finding_text.cc - says what was found.  Tested by finding_text_test.cc.
#include "stress/finding_text.h"

#include <fmt/core.h>

#include "core/base/random.h"
#include "core/base/source_name.h"
#include "core/program/print.h"

namespace racier::stress {
namespace {

std::string place(const Finding& finding, program::Phase phase) {
  std::string text = fmt::format("in the {}", program::phase_name(phase));
  if (phase == program::Phase::kTasks && finding.task >= 0) {
    text += fmt::format(", by task {}", static_cast<char>('A' + finding.task));
  }
  if (finding.where.line() != 0) {
    text += fmt::format(", at {} ({}:{})",
                        bare_function_name(finding.where.function_name()),
                        base_name(finding.where.file_name()), finding.where.line());
  }
  return text;
}

}  // namespace

std::string slug_of(std::string_view kind, std::string_view title) {
  std::uint64_t hash = 0;
  for (const char c : fmt::format("{} | {}", kind, title)) {
    hash = Random::mixed(hash + static_cast<unsigned char>(c) + 1);
  }
  return fmt::format("{}-{:016x}", kind, hash);
}

std::string finding_slug(const Finding& finding) {
  return slug_of(finding_kind_name(finding.kind), finding.title);
}

std::string finding_report(const Finding& finding, program::Phase phase) {
  std::string text = finding.signature() + "\n" + place(finding, phase) + "\n";
  text += finding.detail;
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

std::string finding_program(program::Program program, const Finding& finding,
                            program::Phase phase, const std::string& replay) {
  program.header = finding_report(finding, phase);
  program.header +=
      "\n\nFound on native threads, whose schedule nobody knows.  Once more:\n" +
      replay + "\nOn fibers, under the schedule below: racier repro run FILE";
  program.expectation = {program::Expectation::Kind::kFinding, finding.kind,
                         finding.title};
  return program::print(program);
}

}  // namespace racier::stress
