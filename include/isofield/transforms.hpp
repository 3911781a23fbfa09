#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <isofield/array.hpp>
#include <memory>
#include <span>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace isofield {

namespace detail {
/// What has been traced of a function: one recording per (shapes, dtypes, backends) of its
/// arguments.
class Traces {
 public:
  using Function = std::function<std::vector<UnifiedArray>(std::span<const UnifiedArray>)>;
  /// The arguments of a call, and bit i for each that the caller gives away.
  struct Arguments {
    std::span<const UnifiedArray* const> list;
    std::uint64_t donated = 0;
  };
  Traces();
  /// Replay `function` on `arguments`, tracing it first if need be. It must be the same at each
  /// call.
  std::vector<UnifiedArray> call(const Function& function, const Arguments& arguments) const;
  /// The same for a function known to give as many results as `results` takes.
  void call(const Function& function, const Arguments& arguments, std::span<NodePtr> results) const;
  int count() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

/// A function of a list of arrays with its traces, for those who keep one as a member.
class TracedFunction {
 public:
  using Function = Traces::Function;
  explicit TracedFunction(Function function) : function_(std::move(function)) {}
  std::vector<UnifiedArray> operator()(std::span<const UnifiedArray> arguments) const;
  int traces() const { return traces_.count(); }

 private:
  Function function_;
  Traces traces_;
};

/// How a traced function's results travel: a list of arrays, or as many nodes as its type says.
template <class T>
struct Results {
  static std::vector<UnifiedArray> pack(T value) { return {std::move(value)}; }
  static T call(const Traces& traces, const Traces::Function& function,
                const Traces::Arguments& arguments) {
    NodePtr result;
    traces.call(function, arguments, std::span(&result, 1));
    return T(std::move(result));
  }
};
template <class... A>
struct Results<std::tuple<A...>> {
  static std::vector<UnifiedArray> pack(std::tuple<A...> value) {
    return std::apply([](auto&&... a) { return std::vector<UnifiedArray>{std::move(a)...}; },
                      std::move(value));
  }
  static std::tuple<A...> call(const Traces& traces, const Traces::Function& function,
                               const Traces::Arguments& arguments) {
    std::array<NodePtr, sizeof...(A)> results;
    traces.call(function, arguments, results);
    return std::apply([](auto&&... r) { return std::tuple<A...>(A(std::move(r))...); },
                      std::move(results));
  }
};
template <>
struct Results<std::vector<UnifiedArray>> {
  static std::vector<UnifiedArray> pack(std::vector<UnifiedArray> value) { return value; }
  static std::vector<UnifiedArray> call(const Traces& traces, const Traces::Function& function,
                                        const Traces::Arguments& arguments) {
    return traces.call(function, arguments);
  }
};
}  // namespace detail

/// A jitted function; see `jit`. Copies share what has been traced. Any thread may call it.
template <class F>
class Jit {
 public:
  explicit Jit(F function) : function_(std::make_shared<F>(std::move(function))) {}

  template <class... A>
  auto operator()(A&&... arguments) const {
    static_assert((std::is_base_of_v<UnifiedArray, std::remove_cvref_t<A>> && ...),
                  "jit: arguments are arrays; make a scalar that changes an array of rank 0");
    using Given =
        std::decay_t<decltype((*function_)(static_cast<const UnifiedArray&>(arguments)...))>;
    using Result = std::conditional_t<std::is_base_of_v<UnifiedArray, Given>, UnifiedArray, Given>;
    const auto traced = [&f = *function_](std::span<const UnifiedArray> list) {
      return [&]<std::size_t... I>(std::index_sequence<I...>) {
        return detail::Results<Result>::pack(f(list[I]...));
      }
      (std::index_sequence_for<A...>{});
    };
    // What is moved in lives here from now on, and nowhere else.
    const std::tuple<Held<A>...> held(std::forward<A>(arguments)...);
    return std::apply(
        [&](const auto&... a) {
          const std::array<const UnifiedArray*, sizeof...(A)> list{&a...};
          std::uint64_t donated = 0, bit = 1;
          ((donated |= std::is_same_v<A, UnifiedArray> ? bit : 0, bit <<= 1), ...);
          return detail::Results<Result>::call(traces_, traced, {list, donated});
        },
        held);
  }

  /// How often the function has been traced.
  int traces() const { return traces_.count(); }

 private:
  template <class A>
  using Held =
      std::conditional_t<std::is_same_v<A, UnifiedArray>, UnifiedArray, const UnifiedArray&>;
  std::shared_ptr<F> function_;
  detail::Traces traces_;
};

/// Make a function of arrays fast to call again: its operations are recorded at the first call for
/// given shapes, dtypes and backend, and replayed after without building expressions. The function
/// must take `const UnifiedArray&`s and give an array, a tuple or a vector of them. Scalars it
/// captures are fixed at the trace; reading a value (`item`) inside it is an error. An array that
/// is moved in, `u = step(std::move(u))`, gives its memory to a result where it is last read before
/// that is written; otherwise, and where somebody else holds it too, results get memory of their
/// own.
template <class F>
Jit<F> jit(F function) {
  return Jit<F>(std::move(function));
}

}  // namespace isofield
