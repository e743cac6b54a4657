// stress/racier_stress.cc - racier-stress: random programs on native threads.
// Tested by racier_stress_test.sh.
#include <unistd.h>

#include <chrono>
#include <cstdio>

#include "core/base/random.h"
#include "core/program/print.h"
#include "stress/stop_signals.h"
#include "stress/stress.h"
#include "stress/whole_file.h"

namespace {

// A seed of at most six digits: people type it.
std::uint64_t seed_of_now() {
  const auto now = std::chrono::system_clock::now().time_since_epoch().count();
  const auto seed =
      static_cast<std::uint64_t>(now) + static_cast<std::uint64_t>(::getpid());
  return racier::Random(seed).below(1000000);
}

int could_not_run(const std::string& sentence) {
  std::fprintf(stderr, "racier-stress: %s\n", sentence.c_str());
  return 3;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace racier::stress;
  const ParsedStressOptions parsed = parse_stress_options(argc, argv, seed_of_now());
  if (parsed.exit_code) {
    std::fputs(parsed.text.c_str(), *parsed.exit_code == 0 ? stdout : stderr);
    return *parsed.exit_code;
  }
  const StressOptions& options = parsed.options;
  if (options.print) {
    const auto program = round_program(options.round_options(*options.round));
    std::fputs(racier::program::print(program).c_str(), stdout);
    return std::fflush(stdout) == 0 ? 0 : could_not_run("cannot write the program");
  }
  const std::string error = prepare_folder(options.findings);
  if (!error.empty()) return could_not_run(error);
  catch_stop_signals();
  return Stress(options).run();
}
