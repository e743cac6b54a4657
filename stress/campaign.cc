// stress/campaign.cc - the life of a campaign.  Tested by campaign_test.sh.
#include "stress/campaign.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <limits>
#include <thread>

#include "core/base/random.h"
#include "stress/campaign_report.h"
#include "stress/duration.h"
#include "stress/finding_text.h"
#include "stress/stop_signals.h"
#include "stress/whole_file.h"

namespace racier::stress {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;

// The campaign cannot go on; what(): a sentence.
struct CannotRun : std::runtime_error {
  using std::runtime_error::runtime_error;
};

void check(const std::string& error) {
  if (!error.empty()) throw CannotRun(error);
}

constexpr int kFailedStartsMax = 3;
constexpr std::uint64_t kLogsMax = 400;
constexpr double kSliceMin = 5;
constexpr double kSliceMax = 600;
constexpr std::size_t kLogTail = 8192;

// Runs a command to its end; nothing if it takes longer than `patience`, or if the
// campaign is stopped.
std::optional<ChildEnd> run_command(const std::vector<std::string>& command,
                                    const fs::path& where, const fs::path& log,
                                    seconds patience) {
  Child child(command, where, log);
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!child.ended()) {
    if (stop_requested()) return std::nullopt;
    if (std::chrono::steady_clock::now() > deadline) return std::nullopt;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return child.end();
}

std::uint64_t seed_of_now() {
  const auto now = std::chrono::system_clock::now().time_since_epoch().count();
  return Random(static_cast<std::uint64_t>(now)).below(1000000);
}

// Returns the end of a file.
std::string tail(const fs::path& file) {
  const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return "";
  std::string text(kLogTail, '\0');
  const off_t size = ::lseek(fd, 0, SEEK_END);
  const off_t from = std::max<off_t>(0, size - static_cast<off_t>(kLogTail));
  const ssize_t got = ::pread(fd, text.data(), text.size(), from);
  ::close(fd);
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(0, got)));
  return text;
}

// Returns the job that a folder below work/ belongs to.
std::optional<Job> job_of(const fs::path& folder) {
  const std::string name = folder.filename();
  constexpr std::string_view kStart = "job-";
  constexpr std::size_t kDigits = 6;
  if (!name.starts_with(kStart) || name.size() < kStart.size() + kDigits + 2) {
    return std::nullopt;
  }
  Job job;
  const std::size_t dash = name.find('-', kStart.size());
  if (dash == name.npos) return std::nullopt;
  job.number = std::strtoull(name.c_str() + kStart.size(), nullptr, 10);
  job.cell = find_cell(name.substr(dash + 1));
  if (job.cell == nullptr || job.name() != name) return std::nullopt;
  return job;
}

}  // namespace

Campaign::Campaign(const CampaignOptions& options) : options_(options) {}

Campaign::~Campaign() {
  running_.clear();
  if (lock_ >= 0) ::close(lock_);
}

double Campaign::Running::seconds() const {
  return std::chrono::duration<double>(Clock::now() - began).count();
}

int Campaign::run() {
  try {
    prepare();
    work();
    finish();
  } catch (const CannotRun& error) {
    running_.clear();  // kills
    screen_.complain(error.what());
    return 3;
  }
  return exit_code();
}

int Campaign::exit_code() const {
  if (found_something()) return 1;
  std::uint64_t work = 0;
  for (const auto& [name, cell] : state_.cells) work += cell.work;
  const bool one_could_not_run =
      std::ranges::any_of(cells(), [&](const Cell& cell) { return broken(cell); });
  return one_could_not_run || work == 0 ? 3 : 0;
}

// ---- The start ----------------------------------------------------------------------

