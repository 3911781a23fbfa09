#pragma once

#include <isofield/mfg/discrete_population.hpp>
#include <vector>

namespace isofield::mfg {

/// A problem on its grid: its populations and the costs by which they feel each other.
class DiscreteProblem {
 public:
  /// Lay the problem out on its grid, on the default backend. Throws SolverError for data that
  /// makes no sense: see DiscretePopulation.
  explicit DiscreteProblem(Problem problem, DType dtype = float64);
  DiscreteProblem(const DiscreteProblem&) = delete;
  DiscreteProblem& operator=(const DiscreteProblem&) = delete;

  const Problem& problem() const noexcept { return problem_; }
  const Grid& grid() const noexcept { return grid_; }
  DType dtype() const noexcept { return grid_.dtype(); }
  std::int64_t steps() const noexcept { return problem_.steps; }
  double dt() const noexcept { return problem_.horizon / static_cast<double>(problem_.steps); }
  /// t_0..t_N.
  std::vector<double> times() const;

  std::size_t size() const noexcept { return populations_.size(); }
  const DiscretePopulation& population(std::size_t p = 0) const { return populations_[p]; }
  /// Each population's initial density at every time level.
  Fields constant_densities() const;

  /// Let costs see reference + strength (m - reference) for m, a game that strength 0 makes a
  /// problem of control and strength 1 the game itself. The references have all time levels.
  void set_coupling(double strength, const Fields& reference);
  /// The same with the references of the last call.
  void set_coupling(double strength) { coupling_ = strength; }
  double coupling() const noexcept { return coupling_; }

  /// What each population's HJB equation is solved for where densities are m, at all levels.
  std::vector<HjbData> hjb_data(const Fields& m) const;
  /// F of each population of all steps, from m at all levels. In a problem of control, the
  /// derivative of what all pay together by the population's density.
  Fields running_costs(const Fields& m) const;
  /// u^N = G(x, m^N), or the derivative of what all pay together, from m at all levels.
  Fields terminal_costs(const Fields& m) const;
  /// Derivatives of `running_costs` in the direction `dm` of the stage densities.
  Fields running_derivatives(const Fields& m, const Fields& dm) const;
  /// Derivatives of `terminal_costs` in the direction `dm` of m^N.
  Fields terminal_derivatives(const Fields& m, const Fields& dm) const;
  /// The transposes of both.
  Fields running_pullbacks(const Fields& m, const Fields& y) const;
  Fields terminal_pullbacks(const Fields& m, const Fields& y) const;
  /// What agents pay, also where a planner leads them: F as the problem has it.
  Fields paid_running_costs(const Fields& m) const;
  Fields paid_terminal_costs(const Fields& m) const;

 private:
  enum class Kind { running, terminal };
  Fields seen(Kind kind, const Fields& m) const;
  Fields paid(Kind kind, const Fields& m) const;
  Fields priced(Kind kind, const Fields& m) const;
  Fields derivatives(Kind kind, const Fields& m, Fields dm) const;
  Fields pullbacks(Kind kind, const Fields& m, Fields y) const;
  Fields at_the_end(const Fields& costs) const;

  Problem problem_;
  Grid grid_;
  std::vector<DiscretePopulation> populations_;
  double coupling_ = 1.0;
  Fields reference_;         // only where the coupling is not 1
  UnifiedArray final_time_;  // shaped to broadcast with fields over time
};

}  // namespace isofield::mfg
