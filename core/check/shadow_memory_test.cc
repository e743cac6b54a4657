// core/check/shadow_memory_test.cc - what a load may return.
#include <gtest/gtest.h>

#include "core/check/shadow_memory.h"

#include "core/check/machine_for_test.h"
#include "core/check/values.h"
#include "core/objects/address_space.h"

namespace racier::check {
namespace {

const std::uint64_t kFirst = file_word(1, 3, 0);  // of the file's page that is mapped

// Tells a story in words of one letter and digits, separated by blanks, to three mms.
// Page k lies at address k << 12; the word is its first.
//   m12      mm 1 maps private anonymous page 2        s12   ... shared
//   f12      mm 1 maps page 3 of file 1 as page 2      h12   ... shared
//   u12      mm 1 unmaps page 2
//   w127     mm 1 writes 7 to page 2                   r127  ... reads 7
//   R12      mm 1 reads what the file's page 3 starts with
//   a1257    mm 1 adds to 5 in page 2, and gets 7
//   F12 E12  mm 1 begins, ends a fork of mm 2          X12   ... in failure
//   b125     mm 1 begins to move page 2 to page 5
//   e125     ... has moved it                          B125  ... could not
//   x1       mm 1 exits
  //   D12 d12  mm 1 begins, ends to throw page 2 away; L12 l12  ... lazily
//   W7 V7    7 is written to, read from the file's page 3   Z, T: it is zeroes, cut off
  //   t        the page is being cut off
class Teller {
 public:
  Teller() : file_(1, 8, false), shmem_(9, 8, true), other_shmem_(10, 8, true) {
    for (std::uint32_t id = 1; id <= 3; ++id) memory.mm_created(id);
  }

  void tell(std::string_view story) {
    for (std::size_t at = 0; at < story.size();) {
      const std::size_t end = std::min(story.find(' ', at), story.size());
      say(story.substr(at, end - at));
      at = end + 1;
    }
  }

  ShadowMemory memory;

 private:
  void say(std::string_view word) {
    const auto digit = [&](std::size_t i) {
      return i < word.size() ? static_cast<std::uint32_t>(word[i] - '0') : 0;
    };
    const std::uint32_t mm = digit(1);
    const VirtAddr page = VirtAddr{digit(2)} << kPageShift;
    const VirtRange range{page, page + kPageSize};
    switch (word[0]) {
      case 'm': map(mm, page, nullptr, 0); break;
      case 's': map(mm, page, &shmem_, kVmShared); break;
      case 'S': map(mm, page, &other_shmem_, kVmShared); break;
      case 'f': map(mm, page, &file_, 0); break;
      case 'h': map(mm, page, &file_, kVmShared); break;
      case 'u': memory.unmap_end(mm, {page, page + kPageSize}); break;
      case 'w': memory.accessed(mm, page, UserAccess::kWrite, digit(3), 0); break;
      case 'r': memory.accessed(mm, page, UserAccess::kRead, digit(3), 0); break;
      case 'R': memory.accessed(mm, page, UserAccess::kRead, kFirst, 0); break;
      case 'a':
        memory.accessed(mm, page, UserAccess::kReadModifyWrite, digit(4), digit(3));
        break;
      case 'F': memory.fork_begin(mm, digit(2)); break;
      case 'E': memory.fork_end(mm, digit(2), true); break;
      case 'X': memory.fork_end(mm, digit(2), false); break;
      case 'b': memory.move_begin(mm, whole(page), to(digit(3))); break;
      case 'e': memory.move_end(mm, whole(page), to(digit(3)), true); break;
      case 'B': memory.move_end(mm, whole(page), to(digit(3)), false); break;
      case 'x': memory.mm_exited(mm); break;
      case 'D': memory.discard_begin(mm, range, false); break;
      case 'd': memory.discard_end(mm, range, false); break;
      case 'L': memory.discard_begin(mm, range, true); break;
      case 'l': memory.discard_end(mm, range, true); break;
      case 'W': memory.file_accessed(file_, kPlace, UserAccess::kWrite, mm); break;
      case 'V': memory.file_accessed(file_, kPlace, UserAccess::kRead, mm); break;
      case 'Z': memory.file_zeroed(file_, 3, 4); break;
      case 'T': memory.file_truncated(file_, 3); break;
      case 't': memory.file_truncate_begin(file_, 3); break;
      default: FAIL() << word;
    }
  }

  static VirtRange whole(VirtAddr page) { return {page, page + kPageSize}; }
  static VirtAddr to(std::uint32_t page) { return VirtAddr{page} << kPageShift; }

