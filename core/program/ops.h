// core/program/ops.h - the table of ops.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/program/op.h"

namespace racier::program {

// Returns all ops.  A Call names one by its index, and so do a fuzzer's bytes.
std::span<const Op> op_table();
inline const Op& op_of(const Call& call) { return op_table()[call.op]; }
std::optional<std::uint16_t> find_op(std::string_view name);

// Returns a table of all ops in Markdown.
std::string ops_reference();
// Returns a libFuzzer dictionary: each op as a call in bytes.
std::string fuzzer_dictionary();

}  // namespace racier::program
