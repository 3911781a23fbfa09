#include <cmath>
#include <isofield/ops.hpp>
#include <isofield/random.hpp>
#include <isofield/registry.hpp>
#include <numeric>
#include <utility>

#include "core/node.hpp"
#include "core/step.hpp"
#include "core/transform.hpp"

namespace isofield::random {
namespace {

using Words = std::array<std::uint32_t, 4>;

std::uint64_t joined(std::uint32_t high, std::uint32_t low) {
  return static_cast<std::uint64_t>(high) << 32 | low;
}

/// A number of [0, 1) whose every multiple of 2^-53 is as likely.
double fraction(std::uint32_t high, std::uint32_t low) {
  return static_cast<double>(joined(high, low) >> 11) * 0x1p-53;
}

std::uint64_t scaled(std::uint32_t high, std::uint32_t low, std::uint64_t range) {
  __extension__ using Product = unsigned __int128;
  return static_cast<std::uint64_t>(static_cast<Product>(joined(high, low)) * range >> 64);
}

/// Whole numbers of all dtypes.
__extension__ using Wide = __int128;
bool is_whole(const Scalar& s) {
  return s.kind() == Kind::signed_integer || s.kind() == Kind::unsigned_integer;
}
Wide wide(const Scalar& s) {
  return s.kind() == Kind::unsigned_integer ? static_cast<Wide>(s.to<std::uint64_t>())
                                            : static_cast<Wide>(s.to<std::int64_t>());
}
Scalar narrow(Wide number) {
  return number < 0 ? Scalar(static_cast<std::int64_t>(number))
                    : Scalar(static_cast<std::uint64_t>(number));
}

/// Throw Error inside of functions that are not called once for each result.
void check_called(const char* operation) {
  if (detail::tracer())
    throw Error(std::string("random::") + operation +
                ": numbers drawn inside of a traced function would be the same at each replay; "
                "draw them outside and pass them in");
  if (detail::batch_depth > 0)
    throw Error(std::string("random::") + operation +
                ": numbers drawn inside of a function that vmap calls would be the same for each "
                "element of the batch; draw them outside, along an axis, and pass them in");
}

std::size_t count_of(const Shape& shape, DType dtype) {
  return detail::byte_count(shape, dtype) / itemsize(dtype);
}

void check_floating(const char* operation, DType dtype) {
  if (!is_floating(dtype))
    throw DTypeError(std::string("random::") + operation +
                     ": needs a real-valued floating-point dtype, got " + std::string(name(dtype)));
}

UnifiedArray brought(const UnifiedArray& drawn, BaseBackend* backend) {
  return drawn.to_backend(backend ? *backend : default_backend());
}

/// Arrays are computed where every machine computes the same bits.
BaseBackend& host() { return get_backend("eigen"); }

}  // namespace

Words philox(Words counter, std::array<std::uint32_t, 2> key) noexcept {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t a = std::uint64_t{0xD2511F53} * counter[0];
    const std::uint64_t b = std::uint64_t{0xCD9E8D57} * counter[2];
    counter = {
        static_cast<std::uint32_t>(b >> 32) ^ counter[1] ^ key[0], static_cast<std::uint32_t>(b),
        static_cast<std::uint32_t>(a >> 32) ^ counter[3] ^ key[1], static_cast<std::uint32_t>(a)};
    key[0] += 0x9E3779B9;
    key[1] += 0xBB67AE85;
  }
  return counter;
}

Words philox(std::uint64_t counter, std::uint64_t key) noexcept {
  const auto low = [](std::uint64_t x) { return static_cast<std::uint32_t>(x); };
  const auto high = [](std::uint64_t x) { return static_cast<std::uint32_t>(x >> 32); };
  return philox({low(counter), high(counter), 0, 0}, {low(key), high(key)});
}

Generator::Generator(const Generator& other) noexcept : Generator(other.state()) {}

