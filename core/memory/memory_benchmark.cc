// core/memory/memory_benchmark.cc - what frames, objects and user accesses cost.
#include <benchmark/benchmark.h>

#include "core/memory/memory_for_test.h"
#include "core/memory/slab.h"
#include "core/memory/soft_mmu.h"

namespace racier {
namespace {

void frame_alloc_and_free(benchmark::State& state) {
  MemoryForTest m;
  for (auto _ : state) m.arena.free(m.arena.alloc());
}
BENCHMARK(frame_alloc_and_free);

void frame_fill_and_check(benchmark::State& state) {
  MemoryForTest m;
  std::byte* const at = m.arena.data(m.arena.alloc());
  for (auto _ : state) {
    fill_pattern(at, kPageSize, kPatternFree);
    benchmark::DoNotOptimize(pattern_damage(at, kPageSize));
  }
}
BENCHMARK(frame_fill_and_check);

struct Object {
  std::uint64_t words[10] = {};
};

void slab_create_and_destroy(benchmark::State& state) {
  MemoryForTest m;
  Slab<Object> slab("object", SlabKind::kPlain, m.slab_pages, m.rcu);
  for (auto _ : state) slab.destroy(slab.create());
}
BENCHMARK(slab_create_and_destroy);

void stable_create_and_destroy(benchmark::State& state) {
  MemoryForTest m;
  Slab<Object> slab("object", SlabKind::kTypesafeByRcu, m.slab_pages, m.rcu);
  benchmark::DoNotOptimize(slab.create());  // so that the page stays
  for (auto _ : state) slab.destroy(slab.create());
}
BENCHMARK(stable_create_and_destroy);

void reset_after_ten_frames_and_objects(benchmark::State& state) {
  MemoryForTest m;
  Slab<Object> slab("object", SlabKind::kPlain, m.slab_pages, m.rcu);
  for (auto _ : state) {
    for (int i = 0; i < 10; ++i) {
      benchmark::DoNotOptimize(m.arena.alloc());
      benchmark::DoNotOptimize(slab.create());
    }
    m.reset();
  }
}
BENCHMARK(reset_after_ten_frames_and_objects);

// One mapped page.
struct Mapped {
  MemoryForTest m;
  SoftMmu mmu{m.arena, 2};
  MmuContext mm{1, table()};

  Mapped() {
    Pfn at = mm.root;
    for (int level = kTableLevels - 1; level > 0; --level) at = set(at, Pte::kPresent);
    set(at, Pte::kPresent | Pte::kUser | Pte::kWrite);
  }
  Pfn table() {
    const Pfn pfn = m.arena.alloc();
    clear_user_frame(m.arena.data(pfn));
    return pfn;
  }
  Pfn set(Pfn in, std::uint64_t flags) {
    const Pfn pfn = table();
    store_user_word(m.arena.data(in), Pte::page(pfn, flags).bits());
    return pfn;
  }
  void access(UserAccess how) {
    std::uint64_t value = 1;
    PageFault fault;
    benchmark::DoNotOptimize(mmu.access(0, mm, 0, how, value, fault));
  }
};

void tlb_hit(benchmark::State& state) {
  Mapped mapped;
  for (auto _ : state) mapped.access(UserAccess::kWrite);
}
BENCHMARK(tlb_hit);

void tlb_miss(benchmark::State& state) {
  Mapped mapped;
  for (auto _ : state) {
    mapped.mmu.flush_page(mapped.mm, 0);
    mapped.access(UserAccess::kWrite);
  }
}
BENCHMARK(tlb_miss);

void flush_without_entry(benchmark::State& state) {
  Mapped mapped;
  for (auto _ : state) mapped.mmu.flush_page(mapped.mm, 0);
}
BENCHMARK(flush_without_entry);

void copy_frame(benchmark::State& state) {
  MemoryForTest m;
  std::byte* const from = m.arena.data(m.arena.alloc());
  std::byte* const to = m.arena.data(m.arena.alloc());
  for (auto _ : state) copy_user_frame(to, from);
}
BENCHMARK(copy_frame);

void clear_frame(benchmark::State& state) {
  MemoryForTest m;
  std::byte* const at = m.arena.data(m.arena.alloc());
  for (auto _ : state) clear_user_frame(at);
}
BENCHMARK(clear_frame);

}  // namespace
}  // namespace racier
