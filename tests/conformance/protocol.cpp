// The protocol of BaseBackend: creation, copies, assignment, checks, conversion, the table's
// members.
#include "reference.hpp"

using namespace isofield;
using namespace isofield::testing;

namespace {

constexpr double nan_value = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

BaseBackend& here() { return default_backend(); }

}  // namespace

BACKEND_DTYPE_TEST_CASE(creation_fills_every_element, float, double, std::int64_t, bool) {
  for (const Shape& shape :
       {Shape{}, Shape{1}, Shape{7}, Shape{3, 5}, Shape{2, 0, 4}, Shape{2, 3, 4}}) {
    Plain<T> zero(shape), one(shape);
    for (auto& x : one.data) x = 1;
    BOOST_TEST(same<T>(here().zeros(shape, dtype_of<T>), zero));
    BOOST_TEST(same<T>(here().ones(shape, dtype_of<T>), one));
    BOOST_TEST(same<T>(here().full(shape, 1, dtype_of<T>), one));
    BOOST_TEST(same<T>(here().zeros_like(one.array()), zero));
    BOOST_TEST(same<T>(here().ones_like(zero.array()), one));
    BOOST_TEST(same<T>(zeros_like(one.array()), zero));
    BOOST_TEST(same<T>(ones_like(zero.array()), one));
    BOOST_TEST(same<T>(full_like(zero.array(), T(1)), one));
    BOOST_TEST(empty(shape, dtype_of<T>).shape() == shape);
  }
}

BACKEND_TEST_CASE(full_takes_the_dtype_of_its_value) {
  BOOST_TEST(same<double>(here().full({2}, 2.5), {{2}, {2.5, 2.5}}));
  BOOST_TEST(same<std::int64_t>(here().full({2}, 7), {{2}, {7, 7}}));
  BOOST_TEST(same<bool>(here().full({2}, true), {{2}, {1, 1}}));
  BOOST_TEST(same<float>(here().full({2}, 2.5, float32), {{2}, {2.5f, 2.5f}}));
  const std::int64_t large = (std::int64_t{1} << 62) + 1;  // not a double
  BOOST_TEST(here().full({}, large).item<std::int64_t>() == large);
}

BACKEND_TEST_CASE(arrays_live_on_the_backend_that_made_them) {
  const UnifiedArray a = here().ones({3});
  BOOST_TEST(&a.backend() == &here());
  BOOST_TEST(a.backend().spelling() == variant().backend);
  BOOST_TEST(&(a + 1.0).backend() == &here());
  BOOST_TEST(&here().zeros_like(a).backend() == &here());
  BOOST_TEST(here().capabilities().threads >= 1);
  BOOST_TEST(!here().capabilities().details.empty());
}

BACKEND_TEST_CASE(ranges_count_as_the_array_api_does) {
  BOOST_TEST(same<std::int64_t>(arange(0, 5), counting<std::int64_t>({5})));
  BOOST_TEST(same<std::int64_t>(arange(5, 0, -2, int64), {{3}, {5, 3, 1}}));
  BOOST_TEST(same<double>(arange(0, 1, 0.3), {{4}, {0.0, 0.3, 0.6, 0.3 * 3}}));
  BOOST_TEST(arange(3, 3).size() == 0);
  BOOST_TEST(arange(3, 0).size() == 0);
  BOOST_TEST(same<double>(linspace(0, 1, 5), {{5}, {0, 0.25, 0.5, 0.75, 1}}));
  BOOST_TEST(same<double>(linspace(0, 1, 4, false), {{4}, {0, 0.25, 0.5, 0.75}}));
  BOOST_TEST(same<double>(linspace(2, 3, 1), {{1}, {2.0}}));
  BOOST_TEST(linspace(0, 1, 0).size() == 0);
  BOOST_TEST(linspace(0, 0.7, 1001).to_vector<double>().back() == 0.7);
  BOOST_TEST(same<float>(eye(2, float32), {{2, 2}, {1, 0, 0, 1}}));
}

