// Random numbers: Philox against Random123's known answers, distributions against their moments,
// the same streams everywhere.
#include <isofield/random.hpp>
#include <map>

#include "reference.hpp"

using namespace isofield;
using namespace isofield::testing;
using isofield::random::Generator;

namespace {

/// The mean and the variance of elements.
std::pair<double, double> moments(const UnifiedArray& x) {
  return {mean(x).item<double>(), var(x).item<double>()};
}

}  // namespace

BACKEND_TEST_CASE(philox_gives_the_answers_that_its_authors_publish) {
  using Words = std::array<std::uint32_t, 4>;
  const auto zero = random::philox({0, 0, 0, 0}, {0, 0});
  BOOST_TEST((zero == Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  constexpr std::uint32_t all = 0xffffffff;
  BOOST_TEST((random::philox({all, all, all, all}, {all, all}) ==
              Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  BOOST_TEST(
      (random::philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
       Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

BACKEND_TEST_CASE(a_seed_decides_the_numbers_whatever_the_backend) {
  const auto drawn = [](BaseBackend* backend) {
    Generator g(7);
    return std::tuple(g.uniform({5}, 0, 1, float64, backend), g.normal({5}, 0, 1, float64, backend),
                      g.integers({5}, -3, 9, int32, backend), g.permutation(6, backend));
  };
  const auto [u, n, i, p] = drawn(nullptr);
  const auto [u0, n0, i0, p0] = drawn(&get_backend("eigen"));
  BOOST_TEST(same<double>(u, plain<double>(u0)));
  BOOST_TEST(same<double>(n, plain<double>(n0)));
  BOOST_TEST(same<std::int32_t>(i, plain<std::int32_t>(i0)));
  BOOST_TEST(same<std::int64_t>(p, plain<std::int64_t>(p0)));
  BOOST_TEST(&u.backend() == &default_backend());
}

BACKEND_TEST_CASE(a_stream_goes_on_from_a_state_and_splits) {
  Generator g(11);
  g.uniform({3});
  Generator copy(g.state());
  BOOST_TEST(same<double>(g.uniform({4}), plain<double>(copy.uniform({4}))));
  Generator child = g.split();
  BOOST_TEST(!same<double>(child.uniform({4}), plain<double>(g.uniform({4}))));
  random::seed(5);
  const UnifiedArray first = random::normal({3});
  random::seed(5);
  BOOST_TEST(same<double>(random::normal({3}), plain<double>(first)));
}

BACKEND_TEST_CASE(numbers_are_distributed_as_they_say) {
  Generator g(1);
  const std::int64_t n = 200000;
  const auto [um, uv] = moments(g.uniform({n}, -1, 3));
  BOOST_TEST(std::abs(um - 1.0) < 0.02);
  BOOST_TEST(std::abs(uv - 16.0 / 12) < 0.02);
  const UnifiedArray normal = g.normal({n}, 2, 3);
  const auto [nm, nv] = moments(normal);
  BOOST_TEST(std::abs(nm - 2.0) < 0.04);
  BOOST_TEST(std::abs(nv - 9.0) < 0.15);
  // Skewness 0, kurtosis 3; two of three within a deviation.
  const UnifiedArray z = (normal - nm) / std::sqrt(nv);
  BOOST_TEST(std::abs(mean(z * z * z).item<double>()) < 0.03);
  BOOST_TEST(std::abs(mean(square(square(z))).item<double>() - 3.0) < 0.1);
  BOOST_TEST(std::abs(mean((abs(z) < 1.0).astype(float64)).item<double>() - 0.6827) < 0.005);
  std::map<std::int64_t, int> counts;
  for (const auto k : g.integers({n}, -2, 3).to_vector<std::int64_t>()) ++counts[k];
  BOOST_TEST(counts.size() == 5u);
  for (const auto& [k, count] : counts) BOOST_TEST(std::abs(count - n / 5) < 800, k);
}

BACKEND_TEST_CASE(numbers_stay_inside_their_range) {
  Generator g(3);
  for (const DType dtype : {float32, float64}) {
    const UnifiedArray u = g.uniform({100000}, 1, 1 + 1e-6, dtype);
    BOOST_TEST(all(u >= 1.0).item<bool>());
    BOOST_TEST(all(u.astype(float64) < 1 + 1e-6).item<bool>());
  }
  BOOST_TEST(all(g.uniform({9}, 4, 4) <= 4.0).item<bool>());
  using L = std::numeric_limits<std::int64_t>;
  BOOST_TEST(g.integers({9}, L::min(), L::max()).size() == 9);
  BOOST_TEST(g.normal({3, 3, 3}).shape() == Shape({3, 3, 3}));
  BOOST_TEST(g.normal({0}).size() == 0);
  BOOST_TEST(g.normal({7}, 1, 0).to_vector<double>() == std::vector<double>(7, 1.0));
}

BACKEND_TEST_CASE(permutations_hold_each_place_once_and_choices_without_replacement_too) {
  Generator g(4);
  std::vector<std::int64_t> p = g.permutation(1000).to_vector<std::int64_t>();
  BOOST_TEST(!std::is_sorted(p.begin(), p.end()));
  std::sort(p.begin(), p.end());
  for (std::size_t i = 0; i < p.size(); ++i) BOOST_REQUIRE(p[i] == static_cast<std::int64_t>(i));
  std::vector<std::int64_t> c = g.choice(50, {5, 6}, false).to_vector<std::int64_t>();
  std::sort(c.begin(), c.end());
  BOOST_TEST((std::unique(c.begin(), c.end()) == c.end()));
  // Each of three is first one time in three.
  int first = 0;
  for (int k = 0; k < 3000; ++k) first += g.permutation(3).to_vector<std::int64_t>()[0] == 0;
  BOOST_TEST(std::abs(first - 1000) < 120);
}

BACKEND_TEST_CASE(what_cannot_be_drawn_is_told) {
  Generator g(1);
  BOOST_TEST(error_of<DTypeError>([&] { g.uniform({2}, 0, 1, int64); }) ==
             "random::uniform: needs a real-valued floating-point dtype, got int64");
  BOOST_TEST(
      error_of<ArgumentError>([&] { g.uniform({2}, 1, 0); }).ends_with("there are no numbers"));
  BOOST_TEST(error_of<ArgumentError>([&] { g.integers({2}, 3, 3); }) ==
             "random::integers: [3, 3) is empty");
  BOOST_TEST(error_of<ArgumentError>([&] { g.integers({2}, 0, 1.5); }) ==
             "random::integers: [0, 1.5) is not between whole numbers");
  BOOST_TEST(error_of<DTypeError>([&] { g.integers({2}, 0, 256, uint8, nullptr, true); }) ==
             "random::integers: [0, 256] does not fit into dtype uint8");
  BOOST_TEST(error_of<DTypeError>([&] { g.integers({2}, 0, 257, uint8); }) ==
             "random::integers: [0, 257) does not fit into dtype uint8");
  BOOST_TEST(error_of<ArgumentError>([&] { g.choice(3, {4}, false); }) ==
             "random::choice: 4 of 3 without replacement cannot be chosen");
  BOOST_TEST(error_of<ArgumentError>([&] { g.choice(0, {1}); }) ==
             "random::choice: 1 of 0 cannot be chosen");
  auto traced = jit([&](const UnifiedArray& x) { return x + g.uniform({2}); });
  BOOST_TEST(error_of<Error>([&] {
               traced(ones({2}));
             }).starts_with("random::uniform: numbers drawn inside of a traced function"));
}
