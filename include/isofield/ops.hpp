#pragma once

#include <isofield/array.hpp>
#include <optional>
#include <utility>
#include <vector>

/// Free functions on arrays, named as in the Python Array API standard. Operands broadcast; dtypes
/// promote as in the standard, and mixing integers and floats is a DTypeError that names `astype`.
/// All pointwise functions are lazy.
namespace isofield {

// Pointwise: one function a row of ops.def.
#define UNARY(name, domain, result, value, ...) UnifiedArray name(Operand x);
#define BINARY(name, domain, result, value, ...) UnifiedArray name(Operand a, Operand b);
#include <isofield/ops.def>
#undef UNARY
#undef BINARY
/// Take `x` where `condition` is true, else `y`.
UnifiedArray where(Operand condition, Operand x, Operand y);
/// Limit to [low, high], keeping the dtype of `x`; a bound that is not given does not bind.
UnifiedArray clip(Operand x, std::optional<Operand> low, std::optional<Operand> high = {});

/// Read `x` shifted along an axis: result[i] = x[i + offset], with a rule beyond the edge. No copy
/// is made: the shift is how the next program addresses `x`.
UnifiedArray shift(Operand x, int axis, std::int64_t offset, Boundary boundary, Scalar fill = 0.0);

// Creation, on the default backend unless one is given.
UnifiedArray zeros(const Shape& shape, DType dtype = float64, BaseBackend* backend = nullptr);
UnifiedArray ones(const Shape& shape, DType dtype = float64, BaseBackend* backend = nullptr);
UnifiedArray empty(const Shape& shape, DType dtype = float64, BaseBackend* backend = nullptr);
UnifiedArray full(const Shape& shape, Scalar value, BaseBackend* backend = nullptr);
UnifiedArray full(const Shape& shape, Scalar value, DType dtype, BaseBackend* backend = nullptr);
// Like another array: its shape, dtype and backend unless others are given.
UnifiedArray empty_like(Operand x, std::optional<DType> dtype = {}, BaseBackend* backend = nullptr);
UnifiedArray zeros_like(Operand x, std::optional<DType> dtype = {}, BaseBackend* backend = nullptr);
UnifiedArray ones_like(Operand x, std::optional<DType> dtype = {}, BaseBackend* backend = nullptr);
UnifiedArray full_like(Operand x, Scalar value, std::optional<DType> dtype = {},
                       BaseBackend* backend = nullptr);
/// start, start + step, ... up to but without `stop`. Whole numbers give int64 unless a dtype is
/// given, others float64; integer dtypes are exact over all of their range.
UnifiedArray arange(Scalar start, Scalar stop, Scalar step = 1, std::optional<DType> dtype = {},
                    BaseBackend* backend = nullptr);
/// `count` numbers from `start` to `stop`, the last of them only with `endpoint`. float64, or
/// complex128 if an end is complex, unless a dtype is given.
UnifiedArray linspace(Scalar start, Scalar stop, std::int64_t count, bool endpoint = true,
                      std::optional<DType> dtype = {}, BaseBackend* backend = nullptr);
/// Ones on the diagonal of number `k` (above the main one where positive) of an (n, columns) matrix
/// of zeros; square where `columns` is not given.
UnifiedArray eye(std::int64_t n, DType dtype = float64, BaseBackend* backend = nullptr);
UnifiedArray eye(std::int64_t n, std::int64_t columns, std::int64_t k = 0, DType dtype = float64,
                 BaseBackend* backend = nullptr);
/// Copy `bytes` bytes of host data in C order into a new array; throws ShapeError if they do not
/// fit.
UnifiedArray asarray_bytes(const void* data, std::size_t bytes, DType dtype, const Shape& shape,
                           BaseBackend* backend);
/// Copy host data in C order into a new array; throws ShapeError if the count does not fit.
template <class T>
UnifiedArray asarray(std::span<const T> values, const Shape& shape, BaseBackend* backend = nullptr);
template <class T>
UnifiedArray asarray(const std::vector<T>& values, const Shape& shape,
                     BaseBackend* backend = nullptr) {
  if constexpr (std::is_same_v<T, bool>) {  // std::vector<bool> has no memory to copy from
    const std::vector<unsigned char> bytes(values.begin(), values.end());
    return asarray_bytes(bytes.data(), bytes.size(), DType::bool_, shape, backend);
  } else {
    return asarray(std::span<const T>(values), shape, backend);
  }
}
template <class T>
UnifiedArray asarray(std::initializer_list<T> values, BaseBackend* backend = nullptr) {
  return asarray(std::span<const T>(values.begin(), values.size()),
                 Shape{static_cast<std::int64_t>(values.size())}, backend);
}
/// An array of rank 0.
UnifiedArray asarray(Scalar value, BaseBackend* backend = nullptr);
/// Use memory that somebody else owns, without a copy; `owner` keeps it alive. Never written to.
UnifiedArray from_memory(void* data, DType dtype, const Layout& layout, std::size_t bytes,
                         std::shared_ptr<void> owner, BaseBackend& backend);

// Shape, all without copies where the layout allows.
UnifiedArray reshape(Operand x, const Shape& shape);
UnifiedArray permute_dims(Operand x, const std::vector<int>& axes);
UnifiedArray matrix_transpose(Operand x);
UnifiedArray broadcast_to(Operand x, const Shape& shape);
UnifiedArray expand_dims(Operand x, int axis);
UnifiedArray squeeze(Operand x, int axis);
UnifiedArray flip(Operand x, int axis);
/// Join arrays along an axis; no axis: their elements in C order.
UnifiedArray concat(const std::vector<UnifiedArray>& arrays, std::optional<int> axis = 0,
                    std::source_location where = std::source_location::current());
UnifiedArray stack(const std::vector<UnifiedArray>& arrays, int axis = 0,
                   std::source_location where = std::source_location::current());

// Reductions over all axes, or over some. They run fused with a pending operand. Sums and products
// of integers and of bool are int64, of unsigned ones uint64, unless a dtype is given.
UnifiedArray sum(Operand x, std::optional<DType> dtype = {});
UnifiedArray prod(Operand x, std::optional<DType> dtype = {});
UnifiedArray min(Operand x);
UnifiedArray max(Operand x);
UnifiedArray mean(Operand x);
UnifiedArray any(Operand x);
UnifiedArray all(Operand x);
UnifiedArray sum(Operand x, const std::vector<int>& axes, bool keepdims = false,
                 std::optional<DType> dtype = {});
UnifiedArray prod(Operand x, const std::vector<int>& axes, bool keepdims = false,
                  std::optional<DType> dtype = {});
UnifiedArray min(Operand x, const std::vector<int>& axes, bool keepdims = false);
UnifiedArray max(Operand x, const std::vector<int>& axes, bool keepdims = false);
UnifiedArray mean(Operand x, const std::vector<int>& axes, bool keepdims = false);
UnifiedArray any(Operand x, const std::vector<int>& axes, bool keepdims = false);
UnifiedArray all(Operand x, const std::vector<int>& axes, bool keepdims = false);
/// The mean square distance from the mean, as if there were `correction` elements less.
UnifiedArray var(Operand x);
UnifiedArray var(Operand x, const std::vector<int>& axes, double correction = 0.0,
                 bool keepdims = false);
/// The square root of `var`: the standard deviation.
UnifiedArray std(Operand x);
UnifiedArray std(Operand x, const std::vector<int>& axes, double correction = 0.0,
                 bool keepdims = false);
/// Whether any element is NaN or infinite.
bool has_nan_or_inf(Operand x);

/// Evaluate several arrays in one fused program.
void eval(std::initializer_list<const UnifiedArray*> arrays);
template <class... A>
void eval(const A&... arrays) {
  eval({&static_cast<const UnifiedArray&>(arrays)...});
}

/// The dtype two dtypes promote to; throws DTypeError.
DType result_type(DType a, DType b);

/// The array as text, as NumPy prints it, with long axes abridged.
std::string to_string(const UnifiedArray& x,
                      std::source_location where = std::source_location::current());

template <class T>
UnifiedArray asarray(std::span<const T> values, const Shape& shape, BaseBackend* backend) {
  return asarray_bytes(values.data(), values.size_bytes(), dtype_of<T>, shape, backend);
}

}  // namespace isofield
