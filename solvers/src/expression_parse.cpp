#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <numbers>
#include <optional>
#include <system_error>
#include <utility>

#include "expression_table.hpp"
#include "isofield/mfg/expression.hpp"
#include "isofield/mfg/nearest_name.hpp"

namespace isofield::mfg {
namespace {

using detail::Binding;
using detail::OpInfo;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_name_start(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_name_part(char c) { return is_name_start(c) || is_digit(c); }
bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool continues_utf8(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }

std::string quoted(std::string_view text) { return fmt::format("'{}'", text); }

std::string joined(std::span<const std::string> names) {
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "" : ", ") + name;
  return list;
}

struct Token {
  enum class Kind { number, name, symbol, end };
  Kind kind = Kind::end;
  std::string_view text{};
  std::size_t offset = 0;
  double value = 0.0;

  bool is(std::string_view symbol) const { return kind == Kind::symbol && text == symbol; }
  bool is_name(std::string_view name) const { return kind == Kind::name && text == name; }
};

/// Cut a text into tokens, one ahead.
class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) { advance(); }

  const Token& peek() const { return token_; }
  Token take() {
    Token taken = token_;
    advance();
    return taken;
  }
  std::string_view text() const { return text_; }

  [[noreturn]] void fail(const Token& at, std::string reason, std::string suggestion = {}) const {
    throw ExpressionError(std::move(reason), text_, at.offset,
                          std::max<std::size_t>(at.text.size(), 1), std::move(suggestion));
  }

 private:
  void advance() {
    while (position_ < text_.size() && is_space(text_[position_])) ++position_;
    token_ = Token{};
    token_.offset = position_;
    if (position_ == text_.size()) return;
    const char c = text_[position_];
    const bool fraction =
        c == '.' && position_ + 1 < text_.size() && is_digit(text_[position_ + 1]);
    if (is_digit(c) || fraction) {
      read_number();
    } else if (is_name_start(c)) {
      std::size_t end = position_;
      while (end < text_.size() && is_name_part(text_[end])) ++end;
      emit(Token::Kind::name, end - position_);
    } else {
      read_symbol();
    }
  }

  void emit(Token::Kind kind, std::size_t length) {
    token_.kind = kind;
    token_.text = text_.substr(position_, length);
    position_ += length;
  }

  void read_number() {
    const char* const begin = text_.data() + position_;
    const auto [end, error] = std::from_chars(begin, text_.data() + text_.size(), token_.value);
    const auto length = static_cast<std::size_t>(end - begin);
    if (error != std::errc{}) {
      throw ExpressionError("the number is out of the range of double precision", text_, position_,
                            length);
    }
    emit(Token::Kind::number, length);
  }

  void read_symbol() {
    // Longest first; the foreign ones are read whole so that the message can name ours.
    static constexpr std::string_view symbols[] = {"**", "&&", "||", "<=", ">=", "==", "!=", "+",
                                                   "-",  "*",  "/",  "^",  "<",  ">",  "(",  ")",
                                                   ",",  "=",  "!",  "&",  "|",  "%"};
    for (const std::string_view symbol : symbols) {
      if (text_.substr(position_).starts_with(symbol))
        return emit(Token::Kind::symbol, symbol.size());
    }
    std::size_t length = 1;
    while (position_ + length < text_.size() && continues_utf8(text_[position_ + length])) ++length;
    throw ExpressionError("unexpected character " + quoted(text_.substr(position_, length)), text_,
                          position_, length);
  }

  std::string_view text_;
  std::size_t position_ = 0;
  Token token_;
};

std::optional<ExpressionOp> infix_op(const Token& token) {
  if (token.kind != Token::Kind::symbol && token.kind != Token::Kind::name) return std::nullopt;
  for (const OpInfo& about : detail::op_table) {
    if (about.arity == 2 && about.binding != detail::bind_atom && about.text == token.text) {
      return about.op;
    }
  }
  return std::nullopt;
}

