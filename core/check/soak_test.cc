// core/check/soak_test.cc - correct verbs, in any order and at the same time, break
// nothing.
//
// Guards the auditor and the watcher against false alarms, and every reverse map: random
// ops of three tasks on one small machine, under many schedules, with every check on.
#include <gtest/gtest.h>

#include "core/base/random.h"
#include "core/check/machine_for_test.h"
#include "core/check/values.h"
#include "core/rmap/scheme.h"

namespace racier::check {
namespace {

constexpr VirtAddr kAnon = 0x1000'0000;
constexpr VirtAddr kFile = kAnon + 8 * kPageSize;
constexpr VirtAddr kShared = kFile + 4 * kPageSize;
constexpr VirtAddr kEnd = kShared + 4 * kPageSize;
constexpr std::uint32_t kRw = kVmRead | kVmWrite;

// Few frames, so that reclaim has work to do.
MachineOptions small(const char* scheme) {
  MachineOptions options;
  options.rmap = scheme;
  options.frames = 48;
  options.swap_slots = 24;
  return options;
}

class Soak {
 public:
  Soak(Bench& bench, std::uint64_t seed) : m_(bench.m) {
    for (Player& player : players_) player.random = Random(seed = Random::mixed(seed));
  }

  void set_up() {
    for (Mm*& mm : mms_) {
      mm = mm_create(m_);
      map_all(*mm);
    }
  }

  // The body of task `task`: tasks 0 and 1 share a mm.
  void run(int task) {
    Player& player = players_[static_cast<std::size_t>(task)];
    player.cpu = task;
    Mm& mm = *mms_[static_cast<std::size_t>(task / 2)];
    for (int i = 0; i < 8; ++i) {
      if (player.random.below(8) == 0) with_child(mm, player);
      op(mm, player);
    }
  }

  void tear_down() {
    for_each_mm([this](Mm& mm) { mmput(m_, mm); });
    shut_down(m_);
  }

  Expected expected() {
    users_.clear();
    for_each_mm([this](Mm& mm) { users_.push_back({&mm, 1, 0}); });
    return {.users_known = true, .users = users_};
  }

 private:
  // What one task has to itself.
  struct Player {
    Random random;
    int cpu = 0;
    std::uint32_t stores = 0;
    std::vector<Mm*> children;  // that stay
  };

  void for_each_mm(FunctionRef<void(Mm&)> visit) {
    for (Mm* const mm : mms_) visit(*mm);
    for (const Player& player : players_) {
      for (Mm* const mm : player.children) visit(*mm);
    }
  }

  void map_all(Mm& mm) {
    (void)do_mmap(m_, mm, {.addr = kAnon, .pages = 8, .vm_flags = kRw});
    (void)do_mmap(m_, mm,
                  {.addr = kFile, .pages = 4, .vm_flags = kRw, .file = &m_.file(0)});
    (void)do_mmap(m_, mm, {.addr = kShared, .pages = 4, .vm_flags = kRw | kVmShared});
  }

  void with_child(Mm& mm, Player& player) {
    const Result<Mm*> child = dup_mm(m_, mm);
    if (!child) return;
    for (int i = 0; i < 6; ++i) op(**child, player);
    if (player.random.below(2) == 0) {
      player.children.push_back(*child);
    } else {
      mmput(m_, **child);
    }
  }

  // Two pages are favoured, so that tasks meet.
  static VirtAddr place(Random& random) {
    if (random.below(2) == 0) return kAnon + random.below(2) * kPageSize;
    return kAnon + random.below((kEnd - kAnon) / kPageSize) * kPageSize;
  }

  void op(Mm& mm, Player& player) {
    Random& random = player.random;
    const VirtAddr at = place(random);
    const VirtAddr end = std::min(kEnd, at + (1 + random.below(4)) * kPageSize);
    switch (random.below(16)) {
      case 0: (void)do_munmap(m_, mm, {at, end}); break;
      case 1: (void)do_mprotect(m_, mm, {at, end}, kVmRead); break;
      case 2: (void)do_mprotect(m_, mm, {at, end}, kRw); break;
      case 3: (void)do_mprotect(m_, mm, {at, end}, 0); break;
      case 4: remap(mm, {at, end}, random); break;
      case 5: do_brk(m_, mm, mm.start_brk + random.below(6) * kPageSize); break;
      case 6:
      case 7:
      case 8: shrink_lru(m_, 1 + static_cast<int>(random.below(8))); break;
      default: access(mm, player, at + random.below(2) * 8); break;
    }
  }

  void remap(Mm& mm, VirtRange range, Random& random) {
    MmapRequest request{.addr = range.start, .pages = range.pages(), .vm_flags = kRw};
    if (random.below(3) == 0) request.vm_flags |= kVmShared;
    if (random.below(3) == 0) request.file = &m_.file(1);
    (void)do_mmap(m_, mm, request);
  }

  void access(Mm& mm, Player& player, VirtAddr addr) {
    constexpr UserAccess kKinds[] = {UserAccess::kRead, UserAccess::kWrite,
                                     UserAccess::kReadModifyWrite};
    const Tag tag{mm.id, static_cast<std::uint32_t>(player.cpu), player.stores++};
    (void)user_access(m_, mm, player.cpu, addr, kKinds[player.random.below(3)],
                      value_of(tag));
  }

  Machine& m_;
  std::array<Mm*, 2> mms_{};  // of tasks 0 and 1, and of task 2
  std::array<Player, 3> players_;
  std::vector<MmUsers> users_;
};

// Returns what one run finds: "" is nothing.
std::string soak(Bench& bench, std::uint64_t seed) {
  bench.run.reset();
  bench.watcher.reset();
  boot(bench.m, bench.run);
  Soak soak(bench, seed);
  FiberRuntime runtime(seed % 2 == 0 ? pos_seed(seed) : random_walk_seed(seed));
  const auto step = [&](std::span<const FunctionRef<void()>> bodies) {
    if (!bench.run.finding()) runtime.run(bench.run, bodies);
  };
  const auto check = [&](FunctionRef<void()> body) {
    if (!bench.run.finding()) finding_of(bench.run, body);
  };
  const auto set_up = [&] { soak.set_up(); };
  const auto tear_down = [&] { soak.tear_down(); };
  const auto task0 = [&] { soak.run(0); };
  const auto task1 = [&] { soak.run(1); };
  const auto task2 = [&] { soak.run(2); };
  const FunctionRef<void()> set_up_body(set_up), tear_down_body(tear_down);
  const FunctionRef<void()> bodies[] = {task0, task1, task2};
  step({&set_up_body, 1});
  step(bodies);
  check([&] { bench.auditor.audit(&bench.watcher, soak.expected()); });
  step({&tear_down_body, 1});
  check([&] { bench.auditor.audit_leaks(); });
  const auto& finding = bench.run.finding();
  return finding ? finding->signature() + ": " + finding->detail : "";
}

TEST(Soak, CorrectVerbsBreakNothing) {
  for (const rmap::SchemeRow& scheme : rmap::schemes()) {
    Bench bench(small(scheme.name));
    for (std::uint64_t seed = 1; seed <= 1000; ++seed) {
      ASSERT_EQ(soak(bench, seed), "") << scheme.name << " seed " << seed;
    }
  }
}

}  // namespace
}  // namespace racier::check
