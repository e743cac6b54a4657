// core/runtime/store_buffers.h - a memory that is weakly ordered, for tasks on fibers.
//
// A store may stay in its task's buffer for a while; a load may show a value that is no
// longer in memory.  README.md says what follows from it and what does not.  Method:
// OZZ (Jeong and others, SOSP 2024).
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <source_location>

#include "core/base/run_state.h"
#include "core/base/types.h"
#include "core/sync/task.h"
#include "core/sync/weak_memory.h"

namespace racier {

class FiberRuntime;

// Belongs to a FiberRuntime, which says when a task waits, ends, or is unwound.
class StoreBuffers final : public WeakMemory {
 public:
  explicit StoreBuffers(FiberRuntime& runtime);

  // Forgets all that was.
  void begin_run(RunState& run);

  // Returns whether a store of `task` is late.
  bool holds_any(const Task& task) const { return lane(task).count != 0; }
  // Makes all stores of `task` that are late, oldest first.
  void drain(const Task& task);
  // Forgets them: what they are for may be gone.
  void drop(const Task& task) { lane(task).count = 0; }
  // Returns whether memory holds a newer value of the word than `task` has seen.
  bool unseen(const Task& task, const Step& access);
  // What `task` loads from now on is at least as new as what memory holds now.
  void close_window(const Task& task) { lane(task).window = now_; }
  // Makes the stores whose time has come when `steps` steps have been made; returns
  // when it has to be called again.
  std::uint32_t drain_due(std::uint32_t steps);

  std::uint64_t load(Task& self, const Step& access, std::uint64_t newest) override;
  std::uint64_t peek(Task& self, const Step& access, std::uint64_t newest) override;
  bool delay(Task& self, const Step& access, std::uint64_t value) override;
  void before_rmw(Task& self, const Step& access) override;
  std::uint32_t rmw_is_late(Task& self, const Step& access) override;
  void late(Task& self, const Step& access, Change change, std::uint64_t operand,
            std::uint32_t due) override;
  void order(Task& self, const Step& access) override;
  bool fills(Task& self, void* at, std::size_t size,
             std::source_location where) override;
  void filled(Task& self) override;
  void settle_fills(Task& self) override;
  void freed(Task& self, const void* at, std::size_t size) override;
  void fence(Task& self, std::memory_order order, std::source_location where) override;

 private:
  static constexpr int kStoresMax = 16;             // late, of one task
  static constexpr std::uint32_t kVersions = 8;     // old values of one word
  static constexpr std::uint32_t kWordsMax = 4096;  // others show no old values
  static constexpr std::uint32_t kDelays = 6;  // of 2, 4, ... 64 steps of all tasks

  // A store that is late, or a read-modify-write whose store is.
  struct Store {
    void* word;
    std::uint64_t value;  // a fill's is in the task's lane
    std::uint32_t due;    // in steps of all tasks
    std::uint32_t epoch;  // the release fences of the task before it
    std::uint32_t size;   // of a fill: more than a word's
    bool release;
    std::source_location where;
    bool rmw = false;
    Change change = Change::kSet;  // with:
    std::uint64_t operand = 0;
    bool fills() const { return size > sizeof value; }
  };
  // One task's.
  struct Lane {
    std::array<Store, kStoresMax> stores;  // in the order of the program
    int count = 0;
    Store filling;  // between fills() and filled()
    // What memory held before the fill; then what the fill that is late, at most one,
    // is to put there.
    std::array<std::uint64_t, kPageSize / sizeof(std::uint64_t)> content;
    std::uint32_t epoch = 0;
    std::uint32_t window = 0;  // loads show what was current then, or later
  };
  // Times count the changes of all words.  A value was current up to the change that
  // replaced it.
  struct Version {
    std::uint64_t value;
    std::uint32_t replaced;
  };
  struct Word {
    std::uint8_t size;
    std::uint32_t versions;  // replaced so far; the last kVersions are in `ring`
    std::array<Version, kVersions> ring;
    std::array<std::uint32_t, kTasksMax> seen;  // by task: how new a value it has seen
  };
  struct Slot {
    const void* address = nullptr;
    std::uint32_t run = 0;  // the slot is of this run, or empty
    std::uint32_t word = 0;
  };

  Lane& lane(const Task& task) { return lanes_[static_cast<std::size_t>(task.id)]; }
  const Lane& lane(const Task& task) const {
    return lanes_[static_cast<std::size_t>(task.id)];
  }
  Slot& slot_of(const void* address);
  Word* find(const Step& access);
  Word* find_or_add(const void* address, std::uint8_t size);

  bool strong(const Task& self) const;
  static int count_to(const Lane& lane, const void* at, std::size_t size);
  const Store* own_store(const Task& self, const Step& access);
  std::uint32_t due_of(std::uint64_t chosen) const;
  void add(Lane& lane, const Store& store);
  static bool must_wait(const Lane& lane, int index);
  void drain_first(const Task& task, int count);
  void drain_fenced(const Task& task);
  void drain_word(const Task& task, const Step& access);
  Store take(const Task& task, int index);
  void make(const Task& task, int index);
  void change(const Task& task, void* address, std::uint8_t size);
  void settle_rmws(const Task& task, const void* address, std::uint8_t size);
  void too_late(const Task& task, const Store& store);

  FiberRuntime& runtime_;
  RunState* run_ = nullptr;
  std::uint32_t now_ = 0;
  std::uint32_t rmws_ = 0;  // that are late, of all tasks
  std::array<Lane, kTasksMax> lanes_;
  std::unique_ptr<Slot[]> slots_;  // a hash table with open addresses, twice kWordsMax
  std::unique_ptr<Word[]> words_;
  std::uint32_t words_count_ = 0;
  std::uint32_t runs_ = 0;
};

}  // namespace racier
