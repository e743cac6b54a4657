// core/runtime/store_buffers.cc - late stores, old values.
//
// Stores.  Each task has a list.  A store on it may be made before the ones ahead of
// it, unless it is to the same word, is a release, or has a release fence in between. A
// store that is not delayed but would have to overtake joins the list as well.
//
// Read-modify-writes are made at once, but those that the run does without an order of.
// Such a one reads at its step, and its store may be late as any other; whoever else is
// about to write to the word has it made before, so that it stays one operation.
//
// Fills.  A whole frame, filled with plain stores, is one store.  It is made at once,
// so that sanitizers see it; then memory gets its old content back, and the new one
// waits. What was there before a fill is no old value: who loads sees what memory
// holds.
//
// Loads.  Time is the number of changes to words so far.  A load has a time too: any
// between the task's window (its last acquire) and now, but not before what the task
// has seen of that word already; it shows what was current then.  Values that were
// written without our knowledge (raw(), constructors) are missing from a word's
// history, which only makes what is shown newer: so the time of a value is the latest
// at which it was current.
//
// Every choice is the run's strategy's, and 0 is what a strongly ordered memory does.
// Nothing depends on addresses but equality.  Tested by litmus_test.cc and
// store_buffers_test.cc.
#include "core/runtime/store_buffers.h"

#include <algorithm>
#include <utility>

#include "core/base/random.h"
#include "core/base/require.h"
#include "core/base/source_name.h"
#include "core/runtime/describe.h"
#include "core/runtime/fiber_runtime.h"