BACKEND_DTYPE_TEST_CASE(copies_have_memory_of_their_own, float, double, std::int64_t, bool) {
  const Plain<T> values = noise<T>({4, 6});
  const UnifiedArray a = values.array(), b = here().copy(a);
  BOOST_TEST(same<T>(b, values));
  BOOST_TEST(a.storage()->data != b.storage()->data);
  const UnifiedArray t = here().copy(a.T());
  BOOST_TEST(t.view().layout.contiguous());
  const bool moved = plain<T>(t)[{5, 3}] == values[{3, 5}];
  BOOST_TEST(moved);
}

BACKEND_TEST_CASE(assign_broadcasts_and_casts_within_a_kind) {
  UnifiedArray a = here().zeros({2, 3});
  here().assign(a, {0, all_of}, asarray({1.0, 2.0, 3.0}));
  here().assign(a, {1}, asarray(5.0));
  BOOST_TEST(same<double>(a, {{2, 3}, {1, 2, 3, 5, 5, 5}}));
  here().assign(a, {ellipsis, 0}, asarray({7.0f, 8.0f}));
  here().assign(a, {0, 1}, asarray(std::int64_t{4}));
  BOOST_TEST(same<double>(a, {{2, 3}, {7, 4, 3, 8, 5, 5}}));
  here().assign(a, {}, asarray({1.0, 2.0, 3.0}));
  BOOST_TEST(same<double>(a, {{2, 3}, {1, 2, 3, 1, 2, 3}}));
  here().assign(a, {slice(0, 0)}, here().zeros({0, 3}));
  BOOST_TEST(same<double>(a, {{2, 3}, {1, 2, 3, 1, 2, 3}}));
}

BACKEND_TEST_CASE(assign_brings_values_from_other_backends) {
  UnifiedArray a = here().zeros({3});
  const UnifiedArray other = get_backend("eigen").ones({3});
  here().assign(a, {slice(1, 3)}, other(slice(0, 2)));
  BOOST_TEST(same<double>(a, {{3}, {0, 1, 1}}));
  BOOST_TEST(&a.backend() == &here());
}

BACKEND_TEST_CASE(any_isnan_isinf_and_has_nan_or_inf_look_at_every_element) {
  for (const std::int64_t n : {1, 7, 64, 1000, 40000})
    for (const std::int64_t at : {std::int64_t{0}, n / 2, n - 1}) {
      Plain<double> values = noise<double>({n});
      BOOST_TEST(!here().has_nan_or_inf(values.array()));
      Plain<bool> where_nan({n});
      BOOST_TEST(same<bool>(here().isnan(values.array()), where_nan));
      BOOST_TEST(!here().any(where_nan.array()));
      values.data[static_cast<std::size_t>(at)] = nan_value;
      where_nan.data[static_cast<std::size_t>(at)] = 1;
      BOOST_TEST(here().has_nan_or_inf(values.array()));
      BOOST_TEST(same<bool>(here().isnan(values.array()), where_nan));
      BOOST_TEST(here().any(where_nan.array()));
      values.data[static_cast<std::size_t>(at)] = -infinity;
      BOOST_TEST(here().has_nan_or_inf(values.array()));
      BOOST_TEST(same<bool>(here().isinf(values.array()), where_nan));
    }
  BOOST_TEST(!here().has_nan_or_inf(here().zeros({0})));
  BOOST_TEST(!here().any(here().zeros({0}, bool_)));
  BOOST_TEST(!here().has_nan_or_inf(here().ones({3}, int64)));
  BOOST_TEST(!here().has_nan_or_inf(here().ones({3}, bool_)));
}

BACKEND_TEST_CASE(any_takes_numbers_too) {
  BOOST_TEST(here().any(asarray({0.0, 0.0, -0.5})));
  BOOST_TEST(!here().any(asarray({0.0, -0.0})));
  BOOST_TEST(here().any(asarray({0.0, nan_value})));
  BOOST_TEST(here().any(asarray<std::int64_t>({0, 3})));
}