void Campaign::prepare() {
  check(prepare_folder(places_.out));
  take_lock();
  for (const fs::path& folder : {places_.corpus(), places_.findings(), places_.logs(),
                                 places_.work(), places_.broken()}) {
    check(prepare_folder(folder));
  }
  remove_aside();
  load_state();
  check(findings_.open(places_.findings()));
  const auto total = options_.duration.count() == 0 ? "as long as it may"
                                                    : print_duration(options_.duration);
  if (state_.starts > 0) {
    const auto before = print_duration(seconds(std::llround(state_.seconds)));
    const bool over = seconds_left() <= 0;
    screen_.line(fmt::format("{} has had {} of {}{}", places_.out.string(), before,
                             total,
                             over ? ": nothing is left, a longer --for goes on" : ""));
  } else {
    screen_.line(fmt::format("{}: {}", places_.out.string(), total));
  }
  screen_.line(fmt::format("--- Start of test: seed {}, {} at once{}", state_.seed,
                           options_.jobs, print_arming(state_.arming)));
  ++state_.starts;
  check_programs();
  save_state();
  harvest_leftovers();
  replay_the_unreplayed();
  make_seeds();
  drop_failing_seeds();
}

// One campaign at a time in a folder.  The lock is one that children do not inherit:
// else one that has not become its program yet held it beyond the end of a campaign
// that was killed, and the next one, begun at once, was refused.
void Campaign::take_lock() {
  lock_ = ::open(places_.lock().c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (lock_ < 0) {
    throw CannotRun("cannot write " + places_.lock().string() + ": " +
                    std::strerror(errno));
  }
  struct flock whole = {};
  whole.l_type = F_WRLCK;
  if (::fcntl(lock_, F_SETLK, &whole) != 0) {
    throw CannotRun("another campaign is running in " + places_.out.string());
  }
}

// What a campaign that was killed was about to write.
void Campaign::remove_aside() {
  std::vector<fs::path> aside;
  std::error_code error;
  const auto look_in = [&](const fs::path& folder) {
    for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
      if (entry.path().extension() == ".tmp") aside.push_back(entry.path());
    }
  };
  for (const fs::path& folder :
       {places_.out, places_.corpus(), places_.findings(), places_.logs(),
        places_.work(), places_.broken(), places_.seeds()}) {
    look_in(folder);
  }
  for (const fs::directory_entry& entry :
       fs::directory_iterator(places_.findings(), error)) {
    look_in(entry.path());
  }
  for (const fs::path& file : aside) fs::remove_all(file, error);
}

// What two campaigns may differ in.
std::string said(const Arming& arming) {
  const std::string text = print_arming(arming);
  return text.empty() ? ", no --bug, no --rmap" : text;
}

void Campaign::load_state() {
  const auto text = read_whole(places_.state());
  if (text) {
    try {
      state_ = CampaignState::parse(*text);
    } catch (const std::exception&) {
      throw CannotRun(places_.state().string() +
                      " is damaged, or of another version: remove it, and the campaign "
                      "begins anew with the corpus and the findings that are there");
    }
    if (state_.arming != options_.arming) {
      throw CannotRun(fmt::format(
          "the campaign in {} has{}, this one{}: choose another --out",
          places_.out.string(), said(state_.arming), said(options_.arming)));
    }
    if (options_.seed) state_.seed = *options_.seed;
  } else {
    state_.begun = time_now();
    state_.seed = options_.seed.value_or(seed_of_now());
    state_.arming = options_.arming;
  }
  seconds_before_ = state_.seconds;
  start_ = Clock::now();
}

void Campaign::check_programs() const {
  std::vector<fs::path> programs = {places_.program_seeds(), places_.repro()};
  for (const Cell& cell : cells()) programs.push_back(places_.program(cell));
  for (const fs::path& program : programs) {
    if (::access(program.c_str(), X_OK) == 0) continue;
    throw CannotRun("cannot run " + program.string() + ": " + std::strerror(errno));
  }
}

// The fuzzer's first inputs: the programs of the source tree.
void Campaign::make_seeds() {
  check(prepare_folder(places_.seeds()));
  const fs::path log = places_.logs() / "program_seeds.log";
  const fs::path programs = fs::path(RACIER_SOURCE_DIR) / "corpus";
  const auto end =
      run_command({places_.program_seeds(), places_.seeds(), programs / "programs",
                   programs / "bugs", programs / "found"},
                  places_.out, log, seconds(60));
  if (stop_requested()) return;
  if (end && end->signal == 0 && end->exit_code == 0) return;
  throw CannotRun("program_seeds: " + read_whole(log).value_or("it failed"));
}

