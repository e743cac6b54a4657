// stress/cell.h - what a campaign is made of: a program in a build, which gets a share.
#pragma once
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace racier::stress {

enum class Tool : std::uint8_t { kFuzz, kStress };

struct Cell {
  const char* name;
  Tool tool;
  const char* preset;
};

// Returns all of them; each gets the same time.
std::span<const Cell> cells();
const Cell* find_cell(std::string_view name);

// Where a campaign keeps things.
struct Places {
  std::filesystem::path out;     // of the campaign, absolute
  std::filesystem::path builds;  // one build for each preset below

  std::filesystem::path corpus() const { return out / "corpus"; }
  std::filesystem::path seeds() const { return out / "seeds"; }
  std::filesystem::path broken() const { return out / "corpus-failing"; }
  std::filesystem::path findings() const { return out / "findings"; }
  std::filesystem::path logs() const { return out / "logs"; }
  std::filesystem::path work() const { return out / "work"; }
  std::filesystem::path state() const { return out / "state.json"; }
  std::filesystem::path report() const { return out / "report.json"; }
  std::filesystem::path lock() const { return out / "lock"; }

  std::filesystem::path program(const Cell& cell) const;
  std::filesystem::path repro() const { return builds / "release/repro/racier-repro"; }
  std::filesystem::path program_seeds() const {
    return builds / "release/fuzz/program_seeds";
  }
};

// One run of a cell's program.
struct Job {
  std::uint64_t number = 0;
  const Cell* cell = nullptr;
  std::uint64_t turn = 0;  // the how-manieth of its cell
  std::int64_t seconds = 0;
  std::uint64_t seed = 0;

  // Returns "job-000012-fuzz-asan".
  std::string name() const;
  std::filesystem::path folder(const Places& places) const {
    return places.work() / name();
  }
  std::filesystem::path log(const Places& places) const {
    return places.logs() / (name() + ".log");
  }
};

// Options that both programs take.
struct Arming {
  std::vector<std::string> bugs;
  std::string rmap;
  bool operator==(const Arming&) const = default;
};

// Returns the command that `job` is, to be run in its folder.
std::vector<std::string> command_of(const Job& job, const Places& places,
                                    const Arming& arming);

// Returns how many executions, or calls, the log of a program tells of so far.
std::uint64_t work_in_log(Tool tool, std::string_view log);

}  // namespace racier::stress
