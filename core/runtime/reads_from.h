// core/runtime/reads_from.h - reads that see the writes that were asked for.
//
// Wolff, Shi, Duck, Mathur, Roychoudhury: Greybox Fuzzing for Concurrency Testing (RFF,
// ASPLOS 2024).  A run has a few constraints: the read at this line sees the write at
// that line.  Steps that would make one impossible are put off, those that fulfil one
// go first, all else goes by POS.  Sets of constraints that gave something new are kept
// and changed a little.
#pragma once
#include <vector>

#include "core/runtime/experience.h"
#include "core/runtime/surw.h"

namespace racier {

// The first run has no pairs to choose from: it is one of SURW.
class ReadsFrom final : public Strategy {
 public:
  ReadsFrom(std::uint64_t seed, std::uint32_t object, Experience& experience);

  void begin_run(int tasks) override;
  // The last run is the one that the experience has been told of last.
  bool next_execution() override;
  int next(const Scene& scene) override;
  void on_executed(const Scene& scene, int task, const Step& step) override;
  std::uint64_t choose(int task, std::uint32_t index, std::uint64_t limit) override {
    return inner_.choose(task, index, limit);
  }

 private:
  static constexpr std::size_t kConstraintsMax = 6;
  static constexpr std::size_t kKeptMax = 64;

  struct Constraint {
    Site writer = kNoSite;
    Site reader = kNoSite;
    bool always = false;  // not only until it is fulfilled
    bool fulfilled = false;

    bool holds() const { return always || !fulfilled; }
  };
  struct Constraints {
    std::array<Constraint, kConstraintsMax> all{};
    std::size_t count = 0;

    std::span<Constraint> span() { return {all.data(), count}; }
    std::span<const Constraint> span() const { return {all.data(), count}; }
  };
  enum class Wish { kNone, kNow, kLater };

  void draw_constraints();
  void change_constraints();
  Constraint draw_constraint();
  Wish wish(const Scene& scene, int task);
  Wish wish(const Scene& scene, int task, const Constraint& constraint);
  bool somebody_reads(const Scene& scene, ObjectIndex object, Site reader);
  Constraints fulfilled() const;
  bool is_kept(const Constraints& constraints) const;

  std::uint64_t seed_;
  Experience& experience_;
  Surw inner_;
  std::vector<Constraints> kept_;
  std::size_t oldest_ = 0;  // of kept_, once it is full

  // The current run.
  Random random_;
  Constraints constraints_;
  std::uint32_t put_off_ = 0;  // decisions in which somebody was, or went first
};

}  // namespace racier
