#pragma once

#include <functional>
#include <isofield/array.hpp>
#include <optional>
#include <source_location>
#include <span>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

/// How `grad`, `vmap` and their kin see a function of arrays, or of vectors, tuples and pairs of
/// them: as a function from a list of arrays to a list of arrays.
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

/// Which transform was asked for and where, for messages.
struct Asked {
  std::string_view operation;
  std::source_location where;
};

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

/// Call `use` with a function and its arguments: a tuple's elements, or the one there is.
template <class F, class X, class Use>
auto with_arguments(const F& function, const X& arguments, Use use) {
  if constexpr (is_tuple<X>)
    return std::apply([&](const auto&... a) { return use(listed(function, a...)); }, arguments);
  else
    return use(listed(function, arguments));
}

}  // namespace detail
}  // namespace isofield
