// core/memory/host_access.h - accesses to host memory that may not be there, or not for
// writing.
//
// Each is one instruction of the host.  If the host refuses it with SIGSEGV, the access
// returns false and has done nothing, as one of the kernel's that has an entry in its
// exception table does.  Any other SIGSEGV is left to whoever handled it before.
#pragma once
#include <cstddef>
#include <cstdint>

namespace racier {

// Has SIGSEGV handled, once for the process.  Throws std::system_error.
void handle_host_faults();

// Loads, stores, adds to (and then returns in `value` the sum) an aligned word;
// relaxed. Context: after handle_host_faults(); any stack with some 16 KiB left.
[[nodiscard]] bool host_load(const std::byte* at, std::uint64_t& value);
[[nodiscard]] bool host_store(std::byte* at, std::uint64_t value);
[[nodiscard]] bool host_add(std::byte* at, std::uint64_t& value);

}  // namespace racier
