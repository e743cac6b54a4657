// stress/finding_store.h - findings of many runs, one folder for each bug.
//
//   FOLDER/<kind>-<hash>/
//     program.racier     the program that failed, if one is known
//     minimized.racier   the shortest one that does; by the campaign
//     explanation.txt    what happens in that; likewise
//     explanation.html   the same, to step through
//     input              the fuzzer's bytes of it, if it was the fuzzer
//     report.txt         what was said
//     how-to-replay.txt  commands
//     meta.json          signature, count, when and where it was seen
//
// A folder appears whole, and the count in it grows.
#pragma once
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

namespace racier::stress {

// Something that went wrong, once or more often in one job.
struct Found {
  std::string kind;  // a word
  std::string title;
  std::uint64_t count = 1;
  std::string program;  // as a text
  std::string input;
  std::string report;
  std::string replay;  // commands, a line each

  std::string signature() const { return kind + " | " + title; }
  // Returns the name of its folder: one for each signature.
  std::string slug() const;
};

// A bug, as far as it is known.
struct StoredFinding {
  std::string kind;
  std::string title;
  std::uint64_t count = 0;
  std::string first_seen;  // date and time, UTC
  std::string first_cell;
  std::map<std::string, std::uint64_t> cells;  // how often in each
  std::uint64_t last_job = 0;
  std::string replays;  // what replaying the program gave; "": it was not tried
};

class FindingStore {
 public:
  // Where jobs come from, so that a job that is told of twice counts once.
  struct Source {
    std::uint64_t job = 0;
    std::string cell;
  };

  // Reads what is in `folder`, which exists; tidies up what is half done.
  // Returns what went wrong, or "".
  [[nodiscard]] std::string open(std::filesystem::path folder);
  // Adds `found`; `is_new` tells whether nobody knew of it.  Returns as open().
  [[nodiscard]] std::string add(const Found& found, const Source& source, bool& is_new);
  // Notes what replaying the program of `slug` gave, in a few words.  Returns as
  // open().
  [[nodiscard]] std::string note_replay(const std::string& slug,
                                        const std::string& gave);

  const std::map<std::string, StoredFinding>& findings() const { return findings_; }
  std::filesystem::path folder_of(const std::string& slug) const {
    return folder_ / slug;
  }

 private:
  std::string add_new(const Found& found, const StoredFinding& stored);
  std::string write_meta(const std::filesystem::path& folder,
                         const StoredFinding& stored);

  std::filesystem::path folder_;
  std::map<std::string, StoredFinding> findings_;  // by slug
};

// Returns the date and time now: "2026-11-20T19:44:44Z".
std::string time_now();

}  // namespace racier::stress
