#pragma once

#include <array>
#include <isofield/error.hpp>
#include <isofield/factorization.hpp>
#include <isofield/program.hpp>
#include <isofield/storage.hpp>
#include <memory>
#include <optional>
#include <source_location>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace isofield {

class UnifiedArray;

/// What a backend can do on its device.
struct Capabilities {
  std::vector<DType> dtypes;
  int threads = 1;
  /// For people: the library's version, the BLAS, the instruction set.
  std::vector<std::pair<std::string, std::string>> details;
  /// Operations handed to another implementation, by name, with who does them.
  std::vector<std::pair<std::string, std::string>> delegated;
};

/// Tridiagonal systems along `axis`, batched over all others: row i reads
/// lower[i] x[i-1] + diag[i] x[i] + upper[i] x[i+1] = rhs[i]. lower[0] and upper[n-1] are not read,
/// or close the cycle when `periodic`.
struct LineSystems {
  /// lower, diag, upper, rhs: memory in C order; null: an output of `program`, computed inside of
  /// this kernel, in this order.
  std::array<const View*, 4> operands;
  const Launch* program;  ///< null where all are in memory
  const View& out;
  int axis;
  bool periodic;
};

/// A Fourier transform of lines along `axes`, one axis after the other, batched over all others:
/// the sums of scipy.fft's backward norm, of the Hartley transform sum_j x[j] (cos + sin)(2 pi j k
/// / n), of the complex ones sum_j x[j] e^(-+ 2 pi i j k / n), times `factor`.
struct FourierTransform {
  enum class Kind : std::uint8_t {
    dct1,
    dct2,
    dct3,
    dct4,
    dst1,
    dst2,
    dst3,
    dst4,
    hartley,
    fft,    ///< complex to complex, exponent -
    ifft,   ///< complex to complex, exponent +
    rfft,   ///< real to the first n / 2 + 1 terms, exponent -
    ihfft,  ///< the same, exponent +
    hfft,   ///< the first n / 2 + 1 terms of a Hermitian sequence to n real ones, exponent -
    irfft,  ///< the same, exponent +
  };
  Kind kind;
  /// Scale the terms at the ends of lines, so that with the right factor the matrix is orthogonal.
  bool orthogonal;
  double factor;
  /// All different, from 0 on. `rfft` and what follows it have one.
  std::vector<int> axes;
  /// The n of the sums along each axis. Where there is one axis and the input is shorter, what
  /// misses is zero.
  std::vector<std::int64_t> lengths;
};
/// "dct type 2", "hartley".
std::string_view name(FourierTransform::Kind kind) noexcept;

/// What moves, orders or selects elements. Views may have any layout; B..., I..., M... and R...
/// stand for any number of axes, of `batch` axes for B... in the first three kinds.
struct Arrangement {
  enum class Kind : std::uint8_t {
    gather,    ///< (B..., N1, ..., Nk, R...), k indices (B..., I...) -> (B..., I..., R...)
    scatter,   ///< (B..., I..., R...), k indices (B..., I...) -> (B..., N1, ..., Nk, R...)
    compress,  ///< (B..., M..., R...), mask (M...) -> (B..., n, R...): where the mask is true
    nonzero,   ///< mask (M...) -> for each axis (n): the places where the mask is true
    scan,      ///< (B..., n) -> (B..., n): folded with all that come before along the last axis
    sort,      ///< (B..., n) -> (B..., n): values, then places, of those that are asked for
    search,    ///< sorted (n), values (B...) -> (B...): where each value would be put in
    extremum,  ///< (B..., n) -> (B...): the first place of the smallest or the largest
  };
  enum class Fold : std::uint8_t { set, sum, prod, min, max };
  Kind kind;
  Fold fold = Fold::set;    ///< of `scatter`, in the order of indices; `scan`; `extremum`
  int batch = 0;            ///< axes that come before those that are indexed or masked
  bool descending = false;  ///< of `sort`, which is stable; NaN is above all
  bool values = true;       ///< whether `sort` gives the elements in order
  bool places = false;      ///< whether `sort` gives where they were, int64
  bool right = false;       ///< `search` goes behind equal elements, not before them
};
/// "gather", "sort".
std::string_view name(Arrangement::Kind kind) noexcept;

/// An index that is beyond its axis.
struct BadIndex {
  int which;           ///< of the k indices
  std::int64_t place;  ///< in C order of (B..., I...)
  std::int64_t value;
};

/// Tier 1: what a backend is. One object serves one device. Implementations see views and plain
/// structs, never arrays; the non-virtual members give users arrays on this backend.
class BaseBackend {
 public:
  BaseBackend() = default;
  BaseBackend(const BaseBackend&) = delete;
  BaseBackend& operator=(const BaseBackend&) = delete;
  virtual ~BaseBackend() = default;

