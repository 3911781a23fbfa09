#include "transforms/batch.hpp"

#include "transforms/rules.hpp"

namespace isofield::detail {

UnifiedArray Batch::track(const UnifiedArray& all) {
  Shape shape = all.shape();
  shape.erase(0);
  return wrap(shape, {nullptr, all.node(), nullptr, -1});
}

UnifiedArray Batch::take(const UnifiedArray& result) const {
  if (wraps(*result.node())) return UnifiedArray(result.node()->wrapped->value);
  return with_batch(result, false, size_, result.dtype());
}

Arrays Batch::apply(const Rule& rule, std::span<Operand> in) {
  std::vector<Operand> values;
  std::vector<bool> batched;
  for (auto& x : in) {
    batched.push_back(wraps(x));
    values.push_back(batched.back() ? unwrapped(std::move(x)) : std::move(x));
  }
  Arrays out = rule->batch(values, batched, size_);
  for (auto& y : out) y = track(y);
  return out;
}

}  // namespace isofield::detail
