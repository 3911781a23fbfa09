// Tensors that other libraries hand over with their owner, well formed and not: what is told, and
// who deletes them when.
#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <isofield/interop/dlpack.hpp>
#include <limits>
#include <memory>
#include <string>
#include <vector>

using namespace isofield;
using namespace isofield::interop;

namespace {

constexpr std::int64_t largest = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t smallest = std::numeric_limits<std::int64_t>::min();

/// A producer's tensor: six doubles, 0 to 5, of shape (2, 3).
template <class Managed>
struct Producer {
  std::vector<double> memory{0, 1, 2, 3, 4, 5};
  std::vector<std::int64_t> shape{2, 3}, strides{3, 1};
  int deleted = 0;
  Managed managed;

  Producer() {
    tensor().data = memory.data();
    tensor().ndim = 2;
    tensor().dtype = {dl_float, 64, 1};
    tensor().shape = shape.data();
    tensor().strides = strides.data();
    managed.manager_ctx = this;
    managed.deleter = [](Managed* m) { ++static_cast<Producer*>(m->manager_ctx)->deleted; };
  }
  Producer(const Producer&) = delete;
  DLTensor& tensor() { return managed.dl_tensor; }

  /// What is said when it is handed over with an error in it.
  template <class E>
  std::string refused() {
    std::string text;
    try {
      (void)from_dlpack(&managed);
    } catch (const E& e) {
      text = e.what();
    }
    BOOST_TEST(deleted == 1);
    return text;
  }
};
using Plain = Producer<DLManagedTensor>;
using Versioned = Producer<DLManagedTensorVersioned>;

}  // namespace

BOOST_AUTO_TEST_SUITE(interop_dlpack)

BOOST_AUTO_TEST_CASE(a_tensor_is_used_where_it_lies_and_deleted_by_its_last_user) {
  Versioned p;
  {
    UnifiedArray part;
    {
      const UnifiedArray x = from_dlpack(&p.managed);
      BOOST_TEST(static_cast<void*>(x.view().bytes()) == static_cast<void*>(p.memory.data()));
      part = x.index({1});
    }
    BOOST_TEST(p.deleted == 0);
    BOOST_TEST(part.to_vector<double>() == (std::vector<double>{3, 4, 5}));
  }
  BOOST_TEST(p.deleted == 1);
}

BOOST_AUTO_TEST_CASE(strides_may_run_backwards_repeat_and_be_left_out) {
  Plain backwards;
  backwards.strides = {-3, -1};
  backwards.tensor().byte_offset = 5 * sizeof(double);
  BOOST_TEST(from_dlpack(&backwards.managed).to_vector<double>() ==
             (std::vector<double>{5, 4, 3, 2, 1, 0}));
  Plain repeated;
  repeated.strides = {0, 2};
  BOOST_TEST(from_dlpack(&repeated.managed).to_vector<double>() ==
             (std::vector<double>{0, 2, 4, 0, 2, 4}));
  Plain plain;
  plain.tensor().strides = nullptr;
  BOOST_TEST(from_dlpack(&plain.managed).to_vector<double>() ==
             (std::vector<double>{0, 1, 2, 3, 4, 5}));
}

BOOST_AUTO_TEST_CASE(a_write_leaves_the_producer_s_memory_alone) {
  Plain p;
  UnifiedArray x = from_dlpack(&p.managed);
  x(0) = 9.0;
  BOOST_TEST(x.to_vector<double>() == (std::vector<double>{9, 9, 9, 3, 4, 5}));
  BOOST_TEST(p.memory == (std::vector<double>{0, 1, 2, 3, 4, 5}));
}

BOOST_AUTO_TEST_CASE(ranks_and_shapes_that_are_none_are_refused) {
  Plain negative;
  negative.tensor().ndim = -1;
  BOOST_TEST(negative.refused<ShapeError>() == "from_dlpack: a tensor of rank -1 cannot be used");
  Plain many;
  many.tensor().ndim = 33;
  BOOST_TEST(many.refused<ShapeError>() == "from_dlpack: a tensor of rank 33 cannot be used");
  Plain missing;
  missing.tensor().shape = nullptr;
  BOOST_TEST(missing.refused<ShapeError>() == "from_dlpack: a tensor of rank 2 cannot be used");
  Plain below;
  below.shape = {2, -3};
  BOOST_TEST(below.refused<ShapeError>() == "shape (2, -3) has a negative length");
}

