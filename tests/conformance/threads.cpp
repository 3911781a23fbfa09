// What may be done from several threads at once; run under ThreadSanitizer by the tsan preset.
#include <thread>

#include "reference.hpp"

using namespace isofield;
using namespace isofield::testing;

namespace {

/// Run `body(i)` on `n` threads, on the case's backend, and count what went wrong.
template <class F>
int failures(int n, F body) {
  std::atomic<int> wrong{0};
  BaseBackend& backend = default_backend();
  std::vector<std::thread> threads;
  for (int i = 0; i < n; ++i)
    threads.emplace_back([&, i] {
      try {
        const ScopedBackend scope(backend);
        const ScopedEager mode(variant().eager);
        if (!body(i)) ++wrong;
      } catch (...) {
        ++wrong;
      }
    });
  for (auto& t : threads) t.join();
  return wrong;
}

bool equal_bits(const UnifiedArray& a, const Plain<double>& b) {
  return static_cast<bool>(same<double>(a, b));
}

}  // namespace

BACKEND_TEST_CASE(threads_compute_on_arrays_of_their_own) {
  BOOST_TEST(failures(3, [](int i) {
               Plain<double> expected = counting<double>({500}, i);
               UnifiedArray a = expected.array();
               for (int k = 0; k < 30; ++k) {
                 a = a * 2.0 - a + 1.0;
                 a(slice(1, 500)) = a(slice(0, 499));
                 for (std::size_t j = 499; j > 0; --j)
                   expected.data[j] = expected.data[j - 1] + 1.0;
                 expected.data[0] += 1.0;
               }
               return equal_bits(a, expected) &&
                      sum(a).item<double>() == sum(expected.array()).item<double>();
             }) == 0);
}

BACKEND_TEST_CASE(threads_read_and_so_compute_one_pending_array) {
  for (int round = 0; round < 10; ++round) {
    const UnifiedArray a = counting<double>({1000}).array(), b = a * 2.0, c = b + a,
                       s = shift(c.copy(), 0, 1, Boundary::periodic);
    const Plain<double> expected = counting<double>({1000}, 0, 3);
    BOOST_TEST(failures(3, [&](int i) {
                 if (i == 0) return equal_bits(c, expected);
                 if (i == 1) return sum(b + c).item<double>() == 5.0 * 499500.0;
                 return (shift(s, 0, -1, Boundary::periodic) == c).dtype() == bool_ &&
                        all(shift(s, 0, -1, Boundary::periodic) == c).item<bool>();
               }) == 0);
  }
}

BACKEND_TEST_CASE(threads_copy_and_write_their_copies) {
  UnifiedArray a = counting<double>({300}).array();
  BOOST_TEST(failures(3, [&a](int i) {
               for (int k = 0; k < 20; ++k) {
                 UnifiedArray mine = std::as_const(a);
                 mine(k) = -1.0 - i;
                 if (mine(k).item<double>() != -1.0 - i) return false;
               }
               return true;
             }) == 0);
  BOOST_TEST(same<double>(a, counting<double>({300})));
}

BACKEND_TEST_CASE(threads_call_one_jitted_function) {
  const auto f = jit([](const UnifiedArray& x) {
    return std::tuple{exp(x * 0.001) + 1.0, sum(x)};
  });
  BOOST_TEST(failures(3, [&](int i) {
               for (int k = 0; k < 15; ++k) {
                 const Plain<double> x = counting<double>({200 + 10 * (k % 3)}, i);
                 const auto [y, total] = f(x.array());
                 if (!equal_bits(y, plain<double>(exp(x.array() * 0.001) + 1.0))) return false;
                 if (total.item<double>() != sum(x.array()).item<double>()) return false;
               }
               return true;
             }) == 0);
  BOOST_TEST(f.traces() == 3);
}

BACKEND_TEST_CASE(threads_run_large_programs_on_one_pool) {
  const Plain<double> x = noise<double>({300, 400});
  const Plain<double> expected =
      plain<double>(exp(x.array()) + shift(x.array(), 1, 1, Boundary::reflect));
  BOOST_TEST(failures(3, [&](int) {
               for (int k = 0; k < 4; ++k) {
                 const UnifiedArray a = x.array();
                 if (!equal_bits(exp(a) + shift(a, 1, 1, Boundary::reflect), expected))
                   return false;
               }
               return true;
             }) == 0);
}

BACKEND_TEST_CASE(threads_choose_backends_of_their_own) {
  BOOST_TEST(failures(3, [](int i) {
               const std::string before = default_backend().spelling();
               for (int k = 0; k < 20; ++k) {
                 const ScopedBackend scope(i % 2 ? "eigen" : before);
                 if (zeros({2}).backend().spelling() != (i % 2 ? "eigen" : before)) return false;
                 if (list_backends().empty()) return false;
               }
               return default_backend().spelling() == before;
             }) == 0);
}
