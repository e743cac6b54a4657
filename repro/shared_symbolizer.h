// repro/shared_symbolizer.h - one symbolizer for many children.
//
// A sanitizer that wants to name a function starts llvm-symbolizer, which first reads
// all that the compiler wrote about the program: a quarter of a second, of each process
// anew. Children that run one after another can ask the one of their parent.
#pragma once

namespace racier::repro {

// Starts the symbolizer of this process, unless it has one, for the children that it
// forks from now on.  Only one of them may run at a time.  Nothing without a sanitizer.
void start_symbolizer();

// Leaves the symbolizer that was started, here or in a parent, to others: whoever wants
// a name in this process starts another one.  For a child that runs beside others; and
// for a parent whose child was killed, perhaps while it waited for an answer.
void leave_symbolizer();

}  // namespace racier::repro
