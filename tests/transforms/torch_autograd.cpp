// Derivatives of every row of ops.def, real and complex, and of operations that are not pointwise,
// against LibTorch's autograd.

#include <ATen/ATen.h>

#include <boost/test/unit_test.hpp>
#include <functional>
#include <isofield/interop/torch.hpp>
#include <map>
#include <string>

#include "transforms/differences.hpp"

namespace isofield::testing {
namespace {

using at::Tensor;
using Unary = std::function<Tensor(const Tensor&)>;
using Binary = std::function<Tensor(const Tensor&, const Tensor&)>;

// at:: functions are overloaded: each is named once more.
#define ROW(name)                                      \
  {                                                    \
#name, [](const Tensor& x) { return at::name(x); } \
  }
const std::map<std::string, Unary> unary = {
    ROW(positive),
    ROW(negative),
    ROW(abs),
    ROW(sign),
    ROW(square),
    ROW(relu),
    ROW(reciprocal),
    ROW(sqrt),
    ROW(floor),
    ROW(ceil),
    ROW(trunc),
    ROW(round),
    ROW(exp),
    ROW(expm1),
    ROW(log),
    ROW(log1p),
    ROW(log2),
    ROW(log10),
    ROW(sin),
    ROW(cos),
    ROW(tan),
    ROW(asin),
    ROW(acos),
    ROW(atan),
    ROW(sinh),
    ROW(cosh),
    ROW(tanh),
    ROW(asinh),
    ROW(acosh),
    ROW(atanh),
    ROW(erf),
    ROW(sigmoid),
    {"conj", [](const Tensor& x) { return at::conj(x).resolve_conj(); }},
    {"real", [](const Tensor& x) { return at::real(x); }},
    {"imag", [](const Tensor& x) { return x.is_complex() ? at::imag(x) : x * 0.0; }},
};
#undef ROW
#define ROW(name)                                                          \
  {                                                                        \
#name, [](const Tensor& a, const Tensor& b) { return at::name(a, b); } \
  }
const std::map<std::string, Binary> binary = {
    ROW(add),
    ROW(subtract),
    ROW(multiply),
    ROW(divide),
    ROW(maximum),
    ROW(minimum),
    ROW(atan2),
    ROW(remainder),
    ROW(hypot),
    ROW(logaddexp),
    ROW(copysign),
    ROW(nextafter),
    {"power", [](const Tensor& a, const Tensor& b) { return at::pow(a, b); }},
    {"floor_divide", [](const Tensor& a, const Tensor& b) { return at::floor(a / b); }},
};
#undef ROW

/// A copy that LibTorch differentiates by.
Tensor leaf(const UnifiedArray& x) {
  return torch_tensor(x).clone().detach().set_requires_grad(true);
}

/// A copy of a tensor's elements.
UnifiedArray array(const Tensor& tensor) {
  const Tensor own = tensor.detach().resolve_conj().contiguous();
  return asarray_bytes(own.data_ptr(), own.nbytes(), interop::dtype_of_tensor(own),
                       interop::layout_of(own).shape, nullptr);
}

/// The derivative that LibTorch has gathered; 0 where it has none.
UnifiedArray gathered(const Tensor& leaf, const UnifiedArray& like) {
  if (!leaf.grad().defined()) return zeros_like(like);
  return array(leaf.grad());
}

UnifiedArray parts(const UnifiedArray& x) {
  return is_complex(x.dtype()) ? stack({real(x), imag(x)}) : x;
}

/// Cotangents of one result by all operands, ours and LibTorch's.
template <class F, class T>
void compare(const std::string& name, F f, const T& rival, const std::vector<UnifiedArray>& in) {
  const auto ours = [&](const std::vector<UnifiedArray>& x) { return f(x); };
  const auto [y, pull] = vjp(ours, in);
  if (!is_floating(y.dtype()) && !is_complex(y.dtype())) return;
  UnifiedArray weight = random_array(y.shape(), 0.5, 1.5, 9);
  if (is_complex(y.dtype()))
    weight = weight.astype(DType::complex128) * std::complex<double>(0.6, -1.1);
  std::vector<Tensor> leaves;
  for (const auto& x : in) leaves.push_back(leaf(x));
  const Tensor z = rival(leaves);
  BOOST_TEST(near(parts(y), parts(array(z)), 1e-13), name);
  if (z.requires_grad()) z.backward(torch_tensor(weight));
  const auto by = pull(weight);
  for (std::size_t k = 0; k < in.size(); ++k)
    BOOST_TEST(near(parts(by[k]), parts(gathered(leaves[k], in[k])), 1e-12),
               name << " by operand " << k);
}

UnifiedArray numbers(double low, double high, unsigned seed, bool complex) {
  const UnifiedArray x = random_array({3, 4}, low, high, seed);
  if (!complex) return x;
  return x.astype(DType::complex128) +
         random_array({3, 4}, -0.7, 0.7, seed + 10) * std::complex<double>(0, 1);
}

template <class F>
void check_unary(const std::string& name, Domain domain, F f, bool complex) {
  const double up = name == "acosh" ? 1.0 : 0.0;
  const UnifiedArray x = numbers(0.2 + up, 0.9 + up, 1, complex);
  if (!in_domain(domain, x.dtype())) return;
  if (!is_floating(f(x).dtype()) && !is_complex(f(x).dtype())) return;
  BOOST_REQUIRE_MESSAGE(unary.contains(name), name << " has no rival");
  compare(
      name, [&](const auto& in) { return f(in[0]); },
      [&](const auto& in) { return unary.at(name)(in[0]); }, {x});
}

template <class F>
void check_binary(const std::string& name, Domain domain, F f, bool complex) {
  const UnifiedArray a = numbers(0.2, 0.9, 2, complex), b = numbers(0.2, 0.9, 3, complex);
  if (!in_domain(domain, a.dtype())) return;
  if (!is_floating(f(a, b).dtype()) && !is_complex(f(a, b).dtype())) return;
  BOOST_REQUIRE_MESSAGE(binary.contains(name), name << " has no rival");
  const auto rival = [&](const auto& in) { return binary.at(name)(in[0], in[1]); };
  compare(name, [&](const auto& in) { return f(in[0], in[1]); }, rival, {a, b});
}

}  // namespace

BOOST_AUTO_TEST_SUITE(torch_autograd)

#define UNARY(name, domain, ...)                                                          \
  BOOST_AUTO_TEST_CASE(name##_agrees) {                                                   \
    for (const bool complex : {false, true})                                              \
      check_unary(                                                                        \
          #name, Domain::domain, [](const UnifiedArray& x) { return isofield::name(x); }, \
          complex);                                                                       \
  }
#define BINARY(name, domain, ...)                                                            \
  BOOST_AUTO_TEST_CASE(name##_agrees) {                                                      \
    for (const bool complex : {false, true})                                                 \
      check_binary(                                                                          \
          #name, Domain::domain,                                                             \
          [](const UnifiedArray& a, const UnifiedArray& b) { return isofield::name(a, b); }, \
          complex);                                                                          \
  }
#include <isofield/ops.def>

BOOST_AUTO_TEST_CASE(operations_that_are_not_pointwise_agree) {
  using Arrays = std::vector<UnifiedArray>;
  using Tensors = std::vector<Tensor>;
  const UnifiedArray x = random_array({3, 4}, 0.2, 0.9, 1), y = random_array({4, 2}, 0.2, 0.9, 2);
  compare(
      "sum", [](const Arrays& in) { return sum(in[0], {1}); },
      [](const Tensors& in) { return at::sum(in[0], 1); }, {x});
  compare(
      "prod", [](const Arrays& in) { return prod(in[0], {1}); },
      [](const Tensors& in) { return at::prod(in[0], 1); }, {x});
  compare(
      "max", [](const Arrays& in) { return max(in[0], {1}); },
      [](const Tensors& in) { return at::amax(in[0], {1}); }, {x});
  compare(
      "mean", [](const Arrays& in) { return mean(in[0]); },
      [](const Tensors& in) { return at::mean(in[0]); }, {x});
  compare(
      "matmul", [](const Arrays& in) { return linalg::matmul(in[0], in[1]); },
      [](const Tensors& in) { return at::matmul(in[0], in[1]); }, {x, y});
  compare(
      "where", [](const Arrays& in) { return where(in[0] > 0.5, in[0], in[1]); },
      [](const Tensors& in) { return at::where(in[0] > 0.5, in[0], in[1]); }, {x, x * 2.0});
  compare(
      "concat",
      [](const Arrays& in) {
        return concat({in[0], in[1]});
      },
      [](const Tensors& in) {
        return at::cat({in[0], in[1]});
      },
      {x, x * 2.0});
  compare(
      "cumulative_sum", [](const Arrays& in) { return cumulative_sum(in[0], 1); },
      [](const Tensors& in) { return at::cumsum(in[0], 1); }, {x});
  compare(
      "cumulative_prod", [](const Arrays& in) { return cumulative_prod(in[0], 1); },
      [](const Tensors& in) { return at::cumprod(in[0], 1); }, {x});
  compare(
      "sort", [](const Arrays& in) { return sort(in[0], 1); },
      [](const Tensors& in) { return std::get<0>(at::sort(in[0], 1)); }, {x});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace isofield::testing