Generator& Generator::operator=(const Generator& other) noexcept {
  const State from = other.state();
  const std::lock_guard lock(mutex_);
  key_ = from.seed;
  drawn_ = from.drawn;
  return *this;
}

Generator::State Generator::state() const noexcept {
  const std::lock_guard lock(mutex_);
  return {key_, drawn_};
}

std::uint64_t Generator::take(std::uint64_t blocks) {
  const std::lock_guard lock(mutex_);
  return std::exchange(drawn_, drawn_ + blocks);
}

Words Generator::bits() {
  check_called("bits");
  return philox(take(1), key_);
}

Generator Generator::split() {
  const Words words = bits();
  return Generator(static_cast<std::uint64_t>(words[0]) << 32 | words[1]);
}

/// `count` numbers, two of a block: make(high, low).
template <class T, class Make>
std::vector<T> Generator::draw(std::int64_t count, Make make) {
  auto numbers = detail::host_elements<T>(count, DType::int64, {count});
  const std::uint64_t first = take(static_cast<std::uint64_t>((count + 1) / 2));
  for (std::size_t i = 0; i < numbers.size(); i += 2) {
    const Words words = philox(first + i / 2, key_);
    numbers[i] = make(words[0], words[1]);
    if (i + 1 < numbers.size()) numbers[i + 1] = make(words[2], words[3]);
  }
  return numbers;
}

UnifiedArray Generator::uniform(const Shape& shape, double low, double high, DType dtype,
                                BaseBackend* backend) {
  check_called("uniform");
  check_floating("uniform", dtype);
  if (!(low <= high) || !std::isfinite(high - low))
    throw ArgumentError("random::uniform: from " + std::to_string(low) + " to " +
                        std::to_string(high) + " there are no numbers");
  const auto count = static_cast<std::int64_t>(count_of(shape, float64));
  const double width = high - low;
  // Rounding must not reach the end.
  const double last =
      dtype == float32
          ? static_cast<double>(std::nextafter(static_cast<float>(high), static_cast<float>(low)))
          : std::nextafter(high, low);
  const std::vector<double> numbers = draw<double>(count, [=](std::uint32_t a, std::uint32_t b) {
    return std::min(low + width * fraction(a, b), last);
  });
  return brought(asarray(numbers, shape, &host()).astype(dtype).eval(), backend);
}

UnifiedArray Generator::normal(const Shape& shape, double mean, double deviation, DType dtype,
                               BaseBackend* backend) {
  check_called("normal");
  check_floating("normal", dtype);
  if (!(deviation >= 0) || !std::isfinite(mean) || !std::isfinite(deviation))
    throw ArgumentError("random::normal: a mean of " + std::to_string(mean) +
                        " and a deviation of " + std::to_string(deviation) +
                        " are of no normal distribution");
  const auto count = static_cast<std::int64_t>(count_of(shape, float64));
  const std::int64_t pairs = (count + 1) / 2;
  // Columns: a radius' and an angle's number; 1 - u is never 0.
  const UnifiedArray drawn = asarray(draw<double>(2 * pairs, fraction), Shape{pairs, 2}, &host());
  const UnifiedArray radius = deviation * sqrt(-2.0 * log(1.0 - drawn(Slice{}, 0)));
  const UnifiedArray angle = 6.283185307179586 * drawn(Slice{}, 1);
  const UnifiedArray numbers = stack({mean + radius * cos(angle), mean + radius * sin(angle)}, 1);
  const UnifiedArray flat = reshape(numbers, {2 * pairs})(Slice{0, count});
  return brought(reshape(flat, shape).astype(dtype).eval(), backend);
}

