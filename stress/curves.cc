// stress/curves.cc - tables and pictures of curves.  Tested by curves_test.cc.
#include "stress/curves.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace racier {
namespace {

// Sizes of a panel of the picture, in pixels.
constexpr double kWidth = 420, kHeight = 300;
constexpr double kLeft = 64, kRight = 16, kTop = 36, kBottom = 48;
constexpr int kColumns = 2;
constexpr double kLegend = 28;

constexpr std::array kColours = {"#1b6ca8", "#d1495b", "#2e933c",
                                 "#edae49", "#6a4c93", "#444444"};

std::string number(double value) {
  return value >= 100 || value == std::floor(value) ? fmt::format("{:.0f}", value)
                                                    : fmt::format("{:.3g}", value);
}

// From a value to a place on a logarithmic axis.
struct Axis {
  double from = 1, to = 10;   // values, powers of ten
  double begin = 0, end = 1;  // places

  static Axis around(std::span<const double> values, double begin, double end) {
    double least = 1e300, most = 0;
    for (const double value : values) {
      if (value <= 0) continue;
      least = std::min(least, value);
      most = std::max(most, value);
    }
    if (most == 0) least = most = 1;
    Axis axis{std::pow(10, std::floor(std::log10(least))),
              std::pow(10, std::ceil(std::log10(most))), begin, end};
    if (axis.from == axis.to) axis.to *= 10;
    return axis;
  }
  double place(double value) const {
    const double part = std::log(std::max(value, from) / from) / std::log(to / from);
    return begin + part * (end - begin);
  }
};

std::string text_at(double x, double y, const char* anchor, const std::string& text,
                    const char* more = "") {
  std::string escaped;
  for (const char c : text) {
    if (c == '&')
      escaped += "&amp;";
    else if (c == '<')
      escaped += "&lt;";
    else
      escaped += c;
  }
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\"{}>{}</text>\n",
                     x, y, anchor, more, escaped);
}

// The grid of both axes: a line and a number for each power of ten.
std::string grid(const Axis& x, const Axis& y) {
  std::string svg;
  const auto line = [&](double x1, double y1, double x2, double y2) {
    svg += fmt::format(
        "<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" "
        "stroke=\"#ccc\"/>\n",
        x1, y1, x2, y2);
  };
  for (double value = x.from; value <= x.to * 1.001; value *= 10) {
    line(x.place(value), y.begin, x.place(value), y.end);
    svg += text_at(x.place(value), y.begin + 16, "middle", number(value));
  }
  for (double value = y.from; value <= y.to * 1.001; value *= 10) {
    line(x.begin, y.place(value), x.end, y.place(value));
    svg += text_at(x.begin - 6, y.place(value) + 4, "end", number(value));
  }
  return svg;
}

std::string panel(const Curves& curves, double left, double top) {
  std::vector<double> values;
  for (const Series& one : curves.series) {
    values.insert(values.end(), one.y.begin(), one.y.end());
  }
  const Axis x = Axis::around(curves.x, left + kLeft, left + kWidth - kRight);
  const Axis y = Axis::around(values, top + kHeight - kBottom, top + kTop);
  std::string svg = grid(x, y);
  svg += text_at(left + kWidth / 2, top + 20, "middle", curves.title,
                 " font-weight=\"bold\"");
  svg += text_at((x.begin + x.end) / 2, y.begin + 36, "middle",
                 curves.x_name + "; " + curves.y_name);
  for (std::size_t i = 0; i < curves.series.size(); ++i) {
    std::string points;
    for (std::size_t at = 0; at < curves.x.size(); ++at) {
      points += fmt::format("{:.1f},{:.1f} ", x.place(curves.x[at]),
                            y.place(curves.series[i].y[at]));
    }
    svg += fmt::format(
        "<polyline points=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"2\"/>\n",
        points, kColours[i % kColours.size()]);
  }
  return svg;
}

std::string legend(const Curves& curves) {
  std::string svg;
  double x = 12;
  for (std::size_t i = 0; i < curves.series.size(); ++i) {
    const std::string& name = curves.series[i].name;
    svg += fmt::format(
        "<rect x=\"{:.1f}\" y=\"10\" width=\"12\" height=\"12\" fill=\"{}\"/>\n", x,
        kColours[i % kColours.size()]);
    svg += text_at(x + 16, 20, "start", name);
    x += 40 + 7.5 * static_cast<double>(name.size());
  }
  return svg;
}

}  // namespace

std::string to_text(const Curves& curves) {
  std::string text =
      fmt::format("{}: {}\n{:<18}", curves.title, curves.y_name, curves.x_name);
  for (const double x : curves.x) text += fmt::format(" {:>9}", number(x));
  text += '\n';
  for (const Series& one : curves.series) {
    text += fmt::format("{:<18}", one.name);
    for (const double y : one.y) text += fmt::format(" {:>9}", number(y));
    text += '\n';
  }
  if (!curves.reference_name.empty()) {
    text +=
        fmt::format("{:<18} {:>9}\n", curves.reference_name, number(curves.reference));
  }
  return text;
}

nlohmann::ordered_json to_json(std::span<const Curves> diagrams) {
  auto json = nlohmann::ordered_json::array();
  for (const Curves& curves : diagrams) {
    nlohmann::ordered_json series;
    for (const Series& one : curves.series) series[one.name] = one.y;
    json.push_back({{"title", curves.title},
                    {"x_name", curves.x_name},
                    {"y_name", curves.y_name},
                    {"x", curves.x},
                    {"series", series},
                    {"reference_name", curves.reference_name},
                    {"reference", curves.reference}});
  }
  return json;
}

std::string to_svg(std::span<const Curves> diagrams) {
  const auto rows = (diagrams.size() + kColumns - 1) / kColumns;
  std::string svg = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{:.0f}\" height=\"{:.0f}\" "
      "font-family=\"sans-serif\" font-size=\"12\">\n"
      "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n",
      kColumns * kWidth, kLegend + static_cast<double>(rows) * kHeight);
  if (!diagrams.empty()) svg += legend(diagrams.front());
  for (std::size_t i = 0; i < diagrams.size(); ++i) {
    svg += panel(diagrams[i], static_cast<double>(i % kColumns) * kWidth,
                 kLegend + static_cast<double>(i / kColumns) * kHeight);
  }
  return svg + "</svg>\n";
}

}  // namespace racier
