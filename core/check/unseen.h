// core/check/unseen.h - what a watcher does is no access of the simulated kernel.
#pragma once
#include "core/sync/task.h"

extern "C" {
// ThreadSanitizer's own, declared weak: null in a program without it.
[[gnu::weak]] void AnnotateIgnoreReadsBegin(const char* file, int line);
[[gnu::weak]] void AnnotateIgnoreReadsEnd(const char* file, int line);
[[gnu::weak]] void AnnotateIgnoreWritesBegin(const char* file, int line);
[[gnu::weak]] void AnnotateIgnoreWritesEnd(const char* file, int line);
}

namespace racier::check {

// While it lives, ThreadSanitizer looks away from what the running task reads and
// writes: tasks share a watcher without a lock, because they share one OS thread.
// No step inside, and no plain access is one.
class Unseen {
 public:
  Unseen() : task_(current()) {
    if (task_ != nullptr) ++task_->plain_steps_off;
    if (AnnotateIgnoreReadsBegin == nullptr) return;
    AnnotateIgnoreReadsBegin(__FILE__, __LINE__);
    AnnotateIgnoreWritesBegin(__FILE__, __LINE__);
  }
  ~Unseen() {
    if (task_ != nullptr) --task_->plain_steps_off;
    if (AnnotateIgnoreReadsEnd == nullptr) return;
    AnnotateIgnoreWritesEnd(__FILE__, __LINE__);
    AnnotateIgnoreReadsEnd(__FILE__, __LINE__);
  }
  Unseen(const Unseen&) = delete;
  Unseen& operator=(const Unseen&) = delete;

 private:
  Task* const task_;
};

}  // namespace racier::check