// Those that were set aside have just been made again.
void Campaign::drop_failing_seeds() {
  std::error_code error;
  for (const fs::directory_entry& failing :
       fs::directory_iterator(places_.broken(), error)) {
    set_aside(read_whole(failing.path()).value_or(""));
  }
}

void Campaign::harvest_leftovers() {
  std::vector<Job> jobs;
  std::error_code error;
  for (const fs::directory_entry& entry :
       fs::directory_iterator(places_.work(), error)) {
    if (const auto job = job_of(entry.path())) jobs.push_back(*job);
  }
  std::ranges::sort(jobs, {}, &Job::number);
  for (const Job& job : jobs) {
    if (state_.harvested.contains(job.number)) {
      remove_folder(job);
      continue;
    }
    const auto seconds = state_.running.find(job.number);
    harvest(job, seconds == state_.running.end() ? 0 : seconds->second, std::nullopt);
  }
  state_.running.clear();
  state_.harvested.clear();
}

// A campaign that was killed may have kept a finding and not replayed it.
void Campaign::replay_the_unreplayed() {
  for (const auto& [slug, stored] : findings_.findings()) {
    if (stored.replays.empty()) replay(slug);
  }
}

// ---- The loop -----------------------------------------------------------------------

void Campaign::work() {
  auto shown = Clock::now();
  auto saved = Clock::now();
  for (;;) {
    if (stop_requested()) ask_all();
    look_after_jobs();
    if (!stopping()) start_jobs();
    if (running_.empty()) break;
    const auto now = Clock::now();
    if (now - saved >= seconds(1)) {
      saved = now;
      save_state();
    }
    if (now - shown >= screen_.interval()) {
      shown = now;
      show_progress();
    }
    wait();
  }
  save_state();
}

bool Campaign::stopping() const {
  if (stop_requested() || seconds_left() < 1) return true;
  if (options_.turns != 0 && turns_ >= options_.turns) return true;
  return std::ranges::all_of(cells(), [&](const Cell& cell) { return broken(cell); });
}

double Campaign::seconds_left() const {
  if (options_.duration.count() == 0) return std::numeric_limits<double>::infinity();
  const double now = std::chrono::duration<double>(Clock::now() - start_).count();
  return static_cast<double>(options_.duration.count()) - seconds_before_ - now;
}

void Campaign::start_jobs() {
  while (std::ssize(running_) < options_.jobs && !stopping()) {
    const Cell* const cell = next_cell();
    if (cell == nullptr) return;
    start(*cell);
  }
}

bool Campaign::broken(const Cell& cell) const {
  const auto failed = failed_starts_.find(cell.name);
  return failed != failed_starts_.end() && failed->second >= kFailedStartsMax;
}

// Returns the time that a cell has had, and will have had when its jobs are done.
double Campaign::seconds_of(const Cell& cell) const {
  const auto known = state_.cells.find(cell.name);
  double sum = known == state_.cells.end() ? 0 : known->second.seconds;
  for (const Running& running : running_) {
    if (running.job.cell == &cell) sum += static_cast<double>(running.job.seconds);
  }
  return sum;
}

// The one that has had the least.
const Cell* Campaign::next_cell() const {
  const Cell* next = nullptr;
  for (const Cell& cell : cells()) {
    if (broken(cell)) continue;
    if (next == nullptr || seconds_of(cell) < seconds_of(*next)) next = &cell;
  }
  return next;
}

void Campaign::start(const Cell& cell) {
  const double share = static_cast<double>(options_.duration.count()) * options_.jobs /
                       static_cast<double>(cells().size());
  double slice = static_cast<double>(options_.slice.count());
  if (slice == 0) slice = std::clamp(share / 4, kSliceMin, kSliceMax);
  Running running;
  Job& job = running.job;
  ++turns_;
  job.number = ++state_.jobs;
  job.cell = &cell;
  job.turn = state_.cells[cell.name].turns++;
  job.seconds = std::max(std::llround(std::min(slice, seconds_left())), 1ll);
  job.seed = Random::mixed(state_.seed + job.number) % 1000000007;
  state_.running[job.number] = 0;
  save_state();
  check(prepare_folder(job.folder(places_) / "corpus"));
  running.began = Clock::now();
  running.deadline = running.began + seconds(job.seconds) + options_.grace;
  running.child = std::make_unique<Child>(command_of(job, places_, state_.arming),
                                          job.folder(places_), job.log(places_));
  running_.push_back(std::move(running));
}

