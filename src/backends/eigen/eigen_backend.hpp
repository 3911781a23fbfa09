#pragma once

#include <isofield/backend.hpp>

namespace isofield {

/// The embedded backend: host memory, Eigen's threads, Eigen's matrix product.
const BackendModule& eigen_module();

}  // namespace isofield
