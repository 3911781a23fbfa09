#pragma once

#include <isofield/mfg/c_api.h>
#include <isofield/error.hpp>
#include <isofield/mfg/problem.hpp>
#include <vector>

namespace isofield::mfg {

/// A function of a caller in C that returned something else than 0.
class CallbackFailed : public Error {
  using Error::Error;
};

/// Fields and costs computed by functions of a caller in C, on arrays of the host.
Field host_field(isofield_mfg_field function, void* user);
Cost host_cost(isofield_mfg_cost function, isofield_mfg_cost_derivative derivative, void* user,
               std::int32_t population);

/// A velocity computed by a function of the caller's at equidistant times up to the horizon, linear
/// between them.
Velocity host_velocity(isofield_mfg_velocity function, void* user, double horizon,
                       std::int64_t steps);
/// The same given by its values: a list for each axis, of shape (levels, cells...).
Velocity cell_velocity(std::vector<std::vector<double>> components, std::vector<Axis> axes,
                       double horizon);

/// A field given by its value in each cell of a grid of these axes; other grids of the same box get
/// means over their cells.
Field cell_values(std::vector<double> values, std::vector<Axis> axes);

}  // namespace isofield::mfg
