// stress/curves.h - what a benchmark of sizes gives: curves, as text, JSON and SVG.
#pragma once
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

namespace racier {

// One line of a diagram.
struct Series {
  std::string name;
  std::vector<double> y;  // for each x of its diagram
};

// A diagram: the same x for all of its lines.
struct Curves {
  std::string title;
  std::string x_name;
  std::string y_name;  // with the unit
  std::vector<double> x{};
  std::vector<Series> series{};
  // What y is held against, of the same run and in the unit of y.
  std::string reference_name{};
  double reference = 0;
};

// A table: a row for each series, a column for each x, and the reference.
std::string to_text(const Curves& curves);
nlohmann::ordered_json to_json(std::span<const Curves> diagrams);
// One picture with all diagrams, both axes logarithmic, and one legend: the names of
// the first diagram's series.  A y of 0 is drawn at the lower edge.
std::string to_svg(std::span<const Curves> diagrams);

}  // namespace racier
