// core/runtime/surw.cc - who makes the next access to the selected object.
//
// Tested by strategy_test.cc and search_test.cc.
#include "core/runtime/surw.h"

namespace racier {

void Surw::begin_run(int tasks) {
  random_ = Random(seed_);
  pos_ = Pos(random_.next());
  pos_.begin_run(tasks);
  on_ = false;
  object_ = kNoObject;
  name_ = {};
  left_ = {};
  next_ = -1;
  held_ = 0;
  if (experience_.steps() == 0) {
    guess(tasks);
  } else {
    select_one();
  }
}

bool Surw::next_execution() {
  seed_ = Random(seed_).next();
  return true;
}

// The fewer steps, the likelier.
void Surw::select_one() {
  const auto weight = [](const SharedObject& object) {
    return (1ull << 32) / object.all_steps;
  };
  std::uint64_t sum = 0;
  for (const SharedObject& object : experience_.shared_objects()) sum += weight(object);
  if (sum == 0) return;
  std::uint64_t rest = random_.below(sum);
  for (const SharedObject& object : experience_.shared_objects()) {
    if (rest < weight(object)) {
      name_ = object.name;
      left_ = object.steps;
      on_ = true;
      return;
    }
    rest -= weight(object);
  }
}

void Surw::guess(int tasks) {
  constexpr std::uint64_t kLogStepsMax = 6;
  for (int task = 0; task < tasks; ++task) {
    left_[task] = 1u << random_.below(kLogStepsMax + 1);
  }
  on_ = true;
}

// A task's next step is an access to the object, as far as one can tell.
bool Surw::is_at_object(const Scene& scene, int task) {
  const Experience::Pending& pending = experience_.pending(scene, task);
  if (pending.object == kNoObject) return false;
  if (object_ == kNoObject) {
    const bool by_name = name_[task] != 0 && pending.name == name_[task];
    const bool by_index = experience_.steps() == 0 && pending.object == first_object_;
    if (by_name || by_index) object_ = pending.object;
  }
  return pending.object == object_;
}

// Among `tasks`, by what each has left; nobody if that is nothing.
void Surw::draw_next(std::uint32_t tasks) {
  std::uint64_t sum = 0;
  for (std::uint32_t rest = tasks; rest != 0; rest &= rest - 1) {
    sum += left_[std::countr_zero(rest)];
  }
  next_ = -1;
  if (sum == 0) return;
  std::uint64_t draw = random_.below(sum);
  for (std::uint32_t rest = tasks; rest != 0; rest &= rest - 1) {
    next_ = std::countr_zero(rest);
    if (draw < left_[next_]) return;
    draw -= left_[next_];
  }
}

std::uint32_t Surw::allowed(const Scene& scene, std::uint32_t tasks) {
  if (!on_) return tasks;
  std::uint32_t at_object = 0;
  for (std::uint32_t rest = tasks; rest != 0; rest &= rest - 1) {
    const int task = std::countr_zero(rest);
    if (is_at_object(scene, task)) at_object |= 1u << task;
  }
  if (at_object == 0) return tasks;
  if (next_ == -1 || scene.pending[next_] == nullptr) {
    std::uint32_t unfinished = 0;
    for (int task = 0; task < scene.tasks; ++task) {
      if (scene.pending[task] != nullptr) unfinished |= 1u << task;
    }
    draw_next(unfinished);
  }
  if (next_ == -1) return tasks;
  std::uint32_t free = tasks & ~(at_object & ~(1u << next_));
  if (free == 0) {  // it waits, perhaps for one of these
    draw_next(at_object);
    free = next_ == -1 ? at_object : 1u << next_;
  }
  if (free != tasks && ++held_ > kPatience) on_ = false;
  return free;
}

int Surw::next(const Scene& scene) {
  return pos_.best_of(allowed(scene, scene.runnable));
}

void Surw::on_executed(const Scene& scene, int task, const Step& step) {
  if (on_ && is_at_object(scene, task)) {
    if (left_[task] > 0) --left_[task];
    next_ = -1;
    held_ = 0;
  }
  pos_.on_executed(scene, task, step);
}

}  // namespace racier
