// Transforms from or to complex numbers.
#include <algorithm>
#include <cmath>
#include <isofield/fft.hpp>
#include <isofield/manipulation.hpp>
#include <isofield/ops.hpp>

#include "core/emit.hpp"
#include "core/node.hpp"
#include "core/step.hpp"
#include "core/transform.hpp"
#include "ops/matrices.hpp"

namespace isofield::fft {
namespace {

using detail::NodePtr;
using detail::Place;
using Kind = FourierTransform::Kind;
using Lengths = std::optional<std::vector<std::int64_t>>;
using Axes = std::optional<std::vector<int>>;

/// An array on its way through transforms.
struct Signal {
  std::string_view operation;
  NodePtr node;
  Place place;

  const Shape& shape() const { return node->shape; }
};

[[noreturn]] void refuse(const Signal& x, const std::string& why) {
  throw ShapeError(std::string(x.operation) + ": " + why + detail::context(x.place));
}

/// The operand with a real or complex floating-point dtype; real ones made complex, or refused
/// where they are complex.
Signal signal(std::string_view operation, Operand x, bool real) {
  BaseBackend& backend = detail::common_backend(operation, {&x, 1});
  const DType dtype = detail::inexact_type(operation, {&x, 1});
  const Place place{backend, dtype, x.where()};
  if (real && is_complex(dtype))
    throw DTypeError(std::string(operation) + ": needs a real dtype, got " +
                     std::string(name(dtype)) + detail::context(place));
  const DType wanted = real ? dtype : complex_dtype(dtype);
  return {operation, detail::cast(detail::node_of(x, backend, dtype), wanted), place};
}

double factor_of(Norm norm, bool inverse, std::int64_t n) {
  if (norm == Norm::ortho) return 1.0 / std::sqrt(static_cast<double>(n));
  return (norm == Norm::forward) != inverse ? 1.0 / static_cast<double>(n) : 1.0;
}

/// Make one step: along several axes only where no length changes.
void transform(Signal& x, Kind kind, std::vector<int> axes, std::vector<std::int64_t> lengths,
               double factor) {
  const bool to_half = kind == Kind::rfft || kind == Kind::ihfft;
  const bool from_half = kind == Kind::irfft || kind == Kind::hfft;
  detail::evaluate(x.node);
  Layout layout = x.node->layout();
  Shape shape = layout.shape;
  for (std::size_t k = 0; k < axes.size(); ++k) {
    const std::int64_t n = lengths[k];
    if (n < 1)
      refuse(x, "needs at least 1 element along axis " + std::to_string(axes[k]) + " of shape " +
                    to_string(x.shape()) + ", not " + std::to_string(n));
    shape[axes[k]] = to_half ? n / 2 + 1 : n;
    layout.shape[axes[k]] = std::min(layout.shape[axes[k]], from_half ? n / 2 + 1 : n);
  }
  const DType dtype = to_half     ? complex_dtype(x.node->dtype)
                      : from_half ? real_dtype(x.node->dtype)
                                  : x.node->dtype;
  if (detail::wrapped(x.node)) {
    x.node = detail::transformed_lines({UnifiedArray(x.node), x.place.where},
                                       {kind, false, factor, std::move(axes), std::move(lengths)})
                 .node();
    return;
  }
  detail::Step step;
  step.kind = detail::Step::Kind::fourier;
  step.backend = x.node->backend;
  step.where = x.place.where;
  step.transform = {kind, false, factor, std::move(axes), std::move(lengths)};
  step.in = {{x.node->storage.get(), x.node->dtype, std::move(layout)}};
  NodePtr result = detail::make_result(*x.node->backend, shape, dtype, step.in);
  step.out = {result->view()};
  if (element_count(shape) > 0) detail::execute(std::move(step));
  x.node = std::move(result);
}

}  // namespace
}  // namespace isofield::fft

namespace isofield {

UnifiedArray detail::transform_lines(Operand x, const FourierTransform& t) {
  const auto where = x.where();
  const Place place{*x.node()->backend, x.node()->dtype, where};
  fft::Signal signal{name(t.kind), x.take(), place};
  fft::transform(signal, t.kind, t.axes, t.lengths, t.factor);
  return UnifiedArray(std::move(signal.node));
}

}  // namespace isofield

