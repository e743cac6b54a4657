// core/runtime/tsan_report.h - a report of ThreadSanitizer, and the finding in it.
#pragma once
#include <array>
#include <cstddef>

#include "core/base/finding.h"

namespace racier::sanitizer_reports {

// What is kept of one report, and the words of later ones that came before it was used.
// Filled inside of ThreadSanitizer, under its locks: it allocates nothing.
class TsanReport {
 public:
  // Copies what `report`, ThreadSanitizer's own, says.
  void copy(void* report);
  // Notes only which word raced.
  void note_word(void* report);

  // Returns what it says, in KCSAN's words.  In ordinary code: it symbolizes.
  Finding finding() const;
  // Makes ThreadSanitizer watch the words again that raced; forgets them.
  void watch_words_again();

 private:
  static constexpr int kFrames = 24;
  static constexpr std::size_t kSides = 2;
  static constexpr std::size_t kWordsMax = 64;

  // One of the two accesses; of a report without accesses, one of its stacks.
  struct Side {
    int tid;
    int size;
    bool write;
    bool atomic;
    std::array<char, 16> thread;
    std::array<void*, kFrames> trace;  // ends with a null
  };
  struct Word {
    void* address;
    int size;
  };

  static void copy_thread_name(void* report, int threads, Side& side);
  std::string describe(const Side& side) const;
  static void watch_again(const Word& word);

  const char* kind_;  // ThreadSanitizer's name for it
  bool has_accesses_;
  std::size_t sides_count_;
  std::array<Side, kSides> sides_;
  std::size_t words_count_ = 0;
  std::array<Word, kWordsMax> words_;
};

}  // namespace racier::sanitizer_reports
