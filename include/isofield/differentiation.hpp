#pragma once

#include <functional>
#include <isofield/structure.hpp>
#include <memory>

/// Derivatives of functions of arrays by running them: `grad`, `vjp`, `jvp` and their kin call a
/// function on arrays that know what is done to them. They compose with each other, with `vmap` and
/// with `jit`.
///
/// Functions take and give arrays, or vectors, tuples and pairs of them, of any depth. Derivatives
/// have the dtype and the structure of what they are derivatives by. Arrays of integers and truths
/// have none: asking for one throws DTypeError. An array made inside of a transformed function must
/// not be used after it.
namespace isofield {

namespace detail {

/// Reverse mode: results, and what takes cotangents of them to cotangents of the arguments.
using Pulled =
    std::function<Arrays(std::span<const UnifiedArray> cotangents, std::source_location where)>;
std::pair<Arrays, Pulled> pulled_back(const ListFunction& f,
                                      std::span<const UnifiedArray> arguments, const Asked& asked);
/// The value of a function of rank 0 and its derivatives by the arguments that `by` says.
std::pair<UnifiedArray, Arrays> value_and_gradient(const ListFunction& f,
                                                   std::span<const UnifiedArray> arguments,
                                                   const std::vector<bool>& by, const Asked& asked);
/// Forward mode: results, and their derivatives along `tangents`.
std::pair<Arrays, Arrays> pushed_forward(const ListFunction& f,
                                         std::span<const UnifiedArray> arguments,
                                         std::span<const UnifiedArray> tangents,
                                         const Asked& asked);
/// The derivatives of each element of f's one result by each element of its one argument:
/// (result's shape..., argument's shape...).
UnifiedArray jacobian_of(const ListFunction& f, const UnifiedArray& argument, const Asked& asked);
/// What `custom_vjp` was given.
struct CustomFunctions {
  ListFunction value;
  /// Values, and what is kept.
  std::function<std::pair<Arrays, Arrays>(std::span<const UnifiedArray>)> forward;
  /// From what was kept and cotangents of values to cotangents of arguments.
  std::function<Arrays(std::span<const UnifiedArray>, std::span<const UnifiedArray>)> backward;
};
Arrays custom_call(CustomFunctions functions, const Arrays& arguments, const Asked& asked);
Arrays checkpointed_call(ListFunction f, const Arrays& arguments, const Asked& asked);
}  // namespace detail

/// A function and its derivatives by some arguments; see `value_and_grad`.
template <class F, int... argnums>
class ValueAndGrad {
 public:
  ValueAndGrad(F function, std::string_view name, std::source_location where)
      : function_(std::move(function)), asked_{name, where} {}

  /// The value, and the derivative by each argument asked for.
  template <class... A>
  auto operator()(const A&... arguments) const {
    auto f = detail::listed(function_, arguments...);
    auto [value, gradients] = detail::value_and_gradient(f.function(), f.arguments(),
                                                         f.template of<argnums...>(), asked_);
    // They come in the order of the arguments.
    std::span<const UnifiedArray> rest(gradients);
    std::tuple<std::optional<detail::Plain<A>>...> by;
    const auto put = [&]<class T>(bool wanted, const T& like, std::optional<T>& to) {
      if (wanted) to = detail::Leaves<T>::put(like, rest);
    };
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      (put(detail::is_among<argnums...>(I), std::get<I>(f.values()), std::get<I>(by)), ...);
    }
    (std::index_sequence_for<A...>{});
    return std::tuple(std::move(value), *std::move(std::get<argnums>(by))...);
  }

 private:
  F function_;
  detail::Asked asked_;
};

/// The derivatives of a function by some arguments; see `grad`.
template <class F, int... argnums>
class Grad {
 public:
  Grad(F function, std::source_location where) : both_(std::move(function), "grad", where) {}

  template <class... A>
  auto operator()(const A&... arguments) const {
    auto both = both_(arguments...);
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
      return detail::single_or_all(std::tuple(std::get<I + 1>(std::move(both))...));
    }
    (std::make_index_sequence<sizeof...(argnums)>{});
  }

 private:
  ValueAndGrad<F, argnums...> both_;
};

