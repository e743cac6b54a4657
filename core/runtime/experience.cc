// core/runtime/experience.cc - hash tables of words, lines and pairs.
//
// All are open addressing with linear probing.  Where a word lies in its table depends
// on its address; nothing that is answered does.
//
// Tested by experience_test.cc.
#include "core/runtime/experience.h"

#include <algorithm>
#include <cstring>

#include "core/base/random.h"

namespace racier {
namespace {

bool same_line(const std::source_location& a, const std::source_location& b) {
  return a.line() == b.line() && a.column() == b.column() &&
         (a.file_name() == b.file_name() ||
          std::strcmp(a.file_name(), b.file_name()) == 0);
}

}  // namespace

Experience::Experience(Detail detail) : detail_(detail) {
  if (detail == Detail::kLength) return;
  sites_.resize(1);  // kNoSite
  make_room();
}

// Makes the tables as large as they may be now; half of each hash table stays free.
void Experience::make_room() {
  sites_.reserve(sites_max_);
  meets_.resize(sites_max_);
  site_slots_.assign(2 * sites_max_, kNoSite);
  for (std::size_t site = 1; site < sites_.size(); ++site) {
    site_slots_[site_slot(sites_[site])] = static_cast<Site>(site);
  }
  pairs_.reserve(pairs_max_);
  seen_.reserve(pairs_max_);
  seen_in_.resize(pairs_max_);
  pair_slots_.assign(2 * pairs_max_, 0);
  for (std::uint32_t pair = 0; pair < pairs_.size(); ++pair) {
    pair_slots_[pair_slot(pairs_[pair].writer, pairs_[pair].reader)] = pair + 1;
  }
  objects_.reserve(objects_max_);
  object_slots_.resize(2 * objects_max_);
}

void Experience::begin_run() {
  ++run_;
  steps_ = 0;
  stale_ = ~0u;
  words_of_ = {};
  objects_.clear();
  seen_.clear();
}

void Experience::next_execution() {
  steps_of_last_ = steps_;
  was_new_ = false;
  for (const std::uint32_t pair : seen_) {
    was_new_ = was_new_ || pairs_[pair].seen == 0;
    ++pairs_[pair].seen;
  }
  seen_.clear();
  for (; pairs_known_ < pairs_.size(); ++pairs_known_) {
    meets_[pairs_[pairs_known_].writer] = true;
    meets_[pairs_[pairs_known_].reader] = true;
  }
  shared_.clear();
  for (const Object& object : objects_) {
    if (!object.written || std::popcount(object.touched_by) < 2) continue;
    SharedObject& shared = shared_.emplace_back();
    shared.name = object.name;
    shared.steps = object.steps;
    for (const std::uint32_t steps : object.steps) shared.all_steps += steps;
  }
  if (detail_ == Detail::kLength) return;
  const bool sites_full = sites_.size() == sites_max_ && sites_max_ < kSitesMax;
  const bool pairs_full = pairs_.size() == pairs_max_;
  const bool objects_full = objects_.size() == objects_max_;
  if (!sites_full && !pairs_full && !objects_full) return;
  sites_max_ *= sites_full ? 2 : 1;
  pairs_max_ *= pairs_full ? 2 : 1;
  objects_max_ *= objects_full ? 2 : 1;
  make_room();
}

void Experience::on_executed(const Scene& scene, int task, const Step& step) {
  ++steps_;
  if (detail_ == Detail::kLength) return;
  pending(scene, task);
  touch(task, step);
  stale_ |= 1u << task;
}

void Experience::look_up(const Scene& scene, int task) {
  stale_ &= ~(1u << task);
  Pending& pending = pending_[task];
  const Step* const step = scene.pending[task];
  pending = {};
  if (step == nullptr || step->access == Access::kNone) return;
  pending.site = site_at(*step);
  pending.object = object_at(step->address);
  pending.meets = meets_[pending.site];
  if (pending.object == kNoObject) return;
  const std::uint16_t name = objects_[pending.object].name[task];
  pending.name = name != 0 ? name : words_of_[task] + 1;
}

ObjectIndex Experience::object_at(const void* address) {
  const std::size_t mask = object_slots_.size() - 1;
  std::size_t at = Random::mixed(reinterpret_cast<std::uintptr_t>(address)) & mask;
  for (; object_slots_[at].run == run_; at = (at + 1) & mask) {
    if (object_slots_[at].address == address) return object_slots_[at].object;
  }
  const auto object = static_cast<ObjectIndex>(objects_.size());
  if (objects_.size() == objects_max_) return kNoObject;
  objects_.emplace_back();
  object_slots_[at] = {address, run_, object};
  return object;
}

// Returns where the line is, or a free slot.
std::size_t Experience::site_slot(const Line& line) const {
  const std::size_t mask = site_slots_.size() - 1;
  const std::uint64_t name =
      line.pc != nullptr ? reinterpret_cast<std::uintptr_t>(line.pc)
                         : std::uint64_t{line.where.line()} << 16 | line.where.column();
  std::size_t at = Random::mixed(name) & mask;
  for (; site_slots_[at] != kNoSite; at = (at + 1) & mask) {
    const Line& known = sites_[site_slots_[at]];
    if (known.pc == line.pc && same_line(known.where, line.where)) break;
  }
  return at;
}

Site Experience::site_at(const Step& step) {
  static_assert(sizeof step.where == sizeof(const void*));
  const auto* const key =
      step.pc != nullptr ? step.pc : std::bit_cast<const void*>(step.where);
  KnownLine& known = known_lines_[Random::mixed(std::bit_cast<std::uintptr_t>(key)) %
                                  known_lines_.size()];
  if (known.where == key && key != nullptr) return known.site;
  const Line line{step.where, step.pc};
  const std::size_t slot = site_slot(line);
  if (site_slots_[slot] == kNoSite && sites_.size() < sites_max_) {
    site_slots_[slot] = static_cast<Site>(sites_.size());
    sites_.push_back(line);
  }
  if (site_slots_[slot] != kNoSite) known = {key, site_slots_[slot]};
  return site_slots_[slot];
}

// Returns where the pair is, or a free slot.
std::size_t Experience::pair_slot(Site writer, Site reader) const {
  const std::size_t mask = pair_slots_.size() - 1;
  std::size_t at = Random::mixed(std::uint64_t{writer} << 16 | reader) & mask;
  for (; pair_slots_[at] != 0; at = (at + 1) & mask) {
    const ReadsFromPair& pair = pairs_[pair_slots_[at] - 1];
    if (pair.writer == writer && pair.reader == reader) break;
  }
  return at;
}

std::uint32_t Experience::find_pair(Site writer, Site reader) const {
  return pair_slots_[pair_slot(writer, reader)] - 1;
}

void Experience::touch(int task, const Step& step) {
  const Pending& pending = pending_[task];
  if (pending.object == kNoObject) return;
  Object& object = objects_[pending.object];
  if (object.name[task] == 0) object.name[task] = ++words_of_[task];
  ++object.steps[task];
  object.touched_by |= 1u << task;
  note_use(object, pending.site, task, step);
  if (reads(step)) note_read(object, pending.site, task);
  if (!writes(step)) return;
  object.written = true;
  object.writer = pending.site;
  object.writer_task = task;
}

void Experience::note_use(Object& object, Site site, int task, const Step& step) {
  const auto begin = object.uses.begin();
  const auto end = begin + object.use_count;
  const auto use =
      std::find_if(begin, end, [&](const Use& a) { return a.site == site; });
  const auto bit = static_cast<std::uint16_t>(1u << task);
  if (use == object.uses.end()) return;
  if (use == end) {
    ++object.use_count;
    *use = {site, 0, reads(step), writes(step)};
  }
  if ((use->tasks & bit) != 0) return;
  use->tasks |= bit;
  for (auto other = begin; other != begin + object.use_count; ++other) {
    note_meeting(*other, *use);
    note_meeting(*use, *other);
  }
}

void Experience::note_meeting(const Use& writer, const Use& reader) {
  const bool two_tasks =
      std::popcount(static_cast<unsigned>(writer.tasks | reader.tasks)) > 1;
  if (!writer.writes || !reader.reads || !two_tasks) return;
  add_pair(writer.site, reader.site);
  add_pair(kNoSite, reader.site);
}

void Experience::add_pair(Site writer, Site reader) {
  const std::size_t slot = pair_slot(writer, reader);
  if (pair_slots_[slot] != 0 || pairs_.size() == pairs_max_) return;
  pairs_.push_back({writer, reader, 0});
  pair_slots_[slot] = static_cast<std::uint32_t>(pairs_.size());
}

void Experience::note_read(const Object& object, Site reader, int task) {
  if (object.writer_task == task) return;
  const std::uint32_t pair = find_pair(object.writer, reader);
  if (pair == kNoPair || seen_in_[pair] == run_) return;
  seen_in_[pair] = run_;
  seen_.push_back(pair);
}

}  // namespace racier
