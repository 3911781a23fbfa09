#include "program/native/body.hpp"

#include <algorithm>
#include <isofield/host.hpp>
#include <stdexcept>

#include "program/kernels/kernel_table.hpp"
#include "program/native/writer.hpp"

namespace isofield::host::native {
namespace {

#define TWIN(name) ISOFIELD_TWIN(name)

class Translation : Writer {
 public:
  Translation(const Segment& segment, BodyKind kind)
      : Writer(segment.type), segment_(segment), kind_(kind) {}

  Body run() {
    if (kind_ == BodyKind::fold) {
      const int vectors = fold_lanes / machine().length(segment_.type);
      for (step_ = 0; step_ < vectors; ++step_) elements();
    } else if (kind_ == BodyKind::two) {
      for (step_ = 0; step_ < 2; ++step_) elements();
      alternate();
    } else {
      elements();
    }
    return std::move(body_);
  }

 private:
  // Each vector's instructions in their order, those of the second when what they need is there.
  void alternate() {
    std::vector<MachineOp> first, second, all;
    for (const auto& op : body_.ops) (op.step == 0 ? first : second).push_back(op);
    std::vector<bool> there;
    for (const auto& v : body_.vectors) there.push_back(v.home != Vector::Home::none);
    const auto write = [&](const MachineOp& op) {
      if (op.out >= 0) there[static_cast<std::size_t>(op.out)] = true;
      all.push_back(op);
    };
    const auto ready = [&](const MachineOp& op) {
      return std::all_of(op.in, op.in + op.inputs,
                         [&](int v) { return there[static_cast<std::size_t>(v)]; });
    };
    auto next = second.begin();
    for (const auto& op : first) {
      write(op);
      if (next != second.end() && ready(*next)) write(*next++);
    }
    for (; next != second.end(); ++next) write(*next);
    body_.ops = std::move(all);
  }

  void elements() {
    arrays_.clear();
    results_.assign(segment_.code.size(), -1);
    for (std::size_t i = 0; i < segment_.code.size(); ++i)
      results_[i] = instruction(segment_.code[i]);
    if (segment_.fold) {
      const int value = operand(segment_.fold->value);
      if (kind_ == BodyKind::fold)
        fold(value);
      else
        store(value, false, segment_.fold->rest_slot, true);
    }
    std::vector<int> values;  // all loads before the first store
    for (const auto& s : segment_.stores) values.push_back(in_register(operand(s.value)));
    for (std::size_t k = 0; k < values.size(); ++k)
      store(values[k], segment_.stores[k].value.truth, segment_.stores[k].slot, false);
  }

  // What is stored must not be read from where another store may have written.
  int in_register(int v) {
    if (body_.vectors[static_cast<std::size_t>(v)].home != Vector::Home::array) return v;
    return plain(twin(TWIN(or)), {v, v});
  }

