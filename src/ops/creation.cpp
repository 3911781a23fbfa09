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

std::vector<double> host_values(std::int64_t count) {
  return std::vector<double>(detail::byte_count({count}, DType::float64) / sizeof(double));
}

Scalar scalar_of_like(const Operand& x, double value) {
  const DType dtype = detail::dtype_of(x);
  return dtype == DType::bool_ ? Scalar(value != 0) : Scalar(value);
}

}  // namespace

UnifiedArray empty(const Shape& shape, DType dtype, BaseBackend* backend) {
  return UnifiedArray(checked_empty(shape, dtype, backend));
}

UnifiedArray full(const Shape& shape, Scalar value, DType dtype, BaseBackend* backend) {
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

UnifiedArray full_like(Operand x, Scalar value) {
  if (x.is_scalar()) return full({}, value, x.scalar().default_dtype());
  const UnifiedArray a = x.array();
  return full(a.shape(), value, a.dtype(), &a.backend());
}
UnifiedArray zeros_like(Operand x) { return full_like(x, scalar_of_like(x, 0)); }
UnifiedArray ones_like(Operand x) { return full_like(x, scalar_of_like(x, 1)); }

UnifiedArray arange(double start, double stop, double step, DType dtype, BaseBackend* backend) {
  if (step == 0 || !std::isfinite(step))
    throw ShapeError("arange: the step must be finite and not 0");
  const double count = std::max(0.0, std::ceil((stop - start) / step));
  if (!std::isfinite(start) || !std::isfinite(stop) || count > 9e15) {
    std::ostringstream text;
    text << "arange: from " << start << " to " << stop << " there is no end";
    throw ShapeError(text.str());
  }
  std::vector<double> values = host_values(static_cast<std::int64_t>(count));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = start + static_cast<double>(i) * step;
  const Shape shape{static_cast<std::int64_t>(values.size())};
  return asarray(values, shape, backend).astype(dtype).eval();
}

UnifiedArray linspace(double start, double stop, std::int64_t count, bool endpoint, DType dtype,
                      BaseBackend* backend) {
  if (count < 0) throw ShapeError("linspace: count " + std::to_string(count) + " is negative");
  const double parts = static_cast<double>(endpoint ? count - 1 : count);
  std::vector<double> values = host_values(count);
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = parts > 0 ? start + (stop - start) * (static_cast<double>(i) / parts) : start;
  if (endpoint && count > 1) values.back() = stop;
  return asarray(values, Shape{count}, backend).astype(dtype).eval();
}

UnifiedArray eye(std::int64_t n, DType dtype, BaseBackend* backend) {
  if (n < 0) throw ShapeError("eye: size " + std::to_string(n) + " is negative");
  UnifiedArray elements = zeros({element_count({n, n})}, dtype, backend);
  const Index diagonal = Slice{{}, {}, n + 1};
  elements.assign({&diagonal, 1}, scalar_of_like(elements, 1));
  return reshape(elements, {n, n});
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
