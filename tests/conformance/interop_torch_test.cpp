// LibTorch tensors beside our arrays: who shares memory with whom.
#include <boost/test/unit_test.hpp>
#include <isofield/interop/torch.hpp>
#include <limits>
#include <numeric>
#include <vector>

using namespace isofield;

namespace {

const void* address(const UnifiedArray& x) { return x.view().bytes(); }

// 0 to 11 as (3, 4). LibTorch's headers come by the interop header alone.
at::Tensor counted() {
  std::vector<double> values(12);
  std::iota(values.begin(), values.end(), 0.0);
  return at::from_blob(values.data(), {3, 4}, at::kDouble).clone();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(interop_torch)

BOOST_AUTO_TEST_CASE(a_tensor_shares_an_array_s_memory_and_outlives_it) {
  for (const char* spelling : {"torch:cpu", "eigen"}) {
    UnifiedArray x =
        reshape(arange(0.0, 12.0, 1.0, float64, &get_backend(spelling)), {3, 4}).copy();
    const void* const data = address(x);
    const at::Tensor tensor = torch_tensor(x);
    BOOST_TEST(tensor.data_ptr() == data);
    BOOST_TEST(tensor.size(1) == 4);
    const at::Tensor strided = torch_tensor(x.T().index({from(1), from(1)}));
    BOOST_TEST(strided[2][1].item<double>() == 11.0);
    BOOST_TEST(!strided.is_contiguous());
    x(0, 0) = 50.0;  // copies first: the tensor keeps the value it was made of
    BOOST_TEST(tensor[0][0].item<double>() == 0.0);
    x = UnifiedArray();
    BOOST_TEST(tensor.sum().item<double>() == 66.0);
    BOOST_TEST(torch_tensor(flip(from_torch(tensor), 0))[0][0].item<double>() == 8.0);
  }
}

BOOST_AUTO_TEST_CASE(an_array_uses_a_tensor_without_a_copy_and_never_writes_to_it) {
  const at::Tensor tensor = counted();
  UnifiedArray x = from_torch(tensor);
  BOOST_TEST(address(x) == tensor.data_ptr());
  BOOST_TEST(x.backend().spelling() == "torch:cpu");
  BOOST_TEST(sum(x * 2.0).item<double>() == 132.0);
  x(0, 0) = 9.0;
  BOOST_TEST(tensor[0][0].item<double>() == 0.0);
  const UnifiedArray columns = from_torch(tensor.t().narrow(0, 1, 2), &get_backend("eigen"));
  BOOST_TEST(columns.backend().name() == "eigen");
  BOOST_TEST(columns.to_vector<double>() == (std::vector<double>{1, 5, 9, 2, 6, 10}),
             boost::test_tools::per_element());
  BOOST_TEST(name(from_torch(tensor.gt(3)).dtype()) == "bool");
}

BOOST_AUTO_TEST_CASE(a_tensor_that_cannot_be_shared_is_refused_with_a_way_out) {
  BOOST_CHECK_EXCEPTION(
      (void)from_torch(counted().to(at::kHalf)), DTypeError,
      [](const DTypeError& e) { return std::string(e.what()).find(".to(") != std::string::npos; });
}

BOOST_AUTO_TEST_CASE(tier_2_helpers_work_on_tensors) {
  at::Tensor tensor = backend_aware_zeros_like(counted());
  BOOST_TEST(!backend_aware_any(tensor));
  backend_aware_assign(tensor, {1, all_of}, 2.0);
  backend_aware_assign(tensor, {all_of, 3}, asarray({1.0, 5.0, 7.0}));
  backend_aware_assign(tensor, {upto(2), upto(2)}, counted().narrow(0, 0, 2).narrow(1, 0, 2));
  BOOST_TEST(from_torch(tensor).to_vector<double>() ==
                 (std::vector<double>{0, 1, 0, 1, 4, 5, 2, 5, 0, 0, 0, 7}),
             boost::test_tools::per_element());
  at::Tensor row = tensor[2];  // begins inside its storage
  backend_aware_assign(row, {0}, 8.0);
  BOOST_TEST(tensor[2][0].item<double>() == 8.0);
  BOOST_CHECK_THROW(backend_aware_assign(tensor, {7, 0}, 1.0), IndexError);
  const at::Tensor copy = backend_aware_copy(tensor);
  BOOST_TEST(copy.data_ptr() != tensor.data_ptr());
  BOOST_TEST(backend_aware_any(copy));
  BOOST_TEST(!has_nan_or_inf(tensor));
  tensor[1][1].fill_(std::numeric_limits<double>::quiet_NaN());
  BOOST_TEST(has_nan_or_inf(tensor));
  BOOST_TEST(!has_nan_or_inf(tensor.to(at::kLong)));
}

BOOST_AUTO_TEST_SUITE_END()
