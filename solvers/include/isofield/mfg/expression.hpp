#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <isofield/error.hpp>

namespace isofield::mfg {

/// What a node of an expression does with its children.
enum class ExpressionOp : std::uint8_t {
  number,
  variable,
  negate,
  logical_not,
  add,
  subtract,
  multiply,
  divide,
  power,
  less,
  less_equal,
  greater,
  greater_equal,
  equal,
  not_equal,
  logical_and,
  logical_or,
  select,  ///< if(condition, a, b)
  minimum,
  maximum,
  mod,  ///< a - b*floor(a/b): the result has the sign of b
  abs,
  exp,
  log,
  sqrt,
  sin,
  cos,
  tan,
  tanh,
  erf,
  floor,
  sign,
};

/// Report why a text is not an expression, and where.
class ExpressionError : public ConfigError {
 public:
  /// Point at `length` bytes of `text` from byte `offset` on.
  ExpressionError(std::string reason, std::string_view text, std::size_t offset,
                  std::size_t length = 1, std::string suggestion = {});

  /// Say what is wrong, on one line, without position and suggestion.
  const std::string& reason() const noexcept { return reason_; }
  /// Name the nearest valid name; empty where there is none.
  const std::string& suggestion() const noexcept { return suggestion_; }
  /// Draw the text's line and a caret below the place, two lines.
  const std::string& context() const noexcept { return context_; }
  /// Count lines of the text from 1.
  std::size_t line() const noexcept { return line_; }
  /// Count characters of the line from 1.
  std::size_t column() const noexcept { return column_; }

 private:
  std::string reason_, suggestion_, context_;
  std::size_t line_ = 1, column_ = 1;
};

/// Hold a formula such as `m + 0.5*(x - 0.8)^2` as an immutable tree that copies share.
///
/// Grammar, loosest first: `or`, `and`, `not`, one comparison (`< <= > >= == !=`), `+ -`, `* /`,
/// unary `-`, `^` (from the right: `-x^2` is `-(x^2)`, `2^3^2` is `2^9`). Comparisons and logic
/// give 1 or 0; anything but 0 counts as true. `min` and `max` take two arguments or more.
class Expression {
 public:
  /// Make the number 0.
  Expression();

  /// Parse `text`, whose free names must be among `variables`; throw ExpressionError.
  static Expression parse(std::string_view text, std::span<const std::string> variables);
  /// Make a number; throw std::invalid_argument unless it is finite.
  static Expression number(double value);
  /// Make a variable.
  static Expression variable(std::string name);
  /// Apply `op` to `children` as they are, without simplification; throw std::invalid_argument
  /// where their number is wrong, ExpressionError where the tree grows deeper than `max_depth`.
  static Expression apply(ExpressionOp op, std::vector<Expression> children);

  /// Say what the root does.
  ExpressionOp op() const noexcept;
  /// Read the value of a number; 0 for any other node.
  double value() const noexcept;
  /// Read the name of a variable; empty for any other node.
  const std::string& name() const noexcept;
  /// List the operands of the root, in order.
  std::span<const Expression> children() const noexcept;
  /// Identify the root among shared nodes, so that a visitor can evaluate each once.
  const void* id() const noexcept;
  /// Count the levels of the tree; a leaf has one.
  std::size_t depth() const noexcept;
  /// Tell whether the root is a comparison or logic, whose value is 1 or 0.
  bool is_boolean() const noexcept;

  /// List the names of the variables that occur, sorted, each once.
  std::vector<std::string> variables() const;
  /// Tell whether a variable occurs.
  bool depends_on(std::string_view name) const;
  /// Tell whether no variable occurs.
  bool is_constant() const;
  /// Compute the value at a point; throw std::out_of_range where a variable has none.
  double evaluate(const std::map<std::string, double>& values = {}) const;
  /// Print so that `parse` gives the same values back; throw std::length_error beyond 1 MiB.
  std::string to_string() const;

  /// Compare the trees, node by node.
  friend bool operator==(const Expression& a, const Expression& b);

  static constexpr std::size_t max_length = 16384;      ///< bytes of a text
  static constexpr std::size_t max_nesting = 100;       ///< brackets and prefixes in a text
  static constexpr std::size_t max_parsed_depth = 500;  ///< levels of a parsed tree
  static constexpr std::size_t max_depth = 4000;        ///< levels of any tree

 private:
  struct Node;
  explicit Expression(std::shared_ptr<const Node> node) : node_(std::move(node)) {}
  std::shared_ptr<const Node> node_;
};

/// Compute one operation on numbers, as `evaluate` does at each node; `operands` are its children's
/// values. Numbers and variables are not operations: they give NaN.
double apply_scalar(ExpressionOp op, std::span<const double> operands);

}  // namespace isofield::mfg
