// core/program/ops.cc - the only list of ops.  Tested by ops_test.cc.
#include "core/program/ops.h"

#include "core/program/ops_access.h"
#include "core/program/ops_advice.h"
#include "core/program/ops_aio.h"
#include "core/program/ops_cpu.h"
#include "core/program/ops_file.h"
#include "core/program/ops_map.h"
#include "core/program/ops_migrate.h"
#include "core/program/ops_notifier.h"
#include "core/program/ops_pin.h"
#include "core/program/ops_process.h"
#include "core/program/ops_reclaim.h"
#include "core/program/ops_swap.h"
#include "core/program/ops_vma.h"
#include "core/program/text.h"

namespace racier::program {
namespace {

// New ops go to the end: a fuzzer's corpus names them by number.
constexpr Op kOps[] = {
    op<&ops::process>("process", "Starts a process with nothing mapped.").weighing(2),
    op<&ops::mmap<Anywhere>>("mmap", "Maps anonymous memory where there is room.",
                             "process", "pages", "protection", "sharing"),
    op<&ops::mmap_file<Anywhere>>("mmap_file", "Maps pages of a file, private.",
                                  "process", "pages", "protection", "file", "file_page")
        .weighing(5),
    op<&ops::mmap<PageInMapping>>(
        "mmap_over", "Maps anonymous memory over what is there (MAP_FIXED).", "process",
        "mapping", "page", "pages", "protection", "sharing")
        .weighing(5),
    op<&ops::munmap<PageInMapping>>("munmap", "Unmaps pages.", "process", "mapping",
                                    "page", "pages"),
    op<&ops::mprotect<PageInMapping>>("mprotect", "Changes what accesses pages allow.",
                                      "process", "mapping", "page", "pages",
                                      "protection"),
    op<&ops::brk<HeapEnd>>("brk", "Makes the heap so large; it is a mapping.",
                           "process", "pages")
        .weighing(5),
    op<&ops::read<WordInMapping>>("read", "Loads a word.", "process", "mapping", "page",
                                  "word")
        .weighing(15)
        .agreeing(Agrees::kUnlessRefused),
    op<&ops::write<WordInMapping>>("write", "Stores a word, different for every call.",
                                   "process", "mapping", "page", "word")
        .weighing(25),
    op<&ops::add<WordInMapping>>("add", "Adds to a word: one read-modify-write access.",
                                 "process", "mapping", "page", "word")
        .weighing(5),
    op<&ops::fetch<WordInMapping>>("fetch", "Executes an instruction.", "process",
                                   "mapping", "page", "word")
        .weighing(2)
        .agreeing(Agrees::kUnlessRefused),
    op<&ops::fork>("fork", "Copies a process, copy-on-write.", "process").weighing(12),
    op<&ops::clone>("clone", "Starts a process that shares the memory of one.",
                    "process")
        .weighing(4),
    op<&ops::exit>("exit", "Ends a process.", "process").weighing(5),
    op<&ops::page_referenced>("page_referenced",
                              "Asks whether a page was used, everywhere.", "process",
                              "mapping", "page")
        .weighing(8)
        .agreeing(Agrees::kWhileNothingIsTaken),
    op<&ops::unmap_page>("unmap_page", "Takes a page away from everyone who maps it.",
                         "process", "mapping", "page")
        .weighing(20)
        .agreeing(Agrees::kNever),
    op<&ops::reclaim>("reclaim", "Frees pages, the least used first.", "pages")
        .weighing(10)
        .agreeing(Agrees::kNever),
    // For recordings of real programs.
    op<&ops::mmap<PageAt>>("mmap_at", "Maps anonymous memory there.", "process",
                           "address", "pages", "protection", "sharing")
        .weighing(0),
    op<&ops::mmap_file<PageAt>>("mmap_file_at", "Maps pages of a file there, private.",
                                "process", "address", "pages", "protection", "file",
                                "file_page")
        .weighing(0),
    op<&ops::munmap<PageAt>>("munmap_at", "Unmaps pages there.", "process", "address",
                             "pages")
        .weighing(0),
    op<&ops::mprotect<PageAt>>("mprotect_at",
                               "Changes what accesses pages there allow.", "process",
                               "address", "pages", "protection")
        .weighing(0),
    op<&ops::brk<PageAt>>("brk_at", "Moves the end of the heap there.", "process",
                          "address")
        .weighing(0),
    op<&ops::read<WordAt>>("read_at", "Loads the word there.", "process", "address")
        .weighing(0)
        .agreeing(Agrees::kUnlessRefused),
    op<&ops::write<WordAt>>("write_at", "Stores a word there.", "process", "address")
        .weighing(0),
    op<&ops::fetch<WordAt>>("fetch_at", "Executes an instruction there.", "process",
                            "address")
        .weighing(0)
        .agreeing(Agrees::kUnlessRefused),
    op<&ops::heap_at>("heap_at", "Puts the start of the heap, still empty, there.",
                      "process", "address")
        .weighing(0),
    op<&ops::mremap<PageInMapping>>("mremap", "Makes a mapping larger or smaller; it may move.",
                     "process", "mapping", "page", "old_pages", "new_pages", "moving")
        .agreeing(Agrees::kOnOneVma),
    op<&ops::mremap_over<PageInMapping>>("mremap_over",
                          "Moves pages over what is there (MREMAP_FIXED).", "process",
                          "mapping", "page", "old_pages", "new_pages", "to_mapping",
                          "to_page")
        .weighing(5)
        .agreeing(Agrees::kOnOneVma),
    // Files.
    op<&ops::mmap_file_shared<Anywhere>>("mmap_file_shared",
                                         "Maps pages of a file, shared.", "process",
                                         "pages", "protection", "file", "file_page")
        .weighing(8),
    op<&ops::mmap_file_shared<PageAt>>(
        "mmap_file_shared_at", "Maps pages of a file there, shared.", "process",
        "address", "pages", "protection", "file", "file_page")
        .weighing(0),
    op<&ops::writeback>("writeback", "Writes dirty pages to their file.", "file",
                        "pages")
        .weighing(6)
        .agreeing(Agrees::kWhileNothingIsTaken),
    op<&ops::msync>("msync", "Writes what a mapping has of its file.", "process",
                    "mapping", "page", "pages", "waiting")
        .weighing(3),
    op<&ops::truncate>("truncate", "Makes a file so long.", "file", "pages")
        .weighing(5),
    op<&ops::punch_hole>("punch_hole", "Makes pages of a file zeroes.", "file", "page",
                         "pages")
        .weighing(3),
    op<&ops::file_write>("file_write", "Writes a word of a file, without mapping it.",
                         "file", "page", "word")
        .weighing(4),
    op<&ops::file_read>("file_read", "Reads a word of a file, without mapping it.",
                        "file", "page", "word")
        .weighing(2),
    op<&ops::migrate_page>("migrate_page", "Moves a page to another frame.", "process",
                           "mapping", "page")
        .weighing(15)
        .agreeing(Agrees::kNever),
    op<&ops::mmap_growsdown>("mmap_growsdown",
                             "Maps a stack; page 4 is its lowest.",
                             "process", "pages", "protection")
        .weighing(4),
    op<&ops::exec>("exec",
                   "Gives a process new memory: a stack that holds arguments.",
                   "process", "arg_pages", "shift_pages")
        .weighing(4),
    // Advice.
    op<&ops::madvise>("madvise", "Says what becomes of pages.", "process", "mapping",
                      "page", "pages", "advice")
        .weighing(12)
        .agreeing(Agrees::kNever),
    op<&ops::mlock>("mlock", "Brings pages in, and keeps them.", "process", "mapping",
                    "page", "pages")
        .weighing(3),
    op<&ops::munlock>("munlock", "Lets pages be reclaimed again.", "process", "mapping",
                      "page", "pages")
        .weighing(2),
    op<&ops::compact>("compact", "Moves pages from high frames to low ones.", "pages")
        .weighing(6)
        .agreeing(Agrees::kNever),
    op<&ops::pin>("pin", "Pins a page, as for a device (get_user_pages).", "process",
                  "mapping", "page", "access")
        .weighing(8)
        .agreeing(Agrees::kAlone),
    op<&ops::unpin>("unpin", "Lets go of a pinned page.", "pinned").weighing(5),
    op<&ops::pin_read>("pin_read", "Loads a word of a pinned page, as a device.",
                       "pinned", "word")
        .weighing(4),
    op<&ops::pin_write>("pin_write", "Stores a word to a pinned page, as a device.",
                        "pinned", "word")
        .weighing(8),
    op<&ops::remote_read>("remote_read", "Loads a word, as a debugger (ptrace).",
                          "process", "mapping", "page", "word")
        .weighing(4)
        .agreeing(Agrees::kUnlessRefused),
    op<&ops::remote_write>("remote_write", "Stores a word, as a debugger (ptrace).",
                           "process", "mapping", "page", "word")
        .weighing(4),
    // For recordings of real programs.
    op<&ops::mremap<PageAt>>("mremap_at",
                             "Makes a mapping there larger or smaller; it may move.",
                             "process", "address", "old_pages", "new_pages", "moving")
        .weighing(0)
        .agreeing(Agrees::kOnOneVma),
    op<&ops::mremap_over<PageAt>>(
        "mremap_over_at", "Moves pages from there over what is at another address.",
        "process", "address", "old_pages", "new_pages", "to_address")
        .weighing(0)
        .agreeing(Agrees::kOnOneVma),
    // The life of an address space.
    op<&ops::kthread>("kthread", "Starts a kernel thread.").weighing(4),
    op<&ops::aio_read>("aio_read",
                       "Asks for a word to be stored by a kernel thread, as read from "
                       "a file.",
                       "process", "mapping", "page", "word")
        .weighing(8),
    op<&ops::aio_write>("aio_write",
                        "Asks for a word to be loaded by a kernel thread, as for a file.",
                        "process", "mapping", "page", "word")
        .weighing(4),
    op<&ops::aio_run>("aio_run", "Does the oldest request, as a kernel thread.",
                      "process")
        .weighing(12)
        .agreeing(Agrees::kUnlessRefused),
    op<&ops::proc_maps>("proc_maps",
                        "Adds up the pages that a process maps, as a reader of /proc.",
                        "process")
        .weighing(8),
    op<&ops::vfork>("vfork", "Starts a process that runs in its parent's memory.",
                    "process")
        .weighing(3),
    op<&ops::vfork_wait>("vfork_wait",
                         "Waits until such a process has ended, or has called exec.",
                         "process")
        .weighing(3),
    op<&ops::kill>("kill", "Kills all who share the memory of a process.", "process")
        .weighing(3),
    op<&ops::mrelease>("mrelease",
                       "Takes its memory away from a process that was killed.",
                       "process")
        .weighing(4),
    op<&ops::coredump>("coredump",
                       "Ends a process, and all who share its memory, and reads that.",
                       "process")
        .weighing(3),
    op<&ops::swapon>("swapon", "Puts a swap area in use.", "area", "priority")
        .weighing(3),
    op<&ops::swapoff>("swapoff", "Brings back what is in a swap area, and ends its use.",
                      "area")
        .weighing(5),
    op<&ops::interrupt_swapoff>("interrupt_swapoff",
                                "Sends a signal to whoever runs swapoff.", "area")
        .weighing(1),
    op<&ops::lose_swap>("lose_swap", "Cuts off the file of a swap area: it is lost.",
                        "area")
        .weighing(1)
        .agreeing(Agrees::kAlone),
    // Devices that translate addresses themselves.
    op<&ops::mmu_notifier_register>("mmu_notifier_register",
                                    "Gives a process a secondary MMU, that of a device.",
                                    "process", "flavour")
        .weighing(6),
    op<&ops::mmu_notifier_unregister>("mmu_notifier_unregister",
                                      "Takes a secondary MMU away.", "secondary")
        .weighing(3),
    op<&ops::secondary_read>("secondary_read", "Loads a word through a secondary MMU.",
                             "secondary", "mapping", "page", "word")
        .weighing(8)
        .agreeing(Agrees::kUnlessRefused),
    op<&ops::secondary_write>("secondary_write",
                              "Stores a word through a secondary MMU.", "secondary",
                              "mapping", "page", "word")
        .weighing(12),
    op<&ops::sched_setaffinity>("sched_setaffinity",
                                "Moves the task, what it does from here on, to another CPU.",
                                "cpu")
        .weighing(3),
    op<&ops::idle>("idle", "Has the task's CPU run nothing for a moment: lazy TLB mode.")
        .weighing(3),
};

}  // namespace

std::span<const Op> op_table() { return kOps; }

std::optional<std::uint16_t> find_op(std::string_view name) {
  for (std::size_t i = 0; i < op_table().size(); ++i) {
    if (name == op_table()[i].name) return static_cast<std::uint16_t>(i);
  }
  return std::nullopt;
}

std::string ops_reference() {
  std::string text = "| call | what it does |\n| --- | --- |\n";
  for (const Op& op : op_table()) {
    text += "| `";
    if (op.defines) text += variable_name(*op.defines, 0) + " = ";
    text += op.name;
    for (int i = 0; i < op.argument_count; ++i) {
      text += std::string(" ") + op.argument_names[i];
    }
    text += std::string("` | ") + op.sentence + " |\n";
  }
  return text;
}

std::string fuzzer_dictionary() {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (std::size_t i = 0; i < op_table().size(); ++i) {
    const Op& op = op_table()[i];
    if (op.weight == 0) continue;
    std::vector<std::uint8_t> bytes;
    ByteWriter writer(bytes);
    writer.byte(i);
    writer.byte(0);  // fail_nth
    for (int a = 0; a < op.argument_count; ++a) {
      op.type(a).encode(writer, op.type(a).simplest());
    }
    text += std::string(op.name) + "=\"";
    for (const std::uint8_t byte : bytes) {
      text += {'\\', 'x', kDigits[byte >> 4], kDigits[byte & 15]};
    }
    text += "\"\n";
  }
  return text;
}

}  // namespace racier::program
