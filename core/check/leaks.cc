// core/check/leaks.cc - after teardown nothing is alive.  L2.
// Tested by leaks_test.cc.
#include "core/check/checks.h"

namespace racier::check {
namespace {

void check_objects(Inv inv, std::uint32_t live, const std::string& detail) {
  if (live != 0) broken(inv, std::to_string(live) + " left" + detail);
}

std::string mms_left(Machine& m) NO_THREAD_SAFETY_ANALYSIS {
  std::string text;
  for (const Mm& mm : m.mms) {
    text += "; mm " + std::to_string(mm.id) + " mm_users " +
            std::to_string(mm.mm_users.read()) + " mm_count " +
            std::to_string(mm.mm_count.read());
  }
  return text;
}

std::string shmem_left(Machine& m) {
  std::string text;
  m.for_each_file([&text](AddressSpace& file) {
    if (!file.shmem) return;
    text += "; file " + std::to_string(file.id) + " count " +
            std::to_string(file.count.read());
  });
  return text;
}

void check_swap_slots(const Machine& m) NO_THREAD_SAFETY_ANALYSIS {
  std::string text;
  for (const auto& area : m.swap.info) {
    if ((area->flags.peek() & SwapArea::kValid) == 0) continue;
    for (std::uint32_t slot = 1; slot < area->max; ++slot) {
      const std::uint16_t count = area->count(slot);
      if (count == 0 || count == kSwapMapBad) continue;
      text += "; area " + std::to_string(area->type) + " slot " + std::to_string(slot) +
              " count " + std::to_string(count);
    }
  }
  if (!text.empty()) broken(Inv::kNoSwapSlotLeft, text.substr(2));
}

// Files of the machine stay, and so may what is cached of them, as on a computer that
// is switched off: held by the cache, and by nobody else.
bool is_cached(Machine& m, const Page& page) NO_THREAD_SAFETY_ANALYSIS {
  const std::uintptr_t mapping = page.mapping.raw().load(std::memory_order_relaxed);
  const std::uint64_t index = page.index.raw().load(std::memory_order_relaxed);
  for (std::uint32_t id = 0; id < m.options().files; ++id) {
    const AddressSpace& file = m.file(id);
    if (mapping != reinterpret_cast<std::uintptr_t>(&file)) continue;
    return index < file.size && file.slots[index].page == &page &&
           page.count.read() == 1;
  }
  return false;
}

void check_frames(Machine& m) {
  std::string text;
  m.frames.for_each_allocated([&](Pfn pfn) {
    if (!is_cached(m, m.page(pfn))) text += "; " + describe(m, pfn);
  });
  if (!text.empty()) broken(Inv::kNoFrameLeft, text.substr(2));
}

void check_tasks_left(const Machine& m) {
  for (const TaskStruct& task : m.tasks) {
    if (task.mm.peek() == nullptr && task.active_mm.peek() == nullptr) continue;
    broken(Inv::kNoTaskMmLeft, "task " + std::to_string(&task - m.tasks.data()));
  }
}

}  // namespace

// From what causes leaks to what leaks with it.
void check_leaks(Machine& m) {
  check_tasks_left(m);
  check_objects(Inv::kNoKiocbLeft, m.kiocb_cache.live_objects(), "");
  check_objects(Inv::kNoSecondaryLeft, m.secondary_cache.live_objects(), "");
  check_objects(Inv::kNoMmLeft, m.mm_cache.live_objects(), mms_left(m));
  check_objects(Inv::kNoVmaLeft, m.vma_cache.live_objects(), "");
  check_objects(Inv::kNoMapleNodeLeft, m.maple_cache.live_objects(), "");
  check_objects(Inv::kNoRmapObjectLeft, m.scheme().live_objects(), "");
  check_objects(Inv::kNoShmemLeft, m.shmem_cache.live_objects(), shmem_left(m));
  check_swap_slots(m);
  check_frames(m);
  m.frames.check_free_frames();
}

}  // namespace racier::check