namespace racier {
namespace {

bool acquires(std::memory_order order) {
  return order != std::memory_order_relaxed && order != std::memory_order_release;
}
bool releases(std::memory_order order) {
  return order == std::memory_order_release || order == std::memory_order_acq_rel ||
         order == std::memory_order_seq_cst;
}

bool touches(const void* one, std::size_t one_size, const void* other,
             std::size_t other_size) {
  const auto a = reinterpret_cast<std::uintptr_t>(one);
  const auto b = reinterpret_cast<std::uintptr_t>(other);
  return a < b + other_size && b < a + one_size;
}

std::uint64_t word_at(const void* address, std::uint8_t size) {
  switch (size) {
    case 1:
      return __atomic_load_n(static_cast<const std::uint8_t*>(address), 0);
    case 2:
      return __atomic_load_n(static_cast<const std::uint16_t*>(address), 0);
    case 4:
      return __atomic_load_n(static_cast<const std::uint32_t*>(address), 0);
    default:
      return __atomic_load_n(static_cast<const std::uint64_t*>(address), 0);
  }
}

void set_word(void* address, std::uint8_t size, std::uint64_t value) {
  switch (size) {
    case 1:
      return __atomic_store_n(static_cast<std::uint8_t*>(address),
                              static_cast<std::uint8_t>(value), 0);
    case 2:
      return __atomic_store_n(static_cast<std::uint16_t*>(address),
                              static_cast<std::uint16_t>(value), 0);
    case 4:
      return __atomic_store_n(static_cast<std::uint32_t*>(address),
                              static_cast<std::uint32_t>(value), 0);
    default:
      return __atomic_store_n(static_cast<std::uint64_t*>(address), value, 0);
  }
}

std::uint64_t changed(std::uint64_t word, Change change, std::uint64_t operand) {
  switch (change) {
    case Change::kSet:
      return operand;
    case Change::kAdd:
      return word + operand;
    case Change::kOr:
      return word | operand;
    case Change::kAnd:
      return word & operand;
  }
  return word;
}

// Copies words, `size` bytes.  Not by memcpy(), of which TSan sees all calls.
[[clang::no_builtin("memmove", "memcpy")]] void copy_words(void* to, const void* from,
                                                           std::size_t size) {
  auto* const words = static_cast<std::uint64_t*>(to);
  for (std::size_t i = 0; i < size / sizeof *words; ++i) {
    words[i] = static_cast<const std::uint64_t*>(from)[i];
  }
}

// Exchanges words, `size` bytes.
void swap_words(void* one, void* other, std::size_t size) {
  auto* const words = static_cast<std::uint64_t*>(one);
  for (std::size_t i = 0; i < size / sizeof *words; ++i) {
    std::swap(words[i], static_cast<std::uint64_t*>(other)[i]);
  }
}

}  // namespace

StoreBuffers::StoreBuffers(FiberRuntime& runtime)
    : runtime_(runtime),
      slots_(std::make_unique<Slot[]>(2 * kWordsMax)),
      words_(std::make_unique_for_overwrite<Word[]>(kWordsMax)) {}

void StoreBuffers::begin_run(RunState& run) {
  run_ = &run;
  now_ = rmws_ = 0;
  words_count_ = 0;
  for (Lane& lane : lanes_) lane.count = 0, lane.epoch = lane.window = 0;
  if (++runs_ == 0) {
    std::fill_n(slots_.get(), 2 * kWordsMax, Slot{});
    runs_ = 1;
  }
}

// ---- The words ----------------------------------------------------------------------

// Returns the slot of the word, or the empty one where it belongs.
StoreBuffers::Slot& StoreBuffers::slot_of(const void* address) {
  constexpr std::uint64_t kMask = 2 * kWordsMax - 1;
  std::uint64_t at = Random::mixed(reinterpret_cast<std::uintptr_t>(address));
  while (slots_[at & kMask].run == runs_ && slots_[at & kMask].address != address) ++at;
  return slots_[at & kMask];
}

StoreBuffers::Word* StoreBuffers::find(const Step& access) {
  const Slot& slot = slot_of(access.address);
  if (slot.run != runs_) return nullptr;
  Word& word = words_[slot.word];
  return word.size == access.size ? &word : nullptr;
}

// Returns nullptr if there is no room.
StoreBuffers::Word* StoreBuffers::find_or_add(const void* address, std::uint8_t size) {
  Slot& slot = slot_of(address);
  if (slot.run != runs_) {
    if (words_count_ == kWordsMax) return nullptr;
    slot = {address, runs_, words_count_++};
    words_[slot.word].size = 0;
  }
  Word& word = words_[slot.word];
  if (word.size != size) {
    word.size = size;
    word.versions = 0;
    word.seen.fill(0);
  }
  return &word;
}

// `task` is about to change the word in memory.
void StoreBuffers::change(const Task& task, void* address, std::uint8_t size) {
  if (rmws_ != 0) settle_rmws(task, address, size);
  ++now_;
  Word* const word = find_or_add(address, size);
  if (word == nullptr) return;
  word->ring[word->versions++ % kVersions] = {word_at(address, size), now_};
  word->seen[static_cast<std::size_t>(task.id)] = now_;
}

// What others have read there is still there when they write.
void StoreBuffers::settle_rmws(const Task& task, const void* address,
                               std::uint8_t size) {
  for (int id = 0; id < runtime_.tasks(); ++id) {
    const Task& other = runtime_.task(id);
    const Lane& lane = this->lane(other);
    int count = other.id == task.id ? 0 : lane.count;
    while (count > 0 && !(lane.stores[count - 1].rmw &&
                          touches(lane.stores[count - 1].word,
                                  lane.stores[count - 1].size, address, size))) {
      --count;
    }
    drain_first(other, count);
  }
}

bool StoreBuffers::unseen(const Task& task, const Step& access) {
  const Word* const word = find(access);
  if (word == nullptr || word->versions == 0) return false;
  const Version& last = word->ring[(word->versions - 1) % kVersions];
  return last.replaced > word->seen[static_cast<std::size_t>(task.id)];
}

// ---- Late stores --------------------------------------------------------------------

// Returns whether nothing of `self` may be late or old: it is to look like one step, or
// the run is over.
bool StoreBuffers::strong(const Task& self) const {
  return self.steps_off > 0 || run_->over();
}

// Returns how many stores are late up to the last one that touches [at, at + size); 0:
// none does.
int StoreBuffers::count_to(const Lane& lane, const void* at, std::size_t size) {
  int count = lane.count;
  while (count > 0 &&
         !touches(lane.stores[count - 1].word, lane.stores[count - 1].size, at, size)) {
    --count;
  }
  return count;
}

// Returns the last store of `self` to the word that is late, or nullptr.  One to
// another word in the same place, which memory that was reused has had, is made.
const StoreBuffers::Store* StoreBuffers::own_store(const Task& self,
                                                   const Step& access) {
  const Lane& lane = this->lane(self);
  const int count = count_to(lane, access.address, access.size);
  if (count == 0) return nullptr;
  const Store& last = lane.stores[count - 1];
  if (last.word == access.address && last.size == access.size) return &last;
  drain_first(self, count);
  return nullptr;
}

// Returns whether a store has to stay behind one that is ahead of it.
bool StoreBuffers::must_wait(const Lane& lane, int index) {
  const Store& store = lane.stores[index];
  for (int i = 0; i < index; ++i) {
    const Store& ahead = lane.stores[i];
    if (store.release || ahead.epoch != store.epoch ||
        touches(ahead.word, ahead.size, store.word, store.size)) {
      return true;
    }
  }
  return false;
}

// Not by memmove(), of which TSan sees all calls.
[[clang::no_builtin("memmove", "memcpy")]] StoreBuffers::Store StoreBuffers::take(
    const Task& task, int index) {
  Lane& lane = this->lane(task);
  const Store store = lane.stores[index];
  rmws_ -= store.rmw ? 1 : 0;
  --lane.count;
  for (int i = index; i < lane.count; ++i) lane.stores[i] = lane.stores[i + 1];
  return store;
}

void StoreBuffers::make(const Task& task, int index) {
  const Store store = take(task, index);
  if (run_->live != nullptr && run_->live->is_dead(store.word)) [[unlikely]]
    return too_late(task, store);
  if (store.fills()) {
    return copy_words(store.word, lane(task).content.data(), store.size);
  }
  const auto size = static_cast<std::uint8_t>(store.size);
  change(task, store.word, size);
  set_word(store.word, size,
           store.rmw ? changed(word_at(store.word, size), store.change, store.operand)
                     : store.value);
}

// The memory is gone, and whoever freed it did not wait for the store.
void StoreBuffers::too_late(const Task& task, const Store& store) {
  Finding finding;
  finding.kind = FindingKind::kUseAfterFree;
  finding.title = "KASAN: use-after-free Write in " +
                  bare_function_name(store.where.function_name());
  finding.detail =
      "at " + describe_place(store.where) + ", by a store that was delayed";
  finding.where = store.where;
  if (run_->record(std::move(finding))) run_->set_reporter(task.id, task.steps);
}

void StoreBuffers::drain_first(const Task& task, int count) {
  for (; count > 0; --count) make(task, 0);
}

void StoreBuffers::drain(const Task& task) { drain_first(task, lane(task).count); }

// Those that a release fence puts before whatever the task writes next.
void StoreBuffers::drain_fenced(const Task& task) {
  const Lane& lane = this->lane(task);
  int count = 0;
  while (count < lane.count && lane.stores[count].epoch != lane.epoch) ++count;
  drain_first(task, count);
}

// With what is ahead of them.
void StoreBuffers::drain_word(const Task& task, const Step& access) {
  drain_first(task, count_to(lane(task), access.address, access.size));
}

std::uint32_t StoreBuffers::drain_due(std::uint32_t steps) {
  std::uint32_t next = UINT32_MAX;
  for (int id = 0; id < runtime_.tasks(); ++id) {
    const Task& task = runtime_.task(id);
    const Lane& lane = this->lane(task);
    for (int i = 0; i < lane.count;) {
      if (must_wait(lane, i)) {
        ++i;
      } else if (lane.stores[i].due <= steps) {
        make(task, i);
        i = 0;
      } else {
        next = std::min(next, lane.stores[i++].due);
      }
    }
  }
  return next;
}

// Returns when a store is to be made for which kDelays gave `chosen`; 0: now.
std::uint32_t StoreBuffers::due_of(std::uint64_t chosen) const {
  return runtime_.steps() + (chosen == 0 ? 0u : 1u << chosen);
}

void StoreBuffers::add(Lane& lane, const Store& store) {
  lane.stores[lane.count++] = store;
  runtime_.drain_by(store.due);
}

bool StoreBuffers::delay(Task& self, const Step& access, std::uint64_t value) {
  Lane& lane = this->lane(self);
  void* const word = const_cast<void*>(access.address);
  if (strong(self) || access.order == std::memory_order_seq_cst) {
    drain(self);
    change(self, word, access.size);
    return false;
  }
  if (lane.count == kStoresMax) drain_first(self, 1);
  const std::uint64_t chosen = runtime_.choose_rarely(self, kDelays);
  const Store store{word,        value,       due_of(chosen),
                    lane.epoch,  access.size, access.order == std::memory_order_release,
                    access.where};
  lane.stores[lane.count] = store;
  if (chosen == 0 && !must_wait(lane, lane.count)) {
    change(self, word, access.size);
    return false;
  }
  add(lane, store);
  return true;
}

bool StoreBuffers::fills(Task& self, void* at, std::size_t size,
                         std::source_location where) {
  Lane& lane = this->lane(self);
  require(size > sizeof(std::uint64_t) && size <= sizeof lane.content,
          "a fill is of more than a word, and of a frame at most");
  settle_fills(self);
  const std::uint64_t chosen = strong(self) ? 0 : runtime_.choose_rarely(self, kDelays);
  if (chosen == 0) {
    if (strong(self)) drain(self);
    drain_fenced(self);
    drain_first(self, count_to(lane, at, size));
    return false;
  }
  lane.filling = {
      at,    0,    due_of(chosen), lane.epoch, static_cast<std::uint32_t>(size),
      false, where};
  copy_words(lane.content.data(), at, size);
  return true;
}

void StoreBuffers::filled(Task& self) {
  Lane& lane = this->lane(self);
  swap_words(lane.filling.word, lane.content.data(), lane.filling.size);
  if (lane.count == kStoresMax) drain_first(self, 1);
  add(lane, lane.filling);
}

void StoreBuffers::settle_fills(Task& self) {
  const Lane& lane = this->lane(self);
  int count = lane.count;
  while (count > 0 && !lane.stores[count - 1].fills()) --count;
  drain_first(self, count);
}

// ---- Old values ---------------------------------------------------------------------

std::uint64_t StoreBuffers::peek(Task& self, const Step& access, std::uint64_t newest) {
  if (acquires(access.order)) close_window(self);
  if (Word* const word = find(access)) {
    word->seen[static_cast<std::size_t>(self.id)] = now_;
  }
  if (count_to(lane(self), access.address, access.size) == 0) return newest;
  const Store* const own = own_store(self, access);
  return own == nullptr ? word_at(access.address, access.size) : own->value;
}

std::uint64_t StoreBuffers::load(Task& self, const Step& access, std::uint64_t newest) {
  Lane& lane = this->lane(self);
  Word* const word = find(access);
  if (word == nullptr || strong(self) || access.order == std::memory_order_seq_cst ||
      count_to(lane, access.address, access.size) != 0) {
    return peek(self, access, newest);
  }
  std::uint32_t& seen = word->seen[static_cast<std::size_t>(self.id)];
  const std::uint32_t after = std::max(lane.window, seen);
  const auto nth_last = [&](std::uint64_t n) -> const Version& {
    return word->ring[(word->versions - n) % kVersions];
  };
  const std::uint32_t most = std::min(word->versions, kVersions);
  std::uint32_t old = 0;
  while (old < most && nth_last(old + 1).replaced > after) ++old;
  const std::uint64_t chosen = old == 0 ? 0 : runtime_.choose_rarely(self, old);
  const std::uint32_t time = chosen == 0 ? now_ : nth_last(chosen).replaced - 1;
  seen = time;
  if (acquires(access.order)) lane.window = std::max(lane.window, time);
  return chosen == 0 ? newest : nth_last(chosen).value;
}

// ---- Orders -------------------------------------------------------------------------

void StoreBuffers::order(Task& self, const Step& access) {
  if (access.access != Access::kRead && releases(access.order)) {
    drain(self);
  } else if (access.access != Access::kRead && access.address != nullptr) {
    drain_fenced(self);
    drain_word(self, access);
  }
  if (access.access != Access::kWrite && acquires(access.order)) close_window(self);
}

void StoreBuffers::before_rmw(Task& self, const Step& access) {
  if (strong(self)) drain(self);
  order(self, access);
  change(self, const_cast<void*>(access.address), access.size);
  if (access.access != Access::kWrite && acquires(access.order)) close_window(self);
}

std::uint32_t StoreBuffers::rmw_is_late(Task& self, const Step& access) {
  const std::uint64_t chosen = strong(self) ? 0 : runtime_.choose_rarely(self, kDelays);
  if (chosen == 0) {
    before_rmw(self, access);
    return 0;
  }
  order(self, access);
  if (rmws_ != 0) settle_rmws(self, access.address, access.size);
  return due_of(chosen);
}

void StoreBuffers::late(Task& self, const Step& access, Change change,
                        std::uint64_t operand, std::uint32_t due) {
  Lane& lane = this->lane(self);
  void* const word = const_cast<void*>(access.address);
  const std::uint64_t value = changed(word_at(word, access.size), change, operand);
  if (lane.count == kStoresMax) drain_first(self, 1);
  ++rmws_;
  add(lane, {word, value, due, lane.epoch, access.size, false, access.where, true,
             change, operand});
}

// Once the memory has another owner nobody could tell whose the store was.
void StoreBuffers::freed([[maybe_unused]] Task& self, const void* at,
                         std::size_t size) {
  for (int id = 0; id < runtime_.tasks(); ++id) {
    const Task& task = runtime_.task(id);
    const Lane& lane = this->lane(task);
    for (int i = 0; i < lane.count;) {
      const Store& store = lane.stores[i];
      if (touches(store.word, store.size, at, size)) {
        too_late(task, take(task, i));
      } else {
        ++i;
      }
    }
  }
}

void StoreBuffers::fence(Task& self, std::memory_order order,
                         std::source_location where) {
  if (strong(self)) {
    drain(self);
  } else if (order == std::memory_order_seq_cst) {
    runtime_.settle(self, where);
  } else if (releases(order)) {
    ++lane(self).epoch;
  }
  if (acquires(order)) close_window(self);
}

}  // namespace racier