UnifiedArray Generator::integers(const Shape& shape, Scalar low, Scalar high, DType dtype,
                                 BaseBackend* backend, bool endpoint) {
  check_called("integers");
  if (!is_integer(dtype))
    throw DTypeError("random::integers: needs an integer dtype, got " + std::string(name(dtype)));
  const std::string range = "[" + low.text() + ", " + high.text() + (endpoint ? "]" : ")");
  if (!is_whole(low) || !is_whole(high))
    throw ArgumentError("random::integers: " + range + " is not between whole numbers");
  const Wide first = wide(low), last = wide(high) - (endpoint ? 0 : 1);
  if (first > last) throw ArgumentError("random::integers: " + range + " is empty");
  if (!low.fits(dtype) || !narrow(last).fits(dtype))
    throw DTypeError("random::integers: " + range + " does not fit into dtype " +
                     std::string(name(dtype)));
  const auto count = static_cast<std::int64_t>(count_of(shape, int64));
  // All numbers of 64 bits are one more than 64 bits can say, and need no scaling.
  const auto width = static_cast<std::uint64_t>(last - first + 1);
  const auto numbers = draw<std::uint64_t>(count, [=](std::uint32_t a, std::uint32_t b) {
    return static_cast<std::uint64_t>(first) + (width == 0 ? joined(a, b) : scaled(a, b, width));
  });
  const DType drawn = dtype == uint64 ? uint64 : int64;
  const UnifiedArray all =
      asarray_bytes(numbers.data(), numbers.size() * sizeof numbers[0], drawn, shape, &host());
  return brought(all.astype(dtype).eval(), backend);
}

UnifiedArray Generator::permutation(std::int64_t n, BaseBackend* backend) {
  return choice(n, {n}, false, backend);
}

UnifiedArray Generator::choice(std::int64_t n, const Shape& shape, bool replace,
                               BaseBackend* backend) {
  check_called("choice");
  const auto count = static_cast<std::int64_t>(count_of(shape, int64));
  if (n < 0 || (count > 0 && n == 0) || (!replace && count > n))
    throw ArgumentError("random::choice: " + std::to_string(count) + " of " + std::to_string(n) +
                        (replace ? "" : " without replacement") + " cannot be chosen");
  if (replace)
    return count == 0 ? asarray(std::vector<std::int64_t>(), shape, backend)
                      : integers(shape, 0, n, int64, backend);
  // The beginning of a shuffle by Fisher and Yates: place i trades with one of those from i on.
  auto places = detail::host_elements<std::int64_t>(n, DType::int64, {n});
  std::iota(places.begin(), places.end(), std::int64_t{0});
  const auto steps = draw<std::pair<std::uint32_t, std::uint32_t>>(
      count, [](std::uint32_t a, std::uint32_t b) { return std::pair(a, b); });
  for (std::size_t i = 0; i < steps.size(); ++i)
    std::swap(places[i], places[i + scaled(steps[i].first, steps[i].second, places.size() - i)]);
  places.resize(steps.size());
  return asarray(places, shape, backend);
}

Generator& default_generator() {
  static auto* generator = new Generator(0);  // never destroyed: static objects may draw
  return *generator;
}
void seed(std::uint64_t seed) { default_generator() = Generator(seed); }

UnifiedArray uniform(const Shape& shape, double low, double high, DType dtype,
                     BaseBackend* backend) {
  return default_generator().uniform(shape, low, high, dtype, backend);
}
UnifiedArray normal(const Shape& shape, double mean, double deviation, DType dtype,
                    BaseBackend* backend) {
  return default_generator().normal(shape, mean, deviation, dtype, backend);
}
UnifiedArray integers(const Shape& shape, Scalar low, Scalar high, DType dtype,
                      BaseBackend* backend, bool endpoint) {
  return default_generator().integers(shape, low, high, dtype, backend, endpoint);
}
UnifiedArray permutation(std::int64_t n, BaseBackend* backend) {
  return default_generator().permutation(n, backend);
}
UnifiedArray choice(std::int64_t n, const Shape& shape, bool replace, BaseBackend* backend) {
  return default_generator().choice(n, shape, replace, backend);
}

}  // namespace isofield::random
