// int64 in machine code: AVX2 has sums and two comparisons of them, and the rest is made of those;
// AVX-512 has nearly all. Everything wraps, as in the kernels.

#include "program/native/writer.hpp"

namespace isofield::host::native {
namespace {

class Integers {
 public:
  explicit Integers(Writer& writer) : w_(writer) {}

  int write(Op op, const int* in) {
    const int a = in[0], b = in[1];
    switch (op) {
      case Op::negative: return subtract(zero(), a);
      case Op::abs: {
        if (w_.masks()) return w_.plain(Id::kIdVpabsq, {a});
        const int sign = greater(zero(), a);
        return subtract(w_.plain(Id::kIdVpxor, {a, sign}), sign);
      }
      case Op::sign:
        if (w_.masks()) return maximum(minimum(a, w_.literal(1)), w_.literal(~std::uint64_t{0}));
        return subtract(greater(zero(), a), greater(a, zero()));
      case Op::square: return multiply(a, a);
      case Op::relu: return maximum(a, zero());
      case Op::add: return sum(a, b);
      case Op::subtract: return subtract(a, b);
      case Op::multiply: return multiply(a, b);
      case Op::maximum: return maximum(a, b);
      case Op::minimum: return minimum(a, b);
      case Op::equal: return equal(a, b);
      case Op::not_equal: return w_.opposite(equal(a, b));
      case Op::less: return greater(b, a);
      case Op::less_equal: return w_.opposite(greater(a, b));
      case Op::greater: return greater(a, b);
      default: return w_.opposite(greater(b, a));  // greater_equal
    }
  }

  int cast(int a, DType from, DType to) {
    if (from == DType::bool_) return w_.only_where(a, w_.literal(1));
    if (to == DType::bool_) return w_.opposite(equal(a, zero()));
    if (to == DType::int64) return w_.masks() ? w_.plain(Id::kIdVcvttpd2qq, {a}) : truncated(a);
    if (w_.masks()) return w_.plain(Id::kIdVcvtqq2pd, {a});
    // Halves as the last bits of 2^84 + 2^63 and of 2^52; only the last sum rounds.
    const int high = w_.plain(
        Id::kIdVpxor, {w_.shift(twice(Id::kIdVpsrlq), a, 32), w_.literal(0x4530000080000000)});
    const int low = w_.plain(Id::kIdVpblendd, {w_.literal(0x4330000000000000), a}, 0x55);
    const int rest = w_.binary(ISOFIELD_TWIN(sub), high, w_.literal(0x4530000080100000));
    return w_.commute(ISOFIELD_TWIN(add), rest, low);
  }

 private:
  static Twin twice(Id id) { return {id, id}; }
  int zero() { return w_.literal(0); }
  int sum(int a, int b) { return w_.commute(twice(Id::kIdVpaddq), a, b); }
  int subtract(int a, int b) { return w_.plain(Id::kIdVpsubq, {a, b}); }
  int greater(int a, int b) { return w_.truth(Id::kIdVpcmpgtq, a, b); }
  int equal(int a, int b) { return w_.truth(Id::kIdVpcmpeqq, std::min(a, b), std::max(a, b)); }
  // The number as 2^32 high + low, which adding 2^52 leaves in the last bits. What is no int64 is
  // the least of them, as the processor's own conversion has it.
  int truncated(int a) {
    const auto product = [&](int x, double by) {
      return w_.commute(ISOFIELD_TWIN(mul), x, w_.number(by));
    };
    const auto last_bits = [&](int x, double plus) {
      return w_.commute(ISOFIELD_TWIN(add), x, w_.number(plus));
    };
    const int whole = w_.unary(ISOFIELD_TWIN(round), a, to_zero);
    const int high = w_.unary(ISOFIELD_TWIN(round), product(whole, 0x1p-32), down);
    const int low = w_.binary(ISOFIELD_TWIN(sub), whole, product(high, 0x1p32));
    const int above = w_.shift(twice(Id::kIdVpsllq), last_bits(high, 0x1.8p52), 32);
    const int value = w_.plain(Id::kIdVpblendd, {above, last_bits(low, 0x1p52)}, 0x55);
    const int fits =
        w_.both(w_.compare(ge, a, w_.number(-0x1p63)), w_.compare(lt, a, w_.number(0x1p63)));
    return w_.blend(w_.literal(std::uint64_t{1} << 63), value, fits);
  }
  int maximum(int a, int b) {
    return w_.masks() ? w_.commute(twice(Id::kIdVpmaxsq), a, b) : w_.blend(b, a, greater(a, b));
  }
  int minimum(int a, int b) {
    return w_.masks() ? w_.commute(twice(Id::kIdVpminsq), a, b) : w_.blend(b, a, greater(b, a));
  }
  // AVX2: the product of the low halves, and what crosses over, 32 bits up.
  int multiply(int a, int b) {
    if (w_.masks()) return w_.commute(twice(Id::kIdVpmullq), a, b);
    const auto product = [&](int x, int y) { return w_.commute(twice(Id::kIdVpmuludq), x, y); };
    const int a_high = w_.shift(twice(Id::kIdVpsrlq), a, 32);
    const int b_high = w_.shift(twice(Id::kIdVpsrlq), b, 32);
    const int crossed = sum(product(a_high, b), product(a, b_high));
    return sum(product(a, b), w_.shift(twice(Id::kIdVpsllq), crossed, 32));
  }

  Writer& w_;
};

}  // namespace

bool knows_integers(Op op) noexcept {
  switch (op) {
    case Op::negative:
    case Op::abs:
    case Op::sign:
    case Op::square:
    case Op::relu:
    case Op::add:
    case Op::subtract:
    case Op::multiply:
    case Op::maximum:
    case Op::minimum:
    case Op::equal:
    case Op::not_equal:
    case Op::less:
    case Op::less_equal:
    case Op::greater:
    case Op::greater_equal: return true;
    default: return false;
  }
}

int integers(Writer& writer, Op op, const int* in) { return Integers(writer).write(op, in); }

int cast_integers(Writer& writer, int a, DType from, DType to) {
  return Integers(writer).cast(a, from, to);
}

}  // namespace isofield::host::native
