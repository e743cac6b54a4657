// core/check/shadow_memory.h - what user memory must hold.
//
// For each word that was touched, the values that a load may return, under the model that
// programmers have of mmap, fork and munmap.  Accesses come in the order in which they were
// made, so a word has one value; it is uncertain only after a fork, whose child may or may
// not have got what other tasks stored to the parent meanwhile.  The first load of such a
// word settles it.
//
// The model: private anonymous memory starts as zeroes, a private mapping of a file as the
// file, shared memory (keyed by file and index, whoever maps it) as its file, which for shmem
// is zeroes.  From unmap_begin to unmap_end accesses through cached translations still see
// the old memory, which nobody else may get before; afterwards none may succeed.
// Departs: a private mapping of a file page that somebody has stored to through a shared
// mapping may return anything at first.
//
// Tested by shadow_memory_test.cc.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "core/base/function_ref.h"
#include "core/base/types.h"
#include "core/memory/mmu.h"
#include "core/objects/vma.h"

namespace racier::check {

class ShadowMemory {
 public:
  void mm_created(std::uint32_t mm_id);
  void mm_exited(std::uint32_t mm_id);
  void fork_begin(std::uint32_t parent_id, std::uint32_t child_id);
  void fork_end(std::uint32_t parent_id, std::uint32_t child_id, bool ok);
  // What of `vma`'s range is not mapped yet is mapped now, and new.
  void mapped(const Vma& vma);
  void unmap_end(std::uint32_t mm_id, VirtRange range);

  // A finding if the access must not have succeeded, or returned what it may not.
  void accessed(std::uint32_t mm_id, VirtAddr addr, UserAccess access, std::uint64_t value,
                std::uint64_t before);

  // A word that was touched, and may hold other values than the one it started with.
  struct WordView {
    std::uint32_t mm_id;       // 0: shared memory
    VirtAddr addr;             // shared memory: offset in the file
    const AddressSpace* file;  // null: private memory
  };
  // Shows every such word.
  void for_each_word(FunctionRef<void(const WordView&)> visit) const;
  // Returns whether a load of `word` may return `value`.
  bool allows(const WordView& word, std::uint64_t value) const;
  // Returns what it may return, in words.
  std::string allowed(const WordView& word) const;

  void reset();

 private:
  struct Segment {  // a stretch of mapped memory
    VirtRange range;
    AddressSpace* file;  // null: private anonymous
    std::uint64_t pgoff;
    bool shared;
  };
  struct Word {
    VirtAddr addr;
    std::uint64_t value;
    std::uint32_t others;  // more values it may have: index in alternatives_, 0: none
    bool anything;         // it may have any value
  };
  struct Alternative {  // lists share tails, and never change
    std::uint64_t value;
    std::uint32_t next;
  };
  using Words = std::vector<Word>;  // in the order of addresses
  struct Space {
    bool alive = false;
    std::vector<Segment> segments;  // in the order of addresses
    Words words;                    // of private memory
  };
  struct File {
    const AddressSpace* file = nullptr;
    std::uint32_t segments = 0;  // that map it shared
    Words words;                 // by offset
  };
  struct Fork {
    std::uint32_t parent_id;
    std::uint32_t child_id;
  };

  Space& space(std::uint32_t mm_id);
  static const Segment* find_segment(const Space& space, VirtAddr addr);
  static void add_segment(Space& space, std::size_t at, const Segment& segment);
  File& file_of(const AddressSpace& file);
  const File* find_file(const AddressSpace& file) const;
  void drop_segments(Space& space);
  void release_file(const Segment& segment);
  std::uint64_t initial(const Segment& segment, VirtAddr addr) const;
  Word fresh_word(const Segment& segment, VirtAddr addr) const;
  Word& private_word(Space& space, const Segment& segment, VirtAddr addr);
  Word& shared_word(const Segment& segment, VirtAddr addr);
  static Word& insert_word(Words& words, Words::iterator at, const Word& word);
  const Word* find_word(const WordView& view) const;
  bool may_be(const Word& word, std::uint64_t value) const;
  void stored_during_forks(std::uint32_t mm_id, const Segment& segment, VirtAddr addr,
                           std::uint64_t value);
  std::string values_of(const Word& word) const;
  bool is_fork_child(std::uint32_t mm_id) const;
  void report_unmapped(std::uint32_t mm_id, VirtAddr addr, UserAccess access) const;
  void report_value(std::uint32_t mm_id, VirtAddr addr, std::uint64_t value,
                    const Segment& segment, const Word& word) const;

  std::vector<Space> spaces_;  // by mm id
  std::vector<std::uint32_t> used_;  // ids of spaces used since the last reset
  std::vector<File> files_;
  std::size_t files_used_ = 0;
  std::vector<Fork> forks_;  // under way
  std::vector<Alternative> alternatives_{{0, 0}};
};

}  // namespace racier::check
