// Functions of complex numbers against MPC: test_complex_elementary [-- POINTS] for how many points
// each function is asked at.
#include <mpc.h>

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <complex>
#include <cstdlib>
#include <isofield/isofield.hpp>
#include <numbers>
#include <random>

using namespace isofield;

namespace {

/// A number of MPC's, with digits enough that its own rounding does not count, also after 1 is
/// taken off.
class Exact {
 public:
  Exact() { mpc_init2(value_, 300); }
  ~Exact() { mpc_clear(value_); }
  Exact(const Exact&) = delete;
  Exact& operator=(const Exact&) = delete;
  operator mpc_ptr() { return value_; }

 private:
  mpc_t value_;
};

using Function = void (*)(mpc_ptr result, mpc_srcptr z);

int points() {
  const auto& suite = boost::unit_test::framework::master_test_suite();
  return suite.argc > 1 ? std::atoi(suite.argv[1]) : 4000;
}

/// Arguments of every size and direction, a part of them close to where functions have zeros, poles
/// and ends of branch cuts.
template <class T>
std::vector<std::complex<T>> arguments() {
  std::mt19937_64 generator(11);
  const auto uniform = [&](double low, double high) {
    return low + (high - low) * static_cast<double>(generator() >> 11) * 0x1p-53;
  };
  constexpr std::complex<double> special[] = {
      {1, 0}, {-1, 0}, {0, 1}, {0, -1}, {std::numbers::pi / 2, 0}, {0, std::numbers::pi}};
  std::vector<std::complex<T>> z;
  for (int i = 0; i < points(); ++i) {
    const bool close = i % 4 == 0;
    const double size = std::exp(close ? uniform(-12, -2) : uniform(-14, 4));
    const auto offset = std::polar(size, uniform(-std::numbers::pi, std::numbers::pi));
    z.emplace_back(close ? special[i / 4 % 6] + offset : offset);
  }
  return z;
}

/// What is wrong with `found`, in units in the last place of the exact result's modulus.
template <class T>
double ulps(std::complex<T> found, mpc_ptr exact, mpc_ptr work) {
  const T size = static_cast<T>(
      mpfr_get_d((mpc_abs(mpc_realref(work), exact, MPFR_RNDN), mpc_realref(work)), MPFR_RNDN));
  mpc_set_d_d(work, static_cast<double>(found.real()), static_cast<double>(found.imag()),
              MPC_RNDNN);
  mpc_sub(work, work, exact, MPC_RNDNN);
  mpc_abs(mpc_realref(work), work, MPFR_RNDN);
  const double unit =
      static_cast<double>(std::nextafter(size, std::numeric_limits<T>::max()) - size);
  return mpfr_get_d(mpc_realref(work), MPFR_RNDN) / unit;
}

struct Row {
  const char* name;
  UnifiedArray (*ours)(const UnifiedArray&);
  Function exact;
  double bound;
};
#define ROW(name, exact, bound)                                                  \
  Row {                                                                          \
#name, [](const UnifiedArray& z) { return isofield::name(z); }, exact, bound \
  }
#define MPC_ROW(name, bound) \
  ROW(name, ([](mpc_ptr r, mpc_srcptr z) { mpc_##name(r, z, MPC_RNDNN); }), bound)
const Row rows[] = {
    MPC_ROW(exp, 2),
    MPC_ROW(log, 2.5),
    MPC_ROW(sqrt, 2),
    MPC_ROW(sin, 2.5),
    MPC_ROW(cos, 2.5),
    MPC_ROW(tan, 1),
    MPC_ROW(asin, 4),
    MPC_ROW(acos, 4),
    MPC_ROW(atan, 1),
    MPC_ROW(sinh, 2.5),
    MPC_ROW(cosh, 2.5),
    MPC_ROW(tanh, 1),
    MPC_ROW(asinh, 4),
    MPC_ROW(acosh, 4),
    MPC_ROW(atanh, 1),
    MPC_ROW(log10, 3.5),
    ROW(expm1, ([](mpc_ptr r, mpc_srcptr z) {
          mpc_exp(r, z, MPC_RNDNN);
          mpc_sub_ui(r, r, 1, MPC_RNDNN);
        }),
        3),
    ROW(log1p, ([](mpc_ptr r, mpc_srcptr z) {
          mpc_add_ui(r, z, 1, MPC_RNDNN);
          mpc_log(r, r, MPC_RNDNN);
        }),
        3.5),
    ROW(log2, ([](mpc_ptr r, mpc_srcptr z) {
          Exact two;
          mpc_set_ui(two, 2, MPC_RNDNN);
          mpc_log(two, two, MPC_RNDNN);
          mpc_log(r, z, MPC_RNDNN);
          mpc_div(r, r, two, MPC_RNDNN);
        }),
        3),
};

template <class T>
void keeps(const Row& row) {
  const std::vector<std::complex<T>> z = arguments<T>();
  const auto w = row.ours(asarray(z, {static_cast<std::int64_t>(z.size())}))
                     .template to_vector<std::complex<T>>();
  Exact argument, exact, work;
  double worst = 0;
  std::complex<T> where;
  for (std::size_t i = 0; i < z.size(); ++i) {
    mpc_set_d_d(argument, static_cast<double>(z[i].real()), static_cast<double>(z[i].imag()),
                MPC_RNDNN);
    row.exact(exact, argument);
    const double error = ulps(w[i], exact, work);
    if (!(error <= worst)) worst = error, where = z[i];
  }
  BOOST_TEST_MESSAGE(row.name << ' ' << isofield::name(dtype_of<std::complex<T>>) << ": at most "
                              << worst << " ulp, at " << where);
  BOOST_TEST(worst <= row.bound, row.name << ' ' << isofield::name(dtype_of<std::complex<T>>)
                                          << " of " << where << " is " << worst
                                          << " ulp off, more than " << row.bound);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(complex_elementary)

BOOST_AUTO_TEST_CASE(functions_keep_their_bounds) {
  set_backend("eigen");
  for (const Row& row : rows) {
    keeps<double>(row);
    keeps<float>(row);
  }
}

BOOST_AUTO_TEST_SUITE_END()
