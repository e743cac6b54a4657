// core/check/shadow_memory.cc - loads and stores against a model of user memory.
// Tested by shadow_memory_test.cc.
#include "core/check/shadow_memory.h"

#include <algorithm>

#include "core/check/complain.h"
#include "core/check/values.h"
#include "core/objects/address_space.h"
#include "core/objects/mm.h"

namespace racier::check {
namespace {

std::string about(std::uint32_t mm_id, VirtAddr addr) {
  return "mm " + std::to_string(mm_id) + ", page " +
         std::to_string(addr >> kPageShift) + ", word " +
         std::to_string(addr % kPageSize / 8);
}

bool starts_before(VirtAddr addr, const auto& segment) {
  return addr < segment.range.start;
}

}  // namespace

// ---- Address spaces -----------------------------------------------------------------

ShadowMemory::Space& ShadowMemory::space(std::uint32_t mm_id) {
  if (mm_id >= spaces_.size()) spaces_.resize(mm_id + 1);
  return spaces_[mm_id];
}

void ShadowMemory::clear(Space& space) {
  for (const Segment& segment : space.segments) release(segment);
  space.segments.clear();
  space.words.clear();
}

void ShadowMemory::mm_created(std::uint32_t mm_id) {
  clear(space(mm_id));
  used_.push_back(mm_id);
}

void ShadowMemory::mm_exited(std::uint32_t mm_id) { clear(space(mm_id)); }

const ShadowMemory::Segment* ShadowMemory::find_segment(const Space& space,
                                                        VirtAddr addr) {
  auto at = std::upper_bound(space.segments.begin(), space.segments.end(), addr,
                             starts_before<Segment>);
  if (at == space.segments.begin()) return nullptr;
  --at;
  return at->range.contains(addr) ? &*at : nullptr;
}

void ShadowMemory::mapped(const Vma& vma) {
  Space& space = this->space(vma.vm_mm->id);
  // A heap that grows is told of as a whole; a child's vmas were copied already.
  VirtAddr from = vma.vm_start;
  for (std::size_t i = 0; i < space.segments.size() && from < vma.vm_end; ++i) {
    const VirtRange known = space.segments[i].range;
    if (known.end <= from) continue;
    if (known.start >= vma.vm_end) break;
    if (from < known.start) add_piece(space, vma, {from, known.start});
    from = known.end;
  }
  if (from < vma.vm_end) add_piece(space, vma, {from, vma.vm_end});
}

void ShadowMemory::add_piece(Space& space, const Vma& vma, VirtRange piece) {
  const Segment segment{piece, name_of(vma.vm_file), vma.index_of(piece.start),
                        vma.is(kVmShared)};
  const auto at = std::upper_bound(space.segments.begin(), space.segments.end(),
                                   piece.start, starts_before<Segment>);
  space.segments.insert(at, segment);
  hold(segment);
}

void ShadowMemory::unmap_end(std::uint32_t mm_id, VirtRange range) {
  Space& space = this->space(mm_id);
  cut(space, range);
  forget(space.words, range);
}

void ShadowMemory::cut(Space& space, VirtRange range) {
  std::vector<Segment>& segments = space.segments;
  for (std::size_t i = 0; i < segments.size(); ++i) {
    if (!segments[i].range.overlaps(range)) continue;
    const Segment old = segments[i];
    segments.erase(segments.begin() + static_cast<std::ptrdiff_t>(i));
    const auto keep = [&](VirtRange part) {
      if (part.start >= part.end) return;
      Segment kept = old;
      kept.range = part;
      kept.pgoff += (part.start - old.range.start) >> kPageShift;
      segments.insert(segments.begin() + static_cast<std::ptrdiff_t>(i++), kept);
      hold(kept);
    };
    keep({old.range.start, std::max(range.start, old.range.start)});
    keep({std::min(range.end, old.range.end), old.range.end});
    release(old);
    --i;
  }
}

// ---- Moves --------------------------------------------------------------------------

void ShadowMemory::move_begin(std::uint32_t mm_id, VirtRange from, VirtAddr to) {
  move_words(mm_id, from, to);
  moves_.push_back({mm_id, from, to});
}

void ShadowMemory::move_end(std::uint32_t mm_id, VirtRange from, VirtAddr to, bool ok) {
  std::erase_if(moves_, [&](const Move& move) {
    return move.mm_id == mm_id && move.from.start == from.start;
  });
  if (!ok) move_words(mm_id, {to, to + (from.end - from.start)}, from.start);
}

// There are none at `to`, but those that move away from there.
void ShadowMemory::move_words(std::uint32_t mm_id, VirtRange from, VirtAddr to) {
  Words& words = space(mm_id).words;
  const auto first = lower_bound(words, from.start);
  const auto last = lower_bound(words, from.end);
  Words moved(first, last);
  words.erase(first, last);
  for (Word& word : moved) word.addr = word.addr - from.start + to;
  words.insert(lower_bound(words, to), moved.begin(), moved.end());
}

// Returns where the words of `addr` are kept.
VirtAddr ShadowMemory::moved_to(std::uint32_t mm_id, VirtAddr addr) const {
  for (const Move& move : moves_) {
    if (move.mm_id == mm_id && move.from.contains(addr)) {
      return addr - move.from.start + move.to;
    }
  }
  return addr;
}

// ---- Files --------------------------------------------------------------------------

ShadowMemory::FileName ShadowMemory::name_of(const AddressSpace* file) {
  return file == nullptr ? FileName{} : FileName{file, file->id, file->shmem};
}

ShadowMemory::File& ShadowMemory::file_of(const FileName& name) {
  for (std::size_t i = 0; i < files_used_; ++i) {
    if (files_[i].name == name) return files_[i];
  }
  if (files_used_ == files_.size()) files_.emplace_back();
  File& fresh = files_[files_used_++];
  fresh.name = name;
  fresh.segments = 0;
  fresh.words.clear();
  fresh.zeroed.clear();
  fresh.truncating_from = kNoPage;
  return fresh;
}

const ShadowMemory::File* ShadowMemory::find_file(const FileName& name) const {
  for (std::size_t i = 0; i < files_used_; ++i) {
    if (files_[i].name == name) return &files_[i];
  }
  return nullptr;
}

bool ShadowMemory::is_zeroed(const File& file, VirtAddr offset) {
  return std::binary_search(file.zeroed.begin(), file.zeroed.end(),
                            offset >> kPageShift);
}

void ShadowMemory::file_accessed(const AddressSpace& file, VirtAddr offset,
                                 UserAccess access, std::uint64_t value) {
  // As through a shared mapping of that page, by nobody in particular.
  const VirtAddr page = page_floor(offset);
  const Segment segment{
      {page, page + kPageSize}, name_of(&file), page >> kPageShift, true};
  if (access == UserAccess::kWrite) return store(0, segment, offset, value);
  load(0, segment, offset, value);
}

void ShadowMemory::file_zeroed(const AddressSpace& file, std::uint64_t first,
                               std::uint64_t end) {
  File& known = file_of(name_of(&file));
  forget(known.words, {first << kPageShift, end << kPageShift});
  for (std::uint64_t page = first; page < end; ++page) {
    const auto at = std::lower_bound(known.zeroed.begin(), known.zeroed.end(), page);
    if (at == known.zeroed.end() || *at != page) known.zeroed.insert(at, page);
  }
}

void ShadowMemory::file_truncate_begin(const AddressSpace& file, std::uint64_t first) {
  file_of(name_of(&file)).truncating_from = first;
}

bool ShadowMemory::is_being_truncated(const Segment& segment, VirtAddr addr) const {
  if (segment.shared || segment.file.at == nullptr) return false;
  const File* const file = find_file(segment.file);
  return file != nullptr &&
         segment.offset_of(addr) >> kPageShift >= file->truncating_from;
}

void ShadowMemory::file_truncated(const AddressSpace& file, std::uint64_t first) {
  const FileName name = name_of(&file);
  file_of(name).truncating_from = kNoPage;
  for (const std::uint32_t mm_id : used_) {
    Space& space = spaces_[mm_id];
    for (const Segment& segment : space.segments) {
      if (segment.shared || !(segment.file == name)) continue;
      const std::uint64_t kept = first > segment.pgoff ? first - segment.pgoff : 0;
      const VirtAddr from =
          std::min(segment.range.start + (kept << kPageShift), segment.range.end);
      forget(space.words, {from, segment.range.end});
    }
  }
}

void ShadowMemory::hold(const Segment& segment) {
  if (segment.shared) ++file_of(segment.file).segments;
}

// A shmem file dies with its last mapping, and another may get its place.
void ShadowMemory::release(const Segment& segment) {
  if (!segment.shared) return;
  File& file = file_of(segment.file);
  if (--file.segments == 0 && segment.file.shmem) {
    std::swap(file, files_[--files_used_]);
  }
}

// ---- Forks --------------------------------------------------------------------------

void ShadowMemory::fork_begin(std::uint32_t parent_id, std::uint32_t child_id) {
  space(std::max(parent_id, child_id));
  Space& child = space(child_id);
  const Space& parent = space(parent_id);
  clear(child);
  child.segments = parent.segments;
  child.words = parent.words;
  for (const Segment& segment : child.segments) hold(segment);
  used_.push_back(child_id);
  forks_.push_back({parent_id, child_id});
}

void ShadowMemory::fork_end(std::uint32_t parent_id, std::uint32_t child_id, bool ok) {
  std::erase_if(forks_, [&](const Fork& fork) {
    return fork.parent_id == parent_id && fork.child_id == child_id;
  });
  if (!ok) clear(space(child_id));
}

// ---- What is thrown away ------------------------------------------------------------

void ShadowMemory::discard_begin(std::uint32_t mm_id, VirtRange range, bool lazily) {
  Space& space = this->space(mm_id);
  const auto end = lower_bound(space.words, range.end);
  for (auto word = lower_bound(space.words, range.start); word != end; ++word) {
    const Segment* const segment = find_segment(space, word->addr);
    if (segment != nullptr) maybe_new(*segment, *word);
  }
  discards_.push_back({mm_id, range, lazily, {}});
}

void ShadowMemory::discard_end(std::uint32_t mm_id, VirtRange range, bool lazily) {
  const auto over =
      std::find_if(discards_.begin(), discards_.end(), [&](const Discard& discard) {
        return discard.mm_id == mm_id && discard.range == range &&
               discard.lazily == lazily;
      });
  const std::vector<VirtAddr> stored = std::move(over->stored);
  discards_.erase(over);
  Words& words = space(mm_id).words;
  if (lazily) {
    const auto end = lower_bound(words, range.end);
    for (auto word = lower_bound(words, range.start); word != end; ++word) {
      word->lazy = true;
    }
    return;
  }
  std::erase_if(words, [&](const Word& word) {
    return range.contains(word.addr) &&
           std::find(stored.begin(), stored.end(), word.addr) == stored.end();
  });
}

bool ShadowMemory::is_being_discarded(std::uint32_t mm_id, VirtAddr addr) const {
  return std::any_of(discards_.begin(), discards_.end(), [&](const Discard& discard) {
    return discard.mm_id == mm_id && discard.range.contains(addr);
  });
}

// `word` was stored to: it may be thrown away yet, if it was not before.
void ShadowMemory::store_discarded(std::uint32_t mm_id, const Segment& segment,
                                   Word& word) {
  for (Discard& discard : discards_) {
    if (discard.mm_id != mm_id || !discard.range.contains(word.addr)) continue;
    discard.stored.push_back(word.addr);
    maybe_new(segment, word);
  }
}

// Adds to what a word may be that it may be new.  What is new of a file changes with
// the file.
void ShadowMemory::maybe_new(const Segment& segment, Word& word) {
  if (segment.file.at != nullptr) {
    word.any = true;
  } else if (!may_be(word, 0)) {
    choices_.push_back({0, word.others});
    word.others = static_cast<std::uint32_t>(choices_.size() - 1);
  }
}

// ---- Words --------------------------------------------------------------------------

ShadowMemory::Words::iterator ShadowMemory::lower_bound(Words& words, VirtAddr addr) {
  return std::lower_bound(words.begin(), words.end(), addr,
                          [](const Word& word, VirtAddr at) { return word.addr < at; });
}

const ShadowMemory::Word* ShadowMemory::find_word(const Words& words, VirtAddr addr) {
  const auto at = lower_bound(const_cast<Words&>(words), addr);
  return at != words.end() && at->addr == addr ? &*at : nullptr;
}

ShadowMemory::Words& ShadowMemory::words_of(std::uint32_t mm_id,
                                            const Segment& segment) {
  return segment.shared ? file_of(segment.file).words : space(mm_id).words;
}

void ShadowMemory::forget(Words& words, VirtRange range) {
  words.erase(lower_bound(words, range.start), lower_bound(words, range.end));
}

std::uint64_t ShadowMemory::initial(const Segment& segment, VirtAddr addr) const {
  if (segment.file.at == nullptr || segment.file.shmem) return 0;
  const VirtAddr offset = segment.offset_of(addr);
  const File* const file = find_file(segment.file);
  if (file != nullptr && is_zeroed(*file, offset)) return 0;
  return file_word(segment.file.id, offset >> kPageShift, offset % kPageSize / 8);
}

bool ShadowMemory::starts_as_anything(const Segment& segment, VirtAddr addr) const {
  if (segment.shared || segment.file.at == nullptr) return false;
  const File* const file = find_file(segment.file);
  if (file == nullptr) return false;
  const VirtAddr offset = segment.offset_of(addr);
  return find_word(file->words, offset) != nullptr || is_zeroed(*file, offset);
}

bool ShadowMemory::may_be(const Word& word, std::uint64_t value) const {
  if (word.any || word.value == value) return true;
  for (std::uint32_t at = word.others; at != 0; at = choices_[at].next) {
    if (choices_[at].value == value) return true;
  }
  return false;
}

void ShadowMemory::accessed(std::uint32_t mm_id, VirtAddr addr, UserAccess access,
                            std::uint64_t value, std::uint64_t before) {
  addr = moved_to(mm_id, addr);
  const Segment* const segment = find_segment(space(mm_id), addr);
  if (segment == nullptr) {
    complain(Inv::kAccessOfMapped, about(mm_id, addr));
    return;
  }
  switch (access) {
    case UserAccess::kRead:
    case UserAccess::kExecute:
      load(mm_id, *segment, addr, value);
      break;
    case UserAccess::kWrite:
      store(mm_id, *segment, addr, value);
      break;
    case UserAccess::kReadModifyWrite:
      load(mm_id, *segment, addr, before);
      store(mm_id, *segment, addr, value);
      break;
  }
}

void ShadowMemory::load(std::uint32_t mm_id, const Segment& segment, VirtAddr addr,
                        std::uint64_t value) {
  const VirtAddr key = segment.shared ? segment.offset_of(addr) : addr;
  Words& words = words_of(mm_id, segment);
  const auto at = lower_bound(words, key);
  const bool truncating = is_being_truncated(segment, addr);
  if (truncating && (starts_as_anything(segment, addr) || value == 0 ||
                     value == initial(segment, addr))) {
    return;
  }
  Word fresh{key, 0, 0};
  Word* word = &fresh;
  if (at != words.end() && at->addr == key) {
    word = &*at;
  } else if (starts_as_anything(segment, addr)) {
    return;
  } else {
    fresh.value = initial(segment, addr);
  }
  if (!may_be(*word, value)) {
    complain(Inv::kDataIsLastStore,
             about(mm_id, addr) + (segment.shared ? " (shared)" : "") + ": read " +
                 describe_value(value) + ", must be " + values_of(*word));
    return;
  }
  if (truncating || word->loose) return;
  // What may go at any moment is not settled by having been there.
  const bool may_go = word->any || (word->lazy && value != 0) ||
                      (!segment.shared && is_being_discarded(mm_id, addr));
  if (may_go) return;
  *word = {key, value, 0};
}

void ShadowMemory::store(std::uint32_t mm_id, const Segment& segment, VirtAddr addr,
                         std::uint64_t value) {
  const VirtAddr key = segment.shared ? segment.offset_of(addr) : addr;
  Words& words = words_of(mm_id, segment);
  auto at = lower_bound(words, key);
  if (at != words.end() && at->addr == key) {
    *at = {key, value, 0};
  } else {
    at = words.insert(at, {key, value, 0});
  }
  if (segment.shared) return;
  store_discarded(mm_id, segment, *at);
  for (const Fork& fork : forks_) {
    if (fork.parent_id != mm_id) continue;
    maybe_store(segment, space(fork.child_id).words, addr, value);
  }
}

// Adds `value` to what the private word of a child that is being made may be.
void ShadowMemory::maybe_store(const Segment& segment, Words& words, VirtAddr addr,
                               std::uint64_t value) {
  auto at = lower_bound(words, addr);
  if (at == words.end() || at->addr != addr) {
    if (starts_as_anything(segment, addr)) return;
    at = words.insert(at, {addr, initial(segment, addr), 0});
  }
  if (may_be(*at, value)) return;
  choices_.push_back({value, at->others});
  at->others = static_cast<std::uint32_t>(choices_.size() - 1);
}

void ShadowMemory::loose_store(const Segment& segment, Words& words, VirtAddr addr,
                               std::uint64_t value) {
  maybe_store(segment, words, addr, value);
  const auto at = lower_bound(words, addr);
  if (at != words.end() && at->addr == addr) at->loose = true;
}

void ShadowMemory::device_stored(std::uint32_t mm_id, VirtAddr addr,
                                 std::uint64_t value, bool sure) {
  addr = moved_to(mm_id, addr);
  const Segment* const segment = find_segment(space(mm_id), addr);
  if (segment == nullptr || segment->shared) return;
  if (sure) return store(mm_id, *segment, addr, value);
  loose_store(*segment, space(mm_id).words, addr, value);
  for (const Fork& fork : forks_) {
    if (fork.parent_id != mm_id) continue;
    loose_store(*segment, space(fork.child_id).words, addr, value);
  }
}

void ShadowMemory::device_stored(const AddressSpace& file, VirtAddr offset,
                                 std::uint64_t value) {
  Words& words = file_of(name_of(&file)).words;
  const auto at = lower_bound(words, offset);
  if (at != words.end() && at->addr == offset) {
    *at = {offset, value, 0};
  } else {
    words.insert(at, {offset, value, 0});
  }
}

std::string ShadowMemory::values_of(const Word& word) const {
  if (word.any) return "anything";
  std::string text = describe_value(word.value);
  for (std::uint32_t at = word.others; at != 0; at = choices_[at].next) {
    text += " or " + describe_value(choices_[at].value);
  }
  return text;
}

// ---- For the audit ------------------------------------------------------------------

void ShadowMemory::for_each_word(FunctionRef<void(const Place&)> visit) const {
  for (std::uint32_t mm_id = 0; mm_id < spaces_.size(); ++mm_id) {
    for (const Word& word : spaces_[mm_id].words) visit({mm_id, word.addr, nullptr});
  }
  for (std::size_t i = 0; i < files_used_; ++i) {
    for (const Word& word : files_[i].words) visit({0, word.addr, files_[i].name.at});
  }
}

const ShadowMemory::Word* ShadowMemory::word_at(const Place& place) const {
  if (place.file == nullptr) return find_word(spaces_[place.mm_id].words, place.addr);
  const File* const file = find_file(name_of(place.file));
  return file == nullptr ? nullptr : find_word(file->words, place.addr);
}

bool ShadowMemory::allows(const Place& place, std::uint64_t value) const {
  const Word* const word = word_at(place);
  return word == nullptr || may_be(*word, value);
}

std::string ShadowMemory::allowed(const Place& place) const {
  const Word* const word = word_at(place);
  return word == nullptr ? "anything" : values_of(*word);
}

void ShadowMemory::reset() {
  for (const std::uint32_t mm_id : used_) {
    spaces_[mm_id].segments.clear();
    spaces_[mm_id].words.clear();
  }
  used_.clear();
  files_used_ = 0;
  forks_.clear();
  moves_.clear();
  discards_.clear();
  choices_.resize(1);
}

}  // namespace racier::check
