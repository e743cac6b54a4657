// core/program/run.cc - the variables of a running program.  Tested by runner_test.cc.
#include "core/program/run.h"

#include "core/mm/page_alloc.h"

namespace racier::program {

void Variables::reset(const Scope& scope) {
  scope_ = scope;
  const std::uint32_t processes = scope.of(Variable::kProcess);
  const std::uint32_t mappings = scope.of(Variable::kMapping);
  if (processes > tasks_room_) {
    tasks_ = std::make_unique<TaskStruct[]>(processes);
    tasks_room_ = processes;
  }
  if (mappings > mappings_room_) {
    mappings_ = std::make_unique<Mapping[]>(mappings);
    mappings_room_ = mappings;
  }
  for (std::uint32_t i = 0; i < processes; ++i) std::construct_at(&tasks_[i]);
  const std::uint32_t pins = scope.of(Variable::kPin);
  if (pins > pins_room_) {
    pins_ = std::make_unique<Pin[]>(pins);
    pins_room_ = pins;
  }
  for (std::uint32_t i = 0; i < pins; ++i) {
    const SpinGuard guard(pins_[i].task_lock);
    pins_[i].pinned = {};
  }
  const std::uint32_t secondaries = scope.of(Variable::kSecondary);
  if (secondaries > secondaries_room_) {
    secondaries_ = std::make_unique<Secondary[]>(secondaries);
    secondaries_room_ = secondaries;
  }
  for (std::uint32_t i = 0; i < secondaries; ++i) {
    const SpinGuard guard(secondaries_[i].task_lock);
    secondaries_[i].mmu = nullptr;
  }
  for (std::uint32_t i = 0; i < mappings; ++i) {
    mappings_[i].raw().store(0, std::memory_order_relaxed);
  }
}

void Variables::set_pin(std::uint64_t number, const PinnedPage& pinned) {
  Pin& pin = pins_[number];
  const SpinGuard guard(pin.task_lock);
  pin.pinned = pinned;
}

PinnedPage Variables::take_pin(std::uint64_t number) {
  if (number >= scope_.of(Variable::kPin)) return {};
  Pin& pin = pins_[number];
  const SpinGuard guard(pin.task_lock);
  return std::exchange(pin.pinned, {});
}

PinnedPage Variables::get_pin(std::uint64_t number) {
  if (number >= scope_.of(Variable::kPin)) return {};
  Pin& pin = pins_[number];
  const SpinGuard guard(pin.task_lock);
  if (pin.pinned.page != nullptr) get_page(*pin.pinned.page);
  return pin.pinned;
}

// Likewise.
Page* Variables::peek_pin(std::uint64_t number) const NO_THREAD_SAFETY_ANALYSIS {
  return pins_[number].pinned.page;
}

void Variables::set_secondary(std::uint64_t number, SecondaryMmu& mmu) {
  Secondary& secondary = secondaries_[number];
  const SpinGuard guard(secondary.task_lock);
  secondary.mmu = &mmu;
}

SecondaryMmu* Variables::take_secondary(std::uint64_t number) {
  if (number >= scope_.of(Variable::kSecondary)) return nullptr;
  Secondary& secondary = secondaries_[number];
  const SpinGuard guard(secondary.task_lock);
  return std::exchange(secondary.mmu, nullptr);
}

SecondaryMmu* Variables::get_secondary(std::uint64_t number) {
  if (number >= scope_.of(Variable::kSecondary)) return nullptr;
  Secondary& secondary = secondaries_[number];
  const SpinGuard guard(secondary.task_lock);
  if (secondary.mmu != nullptr) secondary.mmu->refs.inc();
  return secondary.mmu;
}

void Variables::set_mapping(std::uint64_t number, VirtRange range) {
  const std::uint64_t first = range.start >> kPageShift;
  note_side_effects();
  mappings_[number].raw().store(first << kPagesBits | range.pages(),
                                std::memory_order_relaxed);
}

std::optional<VirtRange> Variables::mapping(std::uint64_t number) const {
  if (number >= scope_.of(Variable::kMapping)) return std::nullopt;
  const std::uint64_t word = mappings_[number].raw().load(std::memory_order_relaxed);
  if (word == 0) return std::nullopt;
  const VirtAddr start = word >> kPagesBits << kPageShift;
  const std::uint64_t pages = word & ((1ull << kPagesBits) - 1);
  return VirtRange{start, start + (pages << kPageShift)};
}

AddressSpace* Run::file(FileRef ref) const {
  if (ref.value >= machine_.options().files) return nullptr;
  return &machine_.file(static_cast<std::uint32_t>(ref.value));
}

}  // namespace racier::program
