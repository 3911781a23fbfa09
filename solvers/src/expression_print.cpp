#include <fmt/format.h>

#include <stdexcept>
#include <string>

#include "expression_table.hpp"
#include "isofield/mfg/expression.hpp"

namespace isofield::mfg {
namespace {

constexpr std::size_t longest = std::size_t{1} << 20;

int binding_of(const Expression& e) {
  // A negative number is written with a sign and binds as one.
  if (e.op() == ExpressionOp::number && e.value() < 0) return detail::bind_sign;
  return detail::info(e.op()).binding;
}

void print(const Expression& e, std::string& out);

void print_operand(const Expression& e, bool brackets, std::string& out) {
  if (brackets) out += '(';
  print(e, out);
  if (brackets) out += ')';
}

void print_infix(const Expression& e, std::string& out) {
  const detail::OpInfo& about = detail::info(e.op());
  const Expression& left = e.children()[0];
  const Expression& right = e.children()[1];
  const bool from_right = e.op() == ExpressionOp::power;
  const bool chains = about.binding != detail::bind_comparison;
  print_operand(left, binding_of(left) < about.binding + (from_right || !chains ? 1 : 0), out);
  const bool tight = about.binding >= detail::bind_product;
  if (!tight) out += ' ';
  out += about.text;
  if (!tight) out += ' ';
  print_operand(right, binding_of(right) < about.binding + (from_right ? 0 : 1), out);
}

void print_arguments(const Expression& e, std::string& out) {
  const bool any_number = e.op() == ExpressionOp::minimum || e.op() == ExpressionOp::maximum;
  bool first = true;
  for (const Expression& argument : e.children()) {
    if (!first) out += ", ";
    // The first two of many arguments are one node, those and the third another, and so on.
    if (first && any_number && argument.op() == e.op()) {
      print_arguments(argument, out);
    } else {
      print(argument, out);
    }
    first = false;
  }
}

void print_call(const Expression& e, std::string& out) {
  out += detail::info(e.op()).text;
  out += '(';
  print_arguments(e, out);
  out += ')';
}

void print(const Expression& e, std::string& out) {
  if (out.size() > longest) throw std::length_error("the expression is too long to print");
  const detail::OpInfo& about = detail::info(e.op());
  if (e.op() == ExpressionOp::number) {
    out += fmt::format("{}", e.value());
  } else if (e.op() == ExpressionOp::variable) {
    out += e.name();
  } else if (about.binding == detail::bind_atom) {
    print_call(e, out);
  } else if (about.arity == 2) {
    print_infix(e, out);
  } else {
    out += about.text;
    if (e.op() == ExpressionOp::logical_not) out += ' ';
    const Expression& operand = e.children()[0];
    // Two signs in a row would read as one of C's; brackets keep them apart.
    const int needed = e.op() == ExpressionOp::negate ? detail::bind_power : about.binding;
    print_operand(operand, binding_of(operand) < needed, out);
  }
}

}  // namespace

std::string Expression::to_string() const {
  std::string out;
  print(*this, out);
  return out;
}

}  // namespace isofield::mfg
