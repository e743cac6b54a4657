// core/check/shadow_memory.h - what user memory must hold.
//
// For each word that was touched, the values that a load may return, under the model
// that programmers have of mmap, fork and munmap.  Accesses come in the order in which
// they were made, so a word has one value; it is uncertain only after a fork, whose
// child may or may not have got what other tasks stored to the parent meanwhile.  The
// first load of such a word settles it.
//
// The model: private anonymous memory starts as zeroes, a private mapping of a file as
// the file, shared memory (keyed by file and index, whoever maps it) as its file, which
// for shmem is zeroes.  From unmap_begin to unmap_end accesses through cached
// translations still see the old memory, which nobody else may get before; afterwards
// none may succeed.
// What mremap moves keeps its words; while it does, a word is one and the same at
// either place.
// What madvise throws away is there or new until it is done, and new then; with lazy
// freeing that goes on until the word is stored to, or was seen to be new.
// Departs: until it is stored to, a word of a private mapping may be anything if
// somebody has stored to its place in the file, or has made its page there zeroes.
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
  // As the tracepoints say.
  void move_begin(std::uint32_t mm_id, VirtRange from, VirtAddr to);
  void move_end(std::uint32_t mm_id, VirtRange from, VirtAddr to, bool ok);

  // A finding if the access must not have succeeded, or returned what it may not.
  void accessed(std::uint32_t mm_id, VirtAddr addr, UserAccess access,
                std::uint64_t value, std::uint64_t before);

  void discard_begin(std::uint32_t mm_id, VirtRange range, bool lazily);
  void discard_end(std::uint32_t mm_id, VirtRange range, bool lazily);
  // A word of a file, at `offset`, was read or written without being mapped.
  void file_accessed(const AddressSpace& file, VirtAddr offset, UserAccess access,
                     std::uint64_t value);
  // The pages [first, end) of a file are zeroes.
  void file_zeroed(const AddressSpace& file, std::uint64_t first, std::uint64_t end);
  // Private mappings have lost their copies of the file's pages from `first` on.
  // From the beginning on a private copy may be gone, and the file's page in its place.
  void file_truncate_begin(const AddressSpace& file, std::uint64_t first);
  void file_truncated(const AddressSpace& file, std::uint64_t first);
  // Somebody who has the page pinned stores to the word of a mm.  Not `sure`: it may be
  // lost, or seen and then lost, because a fault may have copied the page before and
  // not have put the copy there yet.
  void device_stored(std::uint32_t mm_id, VirtAddr addr, std::uint64_t value,
                     bool sure);
  // Likewise to a page of a file, in its cache.
  void device_stored(const AddressSpace& file, VirtAddr offset, std::uint64_t value);

  // A word that holds, or may hold, another value than it started with.
  struct Place {
    std::uint32_t mm_id;       // of private memory
    VirtAddr addr;             // of shared memory: the offset in the file
    const AddressSpace* file;  // null: private memory
  };
  // Shows every such word.
  void for_each_word(FunctionRef<void(const Place&)> visit) const;
  // Returns whether a load of such a word may return `value`.
  bool allows(const Place& place, std::uint64_t value) const;
  // Says what it may return.
  std::string allowed(const Place& place) const;

  void reset();

 private:
  // A file, which may be gone already when we are told so: its place may be taken
  // again.
  struct FileName {
    const AddressSpace* at = nullptr;  // null: private anonymous.  Never looked into
    int id = 0;
    bool shmem = false;
    bool operator==(const FileName&) const = default;
  };
  struct Segment {  // a stretch of mapped memory
    VirtRange range;
    FileName file;
    std::uint64_t pgoff;
    bool shared;
    VirtAddr offset_of(VirtAddr addr) const {
      return (pgoff << kPageShift) + (addr - range.start);
    }
  };
  struct Word {
    VirtAddr addr;
    std::uint64_t value;
    std::uint32_t others;  // more values that it may have: index in choices_, 0: none
    bool lazy = false;     // it may become new at any moment
    bool any = false;      // it may have any value, as we have lost sight of it
    bool loose = false;    // it may change from one to another of them unseen
  };
  struct Choice {  // lists share tails, and never change
    std::uint64_t value;
    std::uint32_t next;
  };
  using Words = std::vector<Word>;  // in the order of addresses
  struct Space {                    // of one mm
    std::vector<Segment> segments;  // in the order of addresses
    Words words;                    // private ones
  };
  static constexpr std::uint64_t kNoPage = ~0ull;
  struct File {
    FileName name;
    std::uint32_t segments = 0;         // that map it shared
    Words words;                        // by offset
    std::vector<std::uint64_t> zeroed;  // pages that were made zeroes, in order
    std::uint64_t truncating_from = kNoPage;  // a page; until the truncation has ended
  };
  struct Move {
    std::uint32_t mm_id;
    VirtRange from;
    VirtAddr to;
  };
  struct Discard {
    std::uint32_t mm_id;
    VirtRange range;
    bool lazily;
    std::vector<VirtAddr> stored;  // words that were stored to meanwhile
  };
  struct Fork {
    std::uint32_t parent_id;
    std::uint32_t child_id;
  };

  Space& space(std::uint32_t mm_id);
  static const Segment* find_segment(const Space& space, VirtAddr addr);
  void clear(Space& space);
  static FileName name_of(const AddressSpace* file);
  File& file_of(const FileName& name);
  const File* find_file(const FileName& name) const;
  void hold(const Segment& segment);
  void release(const Segment& segment);
  VirtAddr moved_to(std::uint32_t mm_id, VirtAddr addr) const;
  void move_words(std::uint32_t mm_id, VirtRange from, VirtAddr to);
  void add_piece(Space& space, const Vma& vma, VirtRange piece);
  void cut(Space& space, VirtRange range);

  static Words::iterator lower_bound(Words& words, VirtAddr addr);
  static const Word* find_word(const Words& words, VirtAddr addr);
  const Word* word_at(const Place& place) const;
  bool may_be(const Word& word, std::uint64_t value) const;
  bool starts_as_anything(const Segment& segment, VirtAddr addr) const;
  std::uint64_t initial(const Segment& segment, VirtAddr addr) const;
  bool is_being_truncated(const Segment& segment, VirtAddr addr) const;
  static bool is_zeroed(const File& file, VirtAddr offset);
  static void forget(Words& words, VirtRange range);
  void load(std::uint32_t mm_id, const Segment& segment, VirtAddr addr,
            std::uint64_t value);
  void store(std::uint32_t mm_id, const Segment& segment, VirtAddr addr,
             std::uint64_t value);
  bool is_being_discarded(std::uint32_t mm_id, VirtAddr addr) const;
  void store_discarded(std::uint32_t mm_id, const Segment& segment, Word& word);
  void maybe_new(const Segment& segment, Word& word);
  void maybe_store(const Segment& segment, Words& words, VirtAddr addr,
                   std::uint64_t value);
  void loose_store(const Segment& segment, Words& words, VirtAddr addr,
                   std::uint64_t value);
  Words& words_of(std::uint32_t mm_id, const Segment& segment);
  std::string values_of(const Word& word) const;

  std::vector<Space> spaces_;        // by mm id
  std::vector<std::uint32_t> used_;  // ids of spaces used since the last reset
  std::vector<File> files_;          // the first files_used_ count
  std::size_t files_used_ = 0;
  std::vector<Fork> forks_;  // under way
  std::vector<Move> moves_;  // under way
  std::vector<Discard> discards_;  // under way
  std::vector<Choice> choices_{{0, 0}};
};

}  // namespace racier::check