// Until something happens, but not long.
void Campaign::wait() {
  std::vector<pollfd> ends;
  for (const Running& running : running_) {
    if (running.child->poll_fd() >= 0) {
      ends.push_back({running.child->poll_fd(), POLLIN, 0});
    }
  }
  constexpr int kMilliseconds = 200;
  ::poll(ends.data(), ends.size(), kMilliseconds);
}

void Campaign::look_after_jobs() {
  for (auto at = running_.begin(); at != running_.end();) {
    if (!at->child->ended()) {
      if (Clock::now() > at->deadline) at->child->kill();
      ++at;
      continue;
    }
    const Job job = at->job;
    const double seconds = at->seconds();
    std::optional<ChildEnd> end = at->child->end();
    if (end->as_asked()) end.reset();
    running_.erase(at++);
    harvest(job, seconds, end);
  }
}

void Campaign::ask_all() {
  if (asked_) return;
  asked_ = true;
  for (Running& running : running_) {
    running.child->ask();
    running.deadline = std::min(running.deadline, Clock::now() + options_.grace);
  }
}

// ---- The harvest --------------------------------------------------------------------

void Campaign::harvest(const Job& job, double seconds,
                       const std::optional<ChildEnd>& end) {
  const Harvest harvest = read_harvest(job, places_, state_.arming, end);
  for (const fs::path& input : harvest.inputs) keep_input(input);
  for (const Found& found : harvest.found) {
    set_aside(found.input);
    keep_found(found, job);
  }
  CellState& cell = state_.cells[job.cell->name];
  cell.seconds += seconds;
  cell.work += harvest.work;
  if (!harvest.found.empty()) ++cell.found;
  state_.running.erase(job.number);
  state_.harvested.insert(job.number);
  if (end) {
    int& failed = failed_starts_[job.cell->name];
    const bool could_not_run =
        harvest.found.empty() && end->exit_code != 0 && !stop_requested();
    failed = could_not_run ? failed + 1 : 0;
    if (could_not_run) {
      screen_.complain(
          fmt::format("{} ended with exit code {}: {}", job.name(), end->exit_code,
                      last_line(read_whole(job.log(places_)).value_or(""))));
    }
  }
  save_state();
  remove_folder(job);
  state_.harvested.erase(job.number);
  if (job.number > kLogsMax) {
    for (const Cell& old : cells()) {
      std::error_code ignored;
      fs::remove(Job{job.number - kLogsMax, &old}.log(places_), ignored);
    }
  }
}

void Campaign::keep_input(const fs::path& file) {
  std::error_code error;
  // One that was being written when its writer was killed; every other text is a
  // program.
  if (fs::file_size(file, error) == 0 || error) return;
  fs::rename(file, places_.corpus() / file.filename(), error);
  if (!error) return;
  throw CannotRun("cannot write to " + places_.corpus().string() + ": " +
                  error.message());
}

// Moves an input that fails to where no fuzzer reads it: it would die of it at every
// start.
void Campaign::set_aside(const std::string& input) {
  if (input.empty()) return;
  for (const fs::path& folder : {places_.corpus(), places_.seeds()}) {
    std::error_code error;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
      if (entry.file_size(error) != input.size() || read_whole(entry.path()) != input) {
        continue;
      }
      fs::rename(entry.path(), places_.broken() / entry.path().filename(), error);
      if (error) throw CannotRun("cannot write to " + places_.broken().string());
    }
  }
}

void Campaign::keep_found(const Found& found, const Job& job) {
  bool is_new = false;
  check(findings_.add(found, {job.number, job.cell->name}, is_new));
  if (!is_new) return;
  const std::string slug = found.slug();
  screen_.complain(fmt::format("{} has found {}", job.cell->name, found.signature()));
  replay(slug);
  screen_.complain("it is in " + findings_.folder_of(slug).string());
}

