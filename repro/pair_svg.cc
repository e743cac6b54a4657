// repro/pair_svg.cc - see pair_svg.h.  Tested by pair_hunt_test.cc.
#include "repro/pair_svg.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/program/ops.h"
#include "repro/markup.h"

namespace racier::repro {
namespace {

constexpr int kCell = 13, kLeft = 190, kTop = 210, kMargin = 24, kLegend = 60;

// From few schedules to many: by powers of ten.
constexpr std::array<const char*, 7> kHeat = {
    "#e8f1fa", "#c9e0f2", "#9fc8e6", "#6aabd5", "#3f8cc0", "#2068a3", "#0b4577"};
constexpr const char* kApart = "#eceae4";
constexpr const char* kIncomplete = "#f2b632";
constexpr const char* kFinding = "#c8102e";
constexpr const char* kNothing = "#ffffff";

const char* colour_of(const PairSum& sum) {
  if (sum.all() == 0) return kNothing;
  if (sum.of(PairState::kFinding) > 0) return kFinding;
  if (!sum.covered()) return kIncomplete;
  if (sum.of(PairState::kApart) == sum.all()) return kApart;
  std::size_t digits = 0;
  for (std::uint64_t rest = sum.schedules; rest >= 10; rest /= 10) ++digits;
  return kHeat[std::min(digits, kHeat.size() - 1)];
}

std::string words_of(const PairSum& sum) {
  if (sum.all() == 0) return "not together in a set-up";
  std::string words = fmt::format("{} pairs, {} schedules", sum.all(), sum.schedules);
  const auto add = [&](PairState state, const char* what) {
    if (sum.of(state) > 0) words += fmt::format(", {} {}", sum.of(state), what);
  };
  add(PairState::kApart, "share no word");
  add(PairState::kFinding, "with a finding");
  add(PairState::kIncomplete, "not complete");
  add(PairState::kNotRun, "not run");
  return words;
}

std::string legend(int top) {
  std::string svg;
  int x = kLeft;
  const auto add = [&](const char* colour, const std::string& words) {
    svg += fmt::format(
        "<rect x=\"{}\" y=\"{}\" width=\"13\" height=\"13\" fill=\"{}\" "
        "stroke=\"#888\"/><text x=\"{}\" y=\"{}\">{}</text>\n",
        x, top, colour, x + 18, top + 11, words);
    x += 30 + 7 * static_cast<int>(words.size());
  };
  add(kHeat[1], "10 schedules");
  add(kHeat[3], "1,000");
  add(kHeat[5], "100,000");
  add(kApart, "no word in common");
  add(kFinding, "finding");
  add(kIncomplete, "not complete");
  add(kNothing, "in no set-up");
  return svg;
}

}  // namespace

std::string matrix_svg(const PairMatrix& matrix) {
  const auto ops = program::op_table();
  const auto count = static_cast<int>(ops.size());
  const std::vector<OpPair> pairs = op_pairs(matrix);
  const PairSum sum = sum_of(matrix);
  const int width = kLeft + count * kCell + kMargin;
  const int height = kTop + count * kCell + kLegend;
  std::string svg = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" "
      "viewBox=\"0 0 {0} {1}\" font-family=\"sans-serif\" font-size=\"11\" "
      "fill=\"#222\">\n"
      "<rect width=\"{0}\" height=\"{1}\" fill=\"#ffffff\"/>\n"
      "<text x=\"{2}\" y=\"26\" font-size=\"17\">Pairs of ops: every schedule with at "
      "most {3} preemptions</text>\n"
      "<text x=\"{2}\" y=\"46\">{4}: {5} pairs on {6} machines, {7} schedules, {8} "
      "findings</text>\n",
      width, height, kMargin, matrix.preemptions,
      sum.covered()                     ? "all run, and clean"
      : sum.of(PairState::kFinding) > 0 ? "findings"
                                        : "NOT COMPLETE",
      sum.all(), matrix.machines.size(), sum.schedules, sum.of(PairState::kFinding));
  for (int op = 0; op < count; ++op) {
    const int middle = op * kCell + kCell - 3;
    const char* const name = ops[static_cast<std::size_t>(op)].name;
    svg += fmt::format(
        "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>\n"
        "<text transform=\"translate({},{}) rotate(-90)\">{}</text>\n",
        kLeft - 6, kTop + middle, name, kLeft + middle, kTop - 6, name);
  }
  for (int one = 0; one < count; ++one) {
    for (int other = 0; other < count; ++other) {
      const OpPair& pair = pairs[static_cast<std::size_t>(one * count + other)];
      if (pair.sum.all() == 0) continue;
      svg += fmt::format(
          "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"{}\"><title>{} | "
          "{}: "
          "{}{}{}</title></rect>\n",
          kLeft + other * kCell, kTop + one * kCell, kCell - 1, kCell - 1,
          colour_of(pair.sum), ops[static_cast<std::size_t>(one)].name,
          ops[static_cast<std::size_t>(other)].name, words_of(pair.sum),
          pair.why.empty() ? "" : ": ", escaped(pair.why));
    }
  }
  svg += fmt::format(
      "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"none\" "
      "stroke=\"#bbb\"/>\n",
      kLeft - 1, kTop - 1, count * kCell + 1, count * kCell + 1);
  return svg + legend(kTop + count * kCell + 24) + "</svg>\n";
}

}  // namespace racier::repro
