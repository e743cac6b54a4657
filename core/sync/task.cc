// core/sync/task.cc - whom an OS thread runs.
#include "core/sync/task.h"

namespace racier {

constinit thread_local Task* task_of_thread = nullptr;

}  // namespace racier
