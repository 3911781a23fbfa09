// The full text of every error that users meet: operation, shapes, dtype, backend, their own line.
#include "reference.hpp"

using namespace isofield;
using namespace isofield::testing;

namespace {

UnifiedArray of(const Shape& shape, DType dtype = float64) { return zeros(shape, dtype); }

std::string here(int line) { return " at errors.cpp:" + std::to_string(line); }
std::string context(int line, const char* dtype = "float64") {
  return " [" + variant().backend + ", " + dtype + "]" + here(line);
}

}  // namespace

// Statements stand on one line, so that __LINE__ is theirs.
// clang-format off
// clang-format off
#define EXPECT_ERROR(type, text, statement) \
  BOOST_TEST(error_of<type>([&] { statement; }) == (text))

BACKEND_TEST_CASE(shapes_that_do_not_broadcast_are_told) {
  const UnifiedArray a = of({3, 4}), b = of({5, 4}), c = of({2, 3, 5});
  EXPECT_ERROR(ShapeError, "add: shapes (3, 4) and (5, 4) do not broadcast: 3 != 5 along axis 0" + context(__LINE__), a + b);
  EXPECT_ERROR(ShapeError, "maximum: shapes (3, 4) and (2, 3, 5) do not broadcast: 5 != 4 along axis 2" + context(__LINE__), maximum(a, c));
  EXPECT_ERROR(ShapeError, "where: shapes (3, 4) and (5,) do not broadcast: 4 != 5 along axis 1" + context(__LINE__), where(a > 0.0, 1.0, of({5})));
  EXPECT_ERROR(ShapeError, "broadcast_to: shape (3, 4) does not broadcast to (4,)" + context(__LINE__), broadcast_to(a, {4}));
  EXPECT_ERROR(ShapeError, "add: shapes (3, 4) and (5, 4) do not broadcast: 3 != 5 along axis 0" + context(__LINE__), default_backend().add(a, b));
  UnifiedArray d = a;
  EXPECT_ERROR(ShapeError, "add: shapes (3, 4) and (5, 4) do not broadcast: 3 != 5 along axis 0" + context(__LINE__), d += b);
}

BACKEND_TEST_CASE(dtypes_that_do_not_fit_are_told) {
  const UnifiedArray f = of({2}), i = of({2}, int64), b = of({2}, bool_);
  const std::string on = " [" + variant().backend + "]";
  EXPECT_ERROR(DTypeError, "add: dtypes float64 and int64 do not promote; convert one with astype" + on + here(__LINE__), f + i);
  EXPECT_ERROR(DTypeError, "multiply: dtypes int64 and bool do not promote; convert one with astype" + on + here(__LINE__), i * b);
  EXPECT_ERROR(DTypeError, "multiply: a scalar of kind float64 does not go with dtype int64; convert the array with astype" + on + here(__LINE__), i * 0.5);
  EXPECT_ERROR(DTypeError, "add: scalars of kinds bool and int64 do not go together" + on + here(__LINE__), add(true, 1));
  EXPECT_ERROR(DTypeError, "sqrt: needs a floating-point dtype, got int64; convert with astype" + on + here(__LINE__), sqrt(i));
  EXPECT_ERROR(DTypeError, "negative: needs a numeric dtype, got bool; convert with astype" + on + here(__LINE__), -b);
  EXPECT_ERROR(DTypeError, "logical_and: needs dtype bool, got float64; convert with astype" + on + here(__LINE__), f && f);
  EXPECT_ERROR(DTypeError, "where: the condition must have dtype bool, got float64" + on + here(__LINE__), where(f, f, f));
  EXPECT_ERROR(DTypeError, "mean: needs a floating-point dtype, got int64; convert with astype" + context(__LINE__, "int64"), mean(i));
  EXPECT_ERROR(DTypeError, "max: needs a real-valued dtype, got bool" + context(__LINE__, "bool"), max(b));
  EXPECT_ERROR(DTypeError, "matmul: needs a numeric dtype, got bool" + context(__LINE__, "bool"), linalg::matmul(of({2, 2}, bool_), of({2, 2}, bool_)));
  EXPECT_ERROR(DTypeError, "concat: dtypes float64 and bool do not promote; convert one with astype" + context(__LINE__, "bool"), concat({f, b}));
  EXPECT_ERROR(DTypeError, "clip: a scalar of kind float64 does not go with dtype int64; convert the array with astype" + on + here(__LINE__), clip(i, 0.5));
  EXPECT_ERROR(DTypeError, "clip: dtypes int64 and bool do not promote; convert one with astype" + on + here(__LINE__), clip(i, {}, b));
  UnifiedArray target = i;
  EXPECT_ERROR(DTypeError, "shift: a fill of 0.5 does not go into dtype int64" + context(__LINE__, "int64"), shift(i, 0, 1, Boundary::constant, 0.5));
  EXPECT_ERROR(DTypeError, "shift: a fill of nan does not go into dtype int64" + context(__LINE__, "int64"), shift(i, 0, 1, Boundary::constant, std::nan("")));
  EXPECT_ERROR(DTypeError, "shift: a fill of 2 does not go into dtype bool" + context(__LINE__, "bool"), shift(b, 0, 1, Boundary::constant, 2));
  EXPECT_ERROR(DTypeError, "assign: a value of dtype float64 does not go into an array of dtype int64; convert it with astype" + context(__LINE__), target(0) = f(0));
  EXPECT_ERROR(DTypeError, "assign: a value of dtype float64 does not go into an array of dtype int64; convert it with astype" + here(__LINE__), target(0) = 0.5);
  UnifiedArray bytes = zeros({2}, uint8);
  EXPECT_ERROR(DTypeError, "assign: -1 does not fit into dtype uint8" + here(__LINE__), bytes(0) = -1);
  EXPECT_ERROR(DTypeError, "full: 256 does not go into dtype uint8", full({2}, 256, uint8));
}

