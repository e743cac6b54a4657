// core/program/ops_file.h - ops that read, write and change files.
#pragma once
#include "core/program/places.h"

namespace racier::program::ops {

Outcome writeback(Run& run, FileRef file, PageCount pages);
Outcome truncate(Run& run, FileRef file, HeapPages pages);
Outcome punch_hole(Run& run, FileRef file, PageNo page, PageCount pages);
Outcome file_write(Run& run, FileRef file, PageNo page, WordNo word);
Outcome file_read(Run& run, FileRef file, PageNo page, WordNo word);
Outcome msync(Run& run, ProcessRef process, PageInMapping place, PageCount pages,
              Waiting waiting);

}  // namespace racier::program::ops
