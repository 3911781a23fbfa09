#include <cmath>
#include <numbers>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "expression_table.hpp"
#include "isofield/mfg/expression.hpp"

namespace isofield::mfg {
namespace {

using E = Expression;
using Op = ExpressionOp;

bool is_number(const E& e) { return e.op() == Op::number; }
bool is(const E& e, double value) { return is_number(e) && e.value() == value; }

/// Compute an operation on numbers; nothing where the result is not finite, so that `log(0)` stays
/// visible instead of becoming a number that cannot be written.
std::optional<E> fold(Op op, const std::vector<E>& children) {
  double values[3] = {};
  std::size_t count = 0;
  for (const E& child : children) {
    if (!is_number(child)) return std::nullopt;
    values[count++] = child.value();
  }
  const double result = apply_scalar(op, std::span<const double>(values, count));
  if (!std::isfinite(result)) return std::nullopt;
  return E::number(result);
}

E make(Op op, std::vector<E> children);

E simplified_sum(const E& a, const E& b) {
  if (is(a, 0)) return b;
  if (is(b, 0)) return a;
  if (b.op() == Op::negate) return make(Op::subtract, {a, b.children()[0]});
  return E::apply(Op::add, {a, b});
}

E simplified_difference(const E& a, const E& b) {
  if (is(a, 0)) return make(Op::negate, {b});
  if (is(b, 0)) return a;
  if (b.op() == Op::negate) return make(Op::add, {a, b.children()[0]});
  return E::apply(Op::subtract, {a, b});
}

E simplified_product(const E& a, const E& b) {
  if (is(a, 0) || is(b, 0)) return E();
  if (is(a, 1)) return b;
  if (is(b, 1)) return a;
  if (is(a, -1)) return make(Op::negate, {b});
  if (is(b, -1)) return make(Op::negate, {a});
  if (is_number(b) && !is_number(a)) return make(Op::multiply, {b, a});
  // 2*(3*x) = 6*x: derivatives of powers pile up such factors.
  if (is_number(a) && b.op() == Op::multiply && is_number(b.children()[0])) {
    const double factor = a.value() * b.children()[0].value();
    if (std::isfinite(factor)) return make(Op::multiply, {E::number(factor), b.children()[1]});
  }
  return E::apply(Op::multiply, {a, b});
}

E simplified_quotient(const E& a, const E& b) {
  if (is(a, 0) && !is(b, 0)) return E();
  if (is(b, 1)) return a;
  return E::apply(Op::divide, {a, b});
}

E simplified_power(const E& a, const E& b) {
  if (is(b, 0)) return E::number(1);
  if (is(b, 1)) return a;
  return E::apply(Op::power, {a, b});
}

E simplified_select(const E& condition, const E& a, const E& b) {
  if (is_number(condition)) return condition.value() != 0 ? a : b;
  if (is_number(a) && is_number(b) && a.value() == b.value()) return a;
  return E::apply(Op::select, {condition, a, b});
}

/// Build a node from simplified children and simplify it.
E make(Op op, std::vector<E> c) {
  if (std::optional<E> number = fold(op, c)) return *number;
  switch (op) {
    case Op::add: return simplified_sum(c[0], c[1]);
    case Op::subtract: return simplified_difference(c[0], c[1]);
    case Op::multiply: return simplified_product(c[0], c[1]);
    case Op::divide: return simplified_quotient(c[0], c[1]);
    case Op::power: return simplified_power(c[0], c[1]);
    case Op::select: return simplified_select(c[0], c[1], c[2]);
    case Op::negate:
      if (c[0].op() == Op::negate) return c[0].children()[0];
      break;
    default: break;
  }
  return E::apply(op, std::move(c));
}

E operator+(const E& a, const E& b) { return make(Op::add, {a, b}); }
E operator-(const E& a, const E& b) { return make(Op::subtract, {a, b}); }
E operator-(const E& a) { return make(Op::negate, {a}); }
E operator*(const E& a, const E& b) { return make(Op::multiply, {a, b}); }
E operator/(const E& a, const E& b) { return make(Op::divide, {a, b}); }
E operator^(const E& a, const E& b) { return make(Op::power, {a, b}); }
E call(Op op, const E& a) { return make(op, {a}); }
E num(double value) { return E::number(value); }

/// Differentiate each shared node once.
class Differentiator {
 public:
  explicit Differentiator(std::string_view name) : name_(name) {}