BOOST_AUTO_TEST_CASE(memory_that_is_not_there_is_refused) {
  Plain none;
  none.tensor().data = nullptr;
  BOOST_TEST(none.refused<ShapeError>() == "from_dlpack: a tensor of shape (2, 3) has no memory");
  Plain empty;
  empty.shape = {2, 0};
  empty.tensor().data = nullptr;
  BOOST_TEST(from_dlpack(&empty.managed).size() == 0);
  BOOST_TEST(empty.deleted == 1);
  Plain odd;
  odd.tensor().byte_offset = 4;
  BOOST_TEST(odd.refused<ShapeError>() ==
             "from_dlpack: the elements do not lie on their boundaries; copy them first");
}

BOOST_AUTO_TEST_CASE(strides_that_reach_beyond_all_memory_are_refused) {
  Plain wide;
  wide.strides = {largest, 1};
  BOOST_TEST(wide.refused<ShapeError>() ==
             "shape (2, 3) with strides (9223372036854775807, 1) reaches further than 64 bits can "
             "say");
  Plain bytes;  // elements that 64 bits can count, bytes that they cannot
  bytes.strides = {largest / 4, 1};
  BOOST_TEST(bytes.refused<ShapeError>() ==
             "from_dlpack: shape (2, 3) with strides (2305843009213693951, 1) and byte offset 0 "
             "reaches beyond all memory");
  Plain below;
  below.strides = {smallest, 1};
  BOOST_TEST(below.refused<ShapeError>() ==
             "from_dlpack: shape (2, 3) with strides (-9223372036854775808, 1) and byte offset 0 "
             "reaches beyond all memory");
  Plain offset;
  offset.tensor().byte_offset = std::numeric_limits<std::uint64_t>::max() - 7;
  BOOST_TEST(offset.refused<ShapeError>() ==
             "from_dlpack: shape (2, 3) with strides (3, 1) and byte offset 18446744073709551608 "
             "reaches beyond all memory");
}

BOOST_AUTO_TEST_CASE(elements_devices_and_versions_without_a_counterpart_are_refused) {
  Plain half;
  half.tensor().dtype.bits = 16;
  BOOST_TEST(half.refused<DTypeError>() ==
             "from_dlpack: elements of DLPack's type code 2 with 16 bits and 1 lanes have no dtype "
             "here");
  Plain metal;
  metal.tensor().device.type = dl_metal;
  BOOST_TEST(metal.refused<DeviceError>() ==
             "from_dlpack: no backend sees memory of DLPack's device type 8");
  Versioned later;
  later.managed.version.major = 2;
  BOOST_TEST(later.refused<NotAvailable>() ==
             "from_dlpack: a tensor of DLPack's version 2; this is version 1");
}

BOOST_AUTO_TEST_CASE(an_array_is_handed_over_and_back_without_a_copy) {
  for (const DType dtype : all_dtypes) {
    const UnifiedArray x = reshape(arange(0, 6), {2, 3}).astype(dtype).T().copy();
    auto* managed = to_dlpack<DLManagedTensorVersioned>(x);
    BOOST_TEST(managed->flags == dl_read_only);
    BOOST_TEST(managed->dl_tensor.data == static_cast<void*>(x.view().bytes()));
    const UnifiedArray y = from_dlpack(managed);
    BOOST_TEST((y.dtype() == dtype));
    BOOST_TEST(static_cast<void*>(y.view().bytes()) == static_cast<void*>(x.view().bytes()));
    BOOST_TEST(all(x == y).item<bool>());
  }
  auto* own = to_dlpack<DLManagedTensorVersioned>(zeros({1, 2}), true);
  BOOST_TEST(own->flags == dl_is_copied);
  own->deleter(own);
}

BOOST_AUTO_TEST_SUITE_END()