BACKEND_TEST_CASE(matrices_that_do_not_fit_are_told) {
  const UnifiedArray a = of({3, 4}), v = of({3}), i = of({2, 2}, int64), s = of({2, 3, 3});
  EXPECT_ERROR(ShapeError, "inv: needs square matrices, got shape (3, 4)" + context(__LINE__), linalg::inv(a));
  EXPECT_ERROR(ShapeError, "svd: needs a matrix, got shape (3,)" + context(__LINE__), linalg::svd(v));
  EXPECT_ERROR(ShapeError, "det: needs a matrix, got a scalar" + here(__LINE__), linalg::det(2.0));
  EXPECT_ERROR(DTypeError, "cholesky: needs a floating-point dtype, got int64; convert with astype" + context(__LINE__, "int64"), linalg::cholesky(i));
  EXPECT_ERROR(ShapeError, "solve: shapes (2, 3, 3) and (3, 4, 2) do not fit: 3 != 4" + context(__LINE__), linalg::solve(s, of({3, 4, 2})));
  EXPECT_ERROR(ShapeError, "solve: shapes (2,) and (5,) do not broadcast: 2 != 5 along axis 0" + context(__LINE__), linalg::solve(s, of({5, 3, 2})));
  EXPECT_ERROR(ShapeError, "tensordot: shapes (3, 4) and (3, 4) do not fit: 4 != 3 along axes 1 and 0" + context(__LINE__), linalg::tensordot(a, a, 1));
  EXPECT_ERROR(ShapeError, "outer: needs vectors, got shape (3, 4)" + context(__LINE__), linalg::outer(v, a));
  EXPECT_ERROR(ShapeError, "cross: axis -1 of shape (3, 4) does not have length 3" + context(__LINE__), linalg::cross(a, a));
  EXPECT_ERROR(ShapeError, "vecdot: shapes (3, 4) and (3,) do not fit: 4 != 3 along axis -1" + context(__LINE__), linalg::vecdot(a, v));
  EXPECT_ERROR(ShapeError, "diagonal: needs a matrix, got shape (3,)" + context(__LINE__), linalg::diagonal(v));
  EXPECT_ERROR(ArgumentError, "matrix_norm: no order 'max'; there are 'fro', 'nuc', 1, 2, inf, -1, -2, -inf" + context(__LINE__), linalg::matrix_norm(a, false, "max"));
  EXPECT_ERROR(ShapeError, "einsum: 'ij,jk': there are 1 operands" + here(__LINE__), linalg::einsum("ij,jk", {a}));
  EXPECT_ERROR(ShapeError, "einsum: 'ijk->i': 'ijk' names 3 axes of an operand that has 2" + here(__LINE__), linalg::einsum("ijk->i", {a}));
  EXPECT_ERROR(ShapeError, "einsum: 'ij,ij->': 'i' is 3 and 4 long" + here(__LINE__), linalg::einsum("ij,ij->", {a, a.T()}));
  EXPECT_ERROR(ShapeError, "einsum: 'i->j': no operand has 'j'" + here(__LINE__), linalg::einsum("i->j", {v}));
  EXPECT_ERROR(ShapeError, "einsum: 'i1->i': '1' is no letter" + here(__LINE__), linalg::einsum("i1->i", {a}));
}

