#pragma once

#include <isofield/program.hpp>
#include <memory>

#include "program/host_run.hpp"
#include "program/scratch.hpp"

namespace isofield::host {

/// Call `use(plan)` with a launch worked out: a `Plan(launch, memory)`, kept where the launch comes
/// again. A kept plan takes the launch's addresses by `rebase(launch)`, until it has `outlived()`
/// itself: planned anew it would run machine code instead of kernels.
template <class Plan, class F>
auto with_plan(const Launch& launch, F&& use) {
  struct Kept {  // with memory of its own
    explicit Kept(const Launch& l) : plan(l, memory) {}
    LaunchMemory memory;
    Plan plan;
  };
  if (!launch.plan) {
    constinit thread_local Scratch scratch;
    LaunchMemory memory(scratch);
    Plan plan(launch, memory);
    return use(plan);
  }
  auto* kept = static_cast<Kept*>(launch.plan->get());
  if (kept && !kept->plan.outlived()) {
    kept->plan.rebase(launch);
  } else {
    auto made = std::make_shared<Kept>(launch);
    kept = made.get();
    *launch.plan = std::move(made);
  }
  return use(kept->plan);
}

}  // namespace isofield::host
