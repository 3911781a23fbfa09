#pragma once

#include <array>
#include <functional>
#include <isofield/array.hpp>
#include <memory>
#include <optional>
#include <source_location>
#include <span>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

/// Derivatives of functions of arrays, and functions of batches, by running them: `grad`, `vjp`,
/// `jvp`, `vmap` and their kin call a function on arrays that know what is done to them. They
/// compose with each other and with `jit`.
///
/// Functions take and give arrays, or vectors, tuples and pairs of them, of any depth. Derivatives
/// have the dtype and the structure of what they are derivatives by. Arrays of integers and truths
/// have none: asking for one throws DTypeError. An array made inside of a transformed function must
/// not be used after it.
namespace isofield {

namespace detail {

using Arrays = std::vector<UnifiedArray>;

/// How the arrays in a value are listed, and put back.
template <class T>
struct Leaves {
  static_assert(std::is_base_of_v<UnifiedArray, T>,
                "functions take and give arrays, or vectors, tuples and pairs of them");
  static void list(const T& value, Arrays& to) { to.push_back(value); }
  static T put(const T&, std::span<const UnifiedArray>& from) {
    const UnifiedArray& first = from.front();
    from = from.subspan(1);
    return first;
  }
};
template <class T>
struct Leaves<std::vector<T>> {
  static void list(const std::vector<T>& value, Arrays& to) {
    for (const auto& v : value) Leaves<T>::list(v, to);
  }
  static std::vector<T> put(const std::vector<T>& like, std::span<const UnifiedArray>& from) {
    std::vector<T> result;
    for (const auto& v : like) result.push_back(Leaves<T>::put(v, from));
    return result;
  }
};
template <class... T>
struct Leaves<std::tuple<T...>> {
  static void list(const std::tuple<T...>& value, Arrays& to) {
    std::apply([&](const auto&... v) { (Leaves<T>::list(v, to), ...); }, value);
  }
  static std::tuple<T...> put(const std::tuple<T...>& like, std::span<const UnifiedArray>& from) {
    // Braces: from left to right.
    return std::apply(
        [&](const auto&... v) { return std::tuple<T...>{Leaves<T>::put(v, from)...}; }, like);
  }
};
template <class A, class B>
struct Leaves<std::pair<A, B>> {
  static void list(const std::pair<A, B>& value, Arrays& to) {
    Leaves<A>::list(value.first, to);
    Leaves<B>::list(value.second, to);
  }
  static std::pair<A, B> put(const std::pair<A, B>& like, std::span<const UnifiedArray>& from) {
    A first = Leaves<A>::put(like.first, from);
    return {std::move(first), Leaves<B>::put(like.second, from)};
  }
};

template <class T>
Arrays leaves(const T& value) {
  Arrays list;
  Leaves<T>::list(value, list);
  return list;
}
template <class T>
T with_leaves(const T& like, std::span<const UnifiedArray> arrays) {
  return Leaves<T>::put(like, arrays);
}

/// A part of an array is an argument as an array.
template <class A>
using Plain = std::conditional_t<std::is_base_of_v<UnifiedArray, std::remove_cvref_t<A>>,
                                 UnifiedArray, std::remove_cvref_t<A>>;

/// Functions of lists of arrays, as transforms run them.
using ListFunction = std::function<Arrays(std::span<const UnifiedArray>)>;

/// Who asked for a derivative, for messages.
struct Asked {
  std::string_view operation;
  std::source_location where;
};
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
/// One call for a batch along `in[i]` of argument i; nothing where all share it.
Arrays mapped_over(const ListFunction& f, std::span<const UnifiedArray> arguments,
                   std::span<const std::optional<int>> in, std::span<const int> out,
                   const Asked& asked);

template <int... argnums>
constexpr bool is_among(std::size_t argument) {
  return ((static_cast<int>(argument) == argnums) || ...);
}

/// A function with its arguments' structure, as a function of the list of their arrays.
template <class F, class... A>
class Listed {
 public:
  using Result = Plain<decltype(std::declval<const F&>()(std::declval<const A&>()...))>;

  Listed(const F& f, std::tuple<A...> arguments) : f_(f), arguments_(std::move(arguments)) {}

  Arrays arguments() const { return leaves(arguments_); }
  const std::tuple<A...>& values() const noexcept { return arguments_; }
  /// The function; keeps the structure of what it gave last.
  ListFunction function() const {
    return [this](std::span<const UnifiedArray> list) {
      result_ = std::apply(f_, Leaves<std::tuple<A...>>::put(arguments_, list));
      return leaves(*result_);
    };
  }
  Result result(std::span<const UnifiedArray> arrays) const {
    return with_leaves(*result_, arrays);
  }
  /// For every array, whether it is in one of the arguments `argnums`.
  template <int... argnums>
  std::vector<bool> of() const {
    static_assert(((argnums >= 0 && argnums < static_cast<int>(sizeof...(A))) && ...),
                  "there are fewer arguments");
    std::vector<bool> result;
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      (result.resize(result.size() + leaves(std::get<I>(arguments_)).size(),
                     is_among<argnums...>(I)),
       ...);
    }
    (std::index_sequence_for<A...>{});
    return result;
  }

 private:
  const F& f_;
  std::tuple<A...> arguments_;
  mutable std::optional<Result> result_;
};
template <class F, class... A>
Listed<F, Plain<A>...> listed(const F& f, const A&... arguments) {
  return {f, std::tuple<Plain<A>...>(arguments...)};
}

template <class T>
inline constexpr bool is_tuple = false;
template <class... T>
inline constexpr bool is_tuple<std::tuple<T...>> = true;

/// One value as it is, several as a tuple.
template <class T>
T single_or_all(std::tuple<T> one) {
  return std::get<0>(std::move(one));
}
template <class... T>
std::tuple<T...> single_or_all(std::tuple<T...> all) {
  return all;
}

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

namespace detail {
/// Call `use` with a function and its arguments: a tuple's elements, or the one there is.
template <class F, class X, class Use>
auto with_arguments(const F& function, const X& arguments, Use use) {
  if constexpr (is_tuple<X>)
    return std::apply([&](const auto&... a) { return use(listed(function, a...)); }, arguments);
  else
    return use(listed(function, arguments));
}
}  // namespace detail

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

}  // namespace isofield
