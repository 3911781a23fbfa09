#include <algorithm>
#include <cmath>
#include <isofield/backend.hpp>
#include <isofield/fft.hpp>

#include "core/emit.hpp"
#include "core/node.hpp"
#include "core/step.hpp"
#include "core/transform.hpp"

namespace isofield::fft {
namespace {

using detail::NodePtr;
using Kind = FourierTransform::Kind;

Norm opposite(Norm norm) {
  switch (norm) {
    case Norm::backward: return Norm::forward;
    case Norm::forward: return Norm::backward;
    case Norm::ortho: break;
  }
  return norm;
}

/// What the square of a transform's matrix is, times the unit matrix where it is its own inverse.
double squared_length(Kind kind, std::int64_t n) {
  const auto length = static_cast<double>(n);
  switch (kind) {
    case Kind::hartley: return length;
    case Kind::dct1: return 2.0 * (length - 1.0);
    case Kind::dst1: return 2.0 * (length + 1.0);
    default: return 2.0 * length;
  }
}

std::vector<int> checked_axes(std::string_view operation, const Shape& shape,
                              const std::vector<int>& axes) {
  if (axes.empty()) throw ShapeError(std::string(operation) + ": no axes are given");
  std::vector<int> result;
  for (const int axis : axes) {
    const int k = normalize_axis(axis, shape.size(), operation);
    if (std::find(result.begin(), result.end(), k) != result.end())
      throw IndexError(std::string(operation) + ": axis " + std::to_string(axis) +
                       " appears twice");
    result.push_back(k);
  }
  return result;
}

void check_lengths(std::string_view operation, Kind kind, const Shape& shape,
                   const std::vector<int>& axes) {
  const std::int64_t shortest = kind == Kind::dct1 ? 2 : 1;
  for (const int k : axes)
    if (shape[k] < shortest)
      throw ShapeError(std::string(operation) + (kind == Kind::dct1 ? " of type 1" : "") +
                       ": needs at least " + std::to_string(shortest) +
                       (shortest == 1 ? " element" : " elements") + " along axis " +
                       std::to_string(k) + " of shape " + to_string(shape));
}

UnifiedArray transformed(std::string_view operation, Operand x, Kind kind,
                         const std::vector<int>& axes, Norm norm) {
  BaseBackend& backend = detail::common_backend(operation, {&x, 1});
  const detail::Place place{backend, detail::dtype_of(x), x.where()};
  if (!is_floating(place.dtype))
    throw DTypeError(std::string(operation) + ": needs a floating-point dtype, got " +
                     std::string(name(place.dtype)) + "; convert with astype" +
                     detail::context(place));
  const Shape shape = x.is_scalar() ? Shape{} : x.node()->shape;
  detail::Step step;
  step.kind = detail::Step::Kind::fourier;
  step.backend = &backend;
  step.where = place.where;
  step.transform = {kind, norm == Norm::ortho && kind != Kind::hartley, 1.0, {}, {}};
  detail::located(place, [&] {
    step.transform.axes = checked_axes(operation, shape, axes);
    check_lengths(operation, kind, shape, step.transform.axes);
  });
  if (detail::wrapped(x))
    return detail::transformed_fourier(std::move(x), kind, step.transform.axes, norm);
  const NodePtr in = x.is_scalar() ? detail::node_of(x, backend, place.dtype) : x.take();
  double square = 1.0;
  for (const int k : step.transform.axes) {
    square *= squared_length(kind, shape[k]);
    step.transform.lengths.push_back(shape[k]);
  }
  if (norm == Norm::ortho) step.transform.factor = 1.0 / std::sqrt(square);
  if (norm == Norm::forward) step.transform.factor = 1.0 / square;
  detail::evaluate(in);
  step.in = {in->view()};
  NodePtr result = detail::make_result(backend, shape, place.dtype, step.in);
  step.out = {result->view()};
  if (element_count(shape) > 0) detail::execute(std::move(step));
  return UnifiedArray(std::move(result));
}

/// The kind of a type from 1 to 4, whose first is `first`; types 2 and 3 are each other's inverse.
Kind kind_of(std::string_view operation, const Operand& x, Kind first, int type, bool inverse) {
  if (type < 1 || type > 4)
    throw ArgumentError(std::string(operation) + ": type must be 1, 2, 3 or 4, not " +
                        std::to_string(type) + detail::context(x));
  if (inverse && (type == 2 || type == 3)) type = 5 - type;
  return static_cast<Kind>(static_cast<int>(first) + type - 1);
}

/// A cosine or sine transform of one of the four types from `first` on, or its inverse.
UnifiedArray of_type(std::string_view operation, Operand x, Kind first, int type, bool inverse,
                     const std::vector<int>& axes, Norm norm) {
  const Kind kind = kind_of(operation, x, first, type, inverse);
  return transformed(operation, std::move(x), kind, axes, inverse ? opposite(norm) : norm);
}

}  // namespace

UnifiedArray dct(Operand x, int type, const std::vector<int>& axes, Norm norm) {
  return of_type("dct", std::move(x), Kind::dct1, type, false, axes, norm);
}

UnifiedArray idct(Operand x, int type, const std::vector<int>& axes, Norm norm) {
  return of_type("idct", std::move(x), Kind::dct1, type, true, axes, norm);
}

UnifiedArray dst(Operand x, int type, const std::vector<int>& axes, Norm norm) {
  return of_type("dst", std::move(x), Kind::dst1, type, false, axes, norm);
}

UnifiedArray idst(Operand x, int type, const std::vector<int>& axes, Norm norm) {
  return of_type("idst", std::move(x), Kind::dst1, type, true, axes, norm);
}

UnifiedArray hartley(Operand x, const std::vector<int>& axes, Norm norm) {
  return transformed("hartley", std::move(x), Kind::hartley, axes, norm);
}

}  // namespace isofield::fft
