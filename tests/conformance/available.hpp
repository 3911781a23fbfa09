#pragma once

#include <algorithm>
#include <isofield/registry.hpp>

namespace isofield::testing {

/// Whether the case's backend has arrays of T: LibTorch's devices lack some unsigned integers.
template <class T>
bool available() {
  const auto& dtypes = default_backend().capabilities().dtypes;
  return std::find(dtypes.begin(), dtypes.end(), dtype_of<T>) != dtypes.end();
}

}  // namespace isofield::testing