BACKEND_TEST_CASE(matrices_without_a_result_are_told) {
  UnifiedArray stack = broadcast_to(eye(2), {2, 3, 2, 2}).copy();
  stack(1, 2) = ones({2, 2});
  const std::string which = "matrix (1, 2, :, :) of shape (2, 3, 2, 2) ";
  EXPECT_ERROR(LinAlgError, "inv: " + which + "is singular" + context(__LINE__), linalg::inv(stack));
  EXPECT_ERROR(LinAlgError, "solve: " + which + "is singular" + context(__LINE__), linalg::solve(stack, of({2, 1})));
  EXPECT_ERROR(LinAlgError, "cholesky: " + which + "is not positive definite" + context(__LINE__), linalg::cholesky(stack));
  EXPECT_ERROR(LinAlgError, "solve_triangular: the matrix of shape (2, 2) is singular" + context(__LINE__), linalg::solve_triangular(of({2, 2}), of({2})));
  stack(1, 2) = full({2, 2}, std::nan(""));
  EXPECT_ERROR(LinAlgError, "svd: " + which + "has no singular values: iterations do not converge, or it is not finite" + context(__LINE__), linalg::svd(stack));
  EXPECT_ERROR(LinAlgError, "eigvalsh: " + which + "has no eigenvalues: iterations do not converge, or it is not finite" + context(__LINE__), linalg::eigvalsh(stack));
}

BACKEND_TEST_CASE(transforms_that_make_no_sense_are_told) {
  const UnifiedArray a = of({3, 4}), i = of({3}, int64), e = of({3, 0});
  EXPECT_ERROR(DTypeError, "dct: needs a floating-point dtype, got int64; convert with astype" + context(__LINE__, "int64"), fft::dct(i));
  EXPECT_ERROR(DTypeError, "hartley: needs a floating-point dtype, got bool; convert with astype" + context(__LINE__, "bool"), fft::hartley(of({3}, bool_)));
  EXPECT_ERROR(ShapeError, "idct: no axes are given" + context(__LINE__), fft::idct(a, 2, {}));
  EXPECT_ERROR(ShapeError, "dct of type 1: needs at least 2 elements along axis 1 of shape (3, 1)" + context(__LINE__), fft::dct(of({3, 1}), 1));
  EXPECT_ERROR(ShapeError, "dst: needs at least 1 element along axis 1 of shape (3, 0)" + context(__LINE__), fft::dst(e));
  EXPECT_ERROR(IndexError, "idst: axis 2 is out of range for an array of rank 2" + context(__LINE__), fft::idst(a, 2, {0, 2}));
  EXPECT_ERROR(IndexError, "hartley: axis -3 is out of range for an array of rank 2" + context(__LINE__), fft::hartley(a, {-3}));
  EXPECT_ERROR(IndexError, "dct: axis -1 appears twice" + context(__LINE__), fft::dct(a, 2, {0, 1, -1}));
  EXPECT_ERROR(IndexError, "dct: axis -1 is out of range for an array of rank 0" + context(__LINE__), fft::dct(of({})));
  EXPECT_ERROR(ArgumentError, "dct: type must be 1, 2, 3 or 4, not 5" + context(__LINE__), fft::dct(a, 5));
  EXPECT_ERROR(ArgumentError, "idst: type must be 1, 2, 3 or 4, not 0" + context(__LINE__), fft::idst(a, 0));
}

