#include <cmath>
#include <isofield/ops.hpp>
#include <isofield/registry.hpp>
#include <sstream>

#include "core/emit.hpp"
#include "core/node.hpp"

namespace isofield {
namespace {

BaseBackend& or_default(BaseBackend* backend) { return backend ? *backend : default_backend(); }

detail::NodePtr checked_empty(const Shape& shape, DType dtype, BaseBackend* backend) {
  return detail::make_empty(or_default(backend), shape, dtype);
}

/// Room for that many elements on the host; throws ShapeError where there cannot be, OutOfMemory
/// where there is none.
template <class T>
std::vector<T> host_values(std::int64_t count) {
  (void)detail::byte_count({count}, dtype_of<T>);
  return detail::host_elements<T>(count, dtype_of<T>, {count});
}

/// Throw DTypeError where a number is lost in a dtype: a complex one in a real dtype, one that is
/// out of an integer dtype's range. Fractions are cut off, as `astype` cuts them.
void check_fill(const Scalar& value, DType dtype) {
  const bool complex = value.kind() == Kind::complex && !is_complex(dtype) && dtype != DType::bool_;
  if (complex || !value.fits(dtype))
    throw DTypeError("full: " + value.text() + " does not go into dtype " +
                     std::string(name(dtype)));
}

Scalar one_of(DType dtype) { return dtype == DType::bool_ ? Scalar(true) : Scalar(1); }

bool is_whole(const Scalar& s) {
  return s.kind() == Kind::signed_integer || s.kind() == Kind::unsigned_integer;
}

[[noreturn]] void throw_endless(const Scalar& start, const Scalar& stop) {
  throw ShapeError("arange: from " + start.text() + " to " + stop.text() + " there is no end");
}

/// Whole numbers: exact, whatever their size.
UnifiedArray counted_by_integers(const Scalar& start, const Scalar& stop, std::int64_t step,
                                 DType dtype, BaseBackend* backend) {
  __extension__ using Wide = __int128;
  const auto wide = [](const Scalar& s) {
    return s.kind() == Kind::unsigned_integer ? static_cast<Wide>(s.to<std::uint64_t>())
                                              : static_cast<Wide>(s.to<std::int64_t>());
  };
  const Wide distance = wide(stop) - wide(start);
  const Wide count = (distance > 0) == (step > 0) && distance != 0
                         ? (distance + step - (step > 0 ? 1 : -1)) / step
                         : 0;
  if (count > Wide{1} << 60) throw_endless(start, stop);
  std::vector<std::uint64_t> values = host_values<std::uint64_t>(static_cast<std::int64_t>(count));
  auto value = static_cast<std::uint64_t>(wide(start));
  for (auto& v : values) {
    v = value;
    value += static_cast<std::uint64_t>(step);
  }
  const Shape shape{static_cast<std::int64_t>(values.size())};
  const bool is_signed = start.kind() != Kind::unsigned_integer && dtype != DType::uint64;
  return asarray_bytes(values.data(), values.size() * 8, is_signed ? DType::int64 : DType::uint64,
                       shape, backend)
      .astype(dtype)
      .eval();
}

template <class T>
std::vector<T> spaced(T start, T stop, std::int64_t count, bool endpoint) {
  const double parts = static_cast<double>(endpoint ? count - 1 : count);
  std::vector<T> values = host_values<T>(count);
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = parts > 0 ? start + (stop - start) * (static_cast<double>(i) / parts) : start;
  if (endpoint && count > 1) values.back() = stop;
  return values;
}

}  // namespace

UnifiedArray empty(const Shape& shape, DType dtype, BaseBackend* backend) {
  return UnifiedArray(checked_empty(shape, dtype, backend));
}

UnifiedArray full(const Shape& shape, Scalar value, DType dtype, BaseBackend* backend) {
  check_fill(value, dtype);
  if (dtype == DType::bool_) value = value.to<std::complex<double>>() != 0.0;
  detail::NodePtr node = checked_empty(shape, dtype, backend);
  if (element_count(shape) > 0) detail::fill_elements(value, node->view(), *node->backend);
  return UnifiedArray(std::move(node));
}
UnifiedArray full(const Shape& shape, Scalar value, BaseBackend* backend) {
  return full(shape, value, value.default_dtype(), backend);
}
UnifiedArray zeros(const Shape& shape, DType dtype, BaseBackend* backend) {
  return full(shape, 0, dtype, backend);
}
UnifiedArray ones(const Shape& shape, DType dtype, BaseBackend* backend) {
  return full(shape, 1, dtype, backend);
}

UnifiedArray full_like(Operand x, Scalar value, std::optional<DType> dtype, BaseBackend* backend) {
  BaseBackend& own = detail::common_backend("full_like", {&x, 1});
  const Shape shape = x.is_scalar() ? Shape{} : x.node()->shape;
  return full(shape, value, dtype.value_or(detail::dtype_of(x)), backend ? backend : &own);
}
UnifiedArray zeros_like(Operand x, std::optional<DType> dtype, BaseBackend* backend) {
  return full_like(std::move(x), 0, dtype, backend);
}
UnifiedArray ones_like(Operand x, std::optional<DType> dtype, BaseBackend* backend) {
  return full_like(std::move(x), 1, dtype, backend);
}
UnifiedArray empty_like(Operand x, std::optional<DType> dtype, BaseBackend* backend) {
  BaseBackend& own = detail::common_backend("empty_like", {&x, 1});
  return empty(x.is_scalar() ? Shape{} : x.node()->shape, dtype.value_or(detail::dtype_of(x)),
               backend ? backend : &own);
}

UnifiedArray arange(Scalar start, Scalar stop, Scalar step, std::optional<DType> dtype,
                    BaseBackend* backend) {
  if (start.kind() == Kind::complex || stop.kind() == Kind::complex ||
      step.kind() == Kind::complex || (dtype && !in_domain(Domain::real, *dtype)))
    throw DTypeError("arange: needs a real-valued dtype, got " +
                     std::string(name(dtype.value_or(DType::complex128))));
  const bool whole = is_whole(start) && is_whole(stop) && step.kind() == Kind::signed_integer;
  const double by = step.to<double>();
  if (by == 0 || !std::isfinite(by)) throw ShapeError("arange: the step must be finite and not 0");
  if (whole)
    return counted_by_integers(start, stop, step.to<std::int64_t>(), dtype.value_or(DType::int64),
                               backend);
  const double first = start.to<double>(), last = stop.to<double>();
  const double count = std::max(0.0, std::ceil((last - first) / by));
  if (!std::isfinite(first) || !std::isfinite(last) || count > 9e15) throw_endless(start, stop);
  std::vector<double> values = host_values<double>(static_cast<std::int64_t>(count));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = first + static_cast<double>(i) * by;
  const Shape shape{static_cast<std::int64_t>(values.size())};
  return asarray(values, shape, backend).astype(dtype.value_or(DType::float64)).eval();
}

UnifiedArray linspace(Scalar start, Scalar stop, std::int64_t count, bool endpoint,
                      std::optional<DType> dtype, BaseBackend* backend) {
  if (count < 0) throw ShapeError("linspace: count " + std::to_string(count) + " is negative");
  if (start.kind() == Kind::complex || stop.kind() == Kind::complex) {
    using C = std::complex<double>;
    return asarray(spaced(start.to<C>(), stop.to<C>(), count, endpoint), Shape{count}, backend)
        .astype(dtype.value_or(DType::complex128))
        .eval();
  }
  return asarray(spaced(start.to<double>(), stop.to<double>(), count, endpoint), Shape{count},
                 backend)
      .astype(dtype.value_or(DType::float64))
      .eval();
}

UnifiedArray eye(std::int64_t n, std::int64_t columns, std::int64_t k, DType dtype,
                 BaseBackend* backend) {
  if (n < 0 || columns < 0)
    throw ShapeError("eye: size (" + std::to_string(n) + ", " + std::to_string(columns) +
                     ") is negative");
  // Who is too large for a number is refused before anything is multiplied.
  UnifiedArray elements = zeros({n, columns}, dtype, backend);
  elements = reshape(elements, {elements.size()});
  k = std::clamp(k, -n, columns);
  const std::int64_t row = k < 0 ? -k : 0, column = k > 0 ? k : 0;
  const std::int64_t length = std::min(n - row, columns - column);
  if (length > 0) {
    const std::int64_t first = row * columns + column;
    const Index diagonal = Slice{first, first + (length - 1) * (columns + 1) + 1, columns + 1};
    elements.assign({&diagonal, 1}, one_of(dtype));
  }
  return reshape(elements, {n, columns});
}
UnifiedArray eye(std::int64_t n, DType dtype, BaseBackend* backend) {
  return eye(n, n, 0, dtype, backend);
}

UnifiedArray asarray_bytes(const void* data, std::size_t bytes, DType dtype, const Shape& shape,
                           BaseBackend* backend) {
  const std::size_t wanted = detail::byte_count(shape, dtype);
  if (bytes != wanted)
    throw ShapeError("asarray: shape " + to_string(shape) + " takes " +
                     std::to_string(element_count(shape)) + " elements, got " +
                     std::to_string(bytes / itemsize(dtype)));
  detail::NodePtr node = checked_empty(shape, dtype, backend);
  Storage host;
  host.data = const_cast<void*>(data);
  host.bytes = bytes;
  if (bytes > 0) node->backend->copy_bytes(*node->storage, 0, host, 0, bytes);
  return UnifiedArray(std::move(node));
}

UnifiedArray asarray(Scalar value, BaseBackend* backend) {
  return full({}, value, value.default_dtype(), backend);
}

UnifiedArray from_memory(void* data, DType dtype, const Layout& layout, std::size_t bytes,
                         std::shared_ptr<void> owner, BaseBackend& backend) {
  const std::string what = "from_memory: shape " + to_string(layout.shape) + " with strides " +
                           to_string(layout.strides);
  if (layout.strides.size() != layout.rank()) throw ShapeError(what + " is no layout");
  if (element_count(layout.shape) > 0) {
    const auto [first, last] = layout.reach();
    const auto elements = static_cast<std::int64_t>(bytes / itemsize(dtype));
    if (first < 0 || last >= elements)
      throw ShapeError(what + " reaches beyond " + std::to_string(bytes) + " bytes");
  }
  return UnifiedArray(
      detail::make_leaf(backend.wrap(data, bytes, std::move(owner)), dtype, layout));
}

}  // namespace isofield
