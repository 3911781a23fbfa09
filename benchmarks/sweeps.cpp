// One outer iteration of problem P: the HJB equation backwards and the Fokker-Planck equation
// forwards, against the same scheme written by hand for this problem alone.

#include <isofield/mfg/discrete_problem.hpp>
#include <isofield/mfg/sweeps.hpp>
#include <memory>
#include <numeric>

#include "compare.hpp"
#include "problem_p.hpp"
#include "rivals/games.hpp"

namespace {

using isofield::UnifiedArray;
using isofield::mfg::DiscreteProblem;
using isofield::mfg::Sweeps;
using Int = std::int64_t;

/// HJB steps to this residual, Fokker-Planck steps to this relative one.
constexpr double tolerance = 1e-10, relative = 1e-12;

void run(benchmark::State& state, const std::string& spelling, int axes, Int intervals, Int steps,
         int threads) {
  auto& backend = bench::backend(spelling, threads);
  const isofield::ScopedBackend scope(backend);
  const DiscreteProblem whole(bench::problem_p(axes, intervals, steps));
  const auto& problem = whole.population();
  Sweeps sweeps(problem);
  const UnifiedArray density = problem.constant_density().copy();
  const isofield::mfg::HjbData data = whole.hjb_data({density})[0];
  eval(data.running, data.terminal);

  const auto initial = problem.initial_density().to_vector<double>();
  const auto terminal = data.terminal.to_vector<double>();
  const auto m = density.to_vector<double>();
  std::vector<double> u(m.size()), m_out(m.size());
  const rivals::Game game{intervals + 1,
                          steps,
                          problem.grid().axis(0).spacing(),
                          problem.dt(),
                          problem.viscosity(),
                          1.0,
                          terminal.data(),
                          initial.data()};
  std::vector<double> memory((axes == 1 ? rivals::line_scratch_size(game.cells)
                                        : rivals::square_scratch_size(game.cells)) +
                             8);
  void* scratch = memory.data();
  std::size_t space = memory.size() * sizeof(double);
  std::align(64, space - 64, scratch, space);
  const auto by_hand = axes == 1 ? rivals::games().line : rivals::games().square;
  rivals::SweepCounts rival_counts;
  const auto rival = [&] {
    rival_counts = by_hand(game, m.data(), nullptr, u.data(), m_out.data(), tolerance, relative,
                           static_cast<double*>(scratch));
  };
  UnifiedArray our_u, our_m;
  const auto ours = [&] {
    our_u = sweeps.hjb(data, nullptr, tolerance);
    our_m = sweeps.fokker_planck(our_u, &density, relative).m;
    our_m.eval();
  };
  rival();
  const auto before = sweeps.counts();
  ours();
  const auto after = sweeps.counts();
  // Iterations end within their tolerances, so that results differ by more than rounding.
  if (!bench::agrees(state, u, our_u.to_vector<double>(), 1e-9)) return;
  if (!bench::agrees(state, m_out, our_m.to_vector<double>(), 1e-8)) return;
  bench::compare(state, threads, rival, ours);
  state.counters["newton"] = static_cast<double>(after.newton - before.newton);
  state.counters["rival_newton"] = static_cast<double>(rival_counts.newton);
  state.counters["krylov"] = static_cast<double>(after.krylov - before.krylov);
  state.counters["rival_krylov"] = static_cast<double>(rival_counts.krylov);
}

}  // namespace

void register_benchmarks() {
  struct Size {
    int axes;
    Int intervals, steps;
  };
  const std::vector<Size> sizes =
      bench::settings().smoke
          ? std::vector<Size>{{1, 20, 10}, {2, 12, 6}}
          : std::vector<Size>{{1, 100, 100}, {1, 400, 400}, {2, 32, 32}, {2, 64, 64}};
  for (const auto& size : sizes)
    for (const auto& spelling : bench::host_backends())
      for (const int threads : {1, 2})
        bench::one_iteration("sweep_" + std::to_string(size.axes) + "d/" + spelling + "/" +
                                 std::to_string(size.intervals) + "x" + std::to_string(size.steps) +
                                 "/threads:" + std::to_string(threads),
                             [=](benchmark::State& state) {
                               run(state, spelling, size.axes, size.intervals, size.steps, threads);
                             });
}