BACKEND_TEST_CASE(unknown_dtypes_are_told) {
  EXPECT_ERROR(DTypeError, "unknown dtype 'float65'; known are bool, int8, int16, int32, int64, uint8, uint16, uint32, uint64, float32, float64, complex64, complex128", dtype_from_name("float65"));
  BOOST_TEST((dtype_from_name("int16") == DType::int16));
}

BACKEND_TEST_CASE(indices_beyond_the_array_are_told) {
  const UnifiedArray a = of({3, 4});
  UnifiedArray b = a;
  const std::string of_a = ", shape (3, 4)" + context(0).substr(0, context(0).find(" at "));
  EXPECT_ERROR(IndexError, "index: 3 is out of range for axis 0 of length 3" + of_a + here(__LINE__), a(3));
  EXPECT_ERROR(IndexError, "index: -5 is out of range for axis 1 of length 4" + of_a + here(__LINE__), a(0, -5));
  EXPECT_ERROR(IndexError, "index: 3 indices for an array of rank 2" + of_a + here(__LINE__), a(0, 0, 0));
  EXPECT_ERROR(IndexError, "index: more than one ellipsis" + of_a + here(__LINE__), a(ellipsis, ellipsis));
  EXPECT_ERROR(IndexError, "index: a slice's step must not be 0" + of_a + here(__LINE__), a(slice(0, 3, 0)));
  EXPECT_ERROR(IndexError, "index: 7 is out of range for axis 0 of length 3" + of_a + here(__LINE__), b(7) = 1.0);
}

BACKEND_TEST_CASE(values_that_do_not_fit_into_a_part_are_told) {
  UnifiedArray a = of({3, 4}), part = of({3});
  EXPECT_ERROR(ShapeError, "assign: shapes (3,) and (4,) do not broadcast: 3 != 4 along axis 0" + context(__LINE__), a(0) = part);
  EXPECT_ERROR(ShapeError, "assign: shapes (3,) and (4,) do not broadcast: 3 != 4 along axis 0" + context(__LINE__), a(0) = part(all_of));
  EXPECT_ERROR(ShapeError, "assign: shape (2, 4) does not fit into (4,)" + context(__LINE__), a(0) = a(slice(0, 2)));
  EXPECT_ERROR(ShapeError, "assign: shapes (3,) and (4,) do not broadcast: 3 != 4 along axis 0" + context(__LINE__), default_backend().assign(a, {0}, part));
}

BACKEND_TEST_CASE(axes_beyond_the_rank_are_told) {
  const UnifiedArray a = of({3, 4});
  EXPECT_ERROR(IndexError, "sum: axis 2 is out of range for an array of rank 2" + context(__LINE__), sum(a, {2}));
  EXPECT_ERROR(IndexError, "sum: axis -2 appears twice" + context(__LINE__), sum(a, {0, -2}));
  EXPECT_ERROR(IndexError, "flip: axis -3 is out of range for an array of rank 2" + context(__LINE__), flip(a, -3));
  EXPECT_ERROR(IndexError, "shift: axis 5 is out of range for an array of rank 2" + context(__LINE__), shift(a, 5, 1, Boundary::clamp));
  EXPECT_ERROR(IndexError, "concat: axis 2 is out of range for an array of rank 2" + context(__LINE__), concat({a, a}, 2));
  EXPECT_ERROR(IndexError, "stack: there is no place 3 for a new axis in a result of rank 3" + context(__LINE__), stack({a, a}, 3));
  EXPECT_ERROR(IndexError, "squeeze: axis 2 is out of range for an array of rank 2" + context(__LINE__), squeeze(a, 2));
  EXPECT_ERROR(IndexError, "tridiagonal_solve: axis 1 is out of range for an array of rank 1" + context(__LINE__), linalg::tridiagonal_solve(0.0, 1.0, 0.0, of({3}), 1));
}

