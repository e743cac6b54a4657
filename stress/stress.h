// stress/stress.h - rounds until the time is over, and the account of them.
#pragma once
#include <atomic>
#include <chrono>
#include <map>
#include <mutex>
#include <string>

#include "stress/round_runner.h"
#include "stress/screen.h"
#include "stress/stress_options.h"

namespace racier::stress {

class Stress {
 public:
  explicit Stress(const StressOptions& options);
  ~Stress();
  Stress(const Stress&) = delete;
  Stress& operator=(const Stress&) = delete;

  // Runs everything that the options ask for; returns the exit code.
  int run();

 private:
  using Clock = std::chrono::steady_clock;
  // What is known of one signature.
  struct Known {
    Finding finding;
    std::uint64_t count = 0;
    std::uint64_t round = 0;  // the first
    double seconds = 0;       // from the start to the first
    std::string file;         // its program; empty: it could not be written
  };

  bool goes_on(std::uint64_t rounds) const;
  void run_round(std::uint64_t round);
  void note_round(std::uint64_t round);
  void record(const Finding& finding, program::Phase phase);
  void write_program(Known& known, program::Phase phase);
  [[noreturn]] void hung(const Finding& finding);
  int finish();
  int write_json(const char* verdict);
  double seconds() const;
  std::string totals() const;
  void show_progress();

  const StressOptions options_;
  Screen screen_{"racier-stress"};
  RoundRunner runner_;
  const Clock::time_point start_ = Clock::now();

  // What is running; constant while it is.
  program::Program program_;
  std::atomic<std::uint64_t> round_{0};
  std::string last_words_;
  int note_ = -1;  // a file that names the round that is running, for who finds us dead
  std::string note_name_;

  std::atomic<std::uint64_t> rounds_{0};
  std::atomic<std::uint64_t> failed_{0};  // rounds
  Tally tally_;
  std::mutex mutex_;
  std::map<std::string, Known> known_;  // by signature; guarded by mutex_
};

}  // namespace racier::stress
