#include "isofield/mfg/expression_array.hpp"

#include <array>
#include <cmath>
#include <memory>
#include <stdexcept>
#include <unordered_map>
#include <variant>

namespace isofield::mfg {

namespace {

// A value while an expression is built: numbers stay numbers, so that they fold and become
// immediates of a program.
using Value = std::variant<double, UnifiedArray>;

bool is_number(const Value& v) { return std::holds_alternative<double>(v); }

class Builder {
 public:
  Builder(const std::map<std::string, UnifiedArray>& variables, DType dtype)
      : variables_(variables), dtype_(dtype) {}

  // Shared nodes are built once.
  Value build(const Expression& e) {
    const auto found = memo_.find(e.id());
    if (found != memo_.end()) return found->second;
    Value value = make(e);
    memo_.emplace(e.id(), value);
    return value;
  }

  UnifiedArray number(const Value& v, const UnifiedArray& like) const {
    if (is_number(v)) return full(Shape{}, std::get<double>(v), dtype_, &like.backend());
    return numeric(v);
  }
  UnifiedArray condition(const Value& v, const UnifiedArray& like) const {
    if (is_number(v)) return full(Shape{}, std::get<double>(v) != 0.0, &like.backend());
    return truth(v);
  }

 private:
  Value make(const Expression& e) {
    if (e.op() == ExpressionOp::number) return e.value();
    if (e.op() == ExpressionOp::variable) {
      const auto found = variables_.find(e.name());
      if (found == variables_.end())
        throw std::out_of_range("expression: no array for the variable '" + e.name() + "'");
      return found->second;
    }
    std::vector<Value> v;
    bool constant = true;
    for (const Expression& child : e.children()) {
      v.push_back(build(child));
      constant = constant && is_number(v.back());
    }
    if (constant) {
      std::vector<double> numbers;
      for (const Value& x : v) numbers.push_back(std::get<double>(x));
      return apply_scalar(e.op(), numbers);
    }
    return v.size() == 1   ? unary(e.op(), v[0])
           : v.size() == 2 ? binary(e.op(), v[0], v[1])
                           : choose(v);
  }

  UnifiedArray numeric(const Value& v) const {
    const auto& x = std::get<UnifiedArray>(v);
    return x.dtype() == dtype_ ? x : x.astype(dtype_);
  }
  static UnifiedArray truth(const Value& v) {
    const auto& x = std::get<UnifiedArray>(v);
    return x.dtype() == bool_ ? x : x != 0.0;
  }

  UnifiedArray unary(ExpressionOp op, const Value& v) const {
    if (op == ExpressionOp::logical_not) return !truth(v);
    const UnifiedArray x = numeric(v);
    switch (op) {
      case ExpressionOp::negate: return -x;
      case ExpressionOp::abs: return abs(x);
      case ExpressionOp::exp: return exp(x);
      case ExpressionOp::log: return log(x);
      case ExpressionOp::sqrt: return sqrt(x);
      case ExpressionOp::sin: return sin(x);
      case ExpressionOp::cos: return cos(x);
      case ExpressionOp::tan: return tan(x);
      case ExpressionOp::tanh: return tanh(x);
      case ExpressionOp::erf: return erf(x);
      case ExpressionOp::floor: return floor(x);
      case ExpressionOp::sign: return sign(x);
      default: throw std::logic_error("expression: not an operation of one operand");
    }
  }

  // Call `f` on two operands, of which at most one is a number.
  template <class F>
  UnifiedArray call(F f, const Value& a, const Value& b) const {
    if (is_number(a)) return f(std::get<double>(a), numeric(b));
    if (is_number(b)) return f(numeric(a), std::get<double>(b));
    return f(numeric(a), numeric(b));
  }

  UnifiedArray logical(ExpressionOp op, const Value& a, const Value& b) const {
    const bool conjunction = op == ExpressionOp::logical_and;
    if (is_number(a) || is_number(b)) {
      const bool known = std::get<double>(is_number(a) ? a : b) != 0.0;
      const UnifiedArray other = truth(is_number(a) ? b : a);
      if (known == conjunction) return other;
      return full_like(other, known);
    }
    return conjunction ? truth(a) && truth(b) : truth(a) || truth(b);
  }

  UnifiedArray power_of(const Value& a, const Value& b) const {
    if (is_number(b)) {
      const UnifiedArray x = numeric(a);
      const double exponent = std::get<double>(b);
      // Small whole powers are products: cheaper, and exact in the same way on every backend.
      if (exponent == 1.0) return x;
      if (exponent == 2.0) return square(x);
      if (exponent == 3.0) return square(x) * x;
      if (exponent == 4.0) return square(square(x));
      if (exponent == -1.0) return 1.0 / x;
      if (exponent == 0.5) return sqrt(x);
    }
    return call([](auto&& x, auto&& y) { return power(x, y); }, a, b);
  }