  E operator()(const E& e) {
    if (is_number(e)) return E();
    if (e.op() == Op::variable) return num(e.name() == name_ ? 1 : 0);
    if (const auto found = memo_.find(e.id()); found != memo_.end()) return found->second;
    E result = rule(e);
    memo_.emplace(e.id(), result);
    return result;
  }

 private:
  E rule(const E& e) {
    const std::span<const E> c = e.children();
    switch (c.size()) {
      case 1: return unary(e, c[0]);
      case 2: return binary(e.op(), c[0], c[1]);
      default: return make(Op::select, {c[0], (*this)(c[1]), (*this)(c[2])});
    }
  }

  E unary(const E& e, const E& a) {
    const E da = (*this)(a);
    if (is(da, 0)) return E();
    switch (e.op()) {
      case Op::negate: return -da;
      case Op::abs: return da * call(Op::sign, a);
      case Op::exp: return da * e;
      case Op::log: return da / a;
      case Op::sqrt: return da / (num(2) * e);
      case Op::sin: return da * call(Op::cos, a);
      case Op::cos: return -(da * call(Op::sin, a));
      case Op::tan: return da * (num(1) + (e ^ num(2)));
      case Op::tanh: return da * (num(1) - (e ^ num(2)));
      case Op::erf: return num(2 * std::numbers::inv_sqrtpi) * da * call(Op::exp, -(a ^ num(2)));
      default: return E();  // floor, sign, not: constant almost everywhere
    }
  }

  E binary(Op op, const E& a, const E& b) {
    if (detail::info(op).binding <= detail::bind_comparison) return E();
    const E da = (*this)(a), db = (*this)(b);
    switch (op) {
      case Op::add: return da + db;
      case Op::subtract: return da - db;
      case Op::multiply: return da * b + a * db;
      case Op::divide: return quotient(a, b, da, db);
      case Op::power: return power(a, b, da, db);
      case Op::minimum: return make(Op::select, {make(Op::less_equal, {a, b}), da, db});
      case Op::maximum: return make(Op::select, {make(Op::greater_equal, {a, b}), da, db});
      default: return da - call(Op::floor, a / b) * db;  // mod
    }
  }

  static E quotient(const E& a, const E& b, const E& da, const E& db) {
    if (is(db, 0)) return da / b;
    return (da * b - a * db) / (b ^ num(2));
  }

  // (a^b)' = b a^(b-1) a' + a^b log(a) b'; each half only where its factor varies, so that an
  // integer power of a negative number meets no logarithm.
  static E power(const E& a, const E& b, const E& da, const E& db) {
    E result;
    if (!is(da, 0)) result = b * (a ^ (b - num(1))) * da;
    if (!is(db, 0)) result = result + (a ^ b) * call(Op::log, a) * db;
    return result;
  }

  std::string_view name_;
  std::unordered_map<const void*, E> memo_;
};

E simplify(const E& e, std::unordered_map<const void*, E>& memo) {
  if (e.children().empty()) return e;
  if (const auto found = memo.find(e.id()); found != memo.end()) return found->second;
  std::vector<E> children;
  for (const E& child : e.children()) children.push_back(simplify(child, memo));
  E result = make(e.op(), std::move(children));
  memo.emplace(e.id(), result);
  return result;
}

}  // namespace

Expression Expression::simplified() const {
  std::unordered_map<const void*, Expression> memo;
  return simplify(*this, memo);
}

Expression Expression::derivative(std::string_view name) const {
  const Expression simple = simplified();
  Differentiator differentiate(name);
  return differentiate(simple);
}

}  // namespace isofield::mfg