BACKEND_TEST_CASE(members_generated_from_the_table_agree_with_the_free_functions) {
  const Plain<double> x = noise<double>({3, 4}, 1, 0.2, 0.9),
                      y = noise<double>({3, 4}, 2, 0.2, 0.9);
  const UnifiedArray a = x.array(), b = y.array();
#define UNARY(op, domain_of, kind, value, ...)                                             \
  if (in_domain(info(Op::op).domain, float64) && info(Op::op).result != OpResult::boolean) \
    BOOST_TEST(same<double>(here().op(a), plain<double>(isofield::op(a))));
#define BINARY(op, domain_of, kind, value, ...)                                            \
  if (in_domain(info(Op::op).domain, float64) && info(Op::op).result != OpResult::boolean) \
    BOOST_TEST(same<double>(here().op(a, b), plain<double>(isofield::op(a, b))));
#include <isofield/ops.def>
#undef UNARY
#undef BINARY
  const UnifiedArray p = a > 0.5, q = b > 0.5;
  BOOST_TEST(same<bool>(here().logical_and(p, q), plain<bool>(p && q)));
  BOOST_TEST(same<bool>(here().less(a, b), plain<bool>(a < b)));
}

BACKEND_TEST_CASE(reductions_of_the_protocol_give_rank_zero) {
  const UnifiedArray a = counting<double>({4, 5}).array();
  BOOST_TEST(same<double>(here().reduce_sum(a), {{}, {190.0}}));
  BOOST_TEST(same<double>(here().reduce_mean(a), {{}, {9.5}}));
  BOOST_TEST(
      same<double>(here().power(asarray({2.0, 3.0}), asarray({3.0, 2.0})), {{2}, {8.0, 9.0}}));
}

BACKEND_TEST_CASE(to_backend_brings_arrays_of_every_backend_here) {
  const Plain<double> values = noise<double>({3, 4});
  for (const auto& status : list_backends()) {
    if (!status.available) continue;
    const UnifiedArray a = values.array(&get_backend(status.spelling));
    const UnifiedArray b = here().to_backend(a);
    BOOST_TEST(&b.backend() == &here());
    BOOST_TEST(same<double>(b, values));
    BOOST_TEST(same<double>(here().to_backend(a.T()), plain<double>(a.T())));
    BOOST_TEST(same<double>(here().add(a, b), plain<double>(b + b)));
  }
}

BACKEND_TEST_CASE(helpers_with_an_optional_backend_use_the_arrays_own_without_one) {
  BaseBackend& eigen = get_backend("eigen");
  UnifiedArray a = here().ones({2, 2});
  BOOST_TEST(&backend_aware_copy(a).backend() == &here());
  BOOST_TEST(&backend_aware_copy(a, &eigen).backend() == &eigen);
  BOOST_TEST(backend_aware_copy(a).storage()->data != a.storage()->data);
  BOOST_TEST(backend_aware_copy(a, &eigen).storage()->data != a.storage()->data);
  BOOST_TEST(&backend_aware_zeros_like(a, &eigen).backend() == &eigen);
  BOOST_TEST(same<double>(backend_aware_zeros_like(a), Plain<double>({2, 2})));
  BOOST_TEST(backend_aware_any(a));
  BOOST_TEST(!backend_aware_any(here().zeros({3}, bool_), &eigen));
  backend_aware_assign(a, {0}, eigen.full({2}, 3.0));
  BOOST_TEST(&a.backend() == &here());
  BOOST_TEST(same<double>(a, {{2, 2}, {3, 3, 1, 1}}));
  backend_aware_assign(a, {1, 1}, 9.0, &eigen);
  BOOST_TEST(&a.backend() == &eigen);
  BOOST_TEST(same<double>(a, {{2, 2}, {3, 3, 1, 9}}));
  BOOST_TEST(&array_backend({a, 1.0}) == &eigen);
  BOOST_TEST(&array_backend({2.0}) == &here());
}
