// stress/bench_tools.h - what the commands of racier-bench have in common.
#pragma once
#include <boost/program_options.hpp>
#include <functional>
#include <string>

namespace racier {

// Tells what is wrong with the options; returns the exit code.
int bench_wrong_use(const boost::program_options::error& error);

// Makes `file` hold `text`, unless it has no name.  Returns an exit code: 0, or 3, and
// has said why.
int write_bench_result(const std::string& file, const std::string& text);

double seconds_of(const std::function<void()>& work);

}  // namespace racier
