// stress/bench_tools.cc - wrong use, files, seconds.  Tested by bench_test.sh.
#include "stress/bench_tools.h"

#include <chrono>
#include <iostream>

#include "stress/whole_file.h"

namespace racier {

int bench_wrong_use(const boost::program_options::error& error) {
  std::cerr << "racier-bench: " << error.what() << "; --help lists the options\n";
  return 2;
}

int write_bench_result(const std::string& file, const std::string& text) {
  if (file.empty()) return 0;
  const std::string problem = stress::write_whole(file, text);
  if (problem.empty()) return 0;
  std::cerr << "racier-bench: " << problem << "\n";
  return 3;
}

double seconds_of(const std::function<void()>& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin)
      .count();
}

}  // namespace racier
