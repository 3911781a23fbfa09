#include "transforms/tape.hpp"

#include <isofield/ops.hpp>

#include "transforms/rules.hpp"

namespace isofield::detail {
namespace {

UnifiedArray zeros_of(const Shape& shape, DType dtype, BaseBackend& backend) {
  return zeros(shape, dtype, &backend);
}

}  // namespace

void Tape::Kept::count(int by) noexcept {
  if (Node* const node = operand_.node().get())
    node->kept.fetch_add(static_cast<std::uint32_t>(by), std::memory_order_relaxed);
}

/// Cotangents of all variables while they are gathered.
class Tape::Accumulator final : public Pull {
 public:
  Accumulator(Tape& tape) : tape_(tape), sums_(tape.variables_.size()) {}

  void add(std::size_t k, UnifiedArray cotangent) override { add_to(entry_->in[k], cotangent); }

  void add_at(std::size_t k, std::span<const Index> part, UnifiedArray cotangent) override {
    const Variable& v = tape_.variables_[static_cast<std::size_t>(entry_->in[k])];
    Maybe& sum = sums_[static_cast<std::size_t>(entry_->in[k])];
    UnifiedArray whole =
        sum ? *std::exchange(sum, std::nullopt) : zeros_of(v.shape, v.dtype, *v.backend);
    const UnifiedArray before = whole.index(part).copy();
    whole.assign(part, (before + cotangent).astype(v.dtype));
    sum = std::move(whole);
  }

  bool wants(std::size_t k) const override { return entry_->in[k] >= 0; }

  void add_to(int variable, const UnifiedArray& cotangent) {
    const Variable& v = tape_.variables_[static_cast<std::size_t>(variable)];
    Maybe& sum = sums_[static_cast<std::size_t>(variable)];
    UnifiedArray term = fitted(cotangent, v.shape, v.dtype);
    sum = sum ? *std::exchange(sum, std::nullopt) + std::move(term) : std::move(term);
  }

  /// Take the cotangents of an entry's results to its operands, if there are any.
  void visit(const Entry& entry) {
    bool any = false;
    for (const int v : entry.out) any = any || (v >= 0 && sums_[static_cast<std::size_t>(v)]);
    if (!any) return;
    entry_ = &entry;
    std::vector<Operand> in;
    for (const auto& kept : entry.operands) in.push_back(kept.operand());
    Arrays out;
    for (const auto& kept : entry.results) out.push_back(kept.operand().array());
    call = {in, out};
    cotangents.clear();
    given.clear();
    for (const int v : entry.out) {
      given.push_back(v >= 0 && sums_[static_cast<std::size_t>(v)]);
      cotangents.push_back(v >= 0 ? take(v) : UnifiedArray());
    }
    entry.rule->pull(*this);
    call = {};
    cotangents.clear();
  }

  /// The sum of a variable; zeros where nothing has come.
  UnifiedArray take(int variable) {
    const Variable& v = tape_.variables_[static_cast<std::size_t>(variable)];
    Maybe& sum = sums_[static_cast<std::size_t>(variable)];
    if (sum) return *std::exchange(sum, std::nullopt);
    return zeros_of(v.shape, v.dtype, *v.backend);
  }

 private:
  Tape& tape_;
  const Entry* entry_ = nullptr;
  std::vector<Maybe> sums_;
};

int Tape::new_variable(const Node& value) {
  variables_.push_back({value.shape, value.dtype, value.backend});
  return static_cast<int>(variables_.size()) - 1;
}

UnifiedArray Tape::track(UnifiedArray value) {
  const int variable = new_variable(*value.node());
  const Shape shape = value.shape();
  return wrap(shape, {nullptr, value.node(), nullptr, variable});
}

int Tape::variable(const UnifiedArray& array) const noexcept {
  return wraps(*array.node()) ? array.node()->wrapped->variable : -1;
}

UnifiedArray Tape::value(const UnifiedArray& array) const {
  return wraps(*array.node()) ? UnifiedArray(array.node()->wrapped->value) : array;
}

Arrays Tape::apply(const Rule& rule, std::span<Operand> in) {
  Entry entry;
  entry.rule = rule;
  bool smooth = false;
  std::vector<Operand> values;
  values.reserve(in.size());
  for (std::size_t k = 0; k < in.size(); ++k) {
    const bool ours = wraps(in[k]);
    const int variable = ours && rule->depends_on(k) ? in[k].node()->wrapped->variable : -1;
    entry.in.push_back(variable);
    smooth = smooth || variable >= 0;
    values.push_back(ours ? unwrapped(std::move(in[k])) : std::move(in[k]));
  }
  if (!smooth) return rule->apply(values);
  for (std::size_t k = 0; k < values.size(); ++k)
    entry.operands.emplace_back(rule->reads(k) ? values[k] : Operand(Scalar(0)));
  Arrays out = rule->apply(values);
  if (rule->reads_results())
    for (const auto& y : out) entry.results.emplace_back(Operand(y));
  for (auto& y : out) {
    if (!is_inexact(y.dtype())) {
      entry.out.push_back(-1);
      continue;
    }
    entry.out.push_back(new_variable(*y.node()));
    const Shape shape = y.shape();
    y = wrap(shape, {nullptr, y.node(), nullptr, entry.out.back()});
  }
  entries_.push_back(std::move(entry));
  return out;
}

Arrays Tape::pull(std::vector<std::pair<int, UnifiedArray>> cotangents, std::size_t count,
                  bool last) {
  Accumulator sums(*this);
  for (auto& [variable, cotangent] : cotangents) sums.add_to(variable, cotangent);
  cotangents.clear();
  for (std::size_t i = entries_.size(); i-- > 0;) {
    sums.visit(entries_[i]);
    if (last) entries_.pop_back();
  }
  Arrays result;
  for (std::size_t i = 0; i < count; ++i) result.push_back(sums.take(static_cast<int>(i)));
  return result;
}

}  // namespace isofield::detail
