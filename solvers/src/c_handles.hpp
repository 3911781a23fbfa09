#pragma once

#include <fmt/format.h>

#include <isofield/mfg/c_api.h>
#include <array>
#include <cstdint>
#include <isofield/error.hpp>
#include <isofield/mfg/expression_array.hpp>
#include <isofield/mfg/solve.hpp>
#include <string>
#include <vector>

struct isofield_mfg_problem {
  isofield::mfg::Problem problem;
  std::vector<isofield::mfg::DensityNames> names;  ///< of each population
  isofield::mfg::SolveOptions options;
  isofield::mfg::BackendConfig backend;
  isofield::mfg::Fields initial_u;
};

struct isofield_mfg_solution {
  isofield::mfg::Solution solution;
};

namespace isofield::c_api {

/// A call that makes no sense.
class Invalid : public Error {
  using Error::Error;
};

/// Remember what was wrong, for isofield_last_error().
isofield_status failed(isofield_status status, const char* text) noexcept;
/// Make a status of the exception that is being handled.
isofield_status failed() noexcept;

/// Run a function and make a status of what it throws.
template <class F>
isofield_status guarded(F&& f) noexcept {
  try {
    f();
    return ISOFIELD_OK;
  } catch (...) {
    return failed();
  }
}

/// What a pointer points to, which must not be NULL.
template <class T>
T& given(T* pointer, const char* name) {
  if (!pointer) throw Invalid(fmt::format("{} is NULL", name));
  return *pointer;
}

/// A number of an enumeration by its place in a list.
template <class T, std::size_t n>
T in_list(const std::array<T, n>& list, int number, const char* name) {
  if (number < 0 || number >= static_cast<int>(n))
    throw Invalid(fmt::format("{}: {} is none of 0 to {}", name, number, n - 1));
  return list[static_cast<std::size_t>(number)];
}

inline std::size_t index_of(std::int32_t population, std::size_t count) {
  if (population < 0 || static_cast<std::size_t>(population) >= count)
    throw Invalid(fmt::format("population {} is none of the {} there are", population, count));
  return static_cast<std::size_t>(population);
}

/// Write what a caller asks of a field over time, shape (levels, cells...).
void write_shape(std::size_t populations_count, const Shape& shape, std::int32_t* populations,
                 std::int64_t* levels, std::int32_t* axes, std::int64_t* cells);

}  // namespace isofield::c_api