/// The derivative of a function whose value is one floating-point number of rank 0, by its first
/// argument or by those named: `grad(f)(x)`, `grad<0, 2>(f)(x, y, z)`, which gives a tuple. Throws
/// ShapeError where the value is no number, DTypeError where an argument is not floating-point.
template <int... argnums, class F>
auto grad(F function, std::source_location where = std::source_location::current()) {
  if constexpr (sizeof...(argnums) == 0)
    return Grad<F, 0>(std::move(function), where);
  else
    return Grad<F, argnums...>(std::move(function), where);
}

/// `grad` with the value before it: `auto [loss, by_x, by_w] = value_and_grad<0, 1>(f)(x, w);`.
template <int... argnums, class F>
auto value_and_grad(F function, std::source_location where = std::source_location::current()) {
  if constexpr (sizeof...(argnums) == 0)
    return ValueAndGrad<F, 0>(std::move(function), "value_and_grad", where);
  else
    return ValueAndGrad<F, argnums...>(std::move(function), "value_and_grad", where);
}

/// What takes cotangents of a function's results back to its arguments; see `vjp`.
template <class Result, class X>
class Pullback {
 public:
  Pullback(detail::Pulled pulled, X arguments)
      : pulled_(std::move(pulled)), arguments_(std::move(arguments)) {}

  /// Cotangents of the arguments. `cotangent` has the structure, shapes and dtypes of the result;
  /// throws ShapeError, DTypeError.
  X operator()(const Result& cotangent,
               std::source_location where = std::source_location::current()) const {
    return detail::with_leaves(arguments_, pulled_(detail::leaves(cotangent), where));
  }

 private:
  detail::Pulled pulled_;
  X arguments_;
};

/// Reverse mode: `auto [y, pull] = vjp(f, x);` gives f(x) and a function from cotangents of y to
/// cotangents of x, the product with the transposed Jacobian. It may be called any number of times.
/// Several arguments are a tuple, `vjp(f, std::tuple(x, y))`, and so are their cotangents.
template <class F, class X>
auto vjp(const F& function, const X& arguments,
         std::source_location where = std::source_location::current()) {
  return detail::with_arguments(function, arguments, [&](const auto& f) {
    auto [values, pulled] = detail::pulled_back(f.function(), f.arguments(), {"vjp", where});
    auto value = f.result(values);
    using Result = decltype(value);
    return std::pair(std::move(value),
                     Pullback<Result, detail::Plain<X>>(std::move(pulled), arguments));
  });
}

/// Forward mode: `auto [y, dy] = jvp(f, x, dx);` gives f(x) and its derivative along dx, the
/// product with the Jacobian. Several arguments are a tuple, and so are their tangents.
template <class F, class X, class T>
auto jvp(const F& function, const X& arguments, const T& tangents,
         std::source_location where = std::source_location::current()) {
  static_assert(std::is_same_v<detail::Plain<X>, detail::Plain<T>>,
                "jvp: tangents have the structure of the arguments");
  return detail::with_arguments(function, arguments, [&](const auto& f) {
    const auto list = detail::leaves(static_cast<const detail::Plain<T>&>(tangents));
    auto [values, derivatives] =
        detail::pushed_forward(f.function(), f.arguments(), list, {"jvp", where});
    return std::pair(f.result(values), f.result(derivatives));
  });
}

/// The derivatives of all elements of a function's array by all elements of argument `argnum`, as a
/// function: (value's shape..., argument's shape...). One batched pass of the mode that needs
/// fewer, or of that which alone has all of a derivative of or by complex numbers.
template <int argnum = 0, class F>
auto jacobian(F function, std::source_location where = std::source_location::current()) {
  return [function = std::move(function), where](const auto&... arguments) {
    const auto list = std::tuple<detail::Plain<decltype(arguments)>...>(arguments...);
    const auto of_one = [&](std::span<const UnifiedArray> x) -> detail::Arrays {
      auto with = list;
      std::get<argnum>(with) = x[0];
      return {std::apply(function, with)};
    };
    return detail::jacobian_of(of_one, std::get<argnum>(list), {"jacobian", where});
  };
}

