// fuzz/libfuzzer.cc - libFuzzer's entry points of every target, and how to die.
//
// Whatever is found ends the process by abort(), so that libFuzzer saves the input, in
// every build alike: a sanitizer's report during a run is a finding like any other.
// Tested by program_fuzz_test.sh.
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <span>

#include "core/runtime/feedback.h"
#include "fuzz/finding_file.h"
#include "fuzz/measure.h"
#include "fuzz/mutation.h"
#include "fuzz/options.h"
#include "fuzz/target.h"

namespace {

using racier::fuzz::Bytes;
using racier::fuzz::Found;

racier::fuzz::Options options;

// ThreadSanitizer printed a report, outside of a run.  It goes on then, and dying under
// its locks may hang: the input that is running dies when it is done.
bool reported_outside = false;

// libFuzzer reads and clears them around each input.
[[gnu::section("__libfuzzer_extra_counters"), gnu::used]] std::array<std::uint8_t, 4096>
    extra_counters;

void print_summary();

racier::fuzz::Target* make_target() {
  auto* const target =
      racier::fuzz::make_target(options).release();  // outlives libFuzzer
  if (options.feedback != 0) {
    target->set_feedback(new racier::Feedback(extra_counters));
  }
  std::atexit(&print_summary);  // libFuzzer leaves by exit(), but where an input dies
  return target;
}

racier::fuzz::Target& target() {
  static auto* const target = make_target();
  return *target;
}

void print_summary() { std::fputs(target().summary().c_str(), stderr); }

[[noreturn]] void stop(int code, const std::string& sentence) {
  std::fprintf(stderr, "%s: %s\n", racier::fuzz::target_name().data(),
               sentence.c_str());
  std::_Exit(code);
}

// ThreadSanitizer looks away from a word of the heap that once raced, for the rest of
// the process, so a race is not asked for again.
void say_if_not_replayed(const Found& found) {
  using racier::FindingKind;
  const FindingKind kind = found.finding.kind;
  if (kind == FindingKind::kReplay || kind == FindingKind::kDataRace) return;
  const auto again = target().replay(found.program);
  const std::string signature = again ? again->signature() : "a clean run";
  if (signature == found.finding.signature()) return;
  std::fprintf(stderr, "racier: but replaying it gave %s: a defect of racier itself\n",
               signature.c_str());
}

[[noreturn]] void die_of(const Found& found) {
  std::fputs(racier::fuzz::finding_report(found).c_str(), stderr);
  const auto file = options.findings / racier::fuzz::finding_file_name(found.finding);
  const std::string text = racier::fuzz::finding_text(found);
  const std::string error = racier::fuzz::write_whole(file, text);
  if (error.empty()) {
    std::fprintf(stderr, "racier: written to %s; racier repro run %s\n", file.c_str(),
                 file.c_str());
  } else {
    std::fprintf(stderr, "racier: %s; this would have been in it:\n%s", error.c_str(),
                 text.c_str());
  }
  say_if_not_replayed(found);
  std::abort();
}

void die_if_reported_outside() {
  if (!reported_outside) return;
  std::fputs("racier: a report outside of a run (above) is a defect of racier itself\n",
             stderr);
  std::abort();
}

void run_or_die(std::span<const std::uint8_t> bytes) {
  const auto found = target().run_bytes(bytes);
  if (found) die_of(*found);
  die_if_reported_outside();
}

void measure(std::span<const std::uint8_t> bytes) {
  static racier::fuzz::Measure measure(options.measure, &run_or_die);
  const auto line = measure.note(bytes);
  if (!line) return;
  std::fputs(line->c_str(), stdout);
  std::fflush(stdout);
  std::_Exit(0);
}

// Returns how much of `bytes` went to `out`.
std::size_t copy_out(const Bytes& bytes, std::uint8_t* out) {
  die_if_reported_outside();
  if (!bytes.empty()) std::memcpy(out, bytes.data(), bytes.size());
  return bytes.size();
}

}  // namespace

extern "C" {

// ThreadSanitizer's hook: called behind each report that it prints.
void __tsan_on_report(void* report);
void __tsan_on_report(void*) { reported_outside = true; }

int LLVMFuzzerInitialize(int* argc, char*** argv) {
  // What libFuzzer keeps pointers to has to stay.
  static std::vector<std::string> arguments;
  static std::vector<char*> pointers;
  arguments.assign(*argv + 1, *argv + *argc);
  const auto parsed = racier::fuzz::take_options(arguments);
  if (!parsed.error.empty()) stop(2, parsed.error);
  if (parsed.help) {
    std::fputs(racier::fuzz::options_help(racier::fuzz::target_name()).c_str(), stdout);
    std::fflush(stdout);
    std::_Exit(0);
  }
  options = parsed.options;
  const auto idle = racier::fuzz::option_without_meaning(options);
  if (!idle.empty()) stop(2, std::string(idle) + " means nothing to this target");
  auto& findings = options.findings;
  if (findings.empty()) findings = racier::fuzz::artifact_folder(arguments);
  const std::string error = racier::fuzz::prepare_folder(findings);
  if (!error.empty()) stop(3, error);
  racier::fuzz::export_options(options);

  pointers.push_back((*argv)[0]);
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  *argc = static_cast<int>(pointers.size()) - 1;
  *argv = pointers.data();
  return 0;
}

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  run_or_die({data, size});
  if (options.measure != 0) measure({data, size});
  return target().was_slow() ? -1 : 0;  // -1: do not keep it
}

std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                    std::size_t size_max, unsigned seed) {
  return copy_out(racier::fuzz::mutate({data, size}, size_max, seed), data);
}

std::size_t LLVMFuzzerCustomCrossOver(const std::uint8_t* a, std::size_t a_size,
                                      const std::uint8_t* b, std::size_t b_size,
                                      std::uint8_t* out, std::size_t size_max,
                                      unsigned seed) {
  return copy_out(racier::fuzz::cross({a, a_size}, {b, b_size}, size_max, seed), out);
}

}  // extern "C"
