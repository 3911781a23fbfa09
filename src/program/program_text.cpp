// Programs for people: as a list of instructions, and as one expression.

#include <isofield/program.hpp>

namespace isofield {
namespace {

std::string signed_text(std::int64_t n) { return (n >= 0 ? "+" : "") + std::to_string(n); }

std::string text_of(const Program& p, Program::Value v) {
  switch (v.source) {
    case Program::Source::immediate: return "#" + std::to_string(v.index);
    case Program::Source::result: return "r" + std::to_string(v.index);
    case Program::Source::leaf: break;
  }
  const auto& leaf = p.leaves[v.index];
  std::string text = "in" + std::to_string(leaf.input);
  static constexpr const char* rules[] = {"periodic", "clamp", "reflect", "constant"};
  for (const auto& s : leaf.shifts)
    text += "[" + std::to_string(s.axis) + ":" + signed_text(s.offset) + " " +
            rules[static_cast<int>(s.boundary)] + "]";
  return text;
}

/// Writes a value as a formula, as far as there is room: shared parts are written out each time.
class Formula {
 public:
  Formula(const Program& program, std::size_t room) : program_(program), room_(room) {}

  // Binding strengths, weakest first.
  enum Strength { any, logical, comparison, sum, product, sign, atom };

  void value(Program::Value v, Strength least) {
    if (full()) return;
    switch (v.source) {
      case Program::Source::leaf: return leaf(program_.leaves[v.index]);
      case Program::Source::immediate: text += "#" + std::to_string(v.index); return;
      case Program::Source::result: break;
    }
    const auto& i = program_.code[v.index];
    const Infix infix = infix_of(i.op);
    if (infix.strength == any) return call(i);
    if (infix.strength < least) text += "(";
    if (info(i.op).arity == 1) {
      text += infix.symbol;
      value(i.operands[0], atom);
    } else {
      value(i.operands[0], infix.strength);
      text += infix.symbol;
      value(i.operands[1], static_cast<Strength>(infix.strength + 1));
    }
    if (infix.strength < least) text += ")";
  }
  bool full() const { return text.size() > room_; }

  std::string text;

 private:
  struct Infix {
    const char* symbol;
    Strength strength;
  };
  static Infix infix_of(Op op) {
    switch (op) {
      case Op::add: return {" + ", sum};
      case Op::subtract: return {" - ", sum};
      case Op::multiply: return {"*", product};
      case Op::divide: return {"/", product};
      case Op::negative: return {"-", sign};
      case Op::logical_not: return {"!", sign};
      case Op::equal: return {" == ", comparison};
      case Op::not_equal: return {" != ", comparison};
      case Op::less: return {" < ", comparison};
      case Op::less_equal: return {" <= ", comparison};
      case Op::greater: return {" > ", comparison};
      case Op::greater_equal: return {" >= ", comparison};
      case Op::logical_and: return {" && ", logical};
      case Op::logical_or: return {" || ", logical};
      default: return {"", any};
    }
  }

  // a, b, ... and in26 from there on; with its shift, a[i+1,j].
  void leaf(const Program::Leaf& leaf) {
    if (leaf.input < 26)
      text += static_cast<char>('a' + leaf.input);
    else
      text += "in" + std::to_string(leaf.input);
    if (leaf.shifts.empty()) return;
    for (int k = 0; k < program_.rank; ++k) {
      text += k ? "," : "[";
      text += k < 18 ? std::string(1, static_cast<char>('i' + k)) : std::to_string(k);
      for (const auto& s : leaf.shifts)
        if (s.axis == k) text += signed_text(s.offset);
    }
    text += "]";
  }

  void call(const Program::Instruction& i) {
    text += i.op == Op::cast ? name(i.result) : info(i.op).name;
    text += "(";
    for (int k = 0; k < info(i.op).arity; ++k) {
      if (k) text += ", ";
      value(i.operands[static_cast<std::size_t>(k)], any);
    }
    text += ")";
  }

  const Program& program_;
  const std::size_t room_;
};

}  // namespace

std::string Program::to_string() const {
  std::string text;
  for (std::size_t i = 0; i < code.size(); ++i) {
    const auto& instruction = code[i];
    text += "r" + std::to_string(i) + " = " + std::string(info(instruction.op).name) + "." +
            std::string(isofield::name(instruction.compute));
    for (int k = 0; k < info(instruction.op).arity; ++k)
      text += (k ? ", " : " ") + text_of(*this, instruction.operands[static_cast<std::size_t>(k)]);
    text += "\n";
  }
  for (std::size_t i = 0; i < outputs.size(); ++i)
    text += "out" + std::to_string(i) + " = " + text_of(*this, outputs[i]) + "\n";
  if (reduction) text += std::string(isofield::name(reduction->op)) + " of out0\n";
  return text;
}

std::string Program::expression(std::size_t room) const {
  Formula formula(*this, room);
  for (std::size_t o = 0; o < outputs.size(); ++o) {
    if (o) formula.text += "; ";
    const bool reduced = reduction && o == 0;
    if (reduced) formula.text += std::string(isofield::name(reduction->op)) + "(";
    formula.value(outputs[o], Formula::any);
    if (reduced) formula.text += ")";
  }
  if (!formula.full()) return formula.text;
  formula.text.resize(room);
  return formula.text + "... (" + std::to_string(code.size()) + " operations)";
}

}  // namespace isofield
