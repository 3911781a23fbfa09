#include <isofield/differentiation.hpp>

#include <isofield/ops.hpp>
#include <isofield/vmap.hpp>

#include "core/emit.hpp"
#include "transforms/forward.hpp"
#include "transforms/rules.hpp"
#include "transforms/tape.hpp"

namespace isofield::detail {
namespace {

std::string said(const Asked& asked) { return std::string(asked.operation) + ": "; }

void check_argument(const UnifiedArray& x, std::size_t i, const Asked& asked) {
  if (!x.node())
    throw Error(said(asked) + "argument " + std::to_string(i) + " was moved from" +
                at(asked.where));
  if (!is_inexact(x.dtype()))
    throw DTypeError(said(asked) + "array " + std::to_string(i) + " of the arguments has dtype " +
                     std::string(name(x.dtype())) +
                     ", by which there is no derivative; convert it with astype, or capture it" +
                     context(x.backend(), x.dtype(), asked.where));
}

/// That of a derivative's direction or weight fits the array it belongs to.
void check_like(const UnifiedArray& x, const UnifiedArray& like, std::string_view what,
                const Asked& asked) {
  if (x.shape() != like.shape())
    throw ShapeError(said(asked) + std::string(what) + " of shape " + to_string(x.shape()) +
                     " for an array of shape " + to_string(like.shape()) +
                     context(x.backend(), x.dtype(), asked.where));
  if (x.dtype() != like.dtype())
    throw DTypeError(said(asked) + std::string(what) + " of dtype " + std::string(name(x.dtype())) +
                     " for an array of dtype " + std::string(name(like.dtype())) +
                     context(x.backend(), x.dtype(), asked.where));
}

void check_count(std::size_t count, std::size_t wanted, std::string_view what, const Asked& asked) {
  if (count != wanted)
    throw ArgumentError(said(asked) + std::to_string(count) + " " + std::string(what) + " for " +
                        std::to_string(wanted) + " arrays" + at(asked.where));
}

/// A function's run on a tape.
struct Recording {
  std::shared_ptr<Tape> tape;
  std::size_t count = 0;       ///< variables 0..count-1 are the arguments
  std::vector<int> variables;  ///< of the results; -1 where they depend on no argument
  Arrays values;
};

Recording recorded_run(const ListFunction& f, std::span<const UnifiedArray> arguments,
                       const std::vector<bool>& by, const Asked& asked) {
  Recording r;
  r.tape = std::make_shared<Tape>(asked.operation);
  const ScopedTransform scope(*r.tape);
  Arrays list;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (by[i]) {
      check_argument(arguments[i], i, asked);
      ++r.count;
    }
    list.push_back(by[i] ? r.tape->track(arguments[i]) : arguments[i]);
  }
  for (const UnifiedArray& y : f(list)) {
    r.variables.push_back(r.tape->variable(y));
    r.values.push_back(r.tape->value(y));
  }
  return r;
}

Arrays pulled(const Recording& r, std::span<const UnifiedArray> cotangents, bool last) {
  std::vector<std::pair<int, UnifiedArray>> start;
  for (std::size_t i = 0; i < r.variables.size(); ++i)
    if (r.variables[i] >= 0) start.emplace_back(r.variables[i], cotangents[i]);
  return r.tape->pull(std::move(start), r.count, last);
}

/// Compute together what would be computed one after the other.
void evaluate_together(const Arrays& arrays) {
  if (arrays.size() < 2) return;
  std::vector<NodePtr> nodes;
  for (const auto& a : arrays) nodes.push_back(innermost(a.node()));
  evaluate(nodes);
}

}  // namespace

std::pair<Arrays, Pulled> pulled_back(const ListFunction& f,
                                      std::span<const UnifiedArray> arguments, const Asked& asked) {
  auto r = std::make_shared<Recording>(
      recorded_run(f, arguments, std::vector<bool>(arguments.size(), true), asked));
  Arrays values = r->values;
  return {std::move(values), [r, name = asked.operation](std::span<const UnifiedArray> cotangents,
                                                         std::source_location where) {
            const Asked here{name, where};
            check_count(cotangents.size(), r->values.size(), "cotangents", here);
            for (std::size_t i = 0; i < cotangents.size(); ++i)
              check_like(cotangents[i], r->values[i], "a cotangent", here);
            return pulled(*r, cotangents, false);
          }};
}

