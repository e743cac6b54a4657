// core/rmap/mergeable.h - neighbours whose anchor a vma may share.
//
// For the schemes of this room only.
#pragma once
#include "core/base/function_ref.h"
#include "core/objects/vma.h"

namespace racier::rmap {

// Shows `suits` each neighbour of `vma` that a later mprotect may merge it with, the
// next one first, until it returns true; returns whether it did. Context: mmap_sem
// held, which keeps the neighbours, and so what they are anchored to. Kernel:
// find_mergeable_anon_vma().
bool find_mergeable(Vma& vma, FunctionRef<bool(Vma&)> suits);

}  // namespace racier::rmap
