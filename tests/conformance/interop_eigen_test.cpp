// Eigen's matrices beside our arrays: who shares memory with whom.
#include <boost/test/unit_test.hpp>
#include <isofield/interop/eigen.hpp>
#include <limits>

using namespace isofield;

namespace {

const void* address(const UnifiedArray& x) { return x.view().bytes(); }

UnifiedArray counted() { return reshape(arange(0.0, 12.0), {3, 4}); }

}  // namespace

BOOST_AUTO_TEST_SUITE(interop_eigen)

BOOST_AUTO_TEST_CASE(a_map_reads_an_array_s_own_memory) {
  const UnifiedArray x = counted().copy();
  const auto map = eigen_map<double>(x);
  BOOST_TEST(static_cast<const void*>(map.data()) == address(x));
  BOOST_TEST(map.rows() == 3);
  BOOST_TEST(map.cols() == 4);
  BOOST_TEST(map(2, 1) == 9.0);
  const UnifiedArray part = x.T().index({slice(1, 4, 2), from(1)});
  const auto strided = eigen_map<double>(part);
  BOOST_TEST(strided.rows() == 2);
  BOOST_TEST(strided(1, 0) == part.index({1, 0}).item<double>());
  BOOST_TEST(strided.sum() == sum(part).item<double>());
  const UnifiedArray line = x.index({all_of, 2});
  BOOST_TEST(eigen_map<double>(line)(2, 0) == 10.0);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_mapped_is_refused_with_a_way_out) {
  const UnifiedArray x = counted().copy(), cube = zeros({2, 2, 2}), reversed = flip(x, 0);
  const auto text = [](const char* part) {
    return [part](const Error& e) { return std::string(e.what()).find(part) != std::string::npos; };
  };
  BOOST_CHECK_EXCEPTION((void)eigen_map<float>(x), DTypeError, text("astype"));
  BOOST_CHECK_EXCEPTION((void)eigen_map<double>(cube), ShapeError, text("(2, 2, 2)"));
  BOOST_CHECK_EXCEPTION((void)eigen_map<double>(reversed), ShapeError, text("copy()"));
}

BOOST_AUTO_TEST_CASE(a_matrix_is_taken_over_without_a_copy) {
  Eigen::MatrixXd matrix = Eigen::MatrixXd::Random(5, 3);
  const Eigen::MatrixXd kept = matrix;
  const void* const data = matrix.data();
  const UnifiedArray x = from_eigen(std::move(matrix));
  BOOST_TEST(address(x) == data);
  BOOST_TEST(to_string(x.shape()) == "(5, 3)");
  BOOST_TEST((to_eigen(x) == kept));
  BOOST_TEST(sum(x * 2.0).item<double>() == sum(x).item<double>() * 2.0);
  BOOST_TEST(to_string(from_eigen(Eigen::VectorXf(Eigen::VectorXf::Zero(4))).shape()) == "(4,)");
}

BOOST_AUTO_TEST_CASE(shared_memory_lives_as_long_as_its_arrays_and_is_never_written) {
  using RowMajor = Eigen::Array<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  auto data = std::make_shared<RowMajor>(RowMajor::Constant(2, 3, 4.0));
  UnifiedArray x = from_eigen(data);
  BOOST_TEST(address(x) == static_cast<const void*>(data->data()));
  x(0, 0) = 9.0;
  BOOST_TEST((*data)(0, 0) == 4.0);
  BOOST_TEST(address(x) != static_cast<const void*>(data->data()));
  x = from_eigen(data);
  std::weak_ptr<RowMajor> watch = data;
  data.reset();
  BOOST_TEST(!watch.expired());
  BOOST_TEST(sum(x).item<double>() == 24.0);
  x = UnifiedArray();
  BOOST_TEST(watch.expired());
}

BOOST_AUTO_TEST_CASE(tier_2_helpers_work_on_matrices_and_expressions) {
  Eigen::MatrixXd m = Eigen::MatrixXd::Zero(3, 4);
  BOOST_TEST(!backend_aware_any(m));
  backend_aware_assign(m, {1, all_of}, 2.0);
  backend_aware_assign(m, {all_of, 3}, asarray({1.0, 5.0, 7.0}));
  backend_aware_assign(m, {upto(2), upto(2)}, Eigen::MatrixXd::Identity(2, 2));
  Eigen::MatrixXd expected(3, 4);
  expected << 1, 0, 0, 1, 0, 1, 2, 5, 0, 0, 0, 7;
  BOOST_TEST((m == expected));
  Eigen::VectorXd v = Eigen::VectorXd::Zero(5);
  backend_aware_assign(v, {slice(0, 5, 2)}, 3.0);
  BOOST_TEST(v.sum() == 9.0);
  BOOST_CHECK_THROW(backend_aware_assign(m, {7, 0}, 1.0), IndexError);
  BOOST_CHECK_THROW(backend_aware_assign(m, {0}, asarray({1.0, 2.0})), ShapeError);
  const Eigen::MatrixXd copy = backend_aware_copy(m * 2.0);
  BOOST_TEST(copy(2, 3) == 14.0);
  BOOST_TEST(backend_aware_any(m.row(0)));
  BOOST_TEST((backend_aware_zeros_like(m) == Eigen::MatrixXd::Zero(3, 4)));
  BOOST_TEST(!has_nan_or_inf(m));
  m(1, 1) = std::numeric_limits<double>::infinity();
  BOOST_TEST(has_nan_or_inf(m));
  BOOST_TEST(has_nan_or_inf(m * 0.0));
}

BOOST_AUTO_TEST_SUITE_END()
