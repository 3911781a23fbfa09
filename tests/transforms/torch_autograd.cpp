// Derivatives of every row of ops.def and of operations.def against LibTorch's autograd, of real
// and of complex numbers, whose conventions are the same.

#include <ATen/ATen.h>

#include <boost/test/unit_test.hpp>
#include <functional>
#include <isofield/interop/torch.hpp>
#include <string>

#include "transforms/operations.hpp"

/// What LibTorch computes, named as we name it.
namespace rival {

using at::Tensor;
using isofield::Shape;
using isofield::UnifiedArray;

constexpr double infinity = isofield::testing::infinity;

Tensor fixed(const Shape& shape, const Tensor& x) {
  const UnifiedArray like = isofield::zeros({}, isofield::interop::dtype_of_tensor(x));
  return isofield::torch_tensor(isofield::testing::fixed(shape, like)).clone();
}
Tensor places(const std::vector<std::int64_t>& values) {
  return isofield::torch_tensor(isofield::testing::places(values)).clone();
}
Tensor unit(std::int64_t n, const Tensor& x) { return at::eye(n, x.options()); }
Tensor definite(const Tensor& x) { return at::matmul(x, x.mH()) + 2.0 * unit(x.size(-2), x); }
Tensor regular(const Tensor& x) { return x + 3.0 * unit(x.size(-1), x); }
Tensor size(const Tensor& x) { return at::square(at::abs(x)); }

Tensor of_svd(const std::tuple<Tensor, Tensor, Tensor>& d) {
  const auto& [u, s, v] = d;
  return at::matmul(u * at::sqrt(s).unsqueeze(-2), v) +
         at::matmul(size(u) * s.unsqueeze(-2), size(v));
}
Tensor of_eigh(const std::tuple<Tensor, Tensor>& d) {
  const auto& [w, v] = d;
  return at::matmul(v * at::sqrt(w).unsqueeze(-2), v.mH()) + at::matmul(size(v), w.unsqueeze(-1));
}
Tensor of_eig(const std::tuple<Tensor, Tensor>& d) {
  const auto& [w, v] = d;
  return at::matmul(size(v).to(w.scalar_type()), w.unsqueeze(-1));
}

// Found by their argument's namespace: a row of ops.def whose name LibTorch has is compared without
// a line here.
#define UNARY(name, ...)                                             \
  struct name##_row {                                                \
    template <class T>                                               \
    auto operator()(const T& x) const -> decltype(Tensor(name(x))) { \
      return name(x);                                                \
    }                                                                \
  };
#define BINARY(name, ...)                                                           \
  struct name##_row {                                                               \
    template <class T>                                                              \
    auto operator()(const T& a, const T& b) const -> decltype(Tensor(name(a, b))) { \
      return name(a, b);                                                            \
    }                                                                               \
  };
namespace rows {
#include <isofield/ops.def>
}  // namespace rows
#undef UNARY
#undef BINARY

#define OPERATION(name, kind, shape, ours, theirs) \
  Tensor name##_operation(const Tensor& x) { return theirs; }
#include "transforms/operations.def"

}  // namespace rival

