// core/memory/slab.h - caches of equal objects.
//
// Kernel: mm/slab.c, kmem_cache_create() and friends, v2.6.9.
#pragma once
#include <cstddef>
#include <cstdint>
#include <new>
#include <type_traits>
#include <utility>

#include "core/base/function_ref.h"
#include "core/base/list.h"
#include "core/base/require.h"
#include "core/base/thread_annotations.h"
#include "core/memory/region.h"
#include "core/memory/slab_pages.h"
#include "core/sync/interlock.h"
#include "core/sync/rcu.h"

namespace racier {

enum class SlabKind : std::uint8_t {
  // Dead as soon as it is freed.
  kPlain,
  // Stays an object of its type until a grace period after its page is empty, and may
  // be handed out again at once.  Kernel: SLAB_DESTROY_BY_RCU.
  kTypesafeByRcu,
};

// An untyped cache of objects of at most kSizeMax bytes.  A plain object is dead and
// poisoned once freed; whether it is handed out again at once (shows ABA) or held back
// (shows use after free) is a choose(), 0 for at once, where a run has more than one
// task.
class SlabCache {
 public:
  static constexpr std::size_t kSizeMax = 2000;

  // `name` outlives the cache.  `construct`, if any, runs once for each object of a
  // kTypesafeByRcu cache between its page's joining and its own first use; `destruct`
  // once for each of them when the page leaves, after a grace period.  Neither takes a
  // step.
  SlabCache(const char* name, std::size_t size, std::size_t align, SlabKind kind,
            void (*construct)(void*), SlabPages& pages, Rcu& rcu,
            void (*destruct)(void*) = nullptr);
  ~SlabCache();
  SlabCache(const SlabCache&) = delete;
  SlabCache& operator=(const SlabCache&) = delete;

  // Returns an object's memory, or nullptr (no page left, or the task's fail_nth
  // struck).  What its last user did to it is visible to the caller.  A plain object
  // has undefined content, the same in every run; a damaged pattern is a finding. Never
  // sleeps; no step.
  void* alloc();
  // A pointer that is not a live object of this cache is a finding.
  // Context: any.  A step only if a type-stable page has become empty (Rcu::call()).
  void free(void* object);
  // A finding unless `object` is a live object of this cache.  Returns false only while
  // a run is being unwound.
  bool check_live(const void* object);

  const char* name() const { return name_; }
  SlabKind kind() const { return kind_; }
  // From one object of a page to the next.
  std::size_t stride() const { return stride_; }
  // Changes the kind.  Only while it has no object and no page waits for a grace
  // period.
  void set_kind(SlabKind kind);
  std::uint32_t live_objects() const;
  // Shows every live object, in an order that is the same in every run.  `visit` calls
  // nothing of the cache.  At quiescence.
  void for_each_live(FunctionRef<void(void*)> visit) const;
  // Likewise every free object that still is one: of a kTypesafeByRcu cache.
  void for_each_free(FunctionRef<void(void*)> visit) const;
  // Forgets all objects without running destructors, in time proportional to what was
  // used.  After Rcu::reset().
  void reset();

 private:
  static constexpr std::uint32_t kNone = ~0u;

  // A free object is on one of two lists, by its number: page index and place in the
  // page.
  struct Ends {
    std::uint32_t first = kNone;
    std::uint32_t last = kNone;
  };
  struct Taken {
    std::byte* object = nullptr;
    bool first_time = false;
  };

  static std::uint32_t number(const SlabPage& page, int slot) {
    return page.index * SlabPage::kObjectsMax + static_cast<std::uint32_t>(slot);
  }
  std::byte* object_at(const SlabPage& page, int slot) const;
  // Returns the place of `object` in its page, or -1: not a live object of this cache.
  int live_slot(const void* object) const REQUIRES(lock_);
  Taken take() REQUIRES(lock_);
  SlabPage* page_with_fresh_slots() REQUIRES(lock_);
  void push(SlabPage& page, int slot, SlabPage::State state) REQUIRES(lock_);
  void unlink(SlabPage& page, int slot) REQUIRES(lock_);
  void detach(SlabPage& page) REQUIRES(lock_);
  void retire(SlabPage& page);
  void wait_for_grace(SlabPage& page);
  void grace_over(SlabPage& page);
  void check_pattern(const std::byte* object) const;
  void accuse_free() const;

  const char* const name_;
  const std::size_t size_;
  const std::size_t stride_;
  const int slots_;
  void (*const construct_)(void*);
  void (*const destruct_)(void*);
  SlabPages& pages_;
  Rcu& rcu_;
  SlabKind kind_;

  mutable Interlock lock_;
  mutable List<SlabPage, &SlabPage::node> own_pages_ GUARDED_BY(lock_);
  Ends ready_ GUARDED_BY(lock_);
  Ends held_ GUARDED_BY(lock_);
  // The page with objects not seen, if any.
  SlabPage* fresh_ GUARDED_BY(lock_) = nullptr;
  // Plain: the one empty page that stays.
  SlabPage* kept_ GUARDED_BY(lock_) = nullptr;
  std::uint32_t live_ GUARDED_BY(lock_) = 0;
};

// A cache of T.  kPlain: create() constructs, destroy() destroys.  kTypesafeByRcu:  T
// is default-constructed once after its page has joined the cache; create() takes no
// arguments and returns it as its last user left it.
template <typename T>
class Slab {
 public:
  Slab(const char* name, SlabKind kind, SlabPages& pages, Rcu& rcu)
      : cache_(name, sizeof(T), alignof(T), kind, constructor(), pages, rcu,
               &destruct) {}

  // Returns nullptr as SlabCache::alloc() does.
  template <typename... Args>
  [[nodiscard]] T* create(Args&&... args) {
    if (cache_.kind() == SlabKind::kTypesafeByRcu) {
      require(sizeof...(Args) == 0,
              "a type-stable object is constructed without arguments");
      return static_cast<T*>(cache_.alloc());
    }
    void* const at = cache_.alloc();
    if (at == nullptr) return nullptr;
    if constexpr (std::is_constructible_v<T, Args...>) {
      return new (at) T(std::forward<Args>(args)...);
    } else {
      static_assert(std::is_aggregate_v<T>, "constructible from these arguments");
      return new (at) T{std::forward<Args>(args)...};
    }
  }
  void destroy(T* object) {
    if (cache_.kind() == SlabKind::kPlain) {
      if (!cache_.check_live(object)) return;
      object->~T();
    }
    cache_.free(object);
  }

  SlabCache& cache() { return cache_; }
  const SlabCache& cache() const { return cache_; }
  std::uint32_t live_objects() const { return cache_.live_objects(); }
  void for_each_live(FunctionRef<void(T&)> visit) const {
    cache_.for_each_live([&](void* object) { visit(*static_cast<T*>(object)); });
  }
  void for_each_free(FunctionRef<void(T&)> visit) const {
    cache_.for_each_free([&](void* object) { visit(*static_cast<T*>(object)); });
  }
  void set_kind(SlabKind kind) { cache_.set_kind(kind); }
  void reset() { cache_.reset(); }

 private:
  using Constructor = void (*)(void*);
  static constexpr Constructor constructor() {
    if constexpr (std::is_default_constructible_v<T>) {
      return [](void* at) { new (at) T(); };
    } else {
      return nullptr;
    }
  }
  static void destruct(void* at) { static_cast<T*>(at)->~T(); }

  SlabCache cache_;
};

}  // namespace racier