  void map(std::uint32_t mm_id, VirtAddr page, AddressSpace* file,
           std::uint32_t flags) {
    Mm mm(mm_id);
    Vma vma;
    vma.vm_mm = &mm;
    vma.vm_start = page;
    vma.vm_end = page + kPageSize;
    vma.vm_flags = flags;
    vma.vm_file = file;
    vma.vm_pgoff = file != nullptr ? 3 : page >> kPageShift;
    memory.mapped(vma);
  }

  static constexpr VirtAddr kPlace = 3 << kPageShift;
  AddressSpace file_;
  AddressSpace shmem_;
  AddressSpace other_shmem_;
};

constexpr const char* kData = "data_is_last_store";
constexpr const char* kUnmapped = "access_of_mapped";

struct Row {
  const char* name;
  const char* story;
  const char* found;
};

class MemoryStory : public testing::TestWithParam<Row> {};

TEST_P(MemoryStory, IsJudged) {
  Teller teller;
  const auto finding = finding_of([&] { teller.tell(GetParam().story); });
  EXPECT_EQ(name_of(finding), GetParam().found) << (finding ? finding->detail : "");
}

INSTANTIATE_TEST_SUITE_P(
    Plain, MemoryStory,
    testing::Values(Row{"ZeroAtFirst", "m12 r120", ""},                //
                    Row{"NotZeroAtFirst", "m12 r121", kData},          //
                    Row{"LastStore", "m12 w125 w127 r127", ""},        //
                    Row{"LostStore", "m12 w125 w127 r125", kData},     //
                    Row{"WordOfAnother", "m12 m22 w227 r127", kData},  //
                    Row{"Add", "m12 w125 a1257 r127", ""},             //
                    Row{"AddToLost", "m12 w125 a1207", kData},         //
                    Row{"FileAtFirst", "f12 R12", ""},                 //
                    Row{"FileIsNotZero", "f12 r120", kData},           //
                    Row{"FileCopied", "f12 w127 r127", ""},            //
                    Row{"FileCopyLost", "f12 w127 R12", kData},        //
                    Row{"CopyIsPrivate", "f12 f22 w127 R22", ""},      //
                    Row{"CopyLeaks", "f12 f22 w127 r227", kData}),
    [](const auto& info) { return info.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Unmap, MemoryStory,
    testing::Values(Row{"NeverMapped", "r120", kUnmapped},                //
                    Row{"Read", "m12 w127 u12 r127", kUnmapped},          //
                    Row{"Write", "m12 u12 w127", kUnmapped},              //
                    Row{"NeighbourStays", "m12 m13 w137 u12 r137", ""},   //
                    Row{"MappedAnew", "m12 w127 u12 m12 r120", ""},       //
                    Row{"OldBytesBack", "m12 w127 u12 m12 r127", kData},  //
                    Row{"GrownHeapKeeps", "m12 w127 m12 r127", ""},       //
                    Row{"AfterExit", "m12 w127 x1 r127", kUnmapped}),
    [](const auto& info) { return info.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Move, MemoryStory,
    testing::Values(Row{"WordsMove", "m12 w127 m15 b125 e125 u12 r157", ""},          //
                    Row{"Lost", "m12 w127 m15 b125 e125 u12 r150", kData},            //
                    Row{"OldPlaceIsGone", "m12 m15 b125 e125 u12 r120", kUnmapped},   //
                    Row{"OldPlaceIsNew", "m12 w127 m15 b125 e125 r120", ""},          //
                    Row{"OldBytesStay", "m12 w127 m15 b125 e125 r127", kData},        //
                    Row{"OneWordMeanwhile", "m12 m15 b125 w127 r157 w158 r128", ""},  //
                    Row{"LostMeanwhile", "m12 m15 b125 w127 r150", kData},            //
                    Row{"StaysIfItFails", "m12 m15 b125 w157 B125 u15 r127", ""},     //
                    Row{"OfAnotherMm", "m12 m15 m22 w227 b125 r227", ""},             //
                    Row{"FileStartsAsBefore", "f12 f15 b125 e125 u12 R15", ""},       //
                    Row{"SharedIsByFile", "s12 w127 s15 b125 r157 e125 u12 r157", ""}),
    [](const auto& info) { return info.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Discard, MemoryStory,
    testing::Values(Row{"IsNew", "m12 w127 D12 d12 r120", ""},                        //
                    Row{"IsStillThere", "m12 w127 D12 d12 r127", kData},              //
                    Row{"MayBeThereMeanwhile", "m12 w127 D12 r127 r120 d12", ""},     //
                    Row{"NotAnything", "m12 w127 D12 r128", kData},                   //
                    Row{"StoredMeanwhileGoes", "m12 D12 w127 r127 d12 r120", ""},     //
                    Row{"StoredMeanwhileStays", "m12 D12 w127 d12 r127", ""},         //
                    Row{"ThenItIsSettled", "m12 D12 w127 d12 r127 r120", kData},      //
                    Row{"NeighbourStays", "m12 m13 w137 D12 d12 r130", kData},        //
                    Row{"SharedStays", "s12 w127 D12 d12 r120", kData},               //
                    Row{"FileAgain", "f12 w127 D12 d12 R12", ""},                     //
                    Row{"FileStillThere", "f12 w127 D12 d12 r127", kData},            //
                    Row{"FileStoredMeanwhile", "f12 D12 w127 d12 h25 W6 r126", ""},   //
                    Row{"LazyStays", "m12 w127 L12 l12 r127 r127", ""},               //
                    Row{"LazyGoes", "m12 w127 L12 l12 r127 r120", ""},                //
                    Row{"LazyIsGone", "m12 w127 L12 l12 r120 r127", kData},           //
                    Row{"LazyIsStoredTo", "m12 w127 L12 l12 w128 r128", ""},          //
                    Row{"LazyStoreIsLost", "m12 w127 L12 l12 w128 r120", kData},      //
                    Row{"LazyInTheChild", "m12 w127 L12 l12 F12 E12 r227 r220", ""},  //
                    Row{"LazyThenNotNeeded", "m12 w127 L12 l12 D12 d12 r127", kData}),
    [](const auto& info) { return info.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Files, MemoryStory,
    testing::Values(Row{"Written", "h12 W7 r127 V7", ""},                   //
                    Row{"WrittenAndLost", "h12 W7 R12", kData},             //
                    Row{"ReadIsOld", "h12 w127 V8", kData},                 //
                    Row{"Zeroed", "h12 w127 Z r120 V0", ""},                //
                    Row{"NotZeroed", "h12 w127 Z r127", kData},             //
                    Row{"ZeroedUntouched", "h12 Z R12", kData},             //
                    Row{"ZeroedThenWritten", "h12 Z w127 r127", ""},        //
                    Row{"HoleLeavesCopies", "f12 w127 Z r127", ""},         //
                    Row{"HoleTookACopy", "f12 w127 Z r120", kData},         //
                    Row{"PrivateOfZeroed", "f12 Z r120 R12", ""},           //
                    Row{"CutOffTakesCopies", "f12 w127 Z T r120", ""},      //
                    Row{"BeingCutOff", "f12 w127 t r127 R12 r127 r120", ""},  //
                    Row{"BeingCutOffAndWrong", "f12 w127 t r128", kData},   //
                    Row{"NotYetCutOff", "f12 w127 R12", kData},             //
                    Row{"CutOffAtLast", "f12 w127 t T r127", kData},        //
                    Row{"CutOffSparesOthers", "m12 w127 Z T r120", kData},  //
                    Row{"CutOffSparesShared", "h12 Z w127 T r127", ""}),
    [](const auto& info) { return info.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Shared, MemoryStory,
    testing::Values(Row{"ZeroAtFirst", "s12 r120", ""},                         //
                    Row{"SeenByAll", "s12 s25 w127 r257", ""},                  //
                    Row{"Lost", "s12 s25 w127 r250", kData},                    //
                    Row{"OneUnmaps", "s12 s25 w127 u12 r257", ""},              //
                    Row{"LastUnmaps", "s12 w127 u12 s12 r120", ""},             //
                    Row{"DiesWithLast", "s12 w127 u12 s12 r127", kData},        //
                    Row{"TwoFiles", "s12 S15 w127 r150", ""},                   //
                    Row{"ForkShares", "s12 F12 E12 w127 r227 w228 r128", ""},   //
                    Row{"ForkOutlivesParent", "s12 w127 F12 E12 x1 r227", ""},  //
                    Row{"FileStays", "h12 w127 u12 h12 r127", ""},              //
                    Row{"FileStartsAsFile", "h12 R12", ""},                     //
                    Row{"PrivateOfStoredFile", "f12 h25 w257 r127 R12", ""},    //
                    Row{"PrivateCopyIsOwn", "f12 w128 h25 w257 r127", kData}),
    [](const auto& info) { return info.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Fork, MemoryStory,
    testing::Values(
        Row{"ChildGetsCopy", "m12 w127 F12 E12 r227 r127", ""},                       //
        Row{"ChildGetsZero", "m12 F12 E12 r220", ""},                                 //
        Row{"ChildLostCopy", "m12 w127 F12 E12 r220", kData},                         //
        Row{"ParentWritesAfter", "m12 w127 F12 E12 w128 r227 r128", ""},              //
        Row{"ChildSeesLaterWrite", "m12 w127 F12 E12 w128 r228", kData},              //
        Row{"ParentSeesChild", "m12 w127 F12 E12 w228 r128", kData},                  //
        Row{"WriteDuringForkOld", "m12 w127 F12 w128 E12 r227", ""},                  //
        Row{"WriteDuringForkNew", "m12 w127 F12 w128 E12 r228", ""},                  //
        Row{"WritesDuringFork", "m12 F12 w128 w129 E12 r228", ""},                    //
        Row{"FirstLoadSettles", "m12 w127 F12 w128 E12 r227 r228", kData},            //
        Row{"OnlyThese", "m12 w127 F12 w128 E12 r229", kData},                        //
        Row{"ParentIsNotUncertain", "m12 w127 F12 w128 r127", kData},                 //
        Row{"GrandchildIsUncertain", "m12 w127 F12 w128 E12 F23 E23 r328 r227", ""},  //
        Row{"FileCopyDuringFork", "f12 F12 w128 E12 R22", ""},                        //
        Row{"UnmappedInChildOnly", "m12 w127 F12 E12 u22 r127", ""},                  //
        Row{"ChildUnmaps", "m12 w127 F12 E12 u22 r227", kUnmapped},                   //
        Row{"FailedForkLeavesParent", "m12 w127 F12 X12 r127", ""},                   //
        Row{"FailedForkHasNoChild", "m12 w127 F12 X12 r227", kUnmapped}),
    [](const auto& info) { return info.param.name; });

TEST(ShadowMemory, PartsOfARangeAreUnmapped) {
  ShadowMemory memory;
  Mm mm(1);
  Vma vma;
  vma.vm_mm = &mm;
  vma.vm_start = 0x10000;
  vma.vm_end = 0x18000;
  memory.mm_created(1);
  memory.mapped(vma);
  const auto write = [&](VirtAddr addr) {
    memory.accessed(1, addr, UserAccess::kWrite, 5, 0);
  };
  EXPECT_EQ(name_of(finding_of([&] {
              for (VirtAddr at = 0x10000; at < 0x18000; at += 0x1000) write(at);
              memory.unmap_end(1, {0x12000, 0x14000});
              memory.unmap_end(1, {0x17000, 0x19000});
              for (const VirtAddr at : {0x10000, 0x11ff8, 0x14000, 0x16ff8}) write(at);
            })),
            "");
  for (const VirtAddr at : {0x12000, 0x13ff8, 0x17000, 0xfff8, 0x18000}) {
    EXPECT_EQ(name_of(finding_of([&] { write(at); })), kUnmapped) << at;
  }
}

TEST(ShadowMemory, ShowsWordsThatWereStored) {
  Teller teller;
  teller.tell("m12 m13 s25 r130 w127 w258 F13 w129 E13");
  std::vector<std::string> shown;
  teller.memory.for_each_word([&](const ShadowMemory::Place& place) {
    shown.push_back((place.file != nullptr ? "file" : std::to_string(place.mm_id)) +
                    " " + std::to_string(place.addr >> kPageShift) + " " +
                    teller.memory.allowed(place));
  });
  EXPECT_EQ(shown, (std::vector<std::string>{
                       "1 2 9 (mm 0, task 0, call 8)",
                       "3 2 7 (mm 0, task 0, call 6) or 9 (mm 0, task 0, call 8)",
                       "file 3 8 (mm 0, task 0, call 7)"}));
}

TEST(ShadowMemory, ResetForgets) {
  Teller teller;
  teller.tell("m12 w127 s25 w257 F12");
  teller.memory.reset();
  teller.memory.mm_created(1);
  teller.memory.mm_created(2);
  EXPECT_EQ(name_of(finding_of([&] { teller.tell("m12 r120 s25 r250 w127"); })), "");
}

TEST(Values, AreDescribed) {
  EXPECT_EQ(describe_value(0), "zero");
  EXPECT_EQ(describe_value(file_word(1, 3, 5)), "word 5 of page 3 of file 1");
  EXPECT_EQ(describe_value(value_of({2, 1, 6})),
            std::to_string(value_of({2, 1, 6})) + " (mm 2, task 1, call 6)");
}

TEST(Values, AreForeignOutsideOfTheirFamily) {
  const std::uint32_t family[] = {4, 2};
  EXPECT_FALSE(foreign_value(family, 0));
  EXPECT_FALSE(foreign_value(family, file_word(1, 3, 5)));
  EXPECT_FALSE(foreign_value(family, value_of({2, 1, 6})));
  EXPECT_TRUE(foreign_value(family, value_of({3, 1, 6})));
}

}  // namespace
}  // namespace racier::check
