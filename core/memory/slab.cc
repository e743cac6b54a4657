// core/memory/slab.cc - objects in pages: handed out, held back, kept until readers are
// gone.
//
// Free objects stand on two lists.  `ready` is a stack: what was freed last is handed
// out next.  `held` is a queue that is asked only when there is nothing else short of a
// new page.  Between them come the objects that were never handed out since their page
// joined: of these there are some in at most one page, because a new page is taken only
// when there are none.  Tested by slab_test.cc.
#include "core/memory/slab.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <string>

#include "core/base/mark.h"
#include "core/memory/accuse.h"
#include "core/memory/fault_injection.h"
#include "core/sync/task.h"

namespace racier {
namespace {

// Dead bytes behind each object: an overflow hits them before it hits a neighbour.
constexpr std::size_t kRedzone = 16;

constexpr std::size_t round_up(std::size_t size, std::size_t to) {
  return (size + to - 1) / to * to;
}

// Returns whether a freed object is to be held back.
bool choose_later() {
  const Task* const self = current();
  if (self == nullptr || self->steps_off > 0 || std::uncaught_exceptions() > 0)
    return false;
  return self->runtime->tasks() > 1 && choose(2) == 1;
}

// Returns whether another task seems to be in an RCU read section.  Reads the other
// tasks' own words as plain memory, unknown to ThreadSanitizer: on threads the answer
// may be late, and counts a mark too many or too few.
[[clang::disable_sanitizer_instrumentation]] bool another_task_reads() {
  const Task* const self = current();
  if (self == nullptr) return false;
  for (int i = self->runtime->tasks() - 1; i >= 0; --i) {
    const Task& other = self->runtime->task(i);
    if (&other != self && other.rcu_nesting > 0) return true;
  }
  return false;
}

}  // namespace

SlabCache::SlabCache(const char* name, std::size_t size, std::size_t align,
                     SlabKind kind, void (*construct)(void*), SlabPages& pages,
                     Rcu& rcu, void (*destruct)(void*))
    : name_(name),
      size_(size),
      stride_(round_up(round_up(size, LiveMap::kGranule) + kRedzone,
                       std::max(align, LiveMap::kGranule))),
      slots_(std::min(static_cast<int>(kPageSize / stride_), SlabPage::kObjectsMax)),
      construct_(construct),
      destruct_(destruct),
      pages_(pages),
      rcu_(rcu),
      kind_(kind) {
  require(0 < size && size <= kSizeMax && align <= kPageSize,
          "an object fits in a page");
  pages_.join(*this);
}

SlabCache::~SlabCache() {
  reset();
  pages_.leave(*this);
}

std::byte* SlabCache::object_at(const SlabPage& page, int slot) const {
  return pages_.data(page) + static_cast<std::size_t>(slot) * stride_;
}

// ---- Handing out
// -----------------------------------------------------------------------

void* SlabCache::alloc() {
  if (should_fail()) return nullptr;
  Taken taken;
  {
    const InterlockGuard guard(lock_);
    taken = take();
  }
  if (taken.object == nullptr) return nullptr;
  weak_barrier();  // behind what its last owner did
  const bool plain = kind_ == SlabKind::kPlain;
  if (plain || taken.first_time) pages_.region().set_alive(taken.object, size_);
  if (taken.first_time) {
    fill_pattern(taken.object, size_, kPatternNew);
    if (!plain && construct_ != nullptr) construct_(taken.object);
  } else if (plain) {
    check_pattern(taken.object);
  } else if (another_task_reads()) {
    mark::hit(Mark::kTypeStableReuse);
  }
  return taken.object;
}

SlabCache::Taken SlabCache::take() {
  std::uint32_t next = ready_.first;
  SlabPage* const fresh = next == kNone ? page_with_fresh_slots() : nullptr;
  if (next == kNone && fresh == nullptr) next = held_.first;
  if (next == kNone && fresh == nullptr) return {};
  SlabPage& page =
      fresh != nullptr ? *fresh : pages_.page(next / SlabPage::kObjectsMax);
  int slot = static_cast<int>(next % SlabPage::kObjectsMax);
  if (fresh != nullptr) {
    slot = page.objects_seen++;
    if (page.objects_seen == slots_) fresh_ = nullptr;
  } else {
    unlink(page, slot);
  }
  page.states[slot] = SlabPage::kLive;
  if (page.in_use++ == 0 && kept_ == &page) kept_ = nullptr;
  ++live_;
  return {object_at(page, slot), fresh != nullptr};
}

// Returns a page with objects that were never handed out; takes one only if none is
// held.
SlabPage* SlabCache::page_with_fresh_slots() {
  if (fresh_ == nullptr && held_.first == kNone) {
    fresh_ = pages_.take(*this);
    if (fresh_ != nullptr) own_pages_.push_back(*fresh_);
  }
  return fresh_;
}

void SlabCache::check_pattern(const std::byte* object) const {
  const std::size_t at = pattern_damage(object, size_);
  if (at == size_) return;
  accuse(FindingKind::kUseAfterFree,
         std::string("BUG: ") + name_ + ": Poison overwritten",
         "offset " + std::to_string(at) + " holds " +
             std::to_string(std::to_integer<int>(object[at])));
}

// ---- Taking back
// -----------------------------------------------------------------------

int SlabCache::live_slot(const void* object) const {
  SlabPage* const page = pages_.page_of(object);
  if (page == nullptr ||
      std::atomic_ref(page->owner).load(std::memory_order_relaxed) != this) {
    return -1;
  }
  const std::size_t offset = static_cast<const std::byte*>(object) - pages_.data(*page);
  const int slot = static_cast<int>(offset / stride_);
  const bool live = offset % stride_ == 0 && slot < page->objects_seen &&
                    page->states[slot] == SlabPage::kLive;
  return live ? slot : -1;
}

void SlabCache::accuse_free() const {
  accuse(FindingKind::kUseAfterFree,
         std::string("BUG: KASAN: double-free or invalid-free in ") + name_, "");
}

bool SlabCache::check_live(const void* object) {
  const InterlockGuard guard(lock_);
  if (live_slot(object) >= 0) return true;
  accuse_free();
  return false;
}

void SlabCache::free(void* object) {
  const bool plain = kind_ == SlabKind::kPlain;
  const SlabPage::State state = choose_later() ? SlabPage::kHeld : SlabPage::kReady;
  SlabPage* emptied = nullptr;
  // No own store to the object is late.  Those of readers of type-stable memory may be:
  // they are allowed to store until the page goes.
  weak_barrier();
  {
    const InterlockGuard guard(lock_);
    const int slot = live_slot(object);
    if (slot < 0) {
      accuse_free();
      return;
    }
    if (plain) {
      weak_free(object, size_);
      fill_pattern(static_cast<std::byte*>(object), size_, kPatternFree);
      pages_.region().set_dead(static_cast<std::byte*>(object), size_);
    }
    SlabPage& page = *pages_.page_of(object);
    push(page, slot, state);
    --live_;
    if (--page.in_use > 0) return;
    if (!plain) {
      page.emptied_again = page.waiting;
      if (page.waiting) return;
      page.waiting = true;
    } else if (kept_ == nullptr) {
      kept_ = &page;
      return;
    } else {
      detach(page);
    }
    emptied = &page;
  }
  if (plain) {
    retire(*emptied);
  } else {
    wait_for_grace(*emptied);
  }
}

void SlabCache::push(SlabPage& page, int slot, SlabPage::State state) {
  const std::uint32_t self = number(page, slot);
  const auto link = [&](std::uint32_t at) -> SlabPage::Link& {
    return pages_.page(at / SlabPage::kObjectsMax).links[at % SlabPage::kObjectsMax];
  };
  page.states[slot] = state;
  if (state == SlabPage::kReady) {
    link(self) = {kNone, ready_.first};
    (ready_.first != kNone ? link(ready_.first).prev : ready_.last) = self;
    ready_.first = self;
  } else {
    link(self) = {held_.last, kNone};
    (held_.last != kNone ? link(held_.last).next : held_.first) = self;
    held_.last = self;
  }
}

void SlabCache::unlink(SlabPage& page, int slot) {
  Ends& ends = page.states[slot] == SlabPage::kReady ? ready_ : held_;
  const auto link = [&](std::uint32_t at) -> SlabPage::Link& {
    return pages_.page(at / SlabPage::kObjectsMax).links[at % SlabPage::kObjectsMax];
  };
  const SlabPage::Link gone = page.links[slot];
  (gone.prev != kNone ? link(gone.prev).next : ends.first) = gone.next;
  (gone.next != kNone ? link(gone.next).prev : ends.last) = gone.prev;
}

// ---- Pages that leave
// ------------------------------------------------------------------

// Takes an empty page off all lists: from here on it is the caller's alone.
void SlabCache::detach(SlabPage& page) {
  for (int slot = 0; slot < page.objects_seen; ++slot) unlink(page, slot);
  own_pages_.erase(page);
  if (fresh_ == &page) fresh_ = nullptr;
}

void SlabCache::retire(SlabPage& page) {
  if (kind_ == SlabKind::kTypesafeByRcu) {
    for (int slot = 0; slot < page.objects_seen; ++slot) {
      std::byte* const object = object_at(page, slot);
      weak_free(object, size_);
      if (destruct_ != nullptr) destruct_(object);
      fill_pattern(object, size_, kPatternFree);
      pages_.region().set_dead(object, size_);
    }
  }
  pages_.give_back(page);
}

void SlabCache::wait_for_grace(SlabPage& page) {
  if (std::uncaught_exceptions() > 0) return;  // the run is over: no step
  page.rcu.context = &page;
  page.rcu.callback = [](RcuHead&, void* context) {
    SlabPage& page = *static_cast<SlabPage*>(context);
    page.owner->grace_over(page);
  };
  rcu_.call(page.rcu);
}

void SlabCache::grace_over(SlabPage& page) {
  bool again = false;
  {
    const InterlockGuard guard(lock_);
    // A reader may have found an object that was handed out and freed again meanwhile.
    again = page.in_use == 0 && page.emptied_again;
    page.waiting = again;
    page.emptied_again = false;
    if (page.in_use > 0) return;
    if (!again) detach(page);
  }
  if (again) {
    wait_for_grace(page);
  } else {
    retire(page);
  }
}

// ---- The cache as a whole
// --------------------------------------------------------------

void SlabCache::set_kind(SlabKind kind) {
  if (kind == kind_) return;
  require(live_objects() == 0, "set_kind() of a cache without objects");
  for (;;) {
    SlabPage* page = nullptr;
    {
      const InterlockGuard guard(lock_);
      page = own_pages_.front();
      kept_ = nullptr;
      if (page == nullptr) break;
      require(!page->waiting, "set_kind() of a cache without pages that wait");
      detach(*page);
    }
    retire(*page);
  }
  kind_ = kind;
}

std::uint32_t SlabCache::live_objects() const {
  const InterlockGuard guard(lock_);
  return live_;
}

void SlabCache::for_each_live(FunctionRef<void(void*)> visit) const {
  const InterlockGuard guard(lock_);
  for (const SlabPage& page : own_pages_) {
    for (int slot = 0; slot < page.objects_seen; ++slot) {
      if (page.states[slot] == SlabPage::kLive) visit(object_at(page, slot));
    }
  }
}

void SlabCache::for_each_free(FunctionRef<void(void*)> visit) const {
  if (kind_ != SlabKind::kTypesafeByRcu) return;
  const InterlockGuard guard(lock_);
  for (const SlabPage& page : own_pages_) {
    for (int slot = 0; slot < page.objects_seen; ++slot) {
      if (page.states[slot] != SlabPage::kLive) visit(object_at(page, slot));
    }
  }
}

void SlabCache::reset() {
  const InterlockGuard guard(lock_);
  while (SlabPage* const page = own_pages_.front()) {
    for (int slot = 0; slot < page->objects_seen; ++slot) {
      const bool constructed =
          kind_ == SlabKind::kTypesafeByRcu || page->states[slot] == SlabPage::kLive;
      if (constructed) pages_.region().set_dead(object_at(*page, slot), size_);
    }
    own_pages_.erase(*page);
    pages_.give_back(*page);
  }
  ready_ = held_ = {};
  fresh_ = kept_ = nullptr;
  live_ = 0;
}

}  // namespace racier
