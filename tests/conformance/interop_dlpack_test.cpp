// DLPack's structures beside our arrays: who shares memory with whom.
#include <boost/test/unit_test.hpp>
#include <isofield/interop/dlpack.hpp>
#include <limits>
#include <numeric>

using namespace isofield;
using namespace isofield::interop;

namespace {

const void* address(const UnifiedArray& x) { return x.view().bytes(); }

/// A tensor (3, 4) of somebody else's numbers 0, 1, ..., in C order or with its columns reversed.
struct Theirs {
  double memory[12];
  std::int64_t shape[2] = {3, 4}, strides[2] = {4, 1};
  DLTensor tensor;

  explicit Theirs(bool reversed = false) {
    std::iota(memory, memory + 12, 0.0);
    if (reversed) strides[1] = -1;
    tensor = {memory, {dl_cpu, 0}, 2, dl_type(float64), shape, strides, reversed ? 24u : 0u};
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(interop_dlpack)

BOOST_AUTO_TEST_CASE(an_array_is_handed_over_without_a_copy_and_kept_until_deleted) {
  UnifiedArray x = reshape(arange(0.0, 12.0), {3, 4}).copy();
  const void* const data = address(x);
  auto* given = to_dlpack<DLManagedTensorVersioned>(x.T());
  x = UnifiedArray();
  const DLTensor& tensor = given->dl_tensor;
  BOOST_TEST(static_cast<const void*>(tensor.data) == data);
  BOOST_TEST(tensor.ndim == 2);
  BOOST_TEST(tensor.shape[0] == 4);
  BOOST_TEST(tensor.strides[1] == 4);
  BOOST_TEST(given->flags == std::uint64_t{dl_read_only});
  BOOST_TEST(static_cast<const double*>(tensor.data)[11] == 11.0);
  given->deleter(given);
}

BOOST_AUTO_TEST_CASE(a_tensor_is_taken_without_a_copy_and_never_written) {
  auto theirs = std::make_shared<Theirs>(true);
  UnifiedArray x = from_dlpack(theirs->tensor, theirs);
  BOOST_TEST(address(x) == static_cast<const void*>(theirs->memory + 3));
  BOOST_TEST(x(0, 0).item<double>() == 3.0);
  BOOST_TEST(x(2, 3).item<double>() == 8.0);
  x(0, 0) = 7.0;
  BOOST_TEST(theirs->memory[3] == 3.0);
  x = from_dlpack(theirs->tensor, theirs);
  const std::weak_ptr<Theirs> watch = theirs;
  theirs.reset();
  BOOST_TEST(!watch.expired());
  x = UnifiedArray();
  BOOST_TEST(watch.expired());
}

BOOST_AUTO_TEST_CASE(what_cannot_be_used_is_refused) {
  const auto refused = []<class E>(E*, auto change) {
    Theirs t;
    change(t.tensor);
    BOOST_CHECK_THROW(from_dlpack(t.tensor, nullptr), E);
    BOOST_CHECK_THROW(backend_aware_assign(t.tensor, {0}, 1.0), E);
  };
  refused((DTypeError*)nullptr, [](DLTensor& t) { t.dtype = {dl_float, 16, 1}; });
  refused((DTypeError*)nullptr, [](DLTensor& t) { t.dtype.lanes = 2; });
  refused((DeviceError*)nullptr, [](DLTensor& t) { t.device.type = 10; });
  refused((ShapeError*)nullptr, [](DLTensor& t) { t.ndim = -1; });
  refused((ShapeError*)nullptr, [](DLTensor& t) { t.ndim = 33; });
  refused((ShapeError*)nullptr, [](DLTensor& t) { t.shape = nullptr; });
  refused((ShapeError*)nullptr, [](DLTensor& t) { t.byte_offset = 3; });
  refused((ShapeError*)nullptr, [](DLTensor& t) { t.data = nullptr; });
}

BOOST_AUTO_TEST_CASE(tier_2_helpers_work_on_tensors) {
  for (const bool reversed : {false, true}) {
    Theirs t(reversed);
    backend_aware_assign(t.tensor, {1, from(2)}, asarray({-1.0, -2.0}));
    BOOST_TEST(from_dlpack(t.tensor, nullptr)(1, 3).item<double>() == -2.0);
    BOOST_TEST(t.memory[reversed ? 4 : 7] == -2.0);
    const UnifiedArray copy = backend_aware_copy(t.tensor);
    BOOST_TEST(address(copy) != address(from_dlpack(t.tensor, nullptr)));
    BOOST_TEST(copy(2, 0).item<double>() == t.memory[reversed ? 11 : 8]);
    BOOST_TEST(backend_aware_any(t.tensor));
    const UnifiedArray zeros = backend_aware_zeros_like(t.tensor);
    BOOST_TEST(to_string(zeros.shape()) == "(3, 4)");
    BOOST_TEST(!backend_aware_any(zeros));
    BOOST_TEST(!has_nan_or_inf(t.tensor));
    t.memory[5] = std::numeric_limits<double>::infinity();
    BOOST_TEST(has_nan_or_inf(t.tensor));
    BOOST_CHECK_THROW(backend_aware_assign(t.tensor, {3}, 0.0), IndexError);
  }
}

BOOST_AUTO_TEST_SUITE_END()
