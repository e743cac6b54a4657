// core/runtime/replay.cc - looks up where the run has come to.
//
// Tested by strategy_test.cc and replay_test.cc.
#include "core/runtime/replay.h"

#include <algorithm>

namespace racier {
namespace {

// Puts `entry` behind those that are not later.  A recording is in order already.
template <typename Entry>
void add(std::vector<Entry>& entries, const Entry& entry, std::uint32_t Entry::*place) {
  const auto later = [place](const Entry& a, const Entry& b) {
    return a.*place < b.*place;
  };
  entries.insert(std::upper_bound(entries.begin(), entries.end(), entry, later), entry);
}

}  // namespace

Replay::Replay(const Schedule& schedule)
    : entries_(static_cast<std::uint32_t>(schedule.switches.size() +
                                          schedule.choices.size())) {
  for (const Switch& entry : schedule.switches) {
    if (entry.task < kTasksMax)
      add(switches_[entry.task].entries, entry, &Switch::step);
  }
  for (const Choice& entry : schedule.choices) {
    if (entry.task < kTasksMax)
      add(choices_[entry.task].entries, entry, &Choice::index);
  }
}

void Replay::begin_run(int) {
  applied_ = 0;
  for (auto& lane : switches_) lane.at = 0;
  for (auto& lane : choices_) lane.at = 0;
}

int Replay::next(const Scene& scene) {
  auto& [entries, at] = switches_[scene.running];
  while (at < entries.size() && entries[at].step < scene.step) ++at;
  if (at == entries.size() || entries[at].step != scene.step) return scene.by_rule();
  const int wanted = entries[at].next;
  if (wanted >= scene.tasks || !scene.can_run(wanted)) return scene.by_rule();
  ++applied_;
  return wanted;
}

std::uint64_t Replay::choose(int task, std::uint32_t index, std::uint64_t limit) {
  auto& [entries, at] = choices_[task];
  while (at < entries.size() && entries[at].index < index) ++at;
  if (at == entries.size() || entries[at].index != index) return 0;
  if (entries[at].value >= limit) return 0;
  ++applied_;
  return entries[at].value;
}

}  // namespace racier
