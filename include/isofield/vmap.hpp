#pragma once

#include <isofield/structure.hpp>

namespace isofield {

namespace detail {
/// One call for a batch along axis `in[i]` of argument i, or shared by all where there is none;
/// result k has the batch along axis `out[k]`.
Arrays mapped(const ListFunction& f, std::span<const UnifiedArray> arguments,
              std::span<const std::optional<int>> in, std::span<const int> out, const Asked& asked);
/// Throws Error unless there is an axis for each argument, or none at all.
void check_axes(std::size_t axes, std::size_t arguments, const Asked& asked);
}  // namespace detail

/// A function for one, called for a batch; see `vmap`.
template <class F>
class Vmap {
 public:
  Vmap(F function, std::vector<std::optional<int>> in, std::vector<int> out,
       std::source_location where)
      : function_(std::move(function)), in_(std::move(in)), out_(std::move(out)), where_(where) {}

  template <class... A>
  auto operator()(const A&... arguments) const {
    const detail::Asked asked{"vmap", where_};
    detail::check_axes(in_.size(), sizeof...(A), asked);
    const auto f = detail::listed(function_, arguments...);
    // The axis of an argument is that of all arrays in it.
    std::vector<std::optional<int>> in;
    std::size_t i = 0;
    (in.resize(in.size() + detail::leaves(static_cast<const detail::Plain<A>&>(arguments)).size(),
               in_.empty() ? std::optional(0) : in_[i++]),
     ...);
    return f.result(detail::mapped(f.function(), f.arguments(), in, out_, asked));
  }

 private:
  F function_;
  std::vector<std::optional<int>> in_;
  std::vector<int> out_;
  std::source_location where_;
};

/// Make a function of a batch from a function of one: `vmap(f)(xs)` is f of each of xs(0), xs(1),
/// ..., computed together. Inside, arrays have the shape that they have for one. `in_axes` says
/// along which axis of each argument the batch lies, std::nullopt which arguments all share; all
/// along their first where it is empty. Results have it along `out_axes`, one for all or one for
/// each array. Elements cannot be read inside. Throws ShapeError where batches differ in length.
template <class F>
Vmap<F> vmap(F function, std::vector<std::optional<int>> in_axes = {},
             std::vector<int> out_axes = {0},
             std::source_location where = std::source_location::current()) {
  return {std::move(function), std::move(in_axes), std::move(out_axes), where};
}

}  // namespace isofield
