// repro/translate.h - a recording as a program, with what the recording proves about
// it.
//
// Every process is a process of the program, every memory system call a call, every
// recorded fault an access that must take the same fault: one task, in recorded order.
// Where racier cannot be in the kernel's state, that is a difference with a name and a
// reason that the recording itself gives; whatever has no such reason is told as
// unexplained.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/program/program.h"
#include "repro/kernel_view.h"
#include "repro/recording.h"

namespace racier::repro {

enum class Difference : std::uint8_t {
  // Of ptes:
  kFaultAround,  // the kernel mapped the page ahead, around a fault on its file
  kForkLeaves,   // the kernel's fork left the page to be faulted again, ours copied it
  kExecStack,    // exec had put a page on the stack
  kPageCache,    // fault-around passed the page by: it was not in the page cache yet
  kPageBusy,     // fault-around passed a page of the page cache by: it was locked
  // Of vmas and calls:
  kAccounted,    // the kernel kept a vma apart that it charges for (VM_ACCOUNT)
  kAnonVma,      // the kernel kept vmas apart whose pages have different anon_vmas
  kStackGrowth,  // the stack's growth is played as mmap
  kVfork,        // a child that runs nothing before exec is taken to share its memory
  kFailedCall,   // a call that failed is not played
  kNotPlayed,    // a call, or an address, that racier does not have
  kUnfinished,   // a call that did not return while it was recorded, or was not seen to
                 // begin
  kStillRunning,  // a process that did not end while it was recorded
};
inline constexpr int kDifferences = static_cast<int>(Difference::kStillRunning) + 1;

const char* difference_name(Difference difference);
const char* difference_sentence(Difference difference);

// What the recording says of the address space behind a call: its vmas, all of them,
// merged.
struct VmaCheck {
  std::size_t call;  // the last call of the program before it
  std::uint64_t process;
  int line;  // of the recording
  std::vector<Area> areas;
};

// A recorded fault, and the call that plays it.
struct FaultCheck {
  std::size_t call;
  int line;
  std::uint32_t error_code;              // as recorded
  std::optional<Difference> difference;  // nothing: racier must come to it by itself
};

struct Translation {
  program::Program program;
  std::vector<std::string> files;  // by the machine's number
  std::vector<int> lines;          // of each call: the line of the recording
  std::vector<FaultCheck> faults;
  std::vector<VmaCheck> vmas;
  std::array<int, kDifferences> differences{};
  std::vector<std::string> unexplained;  // "LINE: sentence"
  int processes = 0;
  int threads = 0;
  int execs = 0;
  int recorded_vmas = 0;  // that a call told of
  int equal_vmas = 0;     // of them, those that are as the calls up to then say

  int count(Difference difference) const {
    return differences[static_cast<std::size_t>(difference)];
  }
};

struct TranslateLimits {
  int processes_max = 0;  // stops before one more begins; 0: all of them
  int line_max = 0;       // stops behind this line; 0: at the end
};

Translation translate(const Recording& recording, const TranslateLimits& limits = {});

}  // namespace racier::repro
