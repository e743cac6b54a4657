// repro/step_maker.h - the steps of a run in words.
#pragma once
#include <cstddef>

#include "repro/explanation.h"
#include "repro/step_recorder.h"
#include "repro/step_words.h"

namespace racier::repro {

// So many steps of a run are told, the last ones.
inline constexpr std::size_t kStepsTold = 20'000;

// Adds the steps of the last run of `recorder` to `explanation`.  Context: the machine
// is as the run left it.
void make_steps(StepRecorder& recorder, StepWords& words, Explanation& explanation);

}  // namespace racier::repro
