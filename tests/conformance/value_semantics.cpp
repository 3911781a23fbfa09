// Arrays are values: no write shows through another array, whatever shares memory underneath.
#include "reference.hpp"

using namespace isofield;
using namespace isofield::testing;

namespace {

UnifiedArray five() { return counting<double>({5}).array(); }
Plain<double> row(std::vector<double> values) {
  const auto n = static_cast<std::int64_t>(values.size());
  return {{n}, std::move(values)};
}

}  // namespace

BACKEND_TEST_CASE(copies_do_not_share_later_writes) {
  UnifiedArray a = ones({5, 5}), b = a;
  a(0, 0) = 999.0;
  BOOST_TEST(b(0, 0).item<double>() == 1.0);
  BOOST_TEST(a(0, 0).item<double>() == 999.0);
  b(4) = 7.0;
  BOOST_TEST(a(4, 4).item<double>() == 1.0);
}

BACKEND_TEST_CASE(writes_to_memory_of_ones_own_do_not_copy) {
  UnifiedArray a = ones({64});
  const void* before = a.storage()->data;
  a(3) = 2.0;
  a(slice(0, 10)) = a(slice(10, 20)) + 1.0;
  BOOST_TEST(a.storage()->data == before);
  UnifiedArray b = a;
  b(0) = 5.0;
  BOOST_TEST(a.storage()->data == before);
  BOOST_TEST(b.storage()->data != before);
}

BACKEND_TEST_CASE(slices_taken_before_a_write_keep_their_values) {
  UnifiedArray a = five();
  const UnifiedArray part = a(slice(1, 4)), reversed = flip(a, 0), column = reshape(a, {5, 1});
  a(slice(0, 5)) = 0.0;
  BOOST_TEST(same<double>(part, row({1, 2, 3})));
  BOOST_TEST(same<double>(reversed, row({4, 3, 2, 1, 0})));
  BOOST_TEST(same<double>(column, counting<double>({5, 1})));
  BOOST_TEST(same<double>(a, Plain<double>({5})));
}

BACKEND_TEST_CASE(writes_to_a_slice_do_not_reach_its_base) {
  const UnifiedArray a = five();
  UnifiedArray part = a(slice(1, 4));
  part(0) = 50.0;
  part += 1.0;
  BOOST_TEST(same<double>(a, counting<double>({5})));
  BOOST_TEST(same<double>(part, row({51, 3, 4})));
}

BACKEND_TEST_CASE(pending_expressions_keep_the_values_they_were_made_of) {
  UnifiedArray a = five(), b = a + 1.0, c = a(slice(1, 4)) * 2.0,
               d = shift(a, 0, 1, Boundary::periodic);
  a(all_of) = -1.0;
  BOOST_TEST(same<double>(b, row({1, 2, 3, 4, 5})));
  BOOST_TEST(same<double>(c, row({2, 4, 6})));
  BOOST_TEST(same<double>(d, row({1, 2, 3, 4, 0})));
  UnifiedArray e = b * b;
  b(2) = 100.0;
  BOOST_TEST(same<double>(e, row({1, 4, 9, 16, 25})));
}

BACKEND_TEST_CASE(overlapping_slices_are_read_before_they_are_written) {
  UnifiedArray a = five();
  a(slice(1, 5)) = a(slice(0, 4));
  BOOST_TEST(same<double>(a, row({0, 0, 1, 2, 3})));
  a = five();
  a(slice(0, 4)) = a(slice(1, 5));
  BOOST_TEST(same<double>(a, row({1, 2, 3, 4, 4})));
  a = five();
  a(all_of) = a(Slice{{}, {}, -1});
  BOOST_TEST(same<double>(a, row({4, 3, 2, 1, 0})));
  a = five();
  a(slice(1, 5)) = a(slice(0, 4)) + a(slice(1, 5));
  BOOST_TEST(same<double>(a, row({0, 1, 3, 5, 7})));
  a = five();
  a(slice(0, 4)) += a(slice(1, 5));
  BOOST_TEST(same<double>(a, row({1, 3, 5, 7, 4})));
  a = five();
  a(all_of) = a;
  BOOST_TEST(same<double>(a, counting<double>({5})));
  a(all_of) = a(2);
  BOOST_TEST(same<double>(a, row({2, 2, 2, 2, 2})));
}

BACKEND_TEST_CASE(transposes_of_oneself_can_be_assigned) {
  UnifiedArray a = counting<double>({3, 3}).array();
  a(all_of, all_of) = a.T();
  BOOST_TEST(same<double>(a, {{3, 3}, {0, 3, 6, 1, 4, 7, 2, 5, 8}}));
}

