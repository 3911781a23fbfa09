// Writes results of random programs to a file: random_dump FILE BACKEND. Kernels and machine code
// must give the same file. What a NaN's bits say is not part of that.
#include <cstdio>
#include <isofield/isofield.hpp>
#include <limits>
#include <random>
#include <string>
#include <vector>

using namespace isofield;

namespace {

std::FILE* file = nullptr;

template <class T>
void record_as(const UnifiedArray& x) {
  std::vector<T> values = x.to_vector<T>();
  if constexpr (std::is_floating_point_v<T>)
    for (auto& v : values)
      if (v != v) v = std::numeric_limits<T>::quiet_NaN();
  for (const T v : values) std::fwrite(&v, sizeof v, 1, file);
}

void record(int number, const UnifiedArray& x) {
  std::fprintf(file, "%d %s %s\n", number, std::string(name(x.dtype())).c_str(),
               to_string(x.shape()).c_str());
  if (x.dtype() == DType::bool_)
    record_as<bool>(x);
  else if (x.dtype() == DType::int64)
    record_as<std::int64_t>(x);
  else if (x.dtype() == DType::float32)
    record_as<float>(x);
  else
    record_as<double>(x);
}

/// Grows an expression from arrays that an evaluation finds in every way they can lie.
class Random {
 public:
  explicit Random(unsigned seed) : generator_(seed) {
    static const Shape shapes[] = {
        {1},    {3},      {31},      {32},      {100},     {257},    {1500},     {40000},
        {5, 7}, {64, 64}, {3, 1000}, {200, 60}, {4, 5, 6}, {40, 13}, {7, 6, 17}, {2, 50, 70}};
    shape_ = shapes[pick(16)];
    dtype_ = pick(3) ? float64 : float32;
    for (int i = 0; i < 4; ++i) numbers_.push_back(leaf());
    truths_.push_back(numbers_[0] < numbers_[1]);
    truths_.push_back((numbers_[2] > 0.0).copy());
  }

  void run(int number) {
    const int length = 1 + pick(40);
    for (int i = 0; i < length; ++i) {
      if (pick(4) == 0)
        truths_.push_back(truth());
      else
        numbers_.push_back(this->number());
    }
    const UnifiedArray a = broadcast_to(numbers_.back(), shape_),
                       b = broadcast_to(truths_.back(), shape_);
    switch (pick(10)) {
      case 8: record(number, sum(integers())); break;
      case 9:
        record(number, max(integers()));
        record(number, prod(integers()));
        break;
      case 0: record(number, sum(a)); break;
      case 1: record(number, max(a)); break;
      case 2: record(number, min(a, {a.ndim() - 1})); break;
      case 3: record(number, sum(a, {0})); break;
      case 4: record(number, prod(a)); break;
      case 5:
        record(number, any(b));
        record(number, all(b, {0}));
        break;
      default: record(number, b); record(number, a);
    }
    record(number, numbers_[numbers_.size() / 2]);
  }

 private:
  int pick(int n) { return static_cast<int>(generator_() % static_cast<unsigned>(n)); }

  UnifiedArray values(const Shape& shape) {
    using L = std::numeric_limits<double>;
    static const double special[] = {
        0.0,   -0.0,    1.0, -1.0, L::infinity(), -L::infinity(), L::quiet_NaN(),
        1e300, -1e-300, 0.5, 2.5,  -3.5};
    std::vector<double> v(static_cast<std::size_t>(element_count(shape)));
    const bool with_special = pick(3) == 0;
    for (auto& x : v)
      x = with_special && pick(6) == 0
              ? special[pick(12)]
              : -2.0 + 4.0 * (static_cast<double>(generator_()) / 4294967296.0);
    return asarray(v, shape).astype(dtype_);
  }

  UnifiedArray leaf() {
    const int rank = shape_.size();
    switch (pick(6)) {
      case 0: return values({});
      case 1: return values({shape_[rank - 1]});
      case 2: return flip(values(shape_), pick(rank));
      case 3: {
        Shape wide = shape_;
        wide[rank - 1] *= 2;
        return values(wide)(ellipsis, slice(1, wide[rank - 1], 2));
      }
      default: return broadcast_to(values(shape_), shape_);
    }
  }

  const UnifiedArray& some() {
    return numbers_[static_cast<std::size_t>(pick(static_cast<int>(numbers_.size())))];
  }
  const UnifiedArray& some_truth() {
    return truths_[static_cast<std::size_t>(pick(static_cast<int>(truths_.size())))];
  }
  double scalar() {
    static const double scalars[] = {0.0, 1.0,  -1.5, 3.0,
                                     0.1, -0.0, 1e3,  std::numeric_limits<double>::quiet_NaN()};
    return scalars[pick(8)];
  }