  int instruction(const Segment::Instruction& i) {
    int in[3] = {};
    const int arity = info(i.op).arity;
    for (int k = 0; k < arity; ++k) in[k] = operand(i.in[k]);
    const int a = in[0], b = in[1];
    if (i.op == Op::cast && (i.integer || i.in[0].integer))
      return i.integer && i.in[0].integer
                 ? a
                 : cast_integers(*this, a, dtype(i.in[0].truth, i.in[0].integer),
                                 dtype(i.truth, i.integer));
    if (i.in[0].integer) return integers(*this, i.op, in);
    switch (i.op) {
      case Op::negative: return commute(TWIN(xor), a, sign_bit());
      case Op::abs: return commute(TWIN(and), a, all_but_sign());
      case Op::sign: {
        const int one_if = blend(a, number(1.0), compare(gt, a, number(0.0)));
        const int signed_zero = blend(one_if, number(-1.0), compare(lt, a, number(0.0)));
        return commute(TWIN(add), signed_zero, number(0.0));
      }
      case Op::square: return binary(TWIN(mul), a, a);
      case Op::relu: return binary(TWIN(max), number(0.0), a);
      case Op::reciprocal: return binary(TWIN(div), number(1.0), a);
      case Op::sqrt: return unary(TWIN(sqrt), a);
      case Op::floor: return rounded(a, down);
      case Op::ceil: return rounded(a, up);
      case Op::trunc: return rounded(a, to_zero);
      case Op::round: return rounded(a, nearest);
      case Op::isnan: return compare(unordered, a, a);
      case Op::isinf:
        return compare(eq, commute(TWIN(and), a, all_but_sign()), literal(infinity()));
      case Op::isfinite: return compare(eq, binary(TWIN(sub), a, a), number(0.0));
      case Op::logical_not: return opposite(a);
      case Op::add: return commute(TWIN(add), a, b);
      case Op::subtract: return binary(TWIN(sub), a, b);
      case Op::multiply: return commute(TWIN(mul), a, b);
      case Op::divide: return binary(TWIN(div), a, b);
      case Op::maximum: return extremum(TWIN(max), i, a, b);
      case Op::minimum: return extremum(TWIN(min), i, a, b);
      case Op::equal: return i.in[0].truth ? opposite(exclusive(a, b)) : compare(eq, a, b);
      case Op::not_equal: return i.in[0].truth ? exclusive(a, b) : compare(neq, a, b);
      case Op::less: return compare(lt, a, b);
      case Op::less_equal: return compare(le, a, b);
      case Op::greater: return compare(gt, a, b);
      case Op::greater_equal: return compare(ge, a, b);
      case Op::logical_and: return both(a, b);
      case Op::logical_or: return either(a, b);
      case Op::logical_xor: return exclusive(a, b);
      case Op::where: return blend(in[2], b, a);
      case Op::cast:
        if (i.truth == i.in[0].truth) return a;
        return i.truth ? compare(neq, a, number(0.0)) : only_where(a, number(1.0));
      default: return elementary(*this, i.op, in);
    }
  }

  int rounded(int a, Rounding how) {
    return masks() ? unary(TWIN(rndscale), a, how) : unary(TWIN(round), a, how);
  }

  DType dtype(bool truth, bool integer) const {
    return truth ? DType::bool_ : integer ? DType::int64 : segment_.type;
  }

  // As math::maximum and math::maximum_number of the kernels have it, to the bit: the instruction
  // gives its second operand where one is NaN or both are zero.
  int extremum(Twin t, const Segment::Instruction& i, int a, int b) {
    if (i.in[1].source == Segment::Source::scalar && i.in[1].number) return binary(t, b, a);
    if (i.in[0].source == Segment::Source::scalar && i.in[0].number) return binary(t, a, b);
    return blend(binary(t, a, b), a, compare(unordered, a, a));
  }

  void fold(int value) {
    Vector lanes;
    lanes.home = Vector::Home::lanes;
    lanes.slot = segment_.fold->lanes_slot;
    lanes.bits = static_cast<std::uint64_t>(step_);
    const int before = add_vector(lanes);
    int after = -1;
    const int both[] = {before, value};
    if (segment_.fold->value.integer)
      after = integers(*this, operation(segment_.fold->op), both);
    else
      switch (segment_.fold->op) {
        case Reduce::sum: after = binary(TWIN(add), before, value); break;
        case Reduce::prod: after = binary(TWIN(mul), before, value); break;
        case Reduce::max:
          after =
              blend(binary(TWIN(max), before, value), before, compare(unordered, before, before));
          break;
        case Reduce::min:
          after =
              blend(binary(TWIN(min), before, value), before, compare(unordered, before, before));
          break;
        default: throw std::logic_error("isofield: no machine code for this fold");
      }
    MachineOp op;
    op.kind = MachineOp::Kind::store_lanes;
    op.inputs = 1;
    op.in[0] = after;
    op.out = before;
    push(op);
  }

  static Op operation(Reduce op) {
    switch (op) {
      case Reduce::sum: return Op::add;
      case Reduce::prod: return Op::multiply;
      case Reduce::max: return Op::maximum;
      default: return Op::minimum;
    }
  }

