// Functions whose way back is given by the user, or runs them once more.

#include <isofield/differentiation.hpp>
#include <isofield/ops.hpp>
#include <isofield/vmap.hpp>

#include "transforms/forward.hpp"
#include "transforms/rules.hpp"
#include "transforms/tape.hpp"

namespace isofield {
namespace detail {
namespace {

Arrays arrays_of(std::span<const Operand> operands) {
  Arrays result;
  for (const auto& o : operands) result.push_back(o.array());
  return result;
}

std::vector<std::optional<int>> axes_of(const std::vector<bool>& batched) {
  std::vector<std::optional<int>> axes;
  for (const bool b : batched) axes.push_back(b ? std::optional(0) : std::nullopt);
  return axes;
}

Arrays mapped_first(const ListFunction& f, std::span<const UnifiedArray> list,
                    const std::vector<bool>& batched, const Asked& asked) {
  const int first = 0;
  return mapped(f, list, axes_of(batched), {&first, 1}, asked);
}

/// Values that still depend on what a tape records came from something that the function captured.
void check_captured(const Arrays& values, const Transform* transform, const Asked& asked) {
  for (const auto& v : values)
    if (transform && transform->wraps(*v.node()))
      throw Error(std::string(asked.operation) +
                  ": the function captures an array that is being differentiated; make it an "
                  "argument" +
                  at(asked.where));
}

class StopGradient final : public LinearPrimitive {
 public:
  std::string_view name() const noexcept override { return "stop_gradient"; }
  bool depends_on(std::size_t) const noexcept override { return false; }
  Arrays apply(std::span<Operand> in) const override { return {stop_gradient(std::move(in[0]))}; }
  UnifiedArray transpose(UnifiedArray ct) const override { return ct; }
  Arrays batch(std::span<Operand> in, const std::vector<bool>&, std::int64_t) const override {
    return apply(in);
  }
};

/// Its results are the function's, and then what is kept for the way back.
class Custom final : public Primitive {
 public:
  Custom(CustomFunctions functions, const Asked& asked, const Transform* transform)
      : functions_(std::move(functions)), asked_(asked), transform_(transform) {}
  std::string_view name() const noexcept override { return asked_.operation; }
  bool reads(std::size_t) const noexcept override { return false; }
  std::size_t results() const noexcept { return results_; }

  Arrays apply(std::span<Operand> in) const override {
    auto [values, kept] = functions_.forward(arrays_of(in));
    results_ = values.size();
    values.insert(values.end(), kept.begin(), kept.end());
    check_captured(values, transform_, asked_);
    return std::move(values);
  }
  void pull(Pull& pull) const override {
    const Arrays by = functions_.backward(pull.call.out.subspan(results_),
                                          std::span(pull.cotangents).first(results_));
    for (std::size_t k = 0; k < by.size(); ++k)
      if (pull.wants(k)) pull.add(k, by[k]);
  }
  std::vector<Maybe> push(const Application&, std::span<const Maybe>) const override {
    throw NotAvailable(std::string(asked_.operation) + ": there is no derivative in forward mode" +
                       at(asked_.where));
  }
  Arrays batch(std::span<Operand> in, const std::vector<bool>& batched,
               std::int64_t) const override {
    const Arrays arguments = arrays_of(in);
    CustomFunctions all;
    all.value = [f = functions_, batched, asked = asked_](std::span<const UnifiedArray> list) {
      return mapped_first(f.value, list, batched, asked);
    };
    const auto count = std::make_shared<std::size_t>();
    all.forward = [f = functions_, batched, count, asked = asked_](auto list) {
      const auto both = [&](std::span<const UnifiedArray> one) {
        auto [values, kept] = f.forward(one);
        *count = values.size();
        values.insert(values.end(), kept.begin(), kept.end());
        return values;
      };
      Arrays values = mapped_first(both, list, batched, asked);
      const auto middle = values.begin() + static_cast<std::ptrdiff_t>(*count);
      Arrays kept(middle, values.end());
      values.erase(middle, values.end());
      return std::pair(std::move(values), std::move(kept));
    };
    all.backward = [f = functions_, batched, asked = asked_](auto kept, auto cotangents) {
      Arrays list(kept.begin(), kept.end());
      list.insert(list.end(), cotangents.begin(), cotangents.end());
      const auto split = [&](std::span<const UnifiedArray> one) {
        return f.backward(one.first(kept.size()), one.subspan(kept.size()));
      };
      Arrays by = mapped_first(split, list, std::vector<bool>(list.size(), true), asked);
      for (std::size_t k = 0; k < by.size(); ++k)
        if (!batched[k]) by[k] = sum(by[k], {0});
      return by;
    };
    Arrays values = custom_call(std::move(all), arguments, asked_);
    results_ = values.size();
    return values;
  }

