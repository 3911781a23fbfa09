#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "isofield/mfg/expression.hpp"

namespace isofield::mfg::detail {

/// Binding strength of operators, loosest first; printing and parsing share it.
enum Binding : int {
  bind_or = 1,
  bind_and,
  bind_not,
  bind_comparison,
  bind_sum,
  bind_product,
  bind_sign,
  bind_power,
  bind_atom,
};

/// Describe one operation: how it is written and how many operands it has.
struct OpInfo {
  ExpressionOp op;
  std::string_view text;  ///< operator or function name
  Binding binding;        ///< bind_atom: written as a function
  std::size_t arity;      ///< operands of a node
};

using enum ExpressionOp;
inline constexpr std::array op_table{
    OpInfo{number, "", bind_atom, 0},
    OpInfo{variable, "", bind_atom, 0},
    OpInfo{negate, "-", bind_sign, 1},
    OpInfo{logical_not, "not", bind_not, 1},
    OpInfo{add, "+", bind_sum, 2},
    OpInfo{subtract, "-", bind_sum, 2},
    OpInfo{multiply, "*", bind_product, 2},
    OpInfo{divide, "/", bind_product, 2},
    OpInfo{power, "^", bind_power, 2},
    OpInfo{less, "<", bind_comparison, 2},
    OpInfo{less_equal, "<=", bind_comparison, 2},
    OpInfo{greater, ">", bind_comparison, 2},
    OpInfo{greater_equal, ">=", bind_comparison, 2},
    OpInfo{equal, "==", bind_comparison, 2},
    OpInfo{not_equal, "!=", bind_comparison, 2},
    OpInfo{logical_and, "and", bind_and, 2},
    OpInfo{logical_or, "or", bind_or, 2},
    OpInfo{select, "if", bind_atom, 3},
    OpInfo{minimum, "min", bind_atom, 2},
    OpInfo{maximum, "max", bind_atom, 2},
    OpInfo{mod, "mod", bind_atom, 2},
    OpInfo{ExpressionOp::abs, "abs", bind_atom, 1},
    OpInfo{ExpressionOp::exp, "exp", bind_atom, 1},
    OpInfo{ExpressionOp::log, "log", bind_atom, 1},
    OpInfo{ExpressionOp::sqrt, "sqrt", bind_atom, 1},
    OpInfo{ExpressionOp::sin, "sin", bind_atom, 1},
    OpInfo{ExpressionOp::cos, "cos", bind_atom, 1},
    OpInfo{ExpressionOp::tan, "tan", bind_atom, 1},
    OpInfo{ExpressionOp::tanh, "tanh", bind_atom, 1},
    OpInfo{ExpressionOp::erf, "erf", bind_atom, 1},
    OpInfo{ExpressionOp::floor, "floor", bind_atom, 1},
    OpInfo{sign, "sign", bind_atom, 1},
};

/// Look an operation up; the table is in the enumeration's order.
constexpr const OpInfo& info(ExpressionOp op) { return op_table[static_cast<std::size_t>(op)]; }

constexpr bool table_is_in_order() {
  for (std::size_t i = 0; i < op_table.size(); ++i) {
    if (static_cast<std::size_t>(op_table[i].op) != i) return false;
  }
  return true;
}
static_assert(table_is_in_order());

}  // namespace isofield::mfg::detail