const OpInfo* function_named(std::string_view name) {
  for (const OpInfo& about : detail::op_table) {
    if (about.arity > 0 && about.binding == detail::bind_atom && about.text == name) return &about;
  }
  return nullptr;
}

/// Name what we write for an operator of another language; empty where there is none.
std::string ours_for(std::string_view foreign) {
  static constexpr std::pair<std::string_view, std::string_view> table[] = {
      {"=", "=="},  {"**", "^"}, {"&&", "and"}, {"&", "and"},
      {"||", "or"}, {"|", "or"}, {"!", "not"},  {"%", "mod(a, b)"}};
  for (const auto& [theirs, ours] : table) {
    if (theirs == foreign) return std::string(ours);
  }
  return {};
}

/// Climb the operators' bindings (Pratt's method).
class Parser {
 public:
  Parser(std::string_view text, std::span<const std::string> variables)
      : lexer_(text), variables_(variables) {}

  Expression parse() {
    if (lexer_.peek().kind == Token::Kind::end)
      lexer_.fail(lexer_.peek(), "the expression is empty");
    Expression result = parse_from(detail::bind_or);
    const Token& rest = lexer_.peek();
    if (rest.is(")")) lexer_.fail(rest, "')' closes no bracket");
    if (rest.is(",")) lexer_.fail(rest, "',' stands outside a function's brackets");
    if (rest.kind != Token::Kind::end) lexer_.fail(rest, "unexpected " + quoted(rest.text));
    return result;
  }

 private:
  /// Parse what stands inside a bracket, after a prefix or right of an operator.
  ///
  /// A prefix or an operator before a bracket counts as one with it, so that no text prints as one
  /// that is nested deeper: printing sets signs in brackets.
  Expression parse_nested(int loosest, bool in_bracket = false) {
    const std::size_t levels = in_bracket || !lexer_.peek().is("(") ? 1 : 0;
    nesting_ += levels;
    if (nesting_ > Expression::max_nesting) {
      lexer_.fail(lexer_.peek(), "more than " + std::to_string(Expression::max_nesting) +
                                     " nested brackets or prefixes");
    }
    Expression result = parse_from(loosest);
    nesting_ -= levels;
    return result;
  }

  Expression parse_from(int loosest) {
    Expression left = parse_operand(loosest);
    while (true) {
      const Token& next = lexer_.peek();
      refuse_non_operator(next);
      const std::optional<ExpressionOp> op = infix_op(next);
      if (!op || detail::info(*op).binding < loosest) break;
      left = parse_infix(std::move(left), *op);
    }
    return left;
  }

  Expression parse_infix(Expression left, ExpressionOp op) {
    const int binding = detail::info(op).binding;
    const Token token = lexer_.take();
    const bool from_right = op == ExpressionOp::power;
    Expression right = parse_nested(from_right ? binding : binding + 1);
    if (binding == detail::bind_comparison) {
      const std::optional<ExpressionOp> another = infix_op(lexer_.peek());
      if (another && detail::info(*another).binding == detail::bind_comparison) {
        lexer_.fail(lexer_.peek(), "comparisons do not chain", "a < b and b < c");
      }
    }
    return make(token, op, {std::move(left), std::move(right)});
  }

  Expression parse_operand(int loosest) {
    const Token token = lexer_.take();
    if (token.kind == Token::Kind::number) return Expression::number(token.value);
    if (token.is("(")) {
      Expression inside = parse_nested(detail::bind_or, true);
      close(token);
      return inside;
    }
    if (token.is("-")) return make(token, ExpressionOp::negate, {parse_nested(detail::bind_power)});
    if (token.is("+")) return parse_nested(detail::bind_power);
    if (token.is_name("not")) {
      if (loosest > detail::bind_not) lexer_.fail(token, "'not' needs brackets here", "(not ...)");
      return make(token, ExpressionOp::logical_not, {parse_nested(detail::bind_not)});
    }
    if (token.kind == Token::Kind::name && !infix_op(token)) return parse_name(token);
    if (token.kind == Token::Kind::end) {
      lexer_.fail(token, "the expression ends where a value is expected");
    }
    lexer_.fail(token, "expected a value before " + quoted(token.text), ours_for(token.text));
  }