  // Identity and memory.
  virtual std::string_view name() const noexcept = 0;
  virtual Device device() const noexcept = 0;
  virtual const Capabilities& capabilities() const = 0;
  /// Give at least `bytes` bytes, aligned to 64; contents are not defined.
  virtual StoragePtr allocate(std::size_t bytes) = 0;
  /// Use somebody else's memory on this device without a copy; `owner` keeps it alive.
  virtual StoragePtr wrap(void* data, std::size_t bytes, std::shared_ptr<void> owner) = 0;
  /// Copy `bytes` bytes between storages, one of which is this backend's; the other may be a host
  /// one.
  virtual void copy_bytes(Storage& to, std::size_t to_offset, const Storage& from,
                          std::size_t from_offset, std::size_t bytes) = 0;
  /// Wait until all work given to this device is done.
  virtual void synchronize() = 0;
  /// Set how many threads host kernels use; 0: all there are.
  virtual void set_threads(int threads) = 0;

  // Kernels. Outputs never overlap inputs, save where element i of both is the same address.
  virtual void run(const Launch& launch) = 0;
  /// Multiply stacks of matrices of one numeric dtype: (..., n, k) times (..., k, m); leading axes
  /// are equal. All lie in C order; none is empty.
  virtual void matmul(const View& a, const View& b, const View& out) = 0;
  /// Solve tridiagonal systems without pivoting: they are meant to be diagonally dominant. A
  /// backend that cannot compute operands where it reads them computes them first.
  /// Where elimination breaks, give the place in C order of the first pivot that is zero or not
  /// finite although the matrix is finite up to there, in the first such line; what has been solved
  /// is then not defined. A device that does not wait for its kernels gives none, and NaN instead.
  virtual std::optional<std::int64_t> tridiagonal_solve(const LineSystems& systems) = 0;
  /// Transform `in`, of any layout, into `out`, in C order; no axis is empty. `plan`: where what is
  /// needed again may be kept between runs of a recorded step, or null.
  virtual void fourier_transform(const View& in, const View& out, const FourierTransform& transform,
                                 std::shared_ptr<void>* plan) = 0;
  /// Move, order or select elements. Masks are bool, indices and places int64; indices from -N to
  /// N - 1 count from both ends. The first index beyond its axis is given, and then `gather` leaves
  /// what is not defined, `scatter` what was there.
  virtual std::optional<BadIndex> arrange(const Arrangement& arrangement, std::span<const View> in,
                                          std::span<const View> out) = 0;
  /// Decompose each matrix of a stack. Give the index in C order of the first matrix of which there
  /// is no such thing: it is singular, not positive definite, or iterations do not converge. Its
  /// results are NaN then; those of the others are computed all the same.
  virtual std::optional<std::int64_t> factorize(const Factorization& factorization,
                                                std::span<const View> in,
                                                std::span<const View> out) = 0;

  // The protocol's public face, written once on top of the virtuals. Errors name the caller's
  // place.
  using Where = std::source_location;
  /// "kokkos", "torch:cuda:0": the spelling that `get_backend` takes.
  std::string spelling() const;
  UnifiedArray zeros(const Shape& shape, DType dtype = float64);
  UnifiedArray ones(const Shape& shape, DType dtype = float64);
  UnifiedArray full(const Shape& shape, Scalar value);
  UnifiedArray full(const Shape& shape, Scalar value, DType dtype);
  UnifiedArray zeros_like(const UnifiedArray& array);
  UnifiedArray ones_like(const UnifiedArray& array);
  UnifiedArray copy(const UnifiedArray& array);
  /// Write `value`, brought to this backend and broadcast, into `target[indices]`.
  UnifiedArray& assign(UnifiedArray& target, std::initializer_list<Index> indices,
                       const UnifiedArray& value, Where where = Where::current());
  bool any(const UnifiedArray& array, Where where = Where::current());
  bool has_nan_or_inf(const UnifiedArray& array, Where where = Where::current());
  /// Bring an array of any backend here; memory is shared where both see it.
  UnifiedArray to_backend(const UnifiedArray& array);
  UnifiedArray reduce_sum(const UnifiedArray& array, Where where = Where::current());
  UnifiedArray reduce_mean(const UnifiedArray& array, Where where = Where::current());
#define UNARY(op, domain, result, value, ...) \
  UnifiedArray op(const UnifiedArray& x, Where where = Where::current());
#define BINARY(op, domain, result, value, ...) \
  UnifiedArray op(const UnifiedArray& a, const UnifiedArray& b, Where where = Where::current());
#include <isofield/ops.def>
#undef UNARY
#undef BINARY
};

/// What a backend's module exports; the registry opens it at first use.
struct BackendModule {
  static constexpr int current_abi = 3;
  int abi;
  const char* name;
  /// Devices this module could use on this machine, best first.
  std::vector<Device> (*devices)();
  /// The backend for a device. It lives until the process ends. Throws NotAvailable.
  BaseBackend* (*open)(Device device);
};

}  // namespace isofield