BACKEND_TEST_CASE(shapes_that_an_operation_cannot_take_are_told) {
  const UnifiedArray a = of({3, 4});
  EXPECT_ERROR(ShapeError, "matmul: shapes (3, 4) and (3, 4) do not align: 4 != 3" + context(__LINE__), linalg::matmul(a, a));
  EXPECT_ERROR(ShapeError, "matmul: operands must be matrices or vectors, not scalars" + here(__LINE__), linalg::matmul(a, 2.0));
  EXPECT_ERROR(ShapeError, "matmul: shapes (2,) and (3,) do not broadcast: 2 != 3 along axis 0" + context(__LINE__), linalg::matmul(of({2, 3, 4}), of({3, 4, 5})));
  EXPECT_ERROR(ShapeError, "tridiagonal_solve: shapes (3,) and (4,) do not broadcast: 3 != 4 along axis 0" + context(__LINE__), linalg::tridiagonal_solve(of({3}), 1.0, 0.0, of({4}), 0));
  EXPECT_ERROR(ShapeError, "reshape: shape (3, 4) does not fit (5, -1): 12 elements" + context(__LINE__), reshape(a, {5, -1}));
  EXPECT_ERROR(ShapeError, "reshape: more than one -1 in (-1, -1)" + context(__LINE__), reshape(a, {-1, -1}));
  EXPECT_ERROR(ShapeError, "reshape: shape (-2, -6) has a negative length" + context(__LINE__), reshape(a, {-2, -6}));
  EXPECT_ERROR(ShapeError, "reshape: -1 in (0, -1) could be any length" + context(__LINE__), reshape(of({0, 3}), {0, -1}));
  EXPECT_ERROR(ShapeError, "shape (1099511627776, 1099511627776, 1) has more elements than fit in 64 bits" + context(__LINE__), reshape(a, {std::int64_t{1} << 40, std::int64_t{1} << 40, -1}).shape());
  EXPECT_ERROR(ShapeError, "squeeze: axis 0 of shape (3, 4) does not have length 1" + context(__LINE__), squeeze(a, 0));
  EXPECT_ERROR(ShapeError, "permute_dims: axes must be a permutation of 0..1 for shape (3, 4)" + context(__LINE__), permute_dims(a, {0, 0}));
  EXPECT_ERROR(ShapeError, "permute_dims: axes must be a permutation of 0..1 for shape (3, 4)" + context(__LINE__), permute_dims(a, {0, -2}));
  EXPECT_ERROR(ShapeError, "permute_dims: axes must be a permutation of 0..1 for shape (3, 4)" + context(__LINE__), permute_dims(a, {0, -3}));
  EXPECT_ERROR(ShapeError, "matrix_transpose: shape (3,) has fewer than two axes" + context(__LINE__), matrix_transpose(of({3})));
  EXPECT_ERROR(ShapeError, "concat: shapes (3, 4) and (3, 5) differ off axis 0" + context(__LINE__), concat({a, of({3, 5})}));
  EXPECT_ERROR(ShapeError, "concat: no arrays" + here(__LINE__), concat({}));
  EXPECT_ERROR(ShapeError, "stack: no arrays" + here(__LINE__), stack({}));
  EXPECT_ERROR(ShapeError, "stack: shapes (3, 4) and (4, 3) differ" + context(__LINE__), stack({a, a.T()}));
  EXPECT_ERROR(ShapeError, "max: axis 1 of shape (3, 0) is empty" + context(__LINE__), max(of({3, 0}), {1}));
  EXPECT_ERROR(ShapeError, "shift: axis 0 of shape (0,) is empty" + context(__LINE__), shift(of({0}), 0, 1, Boundary::clamp));
  EXPECT_ERROR(ShapeError, "shape (-1,) has a negative length", of({-1}));
  EXPECT_ERROR(ShapeError, "shape (4294967296, 4294967296) has more elements than fit in 64 bits", of({std::int64_t{1} << 32, std::int64_t{1} << 32}));
  EXPECT_ERROR(ShapeError, "rank 33 is above the largest, 32", Shape(33, 1));
  const UnifiedArray deep = of(Shape(32, 1));
  EXPECT_ERROR(ShapeError, "expand_dims: shape " + to_string(deep.shape()) + " has the largest rank, 32" + context(__LINE__), expand_dims(deep, 0));
  EXPECT_ERROR(IndexError, "index: new axes make rank 33, above the largest, 32, shape " + to_string(deep.shape()) + context(__LINE__), deep(newaxis));
  BOOST_TEST(deep(0, newaxis).ndim() == 32);
  EXPECT_ERROR(ShapeError, "asarray: shape (2, 2) takes 4 elements, got 3", asarray(std::vector<double>{1, 2, 3}, {2, 2}));
  EXPECT_ERROR(ShapeError, "arange: the step must be finite and not 0", arange(0, 1, 0));
  EXPECT_ERROR(ShapeError, "arange: from 0 to inf there is no end", arange(0, std::numeric_limits<double>::infinity()));
  EXPECT_ERROR(ShapeError, "linspace: count -1 is negative", linspace(0, 1, -1));
  EXPECT_ERROR(ShapeError, "eye: size (-1, -1) is negative", eye(-1));
  EXPECT_ERROR(ShapeError, "shape (4294967296, 4294967296) has more elements than fit in 64 bits", eye(std::int64_t{1} << 32));
  const std::int64_t most = std::int64_t{1} << 61;
  const std::string too_large = "shape (2305843009213693952,) of float64 takes more bytes than fit in 64 bits";
  EXPECT_ERROR(ShapeError, too_large, of({most}));
  EXPECT_ERROR(ShapeError, too_large, empty({most}));
  EXPECT_ERROR(ShapeError, too_large, linspace(0, 1, most));
  EXPECT_ERROR(ShapeError, too_large, broadcast_to(of({1}), {most}).copy());
  EXPECT_ERROR(ShapeError, too_large, (broadcast_to(of({1}), {most}) + 1.0).eval());
  double two[2] = {};
  EXPECT_ERROR(ShapeError, "from_memory: shape (3,) with strides (1,) reaches beyond 16 bytes", from_memory(two, float64, Layout({3}), 16, nullptr, default_backend()));
  EXPECT_ERROR(ShapeError, "from_memory: shape (2,) with strides (-1,) reaches beyond 16 bytes", from_memory(two, float64, Layout({2}, {-1}, 0), 16, nullptr, default_backend()));
  EXPECT_ERROR(ShapeError, "from_memory: shape (2, 1) with strides (1,) is no layout", from_memory(two, float64, Layout({2, 1}, {1}, 0), 16, nullptr, default_backend()));
  EXPECT_ERROR(ShapeError, "shape (5,) with strides (4611686018427387904,) reaches further than 64 bits can say", from_memory(two, float64, Layout({5}, {most * 2}, 0), 16, nullptr, default_backend()));
  EXPECT_ERROR(ShapeError, "copy_to: shape (3, 4) of float32 takes 48 bytes, not 16" + context(__LINE__), a.copy_to(two, 16, float32));
}