Arrays pulled_once(const ListFunction& f, std::span<const UnifiedArray> arguments,
                   std::span<const UnifiedArray> cotangents, const Asked& asked) {
  const std::vector<bool> by(arguments.size(), true);
  return pulled(recorded_run(f, arguments, by, asked), cotangents, true);
}

std::pair<UnifiedArray, Arrays> value_and_gradient(const ListFunction& f,
                                                   std::span<const UnifiedArray> arguments,
                                                   const std::vector<bool>& by,
                                                   const Asked& asked) {
  Recording r = recorded_run(f, arguments, by, asked);
  check_count(r.values.size(), 1, "results, where there must be one,", asked);
  const UnifiedArray& value = r.values[0];
  if (value.ndim() != 0)
    throw ShapeError(said(asked) + "the function's value must have rank 0, got shape " +
                     to_string(value.shape()) + "; reduce it, or take jacobian" +
                     context(value.backend(), value.dtype(), asked.where));
  if (!is_floating(value.dtype()))
    throw DTypeError(
        said(asked) + "the function's value must be a real floating-point number, got " +
        std::string(name(value.dtype())) + context(value.backend(), value.dtype(), asked.where));
  const UnifiedArray one = ones_like(value);
  Arrays gradients = pulled(r, {&one, 1}, true);
  evaluate_together(gradients);
  return {value, std::move(gradients)};
}

std::pair<Arrays, Arrays> pushed_forward(const ListFunction& f,
                                         std::span<const UnifiedArray> arguments,
                                         std::span<const UnifiedArray> tangents,
                                         const Asked& asked) {
  const auto forward = std::make_shared<Forward>(asked.operation);
  const ScopedTransform scope(*forward);
  check_count(tangents.size(), arguments.size(), "tangents", asked);
  Arrays list;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    check_argument(arguments[i], i, asked);
    check_like(tangents[i], arguments[i], "a tangent", asked);
    list.push_back(forward->track(arguments[i], tangents[i]));
  }
  std::pair<Arrays, Arrays> result;
  for (const UnifiedArray& y : f(list)) {
    auto [value, tangent] = forward->take(y);
    result.first.push_back(std::move(value));
    result.second.push_back(std::move(tangent));
  }
  return result;
}

UnifiedArray jacobian_of(const ListFunction& f, const UnifiedArray& argument, const Asked& asked) {
  auto [values, pull] = pulled_back(f, {&argument, 1}, asked);
  check_count(values.size(), 1, "results, where there must be one,", asked);
  const Shape shape = values[0].shape();
  const std::int64_t n = element_count(argument.shape()), m = values[0].size();
  Shape both = shape;
  for (const auto length : argument.shape()) both.push_back(length);
  // Row by row back, or column by column forward: a batch of unit vectors. Of complex numbers one
  // mode alone has all of a derivative: forward where values are complex, back where they are real.
  const bool complex_values = is_complex(values[0].dtype());
  const bool back = complex_values ? false : is_complex(argument.dtype()) || m < n;
  const UnifiedArray& side = back ? values[0] : argument;
  const UnifiedArray units = reshape(eye(back ? m : n, side.dtype(), &side.backend()),
                                     batch_shape(back ? m : n, side.shape()));
  const ListFunction column = [&](std::span<const UnifiedArray> unit) {
    return back ? pull(unit, asked.where) : pushed_forward(f, {&argument, 1}, unit, asked).second;
  };
  const std::optional<int> in = 0;
  const int out = back ? 0 : shape.size();
  const Arrays result = mapped(column, {&units, 1}, {&in, 1}, {&out, 1}, asked);
  return reshape(result[0], both);
}

}  // namespace isofield::detail