BACKEND_TEST_CASE(large_overlapping_moves_are_right) {
  const Plain<double> values = noise<double>({300, 301});
  UnifiedArray a = values.array();
  a(slice(1, 300), slice(1, 301)) = a(slice(0, 299), slice(0, 300));
  Plain<double> expected = values;
  for (std::int64_t i = 1; i < 300; ++i)
    for (std::int64_t j = 1; j < 301; ++j) expected[{i, j}] = values[{i - 1, j - 1}];
  BOOST_TEST(same<double>(a, expected));
}

BACKEND_TEST_CASE(selections_take_arithmetic_assignment) {
  UnifiedArray a = ones({2, 3});
  a(0) += 1.0;
  a(1, 2) *= 4.0;
  a(all_of, 0) -= asarray({1.0, 2.0});
  a(ellipsis, 1) /= 2.0;
  BOOST_TEST(same<double>(a, {{2, 3}, {1, 1, 2, -1, 0.5, 4}}));
  a(0) = a(1);
  BOOST_TEST(same<double>(a, {{2, 3}, {-1, 0.5, 4, -1, 0.5, 4}}));
}

BACKEND_TEST_CASE(selections_are_values_of_their_own) {
  UnifiedArray a = five();
  const UnifiedArray kept = a(slice(0, 2));
  auto selection = a(slice(3, 5));
  a(3) = -3.0;
  BOOST_TEST(same<double>(selection, row({3, 4})));
  BOOST_TEST(same<double>(kept + selection, row({3, 5})));
}

BACKEND_TEST_CASE(broadcast_views_are_copied_before_a_write) {
  UnifiedArray b = broadcast_to(asarray({1.0, 2.0}), {3, 2});
  b(1, 0) = 9.0;
  BOOST_TEST(same<double>(b, {{3, 2}, {1, 2, 9, 2, 1, 2}}));
  UnifiedArray c = broadcast_to(asarray(4.0), {3});
  c(slice(0, 2)) = 5.0;
  BOOST_TEST(same<double>(c, row({5, 5, 4})));
}

BACKEND_TEST_CASE(in_place_arithmetic_makes_new_values) {
  UnifiedArray a = five();
  const UnifiedArray b = a;
  a += 1.0;
  a -= b;
  a *= 3.0;
  a /= 2.0;
  BOOST_TEST(same<double>(a, row({1.5, 1.5, 1.5, 1.5, 1.5})));
  BOOST_TEST(same<double>(b, counting<double>({5})));
}

BACKEND_TEST_CASE(in_place_arithmetic_that_fails_leaves_the_array_as_it_was) {
  UnifiedArray a = five(), pending = five() + 0.0, n = ones({5}, int64);
  BOOST_CHECK_THROW(a += zeros({7}), ShapeError);
  BOOST_CHECK_THROW(a *= n, DTypeError);
  BOOST_CHECK_THROW(a -= ones({2, 5}), ShapeError);
  BOOST_CHECK_THROW(pending += zeros({7}), ShapeError);
  BOOST_CHECK_THROW(n /= 2, DTypeError);
  BOOST_CHECK_THROW(n += 0.5, DTypeError);
  BOOST_TEST(same<double>(a, counting<double>({5})));
  BOOST_TEST(same<double>(pending, counting<double>({5})));
  BOOST_TEST(sum(n).item<std::int64_t>() == 5);
}

BACKEND_TEST_CASE(in_place_arithmetic_keeps_shape_and_dtype) {
  UnifiedArray a = ones({5}, float32), matrix = ones({2, 5}), wide = ones({5});
  a += counting<double>({5}).array() * 0.5;
  wide -= ones({5}, float32);
  matrix *= counting<double>({5}).array();
  BOOST_TEST(same<float>(a, {{5}, {1, 1.5, 2, 2.5, 3}}));
  BOOST_TEST((wide.dtype() == float64));
  BOOST_TEST(same<double>(matrix, {{2, 5}, {0, 1, 2, 3, 4, 0, 1, 2, 3, 4}}));
  a += a;
  BOOST_TEST(same<float>(a, {{5}, {2, 3, 4, 5, 6}}));
}

BACKEND_TEST_CASE(arrays_that_were_moved_from_are_no_numbers) {
  UnifiedArray a = five();
  const UnifiedArray b = std::move(a);
  const int line = __LINE__ + 1;
  BOOST_TEST(error_of<Error>([&] { (void)(b + a); }) ==
             "an array that was moved from has no elements at value_semantics.cpp:" +
                 std::to_string(line));
  a = b * 2.0;
  BOOST_TEST(same<double>(a, row({0, 2, 4, 6, 8})));
}

BACKEND_TEST_CASE(owners_of_memory_may_compute_while_they_go) {
  const UnifiedArray x = five();
  double seen = 0;
  std::vector<double> elements(4, 1.0);
  UnifiedArray a =
      from_memory(elements.data(), float64, Layout({4}), 32,
                  std::shared_ptr<void>(elements.data(),
                                        [&](void*) { seen = sum(x * 2.0 + 1.0).item<double>(); }),
                  default_backend());
  UnifiedArray b = a + 1.0;
  a = UnifiedArray();  // the pending sum alone holds the memory
  BOOST_TEST(same<double>(b, row({2, 2, 2, 2})));
  BOOST_TEST(seen == 25.0);
}

