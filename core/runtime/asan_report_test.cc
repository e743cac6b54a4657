// core/runtime/asan_report_test.cc - reports of AddressSanitizer, as text.
//
// Real ones are in asan_test.cc.
#include "core/runtime/asan_report.h"

#include <gtest/gtest.h>

namespace racier {
namespace {

constexpr const char* kPoisoned =
    "=================================================================\n"
    "==42==ERROR: AddressSanitizer: use-after-poison on address 0x7f12 at pc 0x55 bp "
    "0x7f\n"
    "WRITE of size 8 at 0x7f12 thread T0\n"
    "    #0 0x55aa in std::__atomic_base<long>::store(long) "
    "/usr/include/c++/12/at.h:9:1\n"
    "    #1 0x55ab in racier::Atomic<long>::store(long) "
    "/src/racier/core/sync/atomic.h:30:5\n"
    "    #2 0x55ac in racier::mm::set_pte(racier::Pte&, int) "
    "/src/racier/core/mm/pte.cc:12:3\n"
    "    #3 0x55ad in main /src/racier/core/mm/pte_test.cc:40:2\n"
    "\n"
    "Address 0x7f12 is a wild pointer\n"
    "    #0 0x66 in other /src/racier/other.cc:1:1\n";

TEST(AsanReport, IsNamedByTheFirstTellingFrame) {
  const Finding finding = sanitizer_reports::parse_asan_report(kPoisoned);
  EXPECT_EQ(finding.signature(), "use-after-free | KASAN: use-after-free in set_pte");
  EXPECT_EQ(finding.detail, kPoisoned);
}

TEST(AsanReport, WithoutSymbolsIsStillAFinding) {
  const Finding finding = sanitizer_reports::parse_asan_report(
      "==42==ERROR: AddressSanitizer: heap-buffer-overflow on address 0x1\n"
      "READ of size 1 at 0x1 thread T0\n"
      "    #0 0x55aa  (/build/racier+0x1234)\n");
  EXPECT_EQ(finding.signature(), "sanitizer | KASAN: slab-out-of-bounds Read in ?");
}

TEST(AsanReport, DoubleFree) {
  const Finding finding = sanitizer_reports::parse_asan_report(
      "==42==ERROR: AddressSanitizer: attempting double-free on 0x602 in thread T0:\n"
      "    #0 0x55aa in operator delete(void*) "
      "/build/compiler-rt/lib/asan/x.cpp:152:3\n"
      "    #1 0x55ab in racier::mm::exit_mmap(racier::Mm&) "
      "/src/racier/core/mm/exit.cc:7:1\n");
  EXPECT_EQ(finding.signature(), "sanitizer | KASAN: double-free in exit_mmap");
}

TEST(AsanReport, ADeadlySignalIsToldFromAnError) {
  using sanitizer_reports::is_of_deadly_signal;
  EXPECT_TRUE(is_of_deadly_signal(
      "==42==ERROR: AddressSanitizer: SEGV on unknown address 0x0 (pc 0x1 bp 0x2)\n"));
  EXPECT_TRUE(is_of_deadly_signal(
      "==42==ERROR: AddressSanitizer: BUS on unknown address (pc 0x1 bp 0x2)\n"));
  EXPECT_FALSE(is_of_deadly_signal(kPoisoned));
  EXPECT_FALSE(is_of_deadly_signal(""));
}

}  // namespace
}  // namespace racier
