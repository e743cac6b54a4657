// core/runtime/experience.h - what the runs of a search have shown so far.
//
// Objects are words.  One is named by what a task can know of it: "the third word that
// task 1 touches", which holds in the next run too, as far as the task does the same;
// an address does not.  Sites are source lines, numbered as they are first seen.
#pragma once
#include <array>
#include <cstdint>
#include <source_location>
#include <span>
#include <vector>

#include "core/runtime/strategy.h"

namespace racier {

using Site = std::uint16_t;
inline constexpr Site kNoSite = 0;  // as a writer: nobody has written in this run
using ObjectIndex = std::uint32_t;  // in the order of first sight in this run
inline constexpr ObjectIndex kNoObject = ~0u;

inline bool reads(const Step& step) {
  return step.access == Access::kRead || step.access == Access::kRmw;
}
inline bool writes(const Step& step) {
  return step.access == Access::kWrite || step.access == Access::kRmw;
}

// For so many decisions a strategy holds back a task that could run; then it may be
// that others poll for what that one is to do.
inline constexpr std::uint32_t kPatience = 4096;

// A word in a run that is over: what each task did to it.
struct SharedObject {
  std::array<std::uint16_t, kTasksMax> name{};  // the task's n-th word, from 1; 0: none
  std::array<std::uint32_t, kTasksMax> steps{};
  std::uint32_t all_steps = 0;
};

// A write that a read of another task saw, or might have seen: they met at one word.
struct ReadsFromPair {
  Site writer = kNoSite;
  Site reader = kNoSite;
  std::uint32_t seen = 0;  // in so many runs
};

// Told of a run like a strategy.  What it answers about runs that are over changes only
// in next_execution().  No step allocates; what does not fit is forgotten.
class Experience {
 public:
  // How much it watches: the number of steps, or all of the above.
  enum class Detail { kLength, kAll };
  explicit Experience(Detail detail);

  void begin_run();
  void on_executed(const Scene& scene, int task, const Step& step);
  void next_execution();

  // ---- Runs that are over ----------------------------------------------------------
  // Steps of the last run; 0: none is over.
  std::uint32_t steps() const { return steps_of_last_; }
  // Words that several tasks touched in the last run and one of them wrote.
  const std::vector<SharedObject>& shared_objects() const { return shared_; }
  // Pairs that were ever possible.
  std::span<const ReadsFromPair> pairs() const { return {pairs_.data(), pairs_known_}; }
  // Of the last run: whether it had a pair that no run before it had.
  bool was_new() const { return was_new_; }

  // ---- The current run -------------------------------------------------------------
  // What is pending for a task.
  struct Pending {
    Site site = kNoSite;
    ObjectIndex object = kNoObject;
    std::uint16_t name = 0;  // the word is the task's n-th
    bool meets = false;      // the site is in one of pairs()
  };
  const Pending& pending(const Scene& scene, int task) {
    if ((stale_ >> task & 1) != 0) look_up(scene, task);
    return pending_[task];
  }
  // Who wrote last: its site, or kNoSite, and task.
  Site last_writer(ObjectIndex object) const { return objects_[object].writer; }
  int last_writer_task(ObjectIndex object) const {
    return objects_[object].writer_task;
  }
  // Returns whether the two are known to meet.
  bool known_pair(Site writer, Site reader) const {
    return find_pair(writer, reader) < pairs_known_;
  }

 private:
  static constexpr std::size_t kFewest = 256;        // entries of a table at first
  static constexpr std::size_t kSitesMax = 1 << 15;  // a Site has 16 bits
  static constexpr std::size_t kUsesMax = 10;
  static constexpr std::uint32_t kNoPair = ~0u;

  // A line that touched an object, and whose.
  struct Use {
    Site site = kNoSite;
    std::uint16_t tasks = 0;
    bool reads = false;
    bool writes = false;
  };
  struct Object {
    std::uint32_t touched_by = 0;
    bool written = false;
    std::uint8_t use_count = 0;
    Site writer = kNoSite;
    int writer_task = -1;
    std::array<std::uint16_t, kTasksMax> name{};
    std::array<std::uint32_t, kTasksMax> steps{};
    std::array<Use, kUsesMax> uses{};
  };
  // What a site is: a line, or the place in the program of a plain access.
  struct Line {
    std::source_location where;
    const void* pc = nullptr;
  };
  // Where a line was found last: a source_location is a pointer to what it says.
  struct KnownLine {
    const void* where = nullptr;
    Site site = kNoSite;
  };
  // A slot of a hash table; one of another run is free.
  struct ObjectSlot {
    const void* address = nullptr;
    std::uint32_t run = 0;
    ObjectIndex object = kNoObject;
  };

  void make_room();
  void look_up(const Scene& scene, int task);
  ObjectIndex object_at(const void* address);
  Site site_at(const Step& step);
  std::size_t site_slot(const Line& line) const;
  std::size_t pair_slot(Site writer, Site reader) const;
  std::uint32_t find_pair(Site writer, Site reader) const;
  void touch(int task, const Step& step);
  void note_use(Object& object, Site site, int task, const Step& step);
  void note_meeting(const Use& writer, const Use& reader);
  void add_pair(Site writer, Site reader);
  void note_read(const Object& object, Site reader, int task);

  Detail detail_;

  // All runs.
  std::size_t sites_max_ = kFewest;
  std::size_t pairs_max_ = kFewest;
  std::size_t objects_max_ = kFewest;
  std::vector<Line> sites_;  // index: Site
  std::vector<Site> site_slots_;
  std::array<KnownLine, 256> known_lines_{};
  std::vector<bool> meets_;  // by site: whether it is in a known pair
  std::vector<ReadsFromPair> pairs_;
  std::vector<std::uint32_t> pair_slots_;  // index in pairs_ + 1; 0: free
  std::size_t pairs_known_ = 0;

  // The last run.
  std::uint32_t steps_of_last_ = 0;
  std::vector<SharedObject> shared_;
  bool was_new_ = false;

  // The current run.
  std::uint32_t run_ = 0;
  std::uint32_t steps_ = 0;
  std::uint32_t stale_ = ~0u;  // tasks whose pending_ is not known
  std::array<Pending, kTasksMax> pending_{};
  std::array<std::uint16_t, kTasksMax> words_of_{};  // so many has each task touched
  std::vector<ObjectSlot> object_slots_;
  std::vector<Object> objects_;
  std::vector<std::uint32_t> seen_;     // pairs of this run, each once
  std::vector<std::uint32_t> seen_in_;  // by pair: the last run that had it
};

}  // namespace racier