BACKEND_TEST_CASE(writes_into_pending_arrays_compute_them_first) {
  UnifiedArray a = five() * 2.0;
  const UnifiedArray b = a;
  a(0) = 7.0;
  BOOST_TEST(same<double>(a, row({7, 2, 4, 6, 8})));
  BOOST_TEST(same<double>(b, row({0, 2, 4, 6, 8})));
}

BACKEND_TEST_CASE(values_are_cast_within_their_kind_when_assigned) {
  UnifiedArray a = zeros({3}, float32);
  a(0) = 0.1;
  a(1) = asarray(0.2);
  a(2) = 3;
  BOOST_TEST(same<float>(a, {{3}, {0.1f, 0.2f, 3.0f}}));
  UnifiedArray b = zeros({2}, bool_);
  b(1) = true;
  BOOST_TEST(same<bool>(b, {{2}, {0, 1}}));
}

BACKEND_TEST_CASE(memory_of_others_is_never_written) {
  std::vector<double> mine{1, 2, 3, 4};
  UnifiedArray a = from_memory(mine.data(), float64, Layout({4}), mine.size() * sizeof(double),
                               nullptr, get_backend("eigen"));
  BOOST_TEST(a.storage()->data == mine.data());
  a(0) = 100.0;
  a += 1.0;
  BOOST_TEST(mine[0] == 1.0);
  BOOST_TEST(a(0).item<double>() == 101.0);
}

BACKEND_TEST_CASE(memory_of_others_lives_as_long_as_arrays_on_it) {
  auto owner = std::make_shared<std::vector<double>>(1000, 2.0);
  std::weak_ptr<std::vector<double>> watch = owner;
  {
    UnifiedArray sum_of_it;
    {
      const UnifiedArray a =
          from_memory(owner->data(), float64, Layout({1000}), 8000, owner, get_backend("eigen"));
      owner.reset();
      sum_of_it = a(slice(0, 500)) + 1.0;
    }
    BOOST_TEST(!watch.expired() == sum_of_it.pending());
    BOOST_TEST(sum(sum_of_it).item<double>() == 1500.0);
  }
  BOOST_TEST(watch.expired());
}

BACKEND_TEST_CASE(arrays_keep_dtype_when_cast_to_it) {
  const UnifiedArray a = five();
  BOOST_TEST(same<std::int64_t>(a.astype(int64), {{5}, {0, 1, 2, 3, 4}}));
  BOOST_TEST(same<bool>(a.astype(bool_), {{5}, {0, 1, 1, 1, 1}}));
  BOOST_TEST(same<float>((a / 3.0).astype(float32),
                         {{5}, {0.f, float(1 / 3.), float(2 / 3.), 1.f, float(4 / 3.)}}));
  BOOST_TEST(same<std::int64_t>(asarray({2.9, -2.9, 0.5}).astype(int64), {{3}, {2, -2, 0}}));
  BOOST_TEST(same<double>(asarray({true, false}).astype(float64), row({1, 0})));
}

BACKEND_TEST_CASE(elements_come_out_as_any_type) {
  const UnifiedArray a = asarray({0.0, 1.0, 2.5});
  BOOST_TEST((a.to_vector<float>() == std::vector<float>{0, 1, 2.5f}));
  BOOST_TEST((a.to_vector<std::int64_t>() == std::vector<std::int64_t>{0, 1, 2}));
  BOOST_TEST((a.to_vector<bool>() == std::vector<bool>{false, true, true}));
  BOOST_TEST((a.T().to_vector<double>() == std::vector<double>{0, 1, 2.5}));
  BOOST_TEST(same<bool>(asarray(std::vector<bool>{true, false}, {2}), {{2}, {1, 0}}));
  BOOST_TEST(a(2).item<float>() == 2.5f);
  BOOST_TEST(a(1).item<bool>());
  BOOST_TEST(reshape(a(2), {1, 1}).item<double>() == 2.5);
  BOOST_TEST(UnifiedArray().item<double>() == 0.0);
}

BACKEND_TEST_CASE(arrays_go_to_a_device_by_its_name) {
  const UnifiedArray a = five();
  BOOST_TEST(&to_device(a, "cpu").backend() == &a.backend());
  BOOST_TEST((get_available_devices()[0] == Device{}));
  BOOST_CHECK_THROW(to_device(a, "tpu"), DeviceError);
  if (a.backend().name() != "torch") BOOST_CHECK_THROW(to_device(a, "cuda:7"), Error);
}
