#pragma once

#include <array>
#include <cstdint>
#include <isofield/array.hpp>
#include <mutex>

/// Random numbers that a seed decides: the same ones, bit for bit, on every backend, device,
/// instruction set and number of threads. Arrays are drawn on the host and brought to where they
/// are wanted.
namespace isofield::random {

/// A stream of random numbers, counter-based: Philox4x32-10 of Salmon et al., "Parallel random
/// numbers: as easy as 1, 2, 3" (SC 2011). Any thread may draw. Inside of a traced function drawing
/// throws Error: a replay would draw the same numbers again; draw outside and pass them in.
class Generator {
 public:
  explicit Generator(std::uint64_t seed) noexcept : key_(seed) {}
  Generator(const Generator& other) noexcept;
  Generator& operator=(const Generator& other) noexcept;

  /// Evenly distributed in [low, high). float32 or float64.
  UnifiedArray uniform(const Shape& shape, double low = 0.0, double high = 1.0,
                       DType dtype = float64, BaseBackend* backend = nullptr);
  /// Normally distributed (Box and Muller's transform). float32 or float64.
  UnifiedArray normal(const Shape& shape, double mean = 0.0, double deviation = 1.0,
                      DType dtype = float64, BaseBackend* backend = nullptr);
  /// Whole numbers in [low, high), or [low, high] with `endpoint`, of any integer dtype; no number
  /// is likelier than another by more than (high - low) / 2^64 of its share. Throws DTypeError
  /// where the dtype cannot hold them.
  UnifiedArray integers(const Shape& shape, Scalar low, Scalar high, DType dtype = int64,
                        BaseBackend* backend = nullptr, bool endpoint = false);
  /// 0, 1, ..., n-1 in random order, int64.
  UnifiedArray permutation(std::int64_t n, BaseBackend* backend = nullptr);
  /// Places 0, ..., n-1 chosen at random, int64, all different unless `replace`.
  UnifiedArray choice(std::int64_t n, const Shape& shape, bool replace = true,
                      BaseBackend* backend = nullptr);

  /// Draw a generator whose stream has nothing to do with this one's.
  Generator split();
  /// The next 128 random bits.
  std::array<std::uint32_t, 4> bits();

  /// Where the stream stands: seed and blocks drawn; a generator made of it goes on from there.
  struct State {
    std::uint64_t seed, drawn;
  };
  State state() const noexcept;
  explicit Generator(const State& state) noexcept : key_(state.seed), drawn_(state.drawn) {}

 private:
  /// Take `blocks` blocks of 128 bits; gives the number of the first.
  std::uint64_t take(std::uint64_t blocks);
  template <class T, class Make>
  std::vector<T> draw(std::int64_t count, Make make);

  mutable std::mutex mutex_;
  std::uint64_t key_;
  std::uint64_t drawn_ = 0;
};

/// Block `counter` of the stream of `key`: four words of Philox4x32-10.
std::array<std::uint32_t, 4> philox(std::uint64_t counter, std::uint64_t key) noexcept;
/// The same with all of its 128 bits of counter.
std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> counter,
                                    std::array<std::uint32_t, 2> key) noexcept;

/// The generator of the functions below, one for the process, seeded with 0 until `seed`.
Generator& default_generator();
/// Begin the default generator's stream again.
void seed(std::uint64_t seed);

UnifiedArray uniform(const Shape& shape, double low = 0.0, double high = 1.0, DType dtype = float64,
                     BaseBackend* backend = nullptr);
UnifiedArray normal(const Shape& shape, double mean = 0.0, double deviation = 1.0,
                    DType dtype = float64, BaseBackend* backend = nullptr);
UnifiedArray integers(const Shape& shape, Scalar low, Scalar high, DType dtype = int64,
                      BaseBackend* backend = nullptr, bool endpoint = false);
UnifiedArray permutation(std::int64_t n, BaseBackend* backend = nullptr);
UnifiedArray choice(std::int64_t n, const Shape& shape, bool replace = true,
                    BaseBackend* backend = nullptr);

}  // namespace isofield::random
