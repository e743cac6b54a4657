// core/runtime/reads_from.cc - constraints: drawn, followed, kept.
//
// Tested by strategy_test.cc and search_test.cc.
#include "core/runtime/reads_from.h"

#include <algorithm>

namespace racier {

ReadsFrom::ReadsFrom(std::uint64_t seed, std::uint32_t object, Experience& experience)
    : seed_(seed), experience_(experience), inner_(seed, object, experience) {
  kept_.reserve(kKeptMax);
}

void ReadsFrom::begin_run(int tasks) {
  random_ = Random(seed_);
  inner_.begin_run(tasks);
  draw_constraints();
  put_off_ = 0;
}

bool ReadsFrom::next_execution() {
  const Constraints done = fulfilled();
  if (done.count > 0 && (experience_.was_new() || !is_kept(done))) {
    if (kept_.size() < kKeptMax) {
      kept_.push_back(done);
    } else {
      kept_[oldest_] = done;
      oldest_ = (oldest_ + 1) % kKeptMax;
    }
  }
  seed_ = Random(seed_).next();
  return inner_.next_execution();
}

// ---- Constraints
// ---------------------------------------------------------------------

void ReadsFrom::draw_constraints() {
  constraints_ = {};
  if (experience_.pairs().empty()) return;
  if (!kept_.empty() && random_.below(3) != 0) {
    const Constraints& a = kept_[random_.below(kept_.size())];
    const Constraints& b = kept_[random_.below(kept_.size())];
    constraints_ = a.count >= b.count ? a : b;
    change_constraints();
  } else {
    constraints_.count = 1 + random_.below(3);
    for (Constraint& constraint : constraints_.span()) constraint = draw_constraint();
  }
}

void ReadsFrom::change_constraints() {
  const std::uint64_t draw = random_.below(8);
  const std::size_t at = random_.below(constraints_.count);
  if (draw == 0 && constraints_.count > 1) {
    constraints_.all[at] = constraints_.all[--constraints_.count];
  } else if (draw < 6 && constraints_.count < kConstraintsMax) {
    constraints_.all[constraints_.count++] = draw_constraint();
  } else {
    constraints_.all[at] = draw_constraint();
  }
}

// Any pair, of two that were drawn the one that was seen less often.
ReadsFrom::Constraint ReadsFrom::draw_constraint() {
  const auto pairs = experience_.pairs();
  const ReadsFromPair& a = pairs[random_.below(pairs.size())];
  const ReadsFromPair& b = pairs[random_.below(pairs.size())];
  const ReadsFromPair& pair = a.seen <= b.seen ? a : b;
  return {pair.writer, pair.reader, random_.below(2) == 0, false};
}

ReadsFrom::Constraints ReadsFrom::fulfilled() const {
  Constraints done;
  for (const Constraint& constraint : constraints_.span()) {
    if (!constraint.fulfilled) continue;
    done.all[done.count] = constraint;
    done.all[done.count++].fulfilled = false;
  }
  return done;
}

bool ReadsFrom::is_kept(const Constraints& constraints) const {
  const auto contains = [](const Constraints& set, const Constraint& one) {
    const auto all = set.span();
    return std::any_of(all.begin(), all.end(), [&](const Constraint& other) {
      return one.writer == other.writer && one.reader == other.reader;
    });
  };
  return std::any_of(kept_.begin(), kept_.end(), [&](const Constraints& kept) {
    const auto all = constraints.span();
    return std::all_of(all.begin(), all.end(),
                       [&](const Constraint& one) { return contains(kept, one); });
  });
}

// ---- A run
// ---------------------------------------------------------------------------

bool ReadsFrom::somebody_reads(const Scene& scene, ObjectIndex object, Site reader) {
  for (int task = 0; task < scene.tasks; ++task) {
    if (scene.pending[task] == nullptr) continue;
    const auto& pending = experience_.pending(scene, task);
    if (pending.object == object && pending.site == reader) return true;
  }
  return false;
}

// What is to become of the pending step of `task` for the sake of `constraint`.
ReadsFrom::Wish ReadsFrom::wish(const Scene& scene, int task,
                                const Constraint& constraint) {
  const auto& [site, object, name, meets] = experience_.pending(scene, task);
  const Step& step = *scene.pending[task];
  const bool written = experience_.last_writer(object) == constraint.writer;
  if (reads(step) && site == constraint.reader) {
    const bool by_itself = experience_.last_writer_task(object) == task;
    return written && !by_itself ? Wish::kNow : Wish::kLater;
  }
  if (!writes(step)) return Wish::kNone;
  if (written) {  // what is to be read would be gone
    const bool matters =
        constraint.writer != kNoSite || experience_.known_pair(site, constraint.reader);
    return matters ? Wish::kLater : Wish::kNone;
  }
  const bool awaited =
      site == constraint.writer && somebody_reads(scene, object, constraint.reader);
  return awaited ? Wish::kNow : Wish::kNone;
}

// What is put off for one is put off, even if another wishes it now.
ReadsFrom::Wish ReadsFrom::wish(const Scene& scene, int task) {
  const auto& pending = experience_.pending(scene, task);
  if (!pending.meets || pending.object == kNoObject) return Wish::kNone;
  Wish all = Wish::kNone;
  for (const Constraint& constraint : constraints_.span()) {
    if (!constraint.holds()) continue;
    const Wish one = wish(scene, task, constraint);
    if (one == Wish::kLater) return one;
    if (one == Wish::kNow) all = one;
  }
  return all;
}

int ReadsFrom::next(const Scene& scene) {
  if (constraints_.count == 0) return inner_.next(scene);
  std::uint32_t now = 0;
  std::uint32_t later = 0;
  for (std::uint32_t rest = scene.runnable; rest != 0; rest &= rest - 1) {
    const int task = std::countr_zero(rest);
    const Wish one = wish(scene, task);
    if (one == Wish::kNow) now |= 1u << task;
    if (one == Wish::kLater) later |= 1u << task;
  }
  if ((now | later) != 0 && ++put_off_ > kPatience) constraints_.count = 0;
  if (now != 0) return inner_.pos().best_of(now);
  const std::uint32_t rest = scene.runnable & ~later;
  return inner_.pos().best_of(inner_.allowed(scene, rest != 0 ? rest : scene.runnable));
}

void ReadsFrom::on_executed(const Scene& scene, int task, const Step& step) {
  const auto& pending = experience_.pending(scene, task);
  if (reads(step) && pending.object != kNoObject) {
    for (Constraint& constraint : constraints_.span()) {
      if (pending.site == constraint.reader &&
          experience_.last_writer(pending.object) == constraint.writer &&
          experience_.last_writer_task(pending.object) != task) {
        constraint.fulfilled = true;
      }
    }
  }
  inner_.on_executed(scene, task, step);
}

}  // namespace racier
