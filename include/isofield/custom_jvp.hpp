#pragma once

#include <isofield/structure.hpp>
#include <memory>
#include <optional>
#include <source_location>
#include <tuple>
#include <utility>

namespace isofield {

namespace detail {
/// What `custom_jvp` was given.
struct CustomForward {
  ListFunction value;
  /// From arguments and their tangents to tangents of the values.
  std::function<Arrays(std::span<const UnifiedArray>, std::span<const UnifiedArray>)> tangent;
};
Arrays custom_forward_call(CustomForward functions, const Arrays& arguments, const Asked& asked);
}  // namespace detail

/// A function with a derivative of one's own in forward mode; see `custom_jvp`.
template <class F, class Tangent>
class CustomJvp {
 public:
  CustomJvp(F function, Tangent tangent, std::source_location where)
      : function_(std::move(function)), tangent_(std::move(tangent)), where_(where) {}

  template <class... A>
  auto operator()(const A&... arguments) const {
    using Given = std::tuple<detail::Plain<A>...>;
    using Result = detail::Plain<decltype(std::declval<const F&>()(
        std::declval<const detail::Plain<A>&>()...))>;
    const auto given = std::make_shared<const Given>(arguments...);
    const auto result = std::make_shared<std::optional<Result>>();
    detail::CustomForward functions;
    functions.value = [given, result, f = function_](std::span<const UnifiedArray> list) {
      *result = std::apply(f, detail::with_leaves(*given, list));
      return detail::leaves(**result);
    };
    functions.tangent = [given, f = tangent_](auto list, auto changes) {
      return detail::leaves(
          f(detail::with_leaves(*given, list), detail::with_leaves(*given, changes)));
    };
    const detail::Arrays values = detail::custom_forward_call(
        std::move(functions), detail::leaves(*given), {"custom_jvp", where_});
    return detail::with_leaves(**result, std::span<const UnifiedArray>(values));
  }

 private:
  F function_;
  Tangent tangent_;
  std::source_location where_;
};

/// A function with a derivative of one's own in forward mode, for code that transforms cannot look
/// into: `tangent(x, dx)` gives the derivative of `function(x...)` in the direction dx, from tuples
/// of the arguments and of their directions, which are 0 where there is none. All take and give
/// arrays, or vectors, tuples and pairs of them, with the values of the transforms around behind
/// them; arrays by which is differentiated are arguments, not captured. Throws NotAvailable in
/// reverse mode.
template <class F, class Tangent>
auto custom_jvp(F function, Tangent tangent,
                std::source_location where = std::source_location::current()) {
  return CustomJvp<F, Tangent>(std::move(function), std::move(tangent), where);
}

}  // namespace isofield
