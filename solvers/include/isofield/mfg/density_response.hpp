#pragma once

#include <isofield/mfg/discrete_population.hpp>
#include <isofield/transforms.hpp>

namespace isofield::mfg {

/// The derivative of a population's Fokker-Planck equation in u: C = sum over faces of
/// D^T p G_qq D, of all steps at once.
class DensityResponse {
 public:
  explicit DensityResponse(const DiscretePopulation& population);

  /// Take the stages of u and m.
  void set_state(const UnifiedArray& v, const UnifiedArray& p);
  /// -theta dt C x, the source that a change x of the stages of u is to the density's change.
  UnifiedArray operator()(const UnifiedArray& x) const;

 private:
  using Traced = isofield::detail::TracedFunction;
  const DiscretePopulation& population_;
  bool is_stencil_;
  Traced prepare_, apply_;
  std::vector<UnifiedArray> state_;
};

}  // namespace isofield::mfg
