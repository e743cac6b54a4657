// fuzz/program_seeds.cc - a program: texts into a folder of seeds for program_fuzz.
#include <cstdio>

#include "fuzz/seeds.h"

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  const bool help = !arguments.empty() && arguments[0] == "--help";
  if (help || arguments.size() < 2 || arguments[0].starts_with('-')) {
    std::fputs(
        "usage: program_seeds OUT SOURCE...\n\n"
        "Makes OUT a folder of seeds for program_fuzz: one for each *.racier\n"
        "in the sources, which are files and folders.\n"
        "Exit codes: 0 done, 2 wrong use or a bad program, 3 could not write.\n",
        help ? stdout : stderr);
    return help ? 0 : 2;
  }
  const std::string error =
      racier::fuzz::make_seeds(arguments[0], {arguments.begin() + 1, arguments.end()});
  if (error.empty()) return 0;
  std::fprintf(stderr, "program_seeds: %s\n", error.c_str());
  return error.starts_with("cannot") ? 3 : 2;
}
