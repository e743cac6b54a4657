// stress/campaign.h - fuzz and stress, asan and tsan, in turns, for a night.
//
// Start here: run() is a campaign from begin to end; work() is its loop.
//
// What a job does is in a folder of its own until it has ended; then it is harvested:
// the inputs that it found go to the corpus, what failed to the findings, its figures
// to the state.  A campaign that was killed leaves such folders, and the next one
// harvests them.
#pragma once
#include <chrono>
#include <list>
#include <memory>
#include <optional>
#include <string>

#include "stress/campaign_options.h"
#include "stress/campaign_state.h"
#include "stress/child.h"
#include "stress/finding_store.h"
#include "stress/harvest.h"
#include "stress/screen.h"

namespace racier::stress {

class Campaign {
 public:
  explicit Campaign(const CampaignOptions& options);
  ~Campaign();
  Campaign(const Campaign&) = delete;
  Campaign& operator=(const Campaign&) = delete;

  // Returns the exit code.
  int run();

 private:
  using Clock = std::chrono::steady_clock;
  struct Running {
    Job job;
    std::unique_ptr<Child> child;
    Clock::time_point began;
    Clock::time_point deadline;  // behind it, it hangs
    double seconds() const;
  };

  void prepare();
  void take_lock();
  void remove_aside();
  void load_state();
  void check_programs() const;
  void make_seeds();
  void drop_failing_seeds();
  void harvest_leftovers();
  void replay_the_unreplayed();

  void work();
  bool stopping() const;
  double seconds_left() const;
  void start_jobs();
  const Cell* next_cell() const;
  double seconds_of(const Cell& cell) const;
  bool broken(const Cell& cell) const;
  void start(const Cell& cell);
  void wait();
  void look_after_jobs();
  void ask_all();

  void harvest(const Job& job, double seconds, const std::optional<ChildEnd>& end);
  void keep_input(const std::filesystem::path& file);
  void set_aside(const std::string& input);
  void keep_found(const Found& found, const Job& job);
  void replay(const std::string& slug);
  bool minimize(const std::string& slug);
  bool explain(const std::string& slug);
  void remove_folder(const Job& job);
  void save_state();
  void show_progress();
  std::uint64_t corpus_size() const;

  bool found_something() const { return !findings_.findings().empty(); }
  void finish();
  int exit_code() const;

  const CampaignOptions options_;
  const Places& places_ = options_.places;
  Screen screen_{"racier-campaign"};
  int lock_ = -1;
  CampaignState state_;
  double seconds_before_ = 0;  // of earlier starts
  Clock::time_point start_ = Clock::now();
  FindingStore findings_;
  std::list<Running> running_;
  // By cell: jobs in a row that could not run.
  std::map<std::string, int> failed_starts_;
  std::uint64_t turns_ = 0;  // jobs begun since the start
  bool asked_ = false;       // all jobs were asked to end
};

}  // namespace racier::stress
