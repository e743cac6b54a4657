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
    text += "; file " + std::to_string(file.id) + " count " + std::to_string(file.count.read());
  });
  return text;
}

void check_swap_slots(const Machine& m) NO_THREAD_SAFETY_ANALYSIS {
  std::string text;
  for (std::uint32_t slot = 0; slot < m.swap.swap_map.size(); ++slot) {
    if (m.swap.swap_map[slot] == 0) continue;
    text += "; slot " + std::to_string(slot) + " count " +
            std::to_string(m.swap.swap_map[slot]);
  }
  if (!text.empty()) broken(Inv::kNoSwapSlotLeft, text.substr(2));
}

void check_frames(const Machine& m) {
  std::string text;
  m.frames.for_each_allocated([&](Pfn pfn) { text += "; " + describe(m, pfn); });
  if (!text.empty()) broken(Inv::kNoFrameLeft, text.substr(2));
}

}  // namespace

// From what causes leaks to what leaks with it.
void check_leaks(Machine& m) {
  check_objects(Inv::kNoMmLeft, m.mm_cache.live_objects(), mms_left(m));
  check_objects(Inv::kNoVmaLeft, m.vma_cache.live_objects(), "");
  check_objects(Inv::kNoRmapObjectLeft, m.scheme().live_objects(), "");
  check_objects(Inv::kNoShmemLeft, m.shmem_cache.live_objects(), shmem_left(m));
  check_swap_slots(m);
  check_frames(m);
  m.frames.check_free_frames();
}

}  // namespace racier::check
