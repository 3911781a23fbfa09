// Random sequences of operations, run in several ways: lazily, so that what is pending is fused and
// looks at shared memory; one operation at a time, each on memory of its own; and under jit. All
// must give the same bits and the same errors.
#include <algorithm>
#include <cmath>
#include <complex>
#include <functional>
#include <vector>

#include "bytes.hpp"

namespace isofield::fuzz {
namespace {

using Arrays = std::vector<UnifiedArray>;
using Unary = UnifiedArray (*)(const UnifiedArray&);
using Binary = UnifiedArray (*)(const Operand&, const Operand&);

constexpr Unary unary[] = {
#define UNARY(name, ...) [](const UnifiedArray& x) { return name(x); },
#define BINARY(...)
#include <isofield/ops.def>
#undef UNARY
#undef BINARY
};
constexpr Binary binary[] = {
#define UNARY(...)
#define BINARY(name, ...) [](const Operand& a, const Operand& b) { return name(a, b); },
#include <isofield/ops.def>
#undef UNARY
#undef BINARY
};
constexpr int unary_count = static_cast<int>(std::size(unary));
constexpr int binary_count = static_cast<int>(std::size(binary));

/// How a case is run.
enum class Way { lazy, apart, traced };

constexpr std::int64_t most_elements = 3000;

/// What a case gave: the bytes of its arrays, and the texts of the errors on the way.
struct Outcome {
  std::vector<std::string> arrays, errors;
};

template <class T>
T one_nan(T value) {
  if constexpr (is_complex_type<T>)
    return {one_nan(value.real()), one_nan(value.imag())};
  else if constexpr (std::is_floating_point_v<T>)
    return std::isnan(value) ? std::numeric_limits<T>::quiet_NaN() : value;
  else
    return value;
}

template <class T>
std::string bytes_of(const UnifiedArray& x) {
  std::string text = std::string(name(x.dtype())) + " " + to_string(x.shape()) + ":";
  for (T value : x.to_vector<T>()) {
    value = one_nan(value);
    text.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  return text;
}

std::string bytes_of(const UnifiedArray& x) {
  switch (x.dtype()) {
    case DType::bool_: return bytes_of<bool>(x);
    case DType::int8: return bytes_of<std::int8_t>(x);
    case DType::int16: return bytes_of<std::int16_t>(x);
    case DType::int32: return bytes_of<std::int32_t>(x);
    case DType::int64: return bytes_of<std::int64_t>(x);
    case DType::uint8: return bytes_of<std::uint8_t>(x);
    case DType::uint16: return bytes_of<std::uint16_t>(x);
    case DType::uint32: return bytes_of<std::uint32_t>(x);
    case DType::uint64: return bytes_of<std::uint64_t>(x);
    case DType::float32: return bytes_of<float>(x);
    case DType::float64: return bytes_of<double>(x);
    case DType::complex64: return bytes_of<std::complex<float>>(x);
    case DType::complex128: break;
  }
  return bytes_of<std::complex<double>>(x);
}

/// The leaves of a case: one shape, and arrays that broadcast to it.
class Leaves {
 public:
  explicit Leaves(Bytes& in) : in_(in) {
    static const Shape shapes[] = {{},        {1},     {3},    {8},          {17},
                                   {33},      {300},   {0},    {2, 3},       {5, 4},
                                   {1, 7},    {3, 40}, {7, 1}, {2, 0},       {2, 3, 4},
                                   {3, 1, 5}, {4, 6},  {9, 9}, {1, 2, 1, 3}, {1000}};
    shape_ = shapes[in_.pick(20)];
    dtype_ = in_.dtype();
    for (int i = 0; i < 4; ++i) list.push_back(leaf());
  }
  Arrays list;

 private:
  UnifiedArray leaf() {
    const DType dtype = in_.pick(3) ? dtype_ : in_.dtype();
    Shape shape = shape_;
    if (in_.pick(3) == 0)
      for (int k = 0; k < shape.size(); ++k)
        if (in_.flag()) shape[k] = std::min<std::int64_t>(shape[k], 1);
    while (shape.size() > 0 && in_.pick(4) == 0) shape.erase(0);
    const int rank = shape.size();
    switch (rank > 0 ? in_.pick(6) : 5) {
      case 0: return flip(values(shape, dtype), in_.pick(rank));
      case 1: {
        Shape wide = shape;
        wide[rank - 1] *= 2;
        return values(wide, dtype).index({ellipsis, Slice{{}, {}, 2}});
      }
      case 2: {
        Shape turned;
        for (int k = rank - 1; k >= 0; --k) turned.push_back(shape[k]);
        return values(turned, dtype).T();
      }
      default: return values(shape, dtype);
    }
  }

  double number() {
    using L = std::numeric_limits<double>;
    static const double special[] = {0.0,    -0.0,  1.0,    -1.0,  L::infinity(),  -L::infinity(),
                                     0.5,    -0.5,  2.5,    -3.5,  L::quiet_NaN(), 1e300,
                                     1e-300, 127.0, -128.0, 255.0, 1e10,           -1e19,
                                     88.5,   710.0};
    const int b = in_.byte();
    return b < 40 ? special[b % 20] : b < 128 ? (b - 84) / 16.0 : b - 192;
  }

  UnifiedArray values(const Shape& shape, DType dtype) {
    // A few numbers from the case, again and again: bytes are dear.
    std::vector<double> few(static_cast<std::size_t>(1 + in_.pick(12)));
    for (auto& v : few) v = number();
    std::vector<std::complex<double>> all(static_cast<std::size_t>(element_count(shape)));
    for (std::size_t i = 0; i < all.size(); ++i) {
      const double drift = is_integer(dtype) ? 0 : static_cast<double>(i / few.size()) / 64;
      all[i] = {few[i % few.size()] + drift, few[(i + 1) % few.size()]};
    }
    const UnifiedArray x = asarray(all, shape);
    if (is_complex(dtype)) return x.astype(dtype).copy();
    const UnifiedArray parts = real(x);
    if (!is_integer(dtype)) return parts.astype(dtype).copy();
    // What a float that does not fit becomes is nobody's promise.
    const UnifiedArray small = where(abs(parts) < 1000.0, parts, 7.0);
    return (kind(dtype) == Kind::unsigned_integer ? abs(small) : small).astype(dtype).copy();
  }

  Bytes& in_;
  Shape shape_;
  DType dtype_;
};

class Program {
 public:
  Program(Bytes in, Way way) : in_(in), way_(way) {}

  Arrays run(Arrays leaves) {
    arrays_ = std::move(leaves);
    for (int step = 0; step < 24 && !in_.empty(); ++step) {
      UnifiedArray result;
      const std::string error = error_of([&] {
        // An array that is written to is changed where it is.
        if (const int kind = in_.byte(); kind < 40)
          write(kind);
        else
          result = own(kind < 90    ? unary[in_.pick(unary_count)](some())
                       : kind < 150 ? pair()
                                    : other(kind - 150));
      });
      if (!error.empty()) {
        errors.push_back(error);
        continue;
      }
      if (result.size() > most_elements) continue;
      if (arrays_.size() > 10)
        arrays_[place()] = result;
      else
        arrays_.push_back(result);
    }
    return arrays_;
  }
  std::vector<std::string> errors;

 private:
  std::size_t place() { return static_cast<std::size_t>(in_.byte()) % arrays_.size(); }
  /// An operand: one of the latest or any.
  UnifiedArray some() {
    const int b = in_.byte();
    const std::size_t n = arrays_.size();
    return own(arrays_[b < 128 ? n - 1 - static_cast<std::size_t>(b) % std::min<std::size_t>(n, 4)
                               : static_cast<std::size_t>(b) % n]);
  }
  /// What shares no memory and waits for nothing, where all is to be apart.
  UnifiedArray own(UnifiedArray x) const {
    if (way_ != Way::apart || x.size() > most_elements) return x;
    return x.copy();
  }
  Scalar scalar() {
    switch (in_.pick(8)) {
      case 0: return in_.flag();
      case 1: return in_.integer(4);
      case 2: return -0.0;
      case 3: return std::numeric_limits<double>::quiet_NaN();
      case 4: return std::complex<double>(in_.pick(5) - 2, in_.pick(3) - 1);
      case 5: return in_.pick(7) - 3;
      default: return (in_.byte() - 128) / 32.0;
    }
  }
  UnifiedArray pair() {
    const Binary f = binary[in_.pick(binary_count)];
    switch (in_.pick(5)) {
      case 0: return f(some(), scalar());
      case 1: return f(scalar(), some());
      default: {
        const UnifiedArray a = some(), b = some();
        return f(a, b);
      }
    }
  }
  int axis(const UnifiedArray& x) {
    const int b = in_.byte();
    return b == 255 ? 7 : x.ndim() == 0 ? 0 : b % (2 * x.ndim()) - x.ndim();
  }
  std::vector<int> axes(const UnifiedArray& x) {
    std::vector<int> result;
    for (int k = 0; k < x.ndim(); ++k)
      if (in_.flag()) result.push_back(k);
    return result;
  }
  Slice range(std::int64_t n) {
    Slice s;
    if (in_.flag()) s.start = in_.integer(n);
    if (in_.flag()) s.stop = in_.integer(n);
    if (in_.pick(3) == 0) s.step = in_.integer(2);
    return s;
  }
  std::vector<Index> part(const UnifiedArray& x) {
    std::vector<Index> indices;
    for (int k = 0; k < x.ndim(); ++k) {
      const std::int64_t n = x.shape()[k];
      switch (in_.pick(6)) {
        case 0: indices.push_back(n > 0 ? in_.byte() % n : 0); break;
        case 1: indices.push_back(ellipsis); return indices;
        case 2:
          indices.push_back(newaxis);
          --k;
          if (indices.size() > 6) return indices;
          break;
        default: indices.push_back(range(n)); break;
      }
    }
    return indices;
  }
  UnifiedArray truth(const UnifiedArray& x) { return x.astype(bool_); }

  void write(int kind) {
    UnifiedArray& x = arrays_[place()];
    const UnifiedArray value = some();
    UnifiedArray y = own(x);  // so that an error leaves what is there
    switch (kind % 8) {
      case 0: y += value; break;
      case 1: y *= value; break;
      case 2: y -= scalar(); break;
      case 3: y.assign(part(y), value); break;
      case 4: y.assign(part(y), scalar()); break;
      case 5: {
        const UnifiedArray mask = broadcast_to(truth(some()), y.shape());
        y(mask) = scalar();
        break;
      }
      case 6: {
        const UnifiedArray mask = broadcast_to(truth(some()), y.shape());
        y(mask) += scalar();
        break;
      }
      default: {
        const Slice s = range(y.ndim() ? y.shape()[0] : 1);
        y(s) += value;
      }
    }
    x = own(std::move(y));
  }

  UnifiedArray reduction(const UnifiedArray& x, int kind) {
    const std::vector<int> along = axes(x);
    const bool keep = in_.flag();
    switch (kind) {
      case 0: return sum(x, along, keep);
      case 1: return prod(x, along, keep);
      case 2: return min(x, along, keep);
      case 3: return max(x, along, keep);
      case 4: return any(x, along, keep);
      case 5: return all(x, along, keep);
      case 6: return mean(x, along, keep);
      case 7: return var(x, along, in_.pick(3) / 2.0, keep);
      case 8: return isofield::std(x, along, 0.0, keep);
      case 9: return sum(x);
      case 10: return max(x);
      default: {
        // What a float that does not fit becomes is nobody's promise.
        const DType to = in_.dtype();
        return sum(x, along, keep, is_floating(x.dtype()) && is_integer(to) ? x.dtype() : to);
      }
    }
  }

  UnifiedArray other(int kind) {
    const UnifiedArray x = some();
    switch (kind % 36) {
      case 0:
      case 1:
      case 2:
      case 3:
      case 4:
      case 5: return reduction(x, in_.pick(12));
      case 6: return where(truth(some()), x, some());
      case 7: return where(truth(some()), x, scalar());
      case 8: return clip(x, scalar(), scalar());
      case 9: return clip(x, some(), {});
      case 10:
      case 11: {
        const DType to = in_.dtype();
        // What a float that does not fit becomes is nobody's promise.
        if (is_integer(to) && is_floating(x.dtype()))
          return where(logical_and(greater_equal(x, 0.0), less(x, 100.0)), x, 3.0).astype(to);
        return x.astype(to);
      }
      case 12:
      case 13: {
        const Boundary rules[] = {Boundary::periodic, Boundary::clamp, Boundary::reflect,
                                  Boundary::constant};
        const int a = axis(x);
        const std::int64_t by = in_.integer(3);
        return shift(x, a, by, rules[in_.pick(4)], scalar());
      }
      case 14: return x.index(part(x));
      case 15: return x.T();
      case 16: return flip(x, axis(x));
      case 17: return roll(x, in_.integer(5), axis(x));
      case 18: return reshape(x, {-1});
      case 19: return reshape(x, {x.size()});
      case 20: return expand_dims(x, axis(x));
      case 21: return concat({x, some()}, axis(x));
      case 22: return stack({x, some()}, axis(x));
      case 23: return cumulative_sum(x, axis(x));
      case 24: return in_.flag() ? cumulative_max(x, axis(x)) : cumulative_prod(x, axis(x));
      case 25: return sort(x, axis(x), in_.flag());
      case 26: return argsort(x, axis(x), in_.flag());
      case 27: return linalg::matmul(x, some());
      case 28: return repeat(x, in_.pick(3), axis(x));
      case 29: return tile(x, {in_.pick(3)});
      case 30: return diff(x, axis(x), in_.pick(3));
      case 31: return pad(x, {{in_.pick(3), in_.pick(3)}}, static_cast<Pad>(in_.pick(5)), 1);
      case 32: return in_.flag() ? tril(x, in_.pick(5) - 2) : triu(x, in_.pick(5) - 2);
      case 33: return in_.flag() ? argmax(x, axis(x)) : argmin(x, axis(x));
      case 34: {
        // A replay would say later that there is nothing to take.
        const std::int64_t n = x.ndim() ? x.shape()[0] : 1;
        if (n == 0) return x;
        const UnifiedArray at = remainder(abs(some()).astype(int64), n);
        return take(x, at, 0);
      }
      default: return broadcast_to(x, some().shape());
    }
  }

  Bytes in_;
  Way way_;
  Arrays arrays_;
};

Outcome outcome(const Arrays& leaves, Bytes in, Way way) {
  Outcome result;
  Arrays arrays;
  if (way == Way::traced) {
    const auto f = jit([&](const UnifiedArray& a, const UnifiedArray& b, const UnifiedArray& c,
                           const UnifiedArray& d) {
      Program program(in, way);
      Arrays given = program.run({a, b, c, d});
      result.errors = program.errors;
      return given;
    });
    arrays = f(leaves[0], leaves[1], leaves[2], leaves[3]);
    const Arrays again = f(leaves[0], leaves[1], leaves[2], leaves[3]);
    for (std::size_t i = 0; i < again.size(); ++i)
      require(bytes_of(again[i]) == bytes_of(arrays[i]), "a replay differs from the first");
  } else {
    const ScopedEager eager(way == Way::apart);
    Program program(in, way);
    arrays = program.run(leaves);
    result.errors = program.errors;
  }
  for (const auto& x : arrays) result.arrays.push_back(bytes_of(x));
  return result;
}

std::string shown(const std::string& bytes) {
  std::string text;
  const std::size_t head = bytes.find(':');
  for (std::size_t i = 0; i < std::min<std::size_t>(bytes.size(), 200); ++i) {
    char hex[4];
    std::snprintf(hex, sizeof hex, "%02x", static_cast<unsigned char>(bytes[i]));
    text += i <= head ? std::string(1, bytes[i]) : hex;
  }
  return text;
}

void compare(const Outcome& a, const Outcome& b, const std::string& ways) {
  for (std::size_t i = 0; i < std::min(a.errors.size(), b.errors.size()); ++i)
    require(a.errors[i] == b.errors[i], ways + ":\n  " + a.errors[i] + "\n  " + b.errors[i]);
  require(a.errors.size() == b.errors.size(), ways + ": not the same errors");
  require(a.arrays.size() == b.arrays.size(), ways + ": not the same arrays");
  for (std::size_t i = 0; i < a.arrays.size(); ++i)
    require(a.arrays[i] == b.arrays[i], ways + ": array " + std::to_string(i) + "\n  " +
                                            shown(a.arrays[i]) + "\n  " + shown(b.arrays[i]));
}

}  // namespace
}  // namespace isofield::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace isofield::fuzz;
  Bytes in(data, size);
  const bool traced = in.flag();
  const Leaves leaves(in);
  const Outcome apart = outcome(leaves.list, in, Way::apart);
  compare(apart, outcome(leaves.list, in, Way::lazy), "one at a time, lazily");
  if (traced) compare(apart, outcome(leaves.list, in, Way::traced), "one at a time, under jit");
  return 0;
}
