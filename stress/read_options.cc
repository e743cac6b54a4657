// stress/read_options.cc - hands the words to Boost.  Tested by stress_options_test.cc.
#include "stress/read_options.h"

namespace racier::stress {

namespace po = boost::program_options;

po::variables_map read_options(const po::options_description& known, int argc,
                               const char* const* argv) {
  const int style =
      po::command_line_style::default_style & ~po::command_line_style::allow_guessing;
  po::variables_map given;
  po::store(po::command_line_parser(argc, argv)
                .options(known)
                .positional({})
                .style(style)
                .run(),
            given);
  po::notify(given);
  return given;
}

}  // namespace racier::stress