namespace isofield::fft {
namespace {

UnifiedArray along_one(std::string_view operation, Operand operand, Kind kind,
                       std::optional<std::int64_t> n, int axis, Norm norm) {
  Signal x = signal(operation, std::move(operand), kind == Kind::rfft || kind == Kind::ihfft);
  axis =
      detail::located(x.place, [&] { return normalize_axis(axis, x.shape().size(), operation); });
  const bool from_half = kind == Kind::irfft || kind == Kind::hfft;
  const std::int64_t given = x.shape()[axis];
  const std::int64_t length = n.value_or(from_half ? 2 * (given - 1) : given);
  const bool inverse = kind == Kind::ifft || kind == Kind::irfft || kind == Kind::ihfft;
  const double factor = factor_of(norm, inverse, std::max<std::int64_t>(length, 1));
  transform(x, kind, {axis}, {length}, factor);
  return UnifiedArray(std::move(x.node));
}

/// The axes and lengths that somebody asked for.
struct Plane {
  std::vector<int> axes;
  std::vector<std::int64_t> lengths;
};
Plane plane(const Signal& x, const Lengths& s, const Axes& axes, bool last_is_half) {
  const int rank = x.shape().size();
  Plane result;
  const int count = axes ? static_cast<int>(axes->size()) : s ? static_cast<int>(s->size()) : rank;
  if (s && axes && s->size() != axes->size())
    refuse(x, std::to_string(s->size()) + " lengths for " + std::to_string(count) + " axes");
  if (count == 0) refuse(x, "no axes are given");
  if (count > rank && !axes)
    refuse(x, std::to_string(count) + " lengths for shape " + to_string(x.shape()));
  for (int k = 0; k < count; ++k) {
    const int asked = axes ? (*axes)[static_cast<std::size_t>(k)] : rank - count + k;
    const int axis =
        detail::located(x.place, [&] { return normalize_axis(asked, rank, x.operation); });
    if (std::find(result.axes.begin(), result.axes.end(), axis) != result.axes.end())
      throw IndexError(std::string(x.operation) + ": axis " + std::to_string(asked) +
                       " appears twice" + detail::context(x.place));
    result.axes.push_back(axis);
    const std::int64_t given = x.shape()[axis];
    result.lengths.push_back(s                                ? (*s)[static_cast<std::size_t>(k)]
                             : last_is_half && k == count - 1 ? 2 * (given - 1)
                                                              : given);
  }
  return result;
}

/// Complex transforms along axes: in one step where no length changes.
void transform_all(Signal& x, Kind kind, const Plane& p, double factor) {
  bool same = true;
  for (std::size_t k = 0; k < p.axes.size(); ++k)
    same = same && x.shape()[p.axes[k]] >= p.lengths[k];
  if (same && !p.axes.empty()) {
    transform(x, kind, p.axes, p.lengths, factor);
    return;
  }
  for (std::size_t k = 0; k < p.axes.size(); ++k)
    transform(x, kind, {p.axes[k]}, {p.lengths[k]}, k == 0 ? factor : 1.0);
}

double factor_of(Norm norm, bool inverse, const Plane& p) {
  double factor = 1.0;
  for (const std::int64_t n : p.lengths)
    factor *= factor_of(norm, inverse, std::max<std::int64_t>(n, 1));
  return factor;
}

UnifiedArray along_many(std::string_view operation, Operand operand, Kind kind, const Lengths& s,
                        const Axes& axes, Norm norm) {
  Signal x = signal(operation, std::move(operand), false);
  const Plane p = plane(x, s, axes, false);
  transform_all(x, kind, p, factor_of(norm, kind == Kind::ifft, p));
  return UnifiedArray(std::move(x.node));
}

UnifiedArray frequencies(std::string_view operation, std::int64_t n, double d, bool half,
                         DType dtype, BaseBackend* backend, const std::source_location& where) {
  if (n < 1)
    throw ShapeError(std::string(operation) + ": needs at least 1 sample, not " +
                     std::to_string(n) + at(where));
  if (!is_floating(dtype))
    throw DTypeError(std::string(operation) + ": needs a floating-point dtype, got " +
                     std::string(name(dtype)) + at(where));
  std::vector<double> values;
  for (std::int64_t k = 0; k < (half ? n / 2 + 1 : n); ++k)
    values.push_back(static_cast<double>(half || 2 * k < n ? k : k - n) /
                     (static_cast<double>(n) * d));
  const auto count = static_cast<std::int64_t>(values.size());
  return asarray(values, {count}, backend).astype(dtype);
}

/// Turn lines by `places(n)` places.
template <class F>
UnifiedArray turned(std::string_view operation, Operand x, const Axes& axes, F&& places) {
  const Shape shape = x.is_scalar() ? Shape{} : x.node()->shape;
  std::vector<int> chosen;
  std::vector<std::int64_t> shifts;
  for (int k = 0; k < (axes ? static_cast<int>(axes->size()) : shape.size()); ++k) {
    const int asked = axes ? (*axes)[static_cast<std::size_t>(k)] : k;
    chosen.push_back(
        detail::located(x, [&] { return normalize_axis(asked, shape.size(), operation); }));
    shifts.push_back(places(shape[chosen.back()]));
  }
  return roll(std::move(x), shifts, chosen);
}

}  // namespace

UnifiedArray fft(Operand x, std::optional<std::int64_t> n, int axis, Norm norm) {
  return along_one("fft", std::move(x), Kind::fft, n, axis, norm);
}
UnifiedArray ifft(Operand x, std::optional<std::int64_t> n, int axis, Norm norm) {
  return along_one("ifft", std::move(x), Kind::ifft, n, axis, norm);
}
UnifiedArray rfft(Operand x, std::optional<std::int64_t> n, int axis, Norm norm) {
  return along_one("rfft", std::move(x), Kind::rfft, n, axis, norm);
}
UnifiedArray irfft(Operand x, std::optional<std::int64_t> n, int axis, Norm norm) {
  return along_one("irfft", std::move(x), Kind::irfft, n, axis, norm);
}
UnifiedArray hfft(Operand x, std::optional<std::int64_t> n, int axis, Norm norm) {
  return along_one("hfft", std::move(x), Kind::hfft, n, axis, norm);
}
UnifiedArray ihfft(Operand x, std::optional<std::int64_t> n, int axis, Norm norm) {
  return along_one("ihfft", std::move(x), Kind::ihfft, n, axis, norm);
}

UnifiedArray fftn(Operand x, const Lengths& s, const Axes& axes, Norm norm) {
  return along_many("fftn", std::move(x), Kind::fft, s, axes, norm);
}
UnifiedArray ifftn(Operand x, const Lengths& s, const Axes& axes, Norm norm) {
  return along_many("ifftn", std::move(x), Kind::ifft, s, axes, norm);
}

UnifiedArray rfftn(Operand operand, const Lengths& s, const Axes& axes, Norm norm) {
  Signal x = signal("rfftn", std::move(operand), true);
  Plane p = plane(x, s, axes, false);
  const double factor = factor_of(norm, false, p);
  transform(x, Kind::rfft, {p.axes.back()}, {p.lengths.back()}, factor);
  p.axes.pop_back();
  p.lengths.pop_back();
  transform_all(x, Kind::fft, p, 1.0);
  return UnifiedArray(std::move(x.node));
}

UnifiedArray irfftn(Operand operand, const Lengths& s, const Axes& axes, Norm norm) {
  Signal x = signal("irfftn", std::move(operand), false);
  Plane p = plane(x, s, axes, true);
  const double factor = factor_of(norm, true, p);
  const int last = p.axes.back();
  const std::int64_t n = p.lengths.back();
  p.axes.pop_back();
  p.lengths.pop_back();
  transform_all(x, Kind::ifft, p, 1.0);
  transform(x, Kind::irfft, {last}, {n}, factor);
  return UnifiedArray(std::move(x.node));
}

UnifiedArray fftfreq(std::int64_t n, double d, DType dtype, BaseBackend* backend,
                     std::source_location where) {
  return frequencies("fftfreq", n, d, false, dtype, backend, where);
}
UnifiedArray rfftfreq(std::int64_t n, double d, DType dtype, BaseBackend* backend,
                      std::source_location where) {
  return frequencies("rfftfreq", n, d, true, dtype, backend, where);
}

UnifiedArray fftshift(Operand x, const Axes& axes) {
  return turned("fftshift", std::move(x), axes, [](std::int64_t n) { return n / 2; });
}
UnifiedArray ifftshift(Operand x, const Axes& axes) {
  return turned("ifftshift", std::move(x), axes, [](std::int64_t n) { return n - n / 2; });
}

}  // namespace isofield::fft
