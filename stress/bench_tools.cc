// stress/bench_tools.cc - options, files, seconds.  Tested by bench_test.sh.
#include "stress/bench_tools.h"

#include <chrono>
#include <iostream>

#include "stress/whole_file.h"

namespace racier {

namespace options = boost::program_options;

options::variables_map read_bench_options(const options::options_description& known,
                                          int argc, char** argv) {
  const int style = options::command_line_style::default_style &
                    ~options::command_line_style::allow_guessing;
  options::variables_map given;
  options::store(options::command_line_parser(argc, argv)
                     .options(known)
                     .positional({})
                     .style(style)
                     .run(),
                 given);
  options::notify(given);
  return given;
}

int bench_wrong_use(const options::error& error) {
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
