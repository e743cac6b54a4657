// repro/site_survey.cc - see site_survey.h.  Tested by site_survey_test.cc.
#include "repro/site_survey.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <mutex>
#include <set>
#include <string_view>

#include "core/base/source_name.h"
#include "core/program/runner.h"
#include "core/runtime/fiber_runtime.h"
#include "core/sync/sites.h"
#include "repro/files.h"

namespace racier::repro {
namespace {

// What it is that a run leaves out, of the code that is under test.
bool is_of_the_core(std::string_view path) {
  constexpr std::string_view kRooms[] = {"core/mm/", "core/rmap/", "core/objects/"};
  return std::any_of(std::begin(kRooms), std::end(kRooms), [&](std::string_view room) {
    return path.find(room) != path.npos;
  });
}

class Surveyor final : public Sites, public program::CallObserver {
 public:
  void begin(std::size_t program) {
    program_ = program;
    in_tasks_ = false;
    seen_.clear();
    seen_in_tasks_.clear();
  }

  bool leaves_out(SiteKind kind, const char* what,
                  std::source_location where) override {
    // Fibers of one OS thread: but ThreadSanitizer takes them for threads.
    const std::scoped_lock guard(mutex_);
    const auto key = std::make_tuple(kind, where.file_name(), where.line());
    std::set<Key>& seen = in_tasks_ ? seen_in_tasks_ : seen_;
    if (!seen.insert(key).second) return false;
    if (!is_of_the_core(where.file_name())) return false;
    const SiteName name{kind, std::string(base_name(where.file_name())), where.line()};
    Entry& entry = sites_[name];
    if (entry.what.empty()) {
      entry.what = what;
      entry.function = bare_function_name(where.function_name());
    }
    (in_tasks_ ? entry.tasks : entry.others).insert(program_);
    return false;
  }

  void call_begins(int list, std::uint32_t) override {
    const std::scoped_lock guard(mutex_);
    in_tasks_ = list > 0;
  }

  std::vector<KnownSite> sites() const {
    std::vector<KnownSite> sites;
    for (const auto& [name, entry] : sites_) {
      KnownSite site{name, entry.function, entry.what, {}, entry.tasks.size()};
      site.by.assign(entry.tasks.begin(), entry.tasks.end());
      std::set_difference(entry.others.begin(), entry.others.end(), entry.tasks.begin(),
                          entry.tasks.end(), std::back_inserter(site.by));
      sites.push_back(std::move(site));
    }
    return sites;
  }

 private:
  using Key = std::tuple<SiteKind, const char*, std::uint32_t>;
  struct Entry {
    std::string function, what;
    std::set<std::size_t> tasks, others;
  };

  std::mutex mutex_;
  std::size_t program_ = 0;
  bool in_tasks_ = false;
  std::set<Key> seen_, seen_in_tasks_;  // by the current program
  std::map<SiteName, Entry> sites_;
};

// (Orders that nobody has named are many: only who asks for them gets them.)
bool is_named(const SiteName& site, std::string_view word) {
  if (word == site_kind_name(site.kind) || word == site_text(site)) return true;
  if (site.kind == SiteKind::kOrder) return false;
  return word == "all" || word == site.file ||
         word == fmt::format("{}:{}", site.file, site.line);
}

}  // namespace

std::vector<KnownSite> survey_sites(std::span<const program::Program> programs,
                                    const Schedule& recipe, std::uint64_t executions) {
  Surveyor surveyor;
  FiberRuntime alone;
  program::Runner runner(alone);
  program::RunOptions options;
  options.sites = &surveyor;
  options.observer = &surveyor;
  for (std::size_t i = 0; i < programs.size(); ++i) {
    surveyor.begin(i);
    FiberRuntime runtime(recipe);
    for (std::uint64_t run = 0; run < executions; ++run) {
      runner.run(programs[i], runtime, options);
      if (!runtime.strategy().next_execution()) break;
    }
  }
  return surveyor.sites();
}

std::vector<KnownSite> sites_named(std::span<const KnownSite> sites,
                                   std::span<const std::string> words) {
  for (const std::string& word : words) {
    const auto named = [&](const KnownSite& site) { return is_named(site.name, word); };
    if (std::none_of(sites.begin(), sites.end(), named)) {
      throw BadInput(fmt::format(
          "no site '{}': all, a kind (lock, reference, recheck, barrier, flush, "
          "grace), "
          "a file, or a place as munmap.cc:197 (--drop all --list has those that the "
          "programs come by)",
          word));
    }
  }
  std::vector<KnownSite> chosen;
  for (const KnownSite& site : sites) {
    const bool named =
        std::any_of(words.begin(), words.end(),
                    [&](const std::string& word) { return is_named(site.name, word); });
    if (named) chosen.push_back(site);
  }
  return chosen;
}

}  // namespace racier::repro
