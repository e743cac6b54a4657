// core/runtime/trace.cc - names words without their addresses.
//
// Tested by replay_test.cc.
#include "core/runtime/trace.h"

#include <map>

#include "core/base/random.h"
#include "core/base/source_name.h"

namespace racier {

void Trace::on_run(const RunState& run) {
  region_ = run.live;
  entries_.clear();
}

void Trace::on_step(const Task& task, const Step& step) {
  entries_.push({static_cast<std::uint8_t>(task.id), task.steps, step});
}

std::uint64_t Trace::hash() const {
  std::map<const void*, std::uint64_t>
      outside;  // looked up only: its order is nobody's
  std::uint64_t hash = 0;
  const auto add = [&hash](std::uint64_t word) {
    hash = Random::mixed(hash + word + 1);
  };
  for (const TraceEntry& entry : entries()) {
    const void* const address = entry.step.address;
    const std::ptrdiff_t offset = region_ == nullptr ? -1 : region_->offset_of(address);
    add(entry.task);
    add(offset >= 0 ? static_cast<std::uint64_t>(offset)
                    : outside.try_emplace(address, outside.size()).first->second);
    add(static_cast<std::uint64_t>(entry.step.access));
    add(entry.step.where.line());
  }
  return hash;
}

std::uint64_t Trace::outline() const {
  std::map<const void*, std::uint64_t> words;  // likewise
  std::uint64_t hash = 0;
  const auto add = [&hash](std::uint64_t word) {
    hash = Random::mixed(hash + word + 1);
  };
  for (const TraceEntry& entry : entries()) {
    add(entry.task);
    add(words.try_emplace(entry.step.address, words.size()).first->second);
    add(static_cast<std::uint64_t>(entry.step.access));
    for (const char c : bare_function_name(entry.step.where.function_name())) {
      add(static_cast<unsigned char>(c));
    }
  }
  return hash;
}

}  // namespace racier
