#pragma once

#include <chrono>
#include <cstdint>
#include <iosfwd>
#include <isofield/shape.hpp>
#include <memory>
#include <string>
#include <vector>

namespace isofield {

namespace detail {
struct Step;
void add_to_profiles(const Step& step, std::chrono::steady_clock::duration time);
}  // namespace detail

/// What one kernel did while it was measured.
struct ProfileRow {
  std::string kernel;      ///< a program as an expression, or "matmul", "tridiagonal_solve"
  std::string backend;     ///< as `set_backend` takes it
  Shape shape;             ///< of the elements computed
  std::int64_t calls = 0;  ///< on all threads
  double seconds = 0.0;    ///< of wall time, over all calls
  double bytes = 0.0;      ///< of operands read and results written, each once a call
};

/// Measures every kernel that backends run, on any thread, from its making to `stop` or its end.
/// Kernels of jitted functions count at every replay. A measured call costs some 0.1 us more.
class Profile {
 public:
  /// Print the table to `out` at the end; null: do not.
  explicit Profile(std::ostream* out = nullptr);
  ~Profile();
  Profile(const Profile&) = delete;
  Profile& operator=(const Profile&) = delete;

  /// Measure no more.
  void stop();
  /// What has been measured, a row for each kernel and shape; most time first.
  std::vector<ProfileRow> rows() const;
  /// The rows as text: time and its share, calls, GB/s, and what part that is of the machine's
  /// memory bandwidth where that is known: ISOFIELD_BANDWIDTH in GB/s, or else what `scripts/bench`
  /// found here. Operands that stay in the caches exceed it.
  /// Kernels after the first `most` share one row.
  std::string table(std::size_t most = 25) const;

 private:
  class Recorder;
  class Active;
  friend void detail::add_to_profiles(const detail::Step&, std::chrono::steady_clock::duration);
  std::shared_ptr<Recorder> recorder_;
  std::ostream* out_;
};

/// Measure until the end of the scope, then print the table to `out`, the standard error at first.
[[nodiscard]] Profile profile();
[[nodiscard]] Profile profile(std::ostream& out);

}  // namespace isofield
