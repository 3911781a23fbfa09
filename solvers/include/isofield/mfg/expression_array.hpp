#pragma once

#include <isofield/mfg/convolution.hpp>
#include <isofield/mfg/expression.hpp>
#include <isofield/mfg/problem.hpp>
#include <isofield/ops.hpp>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace isofield::mfg {

/// Build the array an expression stands for, given arrays for its variables; they broadcast. The
/// result is pending: it runs fused with what it meets. Constants take the dtype of `like`, which
/// is also the dtype and backend of an expression without variables (of rank 0). Throws
/// std::out_of_range where a variable has no array.
UnifiedArray evaluate(const Expression& expression,
                      const std::map<std::string, UnifiedArray>& variables,
                      const UnifiedArray& like);

/// Build a boolean array that is true where the expression is not 0.
UnifiedArray evaluate_condition(const Expression& expression,
                                const std::map<std::string, UnifiedArray>& variables,
                                const UnifiedArray& like);

/// A convolution of a population's density that expressions know by a name.
struct NamedConvolution {
  std::string name;
  Convolution convolution;
};

/// What an expression may call the densities of one population.
struct DensityNames {
  std::string population;
  std::optional<NamedConvolution> convolution;
};

/// A cost given by an expression of x y z t m mean_x mean_y mean_z, where mean_x is the mean of x
/// under the density m of the population whose cost it is, number `own` of `populations`, and its
/// convolution by its name; also of m_NAME, mean_x_NAME and so on for each of the populations.
Cost expression_cost(const Expression& expression,
                     const std::vector<DensityNames>& populations = {}, std::size_t own = 0);
/// A kernel given by an expression of the offsets x y z, times a weight.
Convolution expression_kernel(const Expression& expression, double weight);
/// A velocity given by an expression of x y z t for each axis.
Velocity expression_velocity(const std::vector<Expression>& components);
/// A field given by an expression of x y z.
Field expression_field(const Expression& expression);

}  // namespace isofield::mfg