  UnifiedArray number() {
    const UnifiedArray& a = some();
    const UnifiedArray& b = some();
    switch (pick(32)) {
      case 0: return a + b;
      case 1: return a - b;
      case 2: return a * b;
      case 3: return a / b;
      case 4: return maximum(a, b);
      case 5: return minimum(a, b);
      case 6: return maximum(a, scalar());
      case 7: return minimum(scalar(), a);
      case 8: return scalar() - a;
      case 9: return a * scalar() + b;
      case 10: return -a;
      case 11: return abs(a);
      case 12: return sign(a);
      case 13: return square(a);
      case 14: return relu(a);
      case 15: return reciprocal(a);
      case 16: return sqrt(abs(a));
      case 17: return floor(a);
      case 18: return ceil(a);
      case 19: return trunc(round(a));
      case 20: return where(some_truth(), a, b);
      case 21: return where(some_truth(), a, scalar());
      case 22: return some_truth().astype(dtype_);
      case 23: return square(maximum((a - b) * 3.0, 0.0)) + a;
      case 24:
      case 27:
      case 28: return elementary(a);
      case 29:
      case 30: return integers().astype(dtype_);
      case 25: {
        const Boundary rules[] = {Boundary::periodic, Boundary::clamp, Boundary::reflect,
                                  Boundary::constant};
        const UnifiedArray whole = broadcast_to(a, shape_);
        const int axis = pick(shape_.size());
        return shift(whole, axis, shape_[axis] > 2 ? pick(3) - 1 : 0, rules[pick(4)], 0.25);
      }
      default: return a.astype(dtype_ == float64 ? float32 : float64).astype(dtype_);
    }
  }

  UnifiedArray integer() {
    const UnifiedArray& a = some();
    if (pick(4) == 0) return (a * 5e18).astype(int64);  // some are no int64
    return clip(where(isfinite(a), a * 1000.0, 5.0), -1e9, 1e9).astype(int64);
  }

  UnifiedArray integers() {
    const UnifiedArray i = integer(), j = integer();
    switch (pick(16)) {
      case 0: return i + j;
      case 1: return i - j;
      case 2: return i * j * j;  // wraps
      case 3: return -i;
      case 4: return abs(i) - 3;
      case 5: return sign(i);
      case 6: return square(i) * 1000003;
      case 7: return relu(i);
      case 8: return maximum(i, j);
      case 9: return minimum(i, 7);
      case 10: return where(some_truth(), i, j);
      case 11: return where(i < j, i * 3, 2 - j);
      case 12: return (i >= j).astype(int64) + i;
      case 13: return i.astype(bool_).astype(int64);
      case 14: return remainder(i, 17) + j;
      default: return some_truth().astype(int64) * j;
    }
  }

  UnifiedArray elementary(const UnifiedArray& a) {
    switch (pick(20)) {
      case 14: return asin(a);
      case 15: return acos(a * 0.6);
      case 16: return atan(a);
      case 17:
      case 18: return atan2(a, some());
      case 19: return hypot(a, some());
      case 0: return exp(a);
      case 1: return expm1(a);
      case 2: return log(abs(a));
      case 3: return log1p(a);
      case 4: return sinh(a);
      case 5: return cosh(a);
      case 6: return tanh(a);
      case 7: return sigmoid(a);
      case 8: return erf(a);
      case 9: return sin(a);
      case 10: return cos(a * 60000.0);  // where some are the C library's
      case 11: return tan(a);
      case 12: return power(a, some());
      default: return exp(a * 300.0);
    }
  }

  UnifiedArray truth() {
    const UnifiedArray& a = some();
    const UnifiedArray& b = some();
    switch (pick(17)) {
      case 16: return where(some_truth(), some_truth(), some_truth());
      case 12: return integers() == integer();
      case 13: return integers() != integer();
      case 14: return integers() <= integer();
      case 15: return integer() > 3;
      case 0: return a < b;
      case 1: return a <= scalar();
      case 2: return a > b;
      case 3: return scalar() >= a;
      case 4: return a == b;
      case 5: return a != b;
      case 6: return isnan(a);
      case 7: return logical_or(isinf(a), isfinite(b));
      case 8: return logical_not(some_truth());
      case 9: return logical_and(some_truth(), some_truth());
      case 10: return logical_xor(some_truth(), some_truth());
      default: return some_truth() == some_truth();
    }
  }

  std::mt19937 generator_;
  Shape shape_;
  DType dtype_;
  std::vector<UnifiedArray> numbers_, truths_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  set_backend(argv[2]);
  file = std::fopen(argv[1], "wb");
  if (!file) return 5;
  for (unsigned seed = 0; seed < 600; ++seed) Random(seed).run(static_cast<int>(seed));
  return std::fclose(file) == 0 ? 0 : 5;
}
