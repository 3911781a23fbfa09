// The elementary functions as machine instructions: their text, read by a class whose operators
// write.

#include <cstddef>
#include <limits>
#include <stdexcept>

#include "program/native/writer.hpp"

namespace isofield::host::native {
namespace {

#define TWIN(name) ISOFIELD_TWIN(name)

/// A vector of numbers that an instruction makes, or a constant that no instruction has asked for
/// yet.
template <class T>
class Recorded {
 public:
  using Number = T;

  class Mask {
   public:
    Mask(Writer& writer, int vector) : writer_(writer), vector_(vector) {}
    friend Mask operator&(Mask a, Mask b) {
      return {a.writer_, a.writer_.both(a.vector_, b.vector_)};
    }
    friend Mask operator|(Mask a, Mask b) {
      return {a.writer_, a.writer_.either(a.vector_, b.vector_)};
    }
    friend Recorded select(Mask where, Recorded yes, Recorded no) {
      Writer& w = where.writer_;
      const int otherwise = no.in(w);
      return {w, w.blend(otherwise, yes.in(w), where.vector_)};
    }

   private:
    Writer& writer_;
    int vector_;
  };

  /// The numbers' patterns as integers, which wrap.
  class Bits {
   public:
    Bits(std::uint64_t constant) : constant_(constant) {}
    Bits(Writer& writer, int vector) : writer_(&writer), vector_(vector) {}
    friend Bits operator+(Bits a, Bits b) { return commute({Id::kIdVpaddq, Id::kIdVpaddd}, a, b); }
    friend Bits operator-(Bits a, Bits b) {
      Writer& w = a.writer(b);
      const int left = a.in(w);
      return {w, w.binary({Id::kIdVpsubq, Id::kIdVpsubd}, left, b.in(w))};
    }
    friend Bits operator&(Bits a, Bits b) { return commute(TWIN(and), a, b); }
    friend Bits operator|(Bits a, Bits b) { return commute(TWIN(or), a, b); }
    friend Bits operator^(Bits a, Bits b) { return commute(TWIN(xor), a, b); }
    friend Bits operator<<(Bits a, int n) {
      return {*a.writer_, a.writer_->shift({Id::kIdVpsllq, Id::kIdVpslld}, a.vector_, n)};
    }
    friend Bits operator>>(Bits a, int n) {
      return {*a.writer_, a.writer_->shift({Id::kIdVpsrlq, Id::kIdVpsrld}, a.vector_, n)};
    }
    friend Recorded number(Bits a) { return {*a.writer_, a.vector_}; }

   private:
    Writer& writer(Bits other) const { return writer_ ? *writer_ : *other.writer_; }
    int in(Writer& w) const { return writer_ ? vector_ : w.integer(constant_); }
    static Bits commute(Twin t, Bits a, Bits b) {
      Writer& w = a.writer(b);
      const int left = a.in(w);
      return {w, w.commute(t, left, b.in(w))};
    }
    Writer* writer_ = nullptr;
    int vector_ = -1;
    std::uint64_t constant_ = 0;
  };

  Recorded(double constant) : constant_(constant) {}
  Recorded(Writer& writer, int vector) : writer_(&writer), vector_(vector) {}
  int vector() const { return vector_; }
  int in(Writer& w) const { return writer_ ? vector_ : w.number(constant_); }

  friend Recorded operator+(Recorded a, Recorded b) { return commute(TWIN(add), a, b); }
  friend Recorded operator-(Recorded a, Recorded b) { return binary(TWIN(sub), a, b); }
  friend Recorded operator*(Recorded a, Recorded b) { return commute(TWIN(mul), a, b); }
  friend Recorded operator/(Recorded a, Recorded b) { return binary(TWIN(div), a, b); }
  friend Mask operator<(Recorded a, Recorded b) { return compare(lt, a, b); }
  friend Mask operator<=(Recorded a, Recorded b) { return compare(le, a, b); }
  friend Mask operator==(Recorded a, Recorded b) { return compare(eq, a, b); }
  // The instruction gives its second operand where one is NaN.
  friend Recorded at_least(Recorded a, Recorded bound) { return binary(TWIN(max), bound, a); }
  friend Recorded at_most(Recorded a, Recorded bound) { return binary(TWIN(min), bound, a); }
  friend Recorded sqrt(Recorded a) { return {*a.writer_, a.writer_->unary(TWIN(sqrt), a.vector_)}; }
  friend Bits pattern(Recorded a) { return {*a.writer_, a.vector_}; }

 private:
  Writer& writer(Recorded other) const { return writer_ ? *writer_ : *other.writer_; }
  static Recorded commute(Twin t, Recorded a, Recorded b) {
    Writer& w = a.writer(b);
    const int left = a.in(w);
    return {w, w.commute(t, left, b.in(w))};
  }
  static Recorded binary(Twin t, Recorded a, Recorded b) {
    Writer& w = a.writer(b);
    const int left = a.in(w);
    return {w, w.binary(t, left, b.in(w))};
  }
  static Mask compare(Predicate p, Recorded a, Recorded b) {
    Writer& w = a.writer(b);
    const int left = a.in(w);
    return {w, w.compare(p, left, b.in(w))};
  }

  Writer* writer_ = nullptr;
  int vector_ = -1;
  double constant_ = 0;
};

// Formulas build on what is above them.
// clang-format off
#include "program/elementary/format.inc"
#include "program/elementary/exponential.inc"
#include "program/elementary/logarithm.inc"
#include "program/elementary/error_function.inc"
#include "program/elementary/hypotenuse.inc"
#include "program/elementary/inverse_trigonometric.inc"
// clang-format on

template <class T>
int write(Writer& writer, Op op, const int* in) {
  const Recorded<T> x(writer, in[0]);
  const auto y = [&] { return Recorded<T>(writer, in[1]); };
  switch (op) {
    case Op::exp: return exp(x).vector();
    case Op::expm1: return expm1(x).vector();
    case Op::log: return log(x).vector();
    case Op::log1p: return log1p(x).vector();
    case Op::sinh: return sinh(x).vector();
    case Op::cosh: return cosh(x).vector();
    case Op::tanh: return tanh(x).vector();
    case Op::sigmoid: return sigmoid(x).vector();
    case Op::erf: return erf(x).vector();
    case Op::asin: return asin(x).vector();
    case Op::acos: return acos(x).vector();
    case Op::atan: return atan(x).vector();
    case Op::atan2: return atan2(x, y()).vector();
    case Op::hypot: return hypot(x, y()).vector();
    default: break;
  }
  throw std::logic_error("isofield: no machine code for " + std::string(info(op).name));
}

}  // namespace

bool knows_elementary(Op op) noexcept {
  switch (op) {
    case Op::exp:
    case Op::expm1:
    case Op::log:
    case Op::log1p:
    case Op::sinh:
    case Op::cosh:
    case Op::tanh:
    case Op::sigmoid:
    case Op::erf:
    case Op::asin:
    case Op::acos:
    case Op::atan:
    case Op::atan2:
    case Op::hypot: return true;
    default: return false;
  }
}

int elementary(Writer& writer, Op op, const int* in) {
  return writer.doubles() ? write<double>(writer, op, in) : write<float>(writer, op, in);
}

}  // namespace isofield::host::native
