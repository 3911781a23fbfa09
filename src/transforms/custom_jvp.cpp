// Functions whose derivative in forward mode is given by the user.

#include <isofield/custom_jvp.hpp>
#include <isofield/ops.hpp>
#include <isofield/vmap.hpp>

#include "transforms/rules.hpp"

namespace isofield::detail {
namespace {

Arrays arrays_of(std::span<const Operand> operands) {
  Arrays result;
  for (const auto& o : operands) result.push_back(o.array());
  return result;
}

class CustomPush final : public Primitive {
 public:
  CustomPush(CustomForward functions, const Asked& asked)
      : functions_(std::move(functions)), asked_(asked) {}
  std::string_view name() const noexcept override { return asked_.operation; }
  bool reads_results() const noexcept override { return false; }

  Arrays apply(std::span<Operand> in) const override { return functions_.value(arrays_of(in)); }
  void pull(Pull&) const override {
    throw NotAvailable(std::string(asked_.operation) + ": there is no derivative in reverse mode" +
                       at(asked_.where));
  }
  std::vector<Maybe> push(const Application& call, std::span<const Maybe> in) const override {
    const Arrays arguments = arrays_of(call.in);
    Arrays changes;
    for (std::size_t k = 0; k < arguments.size(); ++k)
      changes.push_back(in[k] ? *in[k] : zeros_like(arguments[k]));
    std::vector<Maybe> tangents;
    for (UnifiedArray& x : functions_.tangent(arguments, changes)) tangents.emplace_back(x);
    return tangents;
  }
  Arrays batch(std::span<Operand> in, const std::vector<bool>& batched,
               std::int64_t) const override {
    CustomForward all;
    all.value = [f = functions_.value, batched, asked = asked_](auto list) {
      return first_axes(f, list, batched, asked);
    };
    all.tangent = [f = functions_.tangent, batched, asked = asked_](auto list, auto changes) {
      Arrays both(list.begin(), list.end());
      both.insert(both.end(), changes.begin(), changes.end());
      const auto split = [&](std::span<const UnifiedArray> one) {
        return f(one.first(list.size()), one.subspan(list.size()));
      };
      std::vector<bool> of_both = batched;
      of_both.insert(of_both.end(), batched.begin(), batched.end());
      return first_axes(split, both, of_both, asked);
    };
    return custom_forward_call(std::move(all), arrays_of(in), asked_);
  }

 private:
  static Arrays first_axes(const ListFunction& f, std::span<const UnifiedArray> list,
                           const std::vector<bool>& batched, const Asked& asked) {
    std::vector<std::optional<int>> axes;
    for (const bool b : batched) axes.push_back(b ? std::optional(0) : std::nullopt);
    const int first = 0;
    return mapped(f, list, axes, {&first, 1}, asked);
  }

  CustomForward functions_;
  Asked asked_;
};

}  // namespace

Arrays custom_forward_call(CustomForward functions, const Arrays& arguments, const Asked& asked) {
  std::vector<Operand> operands;
  for (const auto& a : arguments) operands.emplace_back(a, asked.where);
  if (!wrapped(operands)) return functions.value(arguments);
  return transformed(std::make_shared<CustomPush>(std::move(functions), asked), operands);
}

}  // namespace isofield::detail