// Notes what replaying the program of a finding gives; nothing if there is none, or if
// the campaign is stopped meanwhile: then the next one will.
void Campaign::replay(const std::string& slug) {
  const fs::path program = findings_.folder_of(slug) / "program.racier";
  if (!fs::exists(program)) return;
  const fs::path log = places_.logs() / "replay.log";
  const auto end =
      run_command({places_.repro(), "run", program}, places_.out, log, seconds(30));
  std::string gave;
  if (!end) {
    if (stop_requested()) return;
    gave = "no end after 30 s";
  } else if (end->signal != 0) {
    gave = fmt::format("killed by signal {}", end->signal);
  } else if (end->exit_code == 0) {
    gave = "the same finding";
  } else {
    gave = fmt::format("exit code {}: {}", end->exit_code,
                       last_line(read_whole(log).value_or("")));
  }
  if (!minimize(slug) || !explain(slug)) return;
  check(findings_.note_replay(slug, gave));
}

// Leaves minimized.racier beside the program of a finding, if the build without a
// sanitizer can show it.  Returns false if the campaign is to end first.
bool Campaign::minimize(const std::string& slug) {
  const fs::path folder = findings_.folder_of(slug);
  const StoredFinding& stored = findings_.findings().at(slug);
  const auto end =
      run_command({places_.repro(), "minimize", "--for", "20s", "--signature",
                   stored.kind + " | " + stored.title, "--output",
                   folder / "minimized.racier", folder / "program.racier"},
                  places_.out, places_.logs() / "minimize.log", seconds(100));
  return end.has_value() || !stop_requested();
}

// Says of what was minimized, if anything was, what happens in it: explanation.txt and
// explanation.html.  Returns as minimize().
bool Campaign::explain(const std::string& slug) {
  const fs::path folder = findings_.folder_of(slug);
  const fs::path program = folder / "minimized.racier";
  if (!fs::exists(program)) return true;
  const auto end =
      run_command({places_.repro(), "explain", "--text", folder / "explanation.txt",
                   "--html", folder / "explanation.html", program},
                  places_.out, places_.logs() / "explain.log", seconds(100));
  return end.has_value() || !stop_requested();
}

void Campaign::remove_folder(const Job& job) {
  std::error_code error;
  fs::remove_all(job.folder(places_), error);
}

void Campaign::save_state() {
  state_.seconds =
      seconds_before_ + std::chrono::duration<double>(Clock::now() - start_).count();
  for (const Running& running : running_) {
    state_.running[running.job.number] = running.seconds();
  }
  check(write_whole(places_.state(), state_.print()));
}

// ---- What people see ----------------------------------------------------------------

std::uint64_t Campaign::corpus_size() const {
  std::error_code error;
  const fs::directory_iterator files(places_.corpus(), error);
  return error ? 0
               : static_cast<std::uint64_t>(std::distance(begin(files), end(files)));
}

void Campaign::show_progress() {
  std::string text = print_duration(seconds(std::llround(state_.seconds)));
  if (options_.duration.count() != 0) {
    text += " of " + print_duration(options_.duration);
  }
  for (const Cell& cell : cells()) {
    std::uint64_t work = state_.cells[cell.name].work;
    for (const Running& running : running_) {
      if (running.job.cell != &cell) continue;
      work += work_in_log(cell.tool, tail(running.job.log(places_)));
    }
    text += fmt::format("  {} {}", cell.name, print_count(work));
  }
  text += fmt::format("  corpus {}  findings {}", corpus_size(),
                      findings_.findings().size());
  screen_.progress(text + (found_something() ? " !!!" : ""));
}

void Campaign::finish() {
  const char* const verdict = exit_code() == 0 ? "SUCCESS" : "FAILURE";
  const CampaignAccount account{options_,      state_,  findings_,
                                corpus_size(), verdict, stop_requested()};
  check(write_whole(places_.report(), report_json(account)));
  for (const std::string& line : report_lines(account)) screen_.line(line);
}

}  // namespace racier::stress
