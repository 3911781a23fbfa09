#include "transforms/forward.hpp"

#include "transforms/rules.hpp"

namespace isofield::detail {

UnifiedArray Forward::track(const UnifiedArray& value, const UnifiedArray& tangent) {
  return wrap(value.shape(), {nullptr, value.node(), tangent.node(), -1});
}

std::pair<UnifiedArray, UnifiedArray> Forward::take(const UnifiedArray& result) const {
  if (!wraps(*result.node())) return {result, zeros_like(result)};
  const Wrapped& w = *result.node()->wrapped;
  return {UnifiedArray(w.value), UnifiedArray(w.tangent)};
}

Arrays Forward::apply(const Rule& rule, std::span<Operand> in) {
  std::vector<Operand> values;
  std::vector<Maybe> tangents;
  bool smooth = false;
  for (std::size_t k = 0; k < in.size(); ++k) {
    const bool ours = wraps(in[k]);
    tangents.emplace_back();
    if (ours && rule->depends_on(k)) tangents.back() = UnifiedArray(in[k].node()->wrapped->tangent);
    smooth = smooth || tangents.back();
    values.push_back(ours ? unwrapped(std::move(in[k])) : std::move(in[k]));
  }
  if (!smooth) return rule->apply(values);
  std::vector<Operand> operands = values;
  Arrays out = rule->apply(operands);
  const std::vector<Maybe> changes = rule->push({values, out}, tangents);
  for (std::size_t k = 0; k < out.size(); ++k) {
    if (!changes[k]) continue;
    UnifiedArray tangent = *changes[k];
    if (tangent.dtype() != out[k].dtype()) tangent = tangent.astype(out[k].dtype());
    if (tangent.shape() != out[k].shape()) tangent = broadcast_to(tangent, out[k].shape());
    out[k] = track(out[k], tangent);
  }
  return out;
}

}  // namespace isofield::detail