namespace isofield::testing {
namespace {

using at::Tensor;
using Arrays = std::vector<UnifiedArray>;
using Tensors = std::vector<Tensor>;

/// A copy that LibTorch differentiates by.
Tensor leaf(const UnifiedArray& x) {
  return torch_tensor(x).clone().detach().set_requires_grad(true);
}

UnifiedArray array(const Tensor& tensor) {
  const Tensor own = tensor.detach().resolve_conj().resolve_neg().contiguous().clone();
  return asarray_bytes(own.data_ptr(), own.nbytes(), interop::dtype_of_tensor(own),
                       interop::layout_of(own).shape, nullptr);
}

/// The derivative that LibTorch has gathered; 0 where there is none.
UnifiedArray gathered(const Tensor& leaf, const UnifiedArray& like) {
  return leaf.grad().defined() ? array(leaf.grad()) : zeros_like(like);
}

// Functions by one type each, as this file takes long to compile.
using Ours = std::function<UnifiedArray(const Arrays&)>;
using Theirs = std::function<Tensor(const Tensors&)>;

/// `near`, where infinities of one sign and NaN are equal, too.
auto agree(const UnifiedArray& a, const UnifiedArray& b, double tolerance) {
  const UnifiedArray same = logical_or(a == b, logical_and(isnan(a), isnan(b)));
  return near(where(same, 0.0, a), where(same, 0.0, b), tolerance);
}

/// Compare values, and what a cotangent becomes that is a different number for each element.
/// `elements`: where a value is NaN, nothing else is compared.
void compare(const std::string& name, const Ours& f, const Theirs& rival, const Arrays& in,
             double tolerance, bool elements) {
  const auto [y, pull] = vjp(f, in);
  if (!is_floating(y.dtype()) && !is_complex(y.dtype())) return;
  UnifiedArray weight = random_array(y.shape(), 0.5, 1.5, 9);
  if (is_complex(y.dtype()))
    weight = weight + random_array(y.shape(), -0.7, 0.7, 10) * std::complex<double>(0.0, 1.0);
  Tensors leaves;
  for (const auto& x : in) leaves.push_back(leaf(x));
  Tensor z;
  try {
    z = rival(leaves);
    if (z.requires_grad()) z.backward(torch_tensor(weight));
  } catch (const std::exception& e) {
    std::string why = e.what();
    BOOST_TEST_REQUIRE(why.find("not implemented") != std::string::npos, name << ": " << why);
    why.resize(std::min(why.size(), why.find('\n')));
    BOOST_TEST_MESSAGE(name << " has no rival: " << why);
    return;
  }
  const auto defined = [&](const UnifiedArray& x) {
    return parts(elements ? where(isnan(y), 0.0, x) : x);
  };
  const UnifiedArray value = array(z);
  BOOST_TEST(agree(parts(y), parts(value), tolerance), name);
  const Arrays by = pull(weight);
  for (std::size_t k = 0; k < in.size(); ++k)
    BOOST_TEST(agree(defined(by[k]), defined(gathered(leaves[k], in[k])), tolerance),
               name << " by operand " << k);
}

UnifiedArray numbers(double low, double high, unsigned seed, bool complex) {
  const UnifiedArray x = random_array({3, 4}, low, high, seed);
  if (!complex) return x;
  return x + random_array({3, 4}, -0.7, 0.7, seed + 10) * std::complex<double>(0.0, 1.0);
}

/// Whether a row takes such numbers.
bool takes(const Ours& f, const Arrays& in) {
  try {
    f(in);
    return true;
  } catch (const DTypeError&) {
    return false;
  }
}

/// A row of the table, at numbers of both signs, real and complex where it takes them.
void check_row(Op op, const Ours& f, const Theirs& rival) {
  const std::string name(info(op).name);
  if (!rival) {
    BOOST_TEST_MESSAGE(name << " has no rival");
    return;
  }
  // Where pieces meet and where operands are equal.
  const UnifiedArray joints = asarray({-1.0, 0.0, 0.5, 1.0}), others = asarray({0.5, 1.0, 0.0});
  Arrays special{joints};
  if (info(op).arity == 2)
    special = {expand_dims(joints, 0) * ones({3, 4}), expand_dims(others, 1) * ones({3, 4})};
  if (takes(f, special)) compare(name + " at joints", f, rival, special, 1e-13, true);
  const auto [low, high] = op == Op::acosh ? std::pair(1.2, 1.9) : std::pair(0.2, 0.9);
  for (const bool complex : {false, true})
    for (const double sign : {1.0, -1.0}) {
      Arrays in{numbers(low, high, 1, complex) * sign};
      if (info(op).arity == 2) in.push_back(numbers(low, high, 2, complex));
      if (takes(f, in)) compare(name, f, rival, in, 1e-13, true);
    }
}

/// LibTorch's function of a row, if it has one of this name or is known to call it otherwise.
template <class Row>
Theirs rival_of(Op op) {
  if (op == Op::power) return [](const Tensors& x) { return at::pow(x[0], x[1]); };
  if (op == Op::sign) return [](const Tensors& x) { return at::sgn(x[0]); };
  if constexpr (std::is_invocable_v<Row, const Tensor&>)
    return [](const Tensors& x) { return Row()(x[0]); };
  else if constexpr (std::is_invocable_v<Row, const Tensor&, const Tensor&>)
    return [](const Tensors& x) { return Row()(x[0], x[1]); };
  else
    return nullptr;
}

void check_operation(const std::string& name, Takes kind, const Shape& shape,
                     const ArrayFunction& f, Tensor (*rival)(const Tensor&)) {
  const auto ours = [&](const Arrays& x) { return f(x[0]); };
  const auto theirs = [&](const Tensors& x) { return rival(x[0]); };
  const UnifiedArray x = sample(shape);
  compare(name, ours, theirs, {x}, 1e-11, false);
  if (kind == Takes::real) return;
  compare(name, ours, theirs, {from_parts(stack({x, sample(shape, 3)}))}, 1e-11, false);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(torch_autograd)

#define UNARY(name, ...)                                                \
  BOOST_AUTO_TEST_CASE(name##_of_the_table) {                           \
    check_row(                                                          \
        Op::name, [](const Arrays& x) { return isofield::name(x[0]); }, \
        rival_of<rival::rows::name##_row>(Op::name));                   \
  }
#define BINARY(name, ...)                                                     \
  BOOST_AUTO_TEST_CASE(name##_of_the_table) {                                 \
    check_row(                                                                \
        Op::name, [](const Arrays& x) { return isofield::name(x[0], x[1]); }, \
        rival_of<rival::rows::name##_row>(Op::name));                         \
  }
#include <isofield/ops.def>

#define OPERATION(name, kind, shape, ours, theirs)                             \
  BOOST_AUTO_TEST_CASE(name##_agrees) {                                        \
    check_operation(                                                           \
        #name, Takes::kind, shape, [](const UnifiedArray& x) { return ours; }, \
        rival::name##_operation);                                              \
  }
#include "transforms/operations.def"

BOOST_AUTO_TEST_SUITE_END()

}  // namespace isofield::testing