  UnifiedArray binary(ExpressionOp op, const Value& a, const Value& b) const {
    switch (op) {
      case ExpressionOp::add: return call([](auto&& x, auto&& y) { return x + y; }, a, b);
      case ExpressionOp::subtract: return call([](auto&& x, auto&& y) { return x - y; }, a, b);
      case ExpressionOp::multiply: return call([](auto&& x, auto&& y) { return x * y; }, a, b);
      case ExpressionOp::divide: return call([](auto&& x, auto&& y) { return x / y; }, a, b);
      case ExpressionOp::power: return power_of(a, b);
      case ExpressionOp::minimum:
        return call([](auto&& x, auto&& y) { return minimum(x, y); }, a, b);
      case ExpressionOp::maximum:
        return call([](auto&& x, auto&& y) { return maximum(x, y); }, a, b);
      case ExpressionOp::mod: return call([](auto&& x, auto&& y) { return remainder(x, y); }, a, b);
      case ExpressionOp::less: return call([](auto&& x, auto&& y) { return x < y; }, a, b);
      case ExpressionOp::less_equal: return call([](auto&& x, auto&& y) { return x <= y; }, a, b);
      case ExpressionOp::greater: return call([](auto&& x, auto&& y) { return x > y; }, a, b);
      case ExpressionOp::greater_equal:
        return call([](auto&& x, auto&& y) { return x >= y; }, a, b);
      case ExpressionOp::equal: return call([](auto&& x, auto&& y) { return x == y; }, a, b);
      case ExpressionOp::not_equal: return call([](auto&& x, auto&& y) { return x != y; }, a, b);
      case ExpressionOp::logical_and:
      case ExpressionOp::logical_or: return logical(op, a, b);
      default: throw std::logic_error("expression: not an operation of two operands");
    }
  }

  Value choose(const std::vector<Value>& v) const {
    if (is_number(v[0])) return std::get<double>(v[0]) != 0.0 ? v[1] : v[2];
    const UnifiedArray condition = truth(v[0]);
    if (is_number(v[1]) && is_number(v[2])) {
      // Two numbers alone would make an array of the default dtype.
      return where(condition, full(Shape{}, std::get<double>(v[1]), dtype_, &condition.backend()),
                   std::get<double>(v[2]));
    }
    return call([&](auto&& x, auto&& y) { return where(condition, x, y); }, v[1], v[2]);
  }

  const std::map<std::string, UnifiedArray>& variables_;
  DType dtype_;
  std::unordered_map<const void*, Value> memo_;
};

constexpr std::array<const char*, 3> axis_names = {"x", "y", "z"};

std::map<std::string, UnifiedArray> space(const Grid& grid) {
  std::map<std::string, UnifiedArray> variables;
  for (int k = 0; k < grid.axes(); ++k)
    variables.emplace(axis_names[static_cast<std::size_t>(k)], grid.coordinate(k));
  return variables;
}

// The mean of a coordinate under a density, at each level: sum x_k m / sum m.
UnifiedArray mean_of(const Grid& grid, const UnifiedArray& m, int k) {
  return grid.sum_cells(m * grid.coordinate(k)) / grid.sum_cells(m);
}

// Arrays for what `expression` mentions of one density: m, or m_NAME, its means and convolution.
void add_density(std::map<std::string, UnifiedArray>& variables, const Expression& expression,
                 const Grid& grid, const UnifiedArray& m, const std::string& suffix,
                 const std::optional<NamedConvolution>& convolved) {
  if (expression.depends_on("m" + suffix)) variables.emplace("m" + suffix, m);
  for (int k = 0; k < grid.axes(); ++k) {
    const std::string mean =
        std::string("mean_") + axis_names[static_cast<std::size_t>(k)] + suffix;
    if (expression.depends_on(mean)) variables.emplace(mean, mean_of(grid, m, k));
  }
  if (convolved && expression.depends_on(convolved->name + suffix))
    variables.emplace(convolved->name + suffix, convolved->convolution(grid, m));
}

}  // namespace

UnifiedArray evaluate(const Expression& expression,
                      const std::map<std::string, UnifiedArray>& variables,
                      const UnifiedArray& like) {
  Builder builder(variables, like.dtype());
  return builder.number(builder.build(expression), like);
}

UnifiedArray evaluate_condition(const Expression& expression,
                                const std::map<std::string, UnifiedArray>& variables,
                                const UnifiedArray& like) {
  Builder builder(variables, like.dtype());
  return builder.condition(builder.build(expression), like);
}

Cost expression_cost(const Expression& expression, const std::vector<DensityNames>& populations,
                     std::size_t own) {
  return [=](const CostInput& in) {
    auto variables = space(in.grid);
    variables.emplace("t", in.t);
    add_density(variables, expression, in.grid, in.m, "",
                populations.empty() ? std::nullopt : populations[own].convolution);
    for (std::size_t p = 0; p < populations.size(); ++p)
      add_density(variables, expression, in.grid, in.all[p], "_" + populations[p].population,
                  populations[p].convolution);
    return evaluate(expression, variables, in.m);
  };
}

Convolution expression_kernel(const Expression& expression, double weight) {
  return Convolution([=](const std::vector<UnifiedArray>& offsets) {
    std::map<std::string, UnifiedArray> variables;
    for (std::size_t k = 0; k < offsets.size(); ++k) variables.emplace(axis_names[k], offsets[k]);
    return weight * evaluate(expression, variables, offsets[0]);
  });
}

Velocity expression_velocity(const std::vector<Expression>& components) {
  return [components](const Grid& grid, const UnifiedArray& t) {
    auto variables = space(grid);
    variables.emplace("t", t);
    std::vector<UnifiedArray> velocity;
    for (const Expression& e : components) velocity.push_back(evaluate(e, variables, t));
    return velocity;
  };
}

Field expression_field(const Expression& expression) {
  return [expression](const Grid& grid) {
    return evaluate(expression, space(grid), grid.coordinate(0));
  };
}

}  // namespace isofield::mfg
