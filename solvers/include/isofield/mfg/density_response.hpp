#pragma once

#include <isofield/mfg/discrete_population.hpp>
#include <isofield/transforms.hpp>

namespace isofield::mfg {

/// The derivative of a population's Fokker-Planck equation in u: C = sum over faces of
/// D^T m G_qq D, at all levels at once.
class DensityResponse {
 public:
  explicit DensityResponse(const DiscretePopulation& population);

  /// Take u at levels 0..N-1 and m at levels 1..N.
  void set_state(const UnifiedArray& u, const UnifiedArray& m);
  /// -dt C x, the source that a change x of u at levels 0..N-1 is to the density's change.
  UnifiedArray operator()(const UnifiedArray& x) const;

 private:
  using Traced = isofield::detail::TracedFunction;
  const DiscretePopulation& population_;
  bool is_stencil_;
  Traced prepare_, apply_;
  std::vector<UnifiedArray> state_;
};

}  // namespace isofield::mfg