BACKEND_TEST_CASE(one_element_is_wanted_and_there_are_more) {
  EXPECT_ERROR(ShapeError, "item: shape (3,) holds 3 elements, not one" + context(__LINE__), of({3}).item<double>());
  EXPECT_ERROR(ShapeError, "item: shape (0, 2) holds 0 elements, not one" + context(__LINE__, "float32"), of({0, 2}, float32).item<double>());
}

BACKEND_TEST_CASE(backends_do_not_mix_and_the_way_over_is_told) {
  const std::string other = variant().backend == "eigen" ? "kokkos" : "eigen";
  BaseBackend* there = nullptr;
  for (const auto& s : list_backends())
    if (s.spelling == other && s.available) there = &get_backend(other);
  if (!there) {
    BOOST_TEST_MESSAGE("skipped: this build has no second backend");
    return;
  }
  const UnifiedArray a = of({2, 3}), b = there->zeros({3});
  const std::string text = "arrays on backends " + variant().backend + " and " + other + ", shapes (2, 3), (3,); bring one over to \"" + variant().backend + "\"";
  EXPECT_ERROR(BackendError, "add: " + text + here(__LINE__), a + b);
  EXPECT_ERROR(BackendError, "matmul: " + text + here(__LINE__), linalg::matmul(a, b));
  UnifiedArray c = a;
  EXPECT_ERROR(BackendError, "assign: " + text + here(__LINE__), c(all_of, all_of) = b);
  EXPECT_ERROR(BackendError, "array_backend: " + text + here(__LINE__), array_backend({a, b}));
}

