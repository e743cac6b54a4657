// core/sync/tsan.h - what a lock tells ThreadSanitizer beyond its memory orders.
//
// For the files of this room only.  The functions are TSan's own, declared weak: in a
// program without it they are null and nothing happens.  README.md says why locks are
// not described to TSan as mutexes.
#pragma once

extern "C" {
[[gnu::weak]] void __tsan_acquire(void* address);
[[gnu::weak]] void __tsan_release(void* address);
[[gnu::weak]] void AnnotateIgnoreSyncBegin(const char* file, int line);
[[gnu::weak]] void AnnotateIgnoreSyncEnd(const char* file, int line);
}

namespace racier::sync::tsan {

// What came before any release(edge) happens before what follows an acquire(edge).
inline void release(void* edge) {
  if (__tsan_release != nullptr) __tsan_release(edge);
}
inline void acquire(void* edge) {
  if (__tsan_acquire != nullptr) __tsan_acquire(edge);
}

// While it lives, the atomics of this task order nothing for TSan.  No step inside.
class IgnoreSync {
 public:
  IgnoreSync() {
    if (AnnotateIgnoreSyncBegin != nullptr) AnnotateIgnoreSyncBegin(__FILE__, __LINE__);
  }
  ~IgnoreSync() {
    if (AnnotateIgnoreSyncEnd != nullptr) AnnotateIgnoreSyncEnd(__FILE__, __LINE__);
  }
  IgnoreSync(const IgnoreSync&) = delete;
  IgnoreSync& operator=(const IgnoreSync&) = delete;
};

}  // namespace racier::sync::tsan