  Expression parse_name(const Token& token) {
    const bool called = lexer_.peek().is("(");
    const bool known = std::ranges::find(variables_, token.text) != variables_.end();
    if (known && called) lexer_.fail(token, quoted(token.text) + " is a variable, not a function");
    if (known) return Expression::variable(std::string(token.text));
    if (const OpInfo* function = function_named(token.text)) return parse_call(token, *function);
    if (!called && token.text == "pi") return Expression::number(std::numbers::pi);
    if (!called && token.text == "e") return Expression::number(std::numbers::e);
    fail_unknown(token, called);
  }

  [[noreturn]] void fail_unknown(const Token& token, bool called) {
    std::vector<std::string> near;
    if (!called) {
      near.assign(variables_.begin(), variables_.end());
      near.insert(near.end(), {"pi", "and", "or", "not"});
    }
    for (const OpInfo& about : detail::op_table) {
      if (about.arity > 0 && about.binding == detail::bind_atom) near.emplace_back(about.text);
    }
    std::string reason = called ? "unknown function " : "unknown name ";
    reason += quoted(token.text);
    if (!called) {
      reason += variables_.empty() ? "; no variable can stand here"
                                   : "; the variables here are " + joined(variables_);
    }
    lexer_.fail(token, reason, nearest_name(token.text, near));
  }

  Expression parse_call(const Token& token, const OpInfo& function) {
    if (!lexer_.peek().is("(")) {
      lexer_.fail(token, quoted(token.text) + " is a function and needs its arguments in brackets");
    }
    const Token opening = lexer_.take();
    std::vector<Expression> arguments;
    if (!lexer_.peek().is(")")) {
      arguments.push_back(parse_nested(detail::bind_or, true));
      while (lexer_.peek().is(",")) {
        lexer_.take();
        arguments.push_back(parse_nested(detail::bind_or, true));
      }
    }
    close(opening);
    return call(token, function, std::move(arguments));
  }

  Expression call(const Token& token, const OpInfo& function, std::vector<Expression> arguments) {
    const bool any_number =
        function.op == ExpressionOp::minimum || function.op == ExpressionOp::maximum;
    const bool fits = any_number ? arguments.size() >= 2 : arguments.size() == function.arity;
    if (!fits) {
      lexer_.fail(token, quoted(token.text) + " takes " + std::to_string(function.arity) +
                             (function.arity == 1 ? " argument" : " arguments") +
                             (any_number ? " or more" : "") + ", got " +
                             std::to_string(arguments.size()));
    }
    if (!any_number) return make(token, function.op, std::move(arguments));
    Expression result = arguments[0];
    for (std::size_t i = 1; i < arguments.size(); ++i) {
      result = make(token, function.op, {std::move(result), std::move(arguments[i])});
    }
    return result;
  }

  void close(const Token& opening) {
    if (lexer_.peek().is(")")) {
      lexer_.take();
      return;
    }
    if (lexer_.peek().kind == Token::Kind::end) lexer_.fail(opening, "'(' is never closed");
    lexer_.fail(lexer_.peek(), "expected ',' or ')' before " + quoted(lexer_.peek().text));
  }

  /// After a value: say what is meant by two values in a row or by another language's operator.
  void refuse_non_operator(const Token& next) const {
    if (infix_op(next)) return;
    if (next.kind == Token::Kind::number || next.is("(") || next.kind == Token::Kind::name) {
      lexer_.fail(next, "an operator is missing before " + quoted(next.text),
                  "* " + std::string(next.text));
    }
    if (const std::string ours = ours_for(next.text); !ours.empty()) {
      lexer_.fail(next, quoted(next.text) + " is not an operator here", ours);
    }
  }

