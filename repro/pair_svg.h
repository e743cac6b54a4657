// repro/pair_svg.h - the matrix of all pairs as a heat map.
#pragma once
#include <string>

#include "repro/pair_matrix.h"

namespace racier::repro {

// Returns an SVG that needs nothing else: a square for each two ops, the darker the
// more schedules were run; what it stands for is said when it is pointed at.
std::string matrix_svg(const PairMatrix& matrix);

}  // namespace racier::repro
