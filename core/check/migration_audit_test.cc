// core/check/migration_audit_test.cc - entries that are found again, and one that is
// not.
#include "core/check/migration_audit.h"

#include <gtest/gtest.h>

#include "core/check/machine_for_test.h"

namespace racier::check {
namespace {

constexpr Pfn kPage = 7;
constexpr Pfn kOther = 8;
constexpr VirtAddr kA = 0x1000;
constexpr VirtAddr kB = 0x2000;

// A story in letters.  a, b: an entry for the page is added; A, B: removed; o, O:
// likewise for another page; .: the migration of the page has ended.
void tell(MigrationAudit& audit, std::string_view story) {
  for (const char event : story) {
    switch (event) {
      case 'a':
        audit.added(kPage, 1, kA);
        break;
      case 'b':
        audit.added(kPage, 2, kB);
        break;
      case 'A':
        audit.removed(kPage, 1, kA);
        break;
      case 'B':
        audit.removed(kPage, 2, kB);
        break;
      case 'o':
        audit.added(kOther, 1, kA);
        break;
      case 'O':
        audit.removed(kOther, 1, kA);
        break;
      case '.':
        audit.ended(kPage);
        break;
      default:
        FAIL() << event;
    }
  }
}

TEST(MigrationAudit, Judges) {
  struct Row {
    const char* story;
    const char* found;  // name of the invariant
  };
  constexpr const char* kLeft = "migration_entry_left";
  for (const Row& row : {
           Row{".", ""},
           Row{"aA.", ""},
           Row{"abBA.", ""},
           Row{"a.", kLeft},
           Row{"abA.", kLeft},
           Row{"o.", ""},
           Row{"oOa.", kLeft},
           Row{"aB.", ""},  // it was moved there
           Row{"aA.a.", kLeft},
       }) {
    MigrationAudit audit;
    const auto finding = finding_of([&] { tell(audit, row.story); });
    EXPECT_EQ(name_of(finding), row.found) << row.story;
  }
}

TEST(MigrationAudit, ForgetsWhenItIsReset) {
  MigrationAudit audit;
  audit.added(kPage, 1, kA);
  audit.reset();
  EXPECT_EQ(name_of(finding_of([&] { audit.ended(kPage); })), "");
}

}  // namespace
}  // namespace racier::check
