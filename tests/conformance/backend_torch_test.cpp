// What is LibTorch's own on the cpu: its BLAS, its threads, its refusals.
#include <dlfcn.h>

#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <isofield/isofield.hpp>

using namespace isofield;

namespace {

BaseBackend& torch() { return get_backend("torch:cpu"); }

UnifiedArray numbers(const Shape& shape, BaseBackend& backend, DType dtype = float64) {
  const std::int64_t n = element_count(shape);
  const UnifiedArray k = arange(0.0, static_cast<double>(n), 1.0, float64, &backend);
  return reshape(remainder(k * 7.0, 11.0) - 5.0, shape).astype(dtype);
}

template <class F>
void same_on_eigen(F&& product) {
  const UnifiedArray expected = product(get_backend("eigen")), found = product(torch());
  BOOST_TEST(found.shape() == expected.shape());
  // Small integers: every order of summation gives the same.
  BOOST_TEST(found.template to_vector<double>() == expected.template to_vector<double>(),
             boost::test_tools::per_element());
}

}  // namespace

BOOST_AUTO_TEST_SUITE(torch_backend)

BOOST_AUTO_TEST_CASE(capabilities_name_the_version_and_the_blas) {
  const Capabilities& can = torch().capabilities();
  std::string keys;
  for (const auto& [key, value] : can.details) {
    BOOST_TEST(!value.empty());
    keys += key + ";";
  }
  BOOST_TEST(keys == "LibTorch;BLAS;instruction set;programs;");
  BOOST_TEST(can.threads >= 1);
}

BOOST_AUTO_TEST_CASE(a_device_that_is_not_there_is_refused_with_those_that_are) {
  BOOST_CHECK_EXCEPTION(get_backend("torch:cuda:77"), NotAvailable, [](const NotAvailable& e) {
    return std::string(e.what()).find("torch:cpu") != std::string::npos;
  });
}

BOOST_AUTO_TEST_CASE(products_of_any_layout_agree_with_eigen) {
  for (const DType dtype : {float64, float32}) {
    same_on_eigen([&](BaseBackend& b) {
      return linalg::matmul(numbers({130, 70}, b, dtype), numbers({70, 90}, b, dtype));
    });
    same_on_eigen([&](BaseBackend& b) {
      return linalg::matmul(numbers({70, 130}, b, dtype).T(), numbers({90, 70}, b, dtype).T());
    });
    same_on_eigen([&](BaseBackend& b) {
      return linalg::matmul(flip(numbers({80, 60}, b, dtype), 0),
                            flip(numbers({60, 70}, b, dtype), 1));
    });
    same_on_eigen([&](BaseBackend& b) {
      return linalg::matmul(numbers({7, 40, 30}, b, dtype), numbers({30, 50}, b, dtype));
    });
    same_on_eigen([&](BaseBackend& b) {
      return linalg::matmul(numbers({2, 3, 43, 65}, b, dtype), numbers({2, 3, 65, 27}, b, dtype));
    });
    same_on_eigen([&](BaseBackend& b) {
      return linalg::matmul(numbers({4, 0}, b, dtype), numbers({0, 3}, b, dtype));
    });
  }
}

BOOST_AUTO_TEST_CASE(a_product_leaves_the_threads_of_openblas_as_they_were) {
  (void)torch();
  void* library = dlopen("libopenblas.so.0", RTLD_LAZY | RTLD_NOLOAD);
  if (!library) {
    BOOST_TEST_MESSAGE("skipped: this LibTorch does not use the system's OpenBLAS");
    return;
  }
  const auto get = reinterpret_cast<int (*)()>(dlsym(library, "openblas_get_num_threads"));
  const auto set = reinterpret_cast<void (*)(int)>(dlsym(library, "openblas_set_num_threads"));
  set(2);
  const UnifiedArray a = numbers({200, 200}, torch());
  linalg::matmul(a, a).eval();
  BOOST_TEST(get() == 2);
}

BOOST_AUTO_TEST_CASE(values_do_not_depend_on_the_number_of_threads) {
  const auto work = [](BaseBackend& b) {
    const UnifiedArray x = linspace(0.0, 3.0, 300000, true, float64, &b);
    return sum(sin(x) * exp(-x)).item<double>();
  };
  const int before = torch().capabilities().threads;
  const double expected = work(get_backend("eigen"));
  for (const int threads : {1, 2, 3}) {
    torch().set_threads(threads);
    BOOST_TEST(torch().capabilities().threads == threads);
    BOOST_TEST(work(torch()) == expected);
  }
  torch().set_threads(before);
}

BOOST_AUTO_TEST_CASE(memory_that_is_not_there_is_an_ordinary_error) {
  BOOST_CHECK_THROW(get_backend("torch:cpu").allocate(std::size_t{1} << 58), std::bad_alloc);
}

BOOST_AUTO_TEST_SUITE_END()