  Expression make(const Token& at, ExpressionOp op, std::vector<Expression> children) const {
    Expression result = Expression::apply(op, std::move(children));
    if (result.depth() > Expression::max_parsed_depth) {
      lexer_.fail(at, "more than " + std::to_string(Expression::max_parsed_depth) +
                          " operations depend on each other; split the expression");
    }
    return result;
  }

  Lexer lexer_;
  std::span<const std::string> variables_;
  std::size_t nesting_ = 0;
};

}  // namespace

Expression Expression::parse(std::string_view text, std::span<const std::string> variables) {
  if (text.size() > max_length) {
    throw ExpressionError("the expression is longer than " + std::to_string(max_length) + " bytes",
                          text, max_length);
  }
  return Parser(text, variables).parse();
}

namespace {

std::size_t count_characters(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return !continues_utf8(c); }));
}

/// Keep a long line readable: show the part around the caret.
struct Window {
  std::string text;
  std::size_t caret;
};

Window window_around(std::string_view line, std::size_t offset) {
  constexpr std::size_t before = 50, after = 28;
  std::size_t begin = offset > before ? offset - before : 0;
  std::size_t end = std::min(line.size(), offset + after);
  while (begin > 0 && continues_utf8(line[begin])) --begin;
  while (end < line.size() && continues_utf8(line[end])) ++end;
  Window window{begin > 0 ? "..." : "", 0};
  window.caret = window.text.size() + count_characters(line.substr(begin, offset - begin));
  window.text += line.substr(begin, end - begin);
  if (end < line.size()) window.text += "...";
  std::ranges::replace_if(
      window.text, [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
  return window;
}

std::string describe(const std::string& reason, const std::string& suggestion,
                     const std::string& context, std::size_t line, std::size_t column) {
  std::string text = line > 1 ? "line " + std::to_string(line) + ", column " : "column ";
  text += std::to_string(column) + ": " + reason;
  if (!suggestion.empty()) text += "; did you mean '" + suggestion + "'?";
  if (!context.empty()) text += "\n" + context;
  return text;
}

struct Place {
  std::size_t line = 1, column = 1;
  std::string context{};
};

Place locate(std::string_view text, std::size_t offset, std::size_t length) {
  offset = std::min(offset, text.size());
  const std::size_t newline = offset == 0 ? std::string_view::npos : text.rfind('\n', offset - 1);
  const std::size_t begin = newline == std::string_view::npos ? 0 : newline + 1;
  const std::size_t end = std::min(text.find('\n', offset), text.size());
  const std::string_view line = text.substr(begin, end - begin);
  Place place;
  place.line = 1 + static_cast<std::size_t>(std::ranges::count(text.substr(0, begin), '\n'));
  place.column = 1 + count_characters(line.substr(0, offset - begin));
  if (text.empty()) return place;
  const Window window = window_around(line, offset - begin);
  const std::size_t marked = count_characters(text.substr(offset, length));
  const std::size_t shown = count_characters(window.text);
  const std::size_t room = shown > window.caret ? shown - window.caret : 1;
  const std::size_t width = std::clamp<std::size_t>(marked, 1, room);
  place.context = "  " + window.text + "\n  " + std::string(window.caret, ' ') + "^" +
                  std::string(width - 1, '~');
  return place;
}

}  // namespace

ExpressionError::ExpressionError(std::string reason, std::string_view text, std::size_t offset,
                                 std::size_t length, std::string suggestion)
    : ConfigError([&] {
        const Place place = locate(text, offset, length);
        return describe(reason, suggestion, place.context, place.line, place.column);
      }()),
      reason_(std::move(reason)),
      suggestion_(std::move(suggestion)) {
  Place place = locate(text, offset, length);
  context_ = std::move(place.context);
  line_ = place.line;
  column_ = place.column;
}

}  // namespace isofield::mfg
