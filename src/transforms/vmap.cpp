#include <isofield/vmap.hpp>

#include <isofield/ops.hpp>

#include "core/emit.hpp"
#include "transforms/batch.hpp"
#include "transforms/rules.hpp"

namespace isofield::detail {
namespace {

/// Move one axis to another place.
UnifiedArray moved(const UnifiedArray& x, int from, int to) {
  if (from == to) return x;
  std::vector<int> axes;
  for (int k = 0; k < x.ndim(); ++k)
    if (k != from) axes.push_back(k);
  axes.insert(axes.begin() + to, from);
  return permute_dims(x, axes);
}

int checked_axis(int axis, const UnifiedArray& x, std::string_view what, const Asked& asked) {
  const Place place{x.backend(), x.dtype(), asked.where};
  return located(place, [&] {
    return normalize_axis(axis, x.ndim(), std::string(asked.operation) + ": " + std::string(what));
  });
}

/// Counts the functions of batches that users ask for. A Jacobian is a batch of tangents: what a
/// function draws is the same for all of them, as it has to be.
class ScopedBatch {
 public:
  explicit ScopedBatch(const Asked& asked) noexcept
      : counted_(asked.operation == "jacobian" ? 0 : 1) {
    batch_depth += counted_;
  }
  ~ScopedBatch() { batch_depth -= counted_; }
  ScopedBatch(const ScopedBatch&) = delete;
  ScopedBatch& operator=(const ScopedBatch&) = delete;

 private:
  int counted_;
};

}  // namespace

void check_axes(std::size_t axes, std::size_t arguments, const Asked& asked) {
  if (axes != 0 && axes != arguments)
    throw ArgumentError(std::string(asked.operation) + ": " + std::to_string(axes) +
                        " in_axes for " + std::to_string(arguments) + " arguments" +
                        at(asked.where));
}

Arrays mapped(const ListFunction& f, std::span<const UnifiedArray> arguments,
              std::span<const std::optional<int>> in, std::span<const int> out,
              const Asked& asked) {
  std::optional<std::int64_t> size;
  Arrays first;  // the arguments, with the batch along the first axis
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const UnifiedArray& x = arguments[i];
    if (!in[i]) {
      first.push_back(x);
      continue;
    }
    const int axis = checked_axis(*in[i], x, "in_axes", asked);
    const std::int64_t n = x.shape()[axis];
    if (size && *size != n)
      throw ShapeError(std::string(asked.operation) + ": batches of " + std::to_string(*size) +
                       " and of " + std::to_string(n) + ", array " + std::to_string(i) +
                       " of shape " + to_string(x.shape()) +
                       context(x.backend(), x.dtype(), asked.where));
    size = n;
    first.push_back(moved(x, axis, 0));
  }
  if (!size)
    throw ArgumentError(std::string(asked.operation) + ": no argument has an axis to map over" +
                        at(asked.where));
  const auto batch = std::make_shared<Batch>(*size);
  const ScopedTransform scope(*batch);
  const ScopedBatch inside(asked);
  for (std::size_t i = 0; i < first.size(); ++i)
    if (in[i]) first[i] = batch->track(first[i]);
  Arrays results = f(first);
  if (out.size() != 1 && out.size() != results.size())
    throw ArgumentError(std::string(asked.operation) + ": " + std::to_string(out.size()) +
                        " out_axes for " + std::to_string(results.size()) + " arrays" +
                        at(asked.where));
  for (std::size_t k = 0; k < results.size(); ++k) {
    const UnifiedArray all = batch->take(results[k]);
    results[k] = moved(all, 0, checked_axis(out[out.size() == 1 ? 0 : k], all, "out_axes", asked));
  }
  return results;
}

}  // namespace isofield::detail