/// The second derivatives of a function whose value has rank 0, by argument `argnum`:
/// (argument's shape..., argument's shape...). Forward mode over reverse.
template <int argnum = 0, class F>
auto hessian(F function, std::source_location where = std::source_location::current()) {
  return jacobian<argnum>(grad<argnum>(std::move(function), where), where);
}

/// The same elements, as a constant for all transforms that differentiate.
UnifiedArray stop_gradient(Operand x);

/// A function with a derivative of one's own; see `custom_vjp`.
template <class F, class Forward, class Backward>
class CustomVjp {
 public:
  CustomVjp(F function, Forward forward, Backward backward, std::source_location where)
      : function_(std::move(function)),
        forward_(std::move(forward)),
        backward_(std::move(backward)),
        where_(where) {}

  template <class... A>
  auto operator()(const A&... arguments) const {
    using Given = std::tuple<detail::Plain<A>...>;
    using Both =
        decltype(std::declval<const Forward&>()(std::declval<const detail::Plain<A>&>()...));
    using Result = detail::Plain<typename Both::first_type>;
    using Residuals = typename Both::second_type;
    auto given = std::make_shared<const Given>(arguments...);
    const auto result = std::make_shared<std::optional<Result>>();
    const auto residuals = std::make_shared<std::optional<Residuals>>();
    detail::CustomFunctions functions;
    functions.value = [given, result, f = function_](std::span<const UnifiedArray> list) {
      *result = std::apply(f, detail::with_leaves(*given, list));
      return detail::leaves(**result);
    };
    functions.forward = [given, result, residuals, f = forward_](auto list) {
      auto [value, kept] = std::apply(f, detail::with_leaves(*given, list));
      *result = std::move(value);
      *residuals = std::move(kept);
      return std::pair(detail::leaves(**result), detail::leaves(**residuals));
    };
    functions.backward = [result, residuals, f = backward_](auto kept, auto cotangents) {
      return detail::leaves(
          f(detail::with_leaves(**residuals, kept), detail::with_leaves(**result, cotangents)));
    };
    const detail::Arrays values =
        detail::custom_call(std::move(functions), detail::leaves(*given), {"custom_vjp", where_});
    return detail::with_leaves(**result, std::span<const UnifiedArray>(values));
  }

 private:
  F function_;
  Forward forward_;
  Backward backward_;
  std::source_location where_;
};

/// A function with a derivative of one's own in reverse mode: where it is differentiated,
/// `forward(x...)` gives a pair of its value and what `backward(kept, cotangent)` needs to give the
/// cotangents of x... (several as a tuple). All of them take and give arrays, or vectors, tuples
/// and pairs of them; arrays by which is differentiated are arguments, not captured. Throws
/// NotAvailable in forward mode.
template <class F, class Forward, class Backward>
auto custom_vjp(F function, Forward forward, Backward backward,
                std::source_location where = std::source_location::current()) {
  return CustomVjp<F, Forward, Backward>(std::move(function), std::move(forward),
                                         std::move(backward), where);
}

/// The same function, whose intermediate values are not kept for the way back but computed once
/// more there. Arrays by which is differentiated are arguments, not captured.
template <class F>
auto checkpoint(F function, std::source_location where = std::source_location::current()) {
  return [function = std::move(function), where](const auto&... arguments) {
    using Given = std::tuple<detail::Plain<decltype(arguments)>...>;
    using Result = detail::Plain<decltype(function(arguments...))>;
    const auto given = std::make_shared<const Given>(arguments...);
    const auto result = std::make_shared<std::optional<Result>>();
    const auto f = [given, result, function](std::span<const UnifiedArray> list) {
      *result = std::apply(function, detail::with_leaves(*given, list));
      return detail::leaves(**result);
    };
    const detail::Arrays values =
        detail::checkpointed_call(f, detail::leaves(*given), {"checkpoint", where});
    return detail::with_leaves(**result, std::span<const UnifiedArray>(values));
  };
}

}  // namespace isofield
