#include "isofield/mfg/expression.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <stdexcept>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "expression_table.hpp"

namespace isofield::mfg {

struct Expression::Node {
  ExpressionOp op = ExpressionOp::number;
  double value = 0.0;
  std::string name{};
  std::vector<Expression> children{};
  std::size_t depth = 1;
};

Expression::Expression() {
  static const auto zero = std::make_shared<const Node>();
  node_ = zero;
}

Expression Expression::number(double value) {
  if (!std::isfinite(value)) throw std::invalid_argument("a number in an expression is finite");
  return Expression(std::make_shared<const Node>(Node{.value = value}));
}

Expression Expression::variable(std::string name) {
  return Expression(
      std::make_shared<const Node>(Node{.op = ExpressionOp::variable, .name = std::move(name)}));
}

Expression Expression::apply(ExpressionOp op, std::vector<Expression> children) {
  const detail::OpInfo& about = detail::info(op);
  if (about.arity == 0 || children.size() != about.arity) {
    throw std::invalid_argument("wrong number of operands for '" + std::string(about.text) + "'");
  }
  std::size_t depth = 0;
  for (const Expression& child : children) depth = std::max(depth, child.depth());
  if (depth >= max_depth) {
    throw ExpressionError(
        "the expression is nested deeper than " + std::to_string(max_depth) + " operations", "", 0);
  }
  return Expression(std::make_shared<const Node>(
      Node{.op = op, .children = std::move(children), .depth = depth + 1}));
}

ExpressionOp Expression::op() const noexcept { return node_->op; }
double Expression::value() const noexcept { return node_->value; }
const std::string& Expression::name() const noexcept { return node_->name; }
std::span<const Expression> Expression::children() const noexcept { return node_->children; }
const void* Expression::id() const noexcept { return node_.get(); }
std::size_t Expression::depth() const noexcept { return node_->depth; }

bool Expression::is_boolean() const noexcept {
  const ExpressionOp o = node_->op;
  return o == ExpressionOp::logical_not ||
         (o >= ExpressionOp::less && o <= ExpressionOp::logical_or);
}

namespace {

// Derivatives share nodes, so that walking them as trees could take exponential time: every walk
// below visits each shared node once.
void collect_variables(const Expression& e, std::unordered_set<const void*>& seen,
                       std::set<std::string>& names) {
  if (!seen.insert(e.id()).second) return;
  if (e.op() == ExpressionOp::variable) names.insert(e.name());
  for (const Expression& child : e.children()) collect_variables(child, seen, names);
}

using Values = std::map<std::string, double>;
using Memo = std::unordered_map<const void*, double>;

double evaluate_node(const Expression& e, const Values& values, Memo& memo) {
  if (e.op() == ExpressionOp::number) return e.value();
  if (e.op() == ExpressionOp::variable) {
    const auto found = values.find(e.name());
    if (found == values.end()) throw std::out_of_range("no value for '" + e.name() + "'");
    return found->second;
  }
  if (const auto found = memo.find(e.id()); found != memo.end()) return found->second;
  double operands[3] = {};
  std::size_t count = 0;
  for (const Expression& child : e.children()) {
    operands[count++] = evaluate_node(child, values, memo);
  }
  const double result = apply_scalar(e.op(), std::span<const double>(operands, count));
  memo.emplace(e.id(), result);
  return result;
}

double signum(double a) { return std::isnan(a) ? a : static_cast<double>((a > 0) - (a < 0)); }

// NaN must not vanish in a minimum, or a breakdown would go unseen.
double smaller(double a, double b) { return a <= b || std::isnan(a) ? a : b; }
double larger(double a, double b) { return a >= b || std::isnan(a) ? a : b; }

double truth(bool b) { return b ? 1.0 : 0.0; }

double apply_unary(ExpressionOp op, double a) {
  using enum ExpressionOp;
  switch (op) {
    case negate: return -a;
    case logical_not: return truth(a == 0);
    case ExpressionOp::abs: return std::fabs(a);
    case ExpressionOp::exp: return std::exp(a);
    case ExpressionOp::log: return std::log(a);
    case ExpressionOp::sqrt: return std::sqrt(a);
    case ExpressionOp::sin: return std::sin(a);
    case ExpressionOp::cos: return std::cos(a);
    case ExpressionOp::tan: return std::tan(a);
    case ExpressionOp::tanh: return std::tanh(a);
    case ExpressionOp::erf: return std::erf(a);
    case ExpressionOp::floor: return std::floor(a);
    case sign: return signum(a);
    default: return std::numeric_limits<double>::quiet_NaN();
  }
}

double apply_binary(ExpressionOp op, double a, double b) {
  using enum ExpressionOp;
  switch (op) {
    case add: return a + b;
    case subtract: return a - b;
    case multiply: return a * b;
    case divide: return a / b;
    case power: return std::pow(a, b);
    case less: return truth(a < b);
    case less_equal: return truth(a <= b);
    case greater: return truth(a > b);
    case greater_equal: return truth(a >= b);
    case equal: return truth(a == b);
    case not_equal: return truth(a != b);
    case logical_and: return truth(a != 0 && b != 0);
    case logical_or: return truth(a != 0 || b != 0);
    case minimum: return smaller(a, b);
    case maximum: return larger(a, b);
    case mod: return a - b * std::floor(a / b);
    default: return std::numeric_limits<double>::quiet_NaN();
  }
}

}  // namespace

double apply_scalar(ExpressionOp op, std::span<const double> v) {
  switch (v.size()) {
    case 1: return apply_unary(op, v[0]);
    case 2: return apply_binary(op, v[0], v[1]);
    case 3: return v[0] != 0 ? v[1] : v[2];
    default: return std::numeric_limits<double>::quiet_NaN();
  }
}

std::vector<std::string> Expression::variables() const {
  std::unordered_set<const void*> seen;
  std::set<std::string> names;
  collect_variables(*this, seen, names);
  return {names.begin(), names.end()};
}

bool Expression::depends_on(std::string_view name) const {
  return std::ranges::count(variables(), name) != 0;
}

bool Expression::is_constant() const { return variables().empty(); }

double Expression::evaluate(const std::map<std::string, double>& values) const {
  Memo memo;
  return evaluate_node(*this, values, memo);
}

bool operator==(const Expression& a, const Expression& b) {
  if (a.id() == b.id()) return true;
  if (a.op() != b.op() || a.depth() != b.depth()) return false;
  if (a.op() == ExpressionOp::number) return a.value() == b.value();
  if (a.op() == ExpressionOp::variable) return a.name() == b.name();
  return std::ranges::equal(a.children(), b.children());
}

}  // namespace isofield::mfg