 private:
  CustomFunctions functions_;
  Asked asked_;
  const Transform* transform_;
  mutable std::size_t results_ = 0;
};

class Checkpoint final : public Primitive {
 public:
  Checkpoint(ListFunction f, const Asked& asked, const Transform* transform)
      : f_(std::move(f)), asked_(asked), transform_(transform) {}
  std::string_view name() const noexcept override { return asked_.operation; }
  bool reads_results() const noexcept override { return false; }

  Arrays apply(std::span<Operand> in) const override {
    Arrays values = f_(arrays_of(in));
    check_captured(values, transform_, asked_);
    // What is pending would keep what it is made of.
    std::vector<NodePtr> nodes;
    for (const auto& v : values) nodes.push_back(innermost(v.node()));
    evaluate(nodes);
    return values;
  }
  void pull(Pull& pull) const override {
    const Arrays arguments = arrays_of(pull.call.in);
    // Of integers there are none.
    std::vector<std::size_t> smooth;
    Arrays by_smooth;
    for (std::size_t k = 0; k < arguments.size(); ++k)
      if (is_inexact(arguments[k].dtype())) {
        smooth.push_back(k);
        by_smooth.push_back(arguments[k]);
      }
    const auto f = [&](std::span<const UnifiedArray> list) {
      Arrays all = arguments;
      for (std::size_t i = 0; i < smooth.size(); ++i) all[smooth[i]] = list[i];
      return f_(all);
    };
    const Arrays by = pulled_once(f, by_smooth, pull.cotangents, asked_);
    for (std::size_t i = 0; i < smooth.size(); ++i)
      if (pull.wants(smooth[i])) pull.add(smooth[i], by[i]);
  }
  std::vector<Maybe> push(const Application&, std::span<const Maybe>) const override {
    return {};  // forward mode runs the function itself
  }
  Arrays batch(std::span<Operand> in, const std::vector<bool>& batched,
               std::int64_t) const override {
    const auto f = [f = f_, batched, asked = asked_](std::span<const UnifiedArray> list) {
      return mapped_first(f, list, batched, asked);
    };
    return checkpointed_call(f, arrays_of(in), asked_);
  }

 private:
  ListFunction f_;
  Asked asked_;
  const Transform* transform_;
};

std::vector<Operand> operands_of(const Arrays& arrays, const Asked& asked) {
  std::vector<Operand> operands;
  for (const auto& a : arrays) operands.emplace_back(a, asked.where);
  return operands;
}

}  // namespace

Arrays custom_call(CustomFunctions functions, const Arrays& arguments, const Asked& asked) {
  std::vector<Operand> operands = operands_of(arguments, asked);
  if (!wrapped(operands)) return functions.value(arguments);
  const auto rule = std::make_shared<Custom>(std::move(functions), asked, transform_of(operands));
  Arrays values = transformed(rule, operands);
  values.erase(values.begin() + static_cast<std::ptrdiff_t>(rule->results()), values.end());
  return values;
}

Arrays checkpointed_call(ListFunction f, const Arrays& arguments, const Asked& asked) {
  std::vector<Operand> operands = operands_of(arguments, asked);
  if (!wrapped(operands)) return f(arguments);
  const Transform* const transform = transform_of(operands);
  if (dynamic_cast<const Forward*>(transform)) return f(arguments);
  return transformed(std::make_shared<Checkpoint>(std::move(f), asked, transform), operands);
}

}  // namespace detail

UnifiedArray stop_gradient(Operand x) {
  if (detail::wrapped(x))
    return detail::transformed(std::make_shared<detail::StopGradient>(), std::move(x));
  return x.is_scalar() ? asarray(x.scalar()) : x.array();
}

}  // namespace isofield