BACKEND_TEST_CASE(reading_values_while_tracing_is_told) {
  const UnifiedArray x = ones({2, 3});
  const std::string text = "jit: the elements of an array were asked for while tracing, shape ";
  const auto f = [&](auto body) { jit([&](const UnifiedArray& a) { body(a + 1.0); return a; })(x); };
  EXPECT_ERROR(Error, text + "()" + context(__LINE__), f([](const UnifiedArray& a) { (void)sum(a).item<double>(); }));
  EXPECT_ERROR(Error, text + "(2, 3)" + context(__LINE__), f([](const UnifiedArray& a) { (void)a.to_vector<double>(); }));
  EXPECT_ERROR(Error, text + "()" + context(__LINE__, "bool"), f([](const UnifiedArray& a) { (void)has_nan_or_inf(a); }));
  EXPECT_ERROR(Error, text + "()" + context(__LINE__, "bool"), f([](const UnifiedArray& a) { (void)default_backend().any(a); }));
  EXPECT_ERROR(Error, text + "(2, 3)" + context(__LINE__), f([](const UnifiedArray& a) { (void)a.view(); }));
  EXPECT_ERROR(Error, text + "(2, 3)" + context(__LINE__), f([](const UnifiedArray& a) { (void)to_string(a); }));
}

BACKEND_TEST_CASE(arrays_that_escape_from_a_trace_are_told) {
  UnifiedArray escaped, pending;
  const UnifiedArray x = ones({3});
  const auto f = jit([&](const UnifiedArray& a) {
    escaped = (a * 2.0).eval();
    pending = a + 1.0;
    return a;
  });
  BOOST_TEST(same<double>(f(x), {{3}, {1, 1, 1}}));
  const std::string text = "an array made inside a function that jit, grad, vmap or the like ran was used outside of it";
  EXPECT_ERROR(Error, text + here(__LINE__), (void)escaped.to_vector<double>());
  EXPECT_ERROR(Error, text + here(__LINE__), (void)pending.to_vector<double>());
  EXPECT_ERROR(Error, text, (escaped + x).eval());
  EXPECT_ERROR(Error, text, (void)sum(pending));
  EXPECT_ERROR(Error, text, f(escaped));
  EXPECT_ERROR(Error, text, jit([&](const UnifiedArray& a) { return a + escaped; })(x));
  EXPECT_ERROR(Error, text, jit([&](const UnifiedArray& a) { return std::tuple{a, escaped}; })(x));
  BOOST_TEST(same<double>(f(x), {{3}, {1, 1, 1}}));
}

BOOST_AUTO_TEST_CASE(spellings_of_devices_are_checked) {
  BOOST_TEST(error_of<DeviceError>([] { get_backend("eigen:gpu"); }) == "unknown device 'gpu'; known are cpu, cuda, cuda:N, mps");
  BOOST_TEST(error_of<DeviceError>([] { get_backend("eigen:cuda:x"); }) == "bad device index in 'cuda:x'; expected e.g. cuda:1");
  BOOST_TEST(error_of<DeviceError>([] { get_backend("eigen:cpu:1"); }) == "device 'cpu:1': only cuda has an index");
}
