// stress/read_options.h - how the commands of this folder read a command line.
#pragma once
#include <boost/program_options.hpp>

namespace racier::stress {

// Returns the options that were given.  Throws boost::program_options::error: they are
// named in full, and there is nothing but options.
boost::program_options::variables_map read_options(
    const boost::program_options::options_description& known, int argc,
    const char* const* argv);

}  // namespace racier::stress