  int operand(const Segment::Value& v) {
    if (v.source == Segment::Source::result) return results_[v.index];
    for (const auto& [value, vector] : arrays_)
      if (value == v) return vector;
    const int vector = v.source == Segment::Source::scalar ? scalar(v) : array(v);
    arrays_.emplace_back(v, vector);
    return vector;
  }

  int scalar(const Segment::Value& v) {
    for (std::size_t k = 0; k < body_.vectors.size(); ++k)
      if (body_.vectors[k].home == Vector::Home::scalar && body_.vectors[k].slot == v.index &&
          body_.vectors[k].truth == v.truth)
        return static_cast<int>(k);
    Vector vector;
    vector.home = Vector::Home::scalar;
    vector.slot = v.index;
    vector.truth = v.truth;
    vector.mask = v.truth && masks();
    return add_vector(vector);
  }

  int array(const Segment::Value& v) {
    if (!v.truth && kind_ != BodyKind::part) {
      Vector vector;
      vector.home = Vector::Home::array;
      vector.slot = v.index;
      vector.bits = static_cast<std::uint64_t>(step_);
      return add_vector(vector);
    }
    MachineOp op;
    op.kind = v.truth ? MachineOp::Kind::load_truth : MachineOp::Kind::load_part;
    op.slot = v.index;
    op.part = kind_ == BodyKind::part;
    op.out = add_vector({});
    if (op.part && (!v.truth || masks())) op.in[op.inputs++] = elements_left();
    push(op);
    if (!v.truth) return op.out;
    // Bytes that are not zero are true.
    return truth(doubles() ? Id::kIdVpcmpgtq : Id::kIdVpcmpgtd, op.out, literal(0));
  }

  void store(int value, bool truth, std::uint16_t slot, bool rest) {
    if (truth && masks()) value = only_where(value, integer(1));
    MachineOp op;
    const bool part = kind_ == BodyKind::part;
    op.kind = truth  ? MachineOp::Kind::store_truth
              : part ? MachineOp::Kind::store_part
                     : MachineOp::Kind::store;
    op.slot = slot;
    op.part = part;
    op.rest = rest;
    op.in[op.inputs++] = value;
    if (part && (!truth || masks())) op.in[op.inputs++] = elements_left();
    push(op);
  }

  int elements_left() {
    for (std::size_t k = 0; k < body_.vectors.size(); ++k)
      if (body_.vectors[k].home == Vector::Home::mask) return static_cast<int>(k);
    Vector vector;
    vector.home = Vector::Home::mask;
    vector.mask = masks();
    return add_vector(vector);
  }

  const Segment& segment_;
  const BodyKind kind_;
  std::vector<std::pair<Segment::Value, int>> arrays_;  // of this step
  std::vector<int> results_;
};

#undef TWIN

}  // namespace

bool supports(Op op, DType compute) noexcept {
  if (compute == DType::int64) return op == Op::where || op == Op::cast || knows_integers(op);
  switch (op) {
    case Op::negative:
    case Op::abs:
    case Op::sign:
    case Op::square:
    case Op::relu:
    case Op::reciprocal:
    case Op::sqrt:
    case Op::floor:
    case Op::ceil:
    case Op::trunc:
    case Op::round:
    case Op::isnan:
    case Op::isinf:
    case Op::isfinite:
    case Op::logical_not:
    case Op::add:
    case Op::subtract:
    case Op::multiply:
    case Op::divide:
    case Op::maximum:
    case Op::minimum:
    case Op::equal:
    case Op::not_equal:
    case Op::less:
    case Op::less_equal:
    case Op::greater:
    case Op::greater_equal:
    case Op::logical_and:
    case Op::logical_or:
    case Op::logical_xor:
    case Op::where:
    case Op::cast: return true;
    default: return knows_elementary(op);
  }
}

bool supports(Reduce op) noexcept {
  return op == Reduce::sum || op == Reduce::prod || op == Reduce::min || op == Reduce::max;
}

const Machine& machine() {
  static const Machine& chosen = instruction_set() == "avx512" ? avx512 : avx2;
  return chosen;
}

Body translate(const Segment& segment, BodyKind kind) { return Translation(segment, kind).run(); }

}  // namespace isofield::host::native
