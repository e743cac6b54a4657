// core/mm/exec.h - the address space that a new program starts with.
//
// Kernel: fs/exec.c, v2.6.35.
#pragma once
#include "core/base/function_ref.h"
#include "core/base/status.h"
#include "core/objects/machine.h"

namespace racier {

struct ExecRequest {
  std::uint64_t arg_pages = 1;       // of arguments
  std::uint64_t shift_pages = 0;     // how far below the top the stack is to end
  AddressSpace* exe_file = nullptr;  // the program; null: none
};
// Writes something to the page at an address, as a user of it would.
using CopyString = FunctionRef<Status(Mm&, VirtAddr)>;

// Returns an address space with one user in which nothing is mapped but a stack that
// holds the arguments: `copy` writes each page of them.
// Errors: kNoMemory; kFault: the arguments do not fit on a stack.  Nothing is left
// behind then.
// Context: may sleep.  Kernel: bprm_mm_init(), copy_strings(), setup_arg_pages().
Result<Mm*> exec_mm(Machine& m, const ExecRequest& request, CopyString copy);

}  // namespace racier
