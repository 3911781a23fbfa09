#include <nanobind/stl/string_view.h>
#include <isofield/linalg.hpp>

#include "binding.hpp"

namespace isofield::python {
namespace {

using One = UnifiedArray (*)(Operand);
using Two = UnifiedArray (*)(Operand, Operand);

void define(nb::module_& m, const char* name, One f, const char* doc) {
  const std::string sig = std::string("def ") + name + "(x: UnifiedArray, /) -> UnifiedArray";
  m.def(
      name, [f](Operand x) { return unlocked([&] { return f(std::move(x)); }); },
      nb::sig(sig.c_str()), doc);
}
void define(nb::module_& m, const char* name, Two f, const char* doc) {
  const std::string sig =
      std::string("def ") + name + "(x1: UnifiedArray, x2: UnifiedArray, /) -> UnifiedArray";
  m.def(
      name,
      [f](Operand a, Operand b) { return unlocked([&] { return f(std::move(a), std::move(b)); }); },
      nb::sig(sig.c_str()), doc);
}

linalg::MatrixOrder order_in(nb::handle object) {
  if (PyUnicode_Check(object.ptr())) return linalg::MatrixOrder(nb::cast<std::string>(object));
  return linalg::MatrixOrder(argument<double>(object, "the order", "a number or a name"));
}

std::optional<Operand> tolerance_in(nb::handle rtol) {
  if (rtol.is_none()) return {};
  auto operand = operand_in(rtol.ptr());
  if (!operand) refuse("rtol", "a number, an array or None", rtol);
  return operand;
}

UnifiedArray tensordot(Operand a, Operand b, nb::handle axes) {
  if (PyIndex_Check(axes.ptr())) {
    const int count = argument<int>(axes, "axes", "an int or two sequences of ints");
    return unlocked([&] { return linalg::tensordot(std::move(a), std::move(b), count); });
  }
  const auto both =
      argument<std::vector<nb::object>>(axes, "axes", "an int or two sequences of ints");
  if (both.size() != 2)
    throw nb::value_error("tensordot: axes are an int or two sequences of ints");
  const auto first = given_axes_in(both[0], "axes[0]"), second = given_axes_in(both[1], "axes[1]");
  return unlocked([&] { return linalg::tensordot(std::move(a), std::move(b), first, second); });
}

void bind_products(nb::module_& m, nb::module_& main) {
  define(m, "matmul", &linalg::matmul,
         "Multiply matrices, or stacks of them: (..., n, k) times (..., k, m).");
  define(m, "outer", &linalg::outer, "Products of all elements of two vectors.");
  define(m, "kron", &linalg::kron, "Products of all elements of two arrays, block by block.");
  m.def(
      "vecdot",
      [](Operand a, Operand b, int axis) {
        return unlocked([&] { return linalg::vecdot(std::move(a), std::move(b), axis); });
      },
      nb::sig("def vecdot(x1: UnifiedArray, x2: UnifiedArray, /, *, axis: int = -1)"
              " -> UnifiedArray"),
      nb::arg(), nb::arg(), nb::kw_only(), nb::arg("axis") = -1,
      "Sum of products of conj(x1) and x2 along an axis.");
  m.def("tensordot", &tensordot,
        nb::sig("def tensordot(x1: UnifiedArray, x2: UnifiedArray, /, *, "
                "axes: int | tuple[typing.Sequence[int], typing.Sequence[int]] = 2)"
                " -> UnifiedArray"),
        nb::arg(), nb::arg(), nb::kw_only(), nb::arg("axes") = 2,
        "Sum products over the last axes of x1 and the first of x2, or over axes that are named.");
  m.def(
      "cross",
      [](Operand a, Operand b, int axis) {
        return unlocked([&] { return linalg::cross(std::move(a), std::move(b), axis); });
      },
      nb::sig("def cross(x1: UnifiedArray, x2: UnifiedArray, /, *, axis: int = -1)"
              " -> UnifiedArray"),
      nb::arg(), nb::arg(), nb::kw_only(), nb::arg("axis") = -1,
      "Cross products of vectors with three elements along an axis.");
  m.def(
      "matrix_power",
      [](Operand x, std::int64_t n) {
        return unlocked([&] { return linalg::matrix_power(std::move(x), n); });
      },
      nb::sig("def matrix_power(x: UnifiedArray, n: int, /) -> UnifiedArray"),
      "Square matrices times themselves n times; powers of the inverse where n is negative.");
  m.def(
      "einsum",
      [](std::string_view subscripts, const nb::args& operands) {
        std::vector<UnifiedArray> arrays;
        arrays = arrays_in(operands);
        return unlocked([&] { return linalg::einsum(subscripts, arrays, nowhere); });
      },
      nb::sig("def einsum(subscripts: str, /, *operands: UnifiedArray) -> UnifiedArray"),
      "Sum products of elements as a formula says: \"ij,jk->ik\".");
  define(m, "expm", &linalg::expm, "The exponential of square matrices.");
  define(m, "matrix_transpose", &linalg::matrix_transpose, "Swap the last two axes.");
  for (const char* name : {"matmul", "vecdot", "tensordot"}) main.attr(name) = m.attr(name);
  main.attr("einsum") = m.attr("einsum");
  m.attr("matrix_transpose") = main.attr("matrix_transpose");
}

void bind_diagonals(nb::module_& m) {
  m.def(
      "diag",
      [](Operand x, int offset) {
        return unlocked([&] { return linalg::diag(std::move(x), offset); });
      },
      nb::sig("def diag(x: UnifiedArray, /, *, offset: int = 0) -> UnifiedArray"), nb::arg(),
      nb::kw_only(), nb::arg("offset") = 0,
      "The matrix with a vector on its diagonal; of a matrix, its diagonal.");
  m.def(
      "diagonal", [](Operand x, int offset) { return linalg::diagonal(std::move(x), offset); },
      nb::sig("def diagonal(x: UnifiedArray, /, *, offset: int = 0) -> UnifiedArray"), nb::arg(),
      nb::kw_only(), nb::arg("offset") = 0, "The diagonals of matrices, along a last axis.");
  m.def(
      "trace",
      [](Operand x, int offset, std::optional<DType> dtype) {
        return unlocked([&] { return linalg::trace(std::move(x), offset, dtype); });
      },
      nb::sig("def trace(x: UnifiedArray, /, *, offset: int = 0, dtype: _DTypeLike | None = None)"
              " -> UnifiedArray"),
      nb::arg(), nb::kw_only(), nb::arg("offset") = 0, nb::arg("dtype") = nb::none(),
      "Sums of the diagonals of matrices.");
}

void bind_systems(nb::module_& m) {
  define(m, "solve", &linalg::solve, "Solve x1 x = x2 by elimination with partial pivoting.");
  m.def(
      "solve_triangular",
      [](Operand a, Operand b, bool upper, bool unit_diagonal) {
        return unlocked([&] {
          return linalg::solve_triangular(std::move(a), std::move(b), upper, unit_diagonal);
        });
      },
      nb::sig("def solve_triangular(x1: UnifiedArray, x2: UnifiedArray, /, *, "
              "upper: _bool = False, unit_diagonal: _bool = False) -> UnifiedArray"),
      nb::arg(), nb::arg(), nb::kw_only(), nb::arg("upper") = false,
      nb::arg("unit_diagonal") = false,
      "Solve x1 x = x2 where only one triangle of x1 is read, and with `unit_diagonal` not its\n"
      "diagonal, taken as ones.");
  define(m, "inv", &linalg::inv, "The inverse of square matrices.");
  define(m, "det", &linalg::det, "The determinant of square matrices.");
  m.def(
      "slogdet",
      [](Operand x) {
        auto r = unlocked([&] { return linalg::slogdet(std::move(x)); });
        return named("SlogdetResult", std::move(r.sign), std::move(r.logabsdet));
      },
      nb::sig("def slogdet(x: UnifiedArray, /) -> tuple[UnifiedArray, UnifiedArray]"),
      "The determinant as a sign and the logarithm of its absolute value.");
  m.def(
      "tridiagonal_solve",
      [](Operand lower, Operand diag, Operand upper, Operand rhs, int axis, bool periodic) {
        return unlocked([&] {
          return linalg::tridiagonal_solve(std::move(lower), std::move(diag), std::move(upper),
                                           std::move(rhs), axis, periodic);
        });
      },
      nb::sig("def tridiagonal_solve(lower: UnifiedArray, diag: UnifiedArray, "
              "upper: UnifiedArray, rhs: UnifiedArray, /, *, axis: int = -1, "
              "periodic: _bool = False) -> UnifiedArray"),
      nb::arg(), nb::arg(), nb::arg(), nb::arg(), nb::kw_only(), nb::arg("axis") = -1,
      nb::arg("periodic") = false,
      "Solve tridiagonal systems along an axis, batched over all others, without pivoting.");
}

void bind_decompositions(nb::module_& m) {
  m.def(
      "cholesky",
      [](Operand x, bool upper) {
        return unlocked([&] { return linalg::cholesky(std::move(x), upper); });
      },
      nb::sig("def cholesky(x: UnifiedArray, /, *, upper: _bool = False) -> UnifiedArray"),
      nb::arg(), nb::kw_only(), nb::arg("upper") = false,
      "L with x = L L^H, or U with x = U^H U, of Hermitian positive definite matrices.");
  m.def(
      "qr",
      [](Operand x, const std::string& mode) {
        if (mode != "reduced" && mode != "complete")
          throw nb::value_error("qr: the mode is \"reduced\" or \"complete\"");
        const auto chosen = mode == "reduced" ? linalg::QrMode::reduced : linalg::QrMode::complete;
        auto r = unlocked([&] { return linalg::qr(std::move(x), chosen); });
        return named("QRResult", std::move(r.Q), std::move(r.R));
      },
      nb::sig("def qr(x: UnifiedArray, /, *, mode: str = 'reduced')"
              " -> tuple[UnifiedArray, UnifiedArray]"),
      nb::arg(), nb::kw_only(), nb::arg("mode") = "reduced",
      "x = Q R with orthonormal columns in Q and an upper triangular R.");
  m.def(
      "svd",
      [](Operand x, bool full) {
        auto r = unlocked([&] { return linalg::svd(std::move(x), full); });
        return named("SVDResult", std::move(r.U), std::move(r.S), std::move(r.Vh));
      },
      nb::sig("def svd(x: UnifiedArray, /, *, full_matrices: _bool = True)"
              " -> tuple[UnifiedArray, UnifiedArray, UnifiedArray]"),
      nb::arg(), nb::kw_only(), nb::arg("full_matrices") = true,
      "x = U diag(S) Vh with S >= 0 in descending order.");
  define(m, "svdvals", &linalg::svdvals, "Singular values in descending order.");
  const auto eigen = [&](const char* name, auto f, const char* type, const char* doc) {
    const std::string sig =
        std::string("def ") + name + "(x: UnifiedArray, /) -> tuple[UnifiedArray, UnifiedArray]";
    m.def(
        name,
        [f, type](Operand x) {
          auto r = unlocked([&] { return f(std::move(x)); });
          return named(type, std::move(r.eigenvalues), std::move(r.eigenvectors));
        },
        nb::sig(sig.c_str()), doc);
  };
  eigen("eigh", &linalg::eigh, "EighResult", "Eigenvalues and eigenvectors of Hermitian matrices.");
  eigen("eig", &linalg::eig, "EigResult", "Eigenvalues and eigenvectors, both complex.");
  define(m, "eigvalsh", &linalg::eigvalsh, "Eigenvalues of Hermitian matrices, ascending.");
  define(m, "eigvals", &linalg::eigvals, "Eigenvalues, complex, in no order.");
}

std::optional<linalg::MatrixOrder> given_order_in(nb::handle object) {
  if (object.is_none()) return {};
  return order_in(object);
}

void bind_norms(nb::module_& m) {
  m.def(
      "norm",
      [](Operand x, nb::handle ord, nb::handle axis, bool keepdims) {
        const auto order = given_order_in(ord);
        const auto axes = axes_in(axis);
        return unlocked([&] { return linalg::norm(std::move(x), order, axes, keepdims); });
      },
      nb::sig("def norm(x: UnifiedArray, /, ord: float | str | None = None, *, "
              "axis: int | typing.Sequence[int] | None = None, keepdims: _bool = False)"
              " -> UnifiedArray"),
      nb::arg(), nb::arg("ord") = nb::none(), nb::kw_only(), nb::arg("axis") = nb::none(),
      nb::arg("keepdims") = false,
      "NumPy's norm: of all elements without an axis, of vectors along one, of matrices along "
      "two.");
  m.def(
      "matrix_norm",
      [](Operand x, bool keepdims, nb::handle ord) {
        const auto order = order_in(ord);
        return unlocked([&] { return linalg::matrix_norm(std::move(x), keepdims, order); });
      },
      nb::sig("def matrix_norm(x: UnifiedArray, /, *, keepdims: _bool = False, "
              "ord: float | str = 'fro') -> UnifiedArray"),
      nb::arg(), nb::kw_only(), nb::arg("keepdims") = false, nb::arg("ord") = "fro",
      "A norm of matrices: \"fro\", \"nuc\", 1, 2, inf or their negatives.");
  m.def(
      "vector_norm",
      [](Operand x, nb::handle axis, bool keepdims, double ord) {
        const auto axes = axes_in(axis);
        return unlocked([&] { return linalg::vector_norm(std::move(x), axes, keepdims, ord); });
      },
      nb::sig(
          "def vector_norm(x: UnifiedArray, /, *, axis: int | typing.Sequence[int] | None = None, "
          "keepdims: _bool = False, ord: float = 2) -> UnifiedArray"),
      nb::arg(), nb::kw_only(), nb::arg("axis") = nb::none(), nb::arg("keepdims") = false,
      nb::arg("ord") = 2, "(sum |x|^ord)^(1/ord) over axes, all by default.");
  m.def(
      "matrix_rank",
      [](Operand x, nb::handle rtol) {
        const auto tolerance = tolerance_in(rtol);
        return unlocked([&] { return linalg::matrix_rank(std::move(x), tolerance); });
      },
      nb::sig("def matrix_rank(x: UnifiedArray, /, *, rtol: float | UnifiedArray | None = None)"
              " -> UnifiedArray"),
      nb::arg(), nb::kw_only(), nb::arg("rtol") = nb::none(),
      "The number of singular values above rtol times the largest.");
  m.def(
      "pinv",
      [](Operand x, nb::handle rtol) {
        const auto tolerance = tolerance_in(rtol);
        return unlocked([&] { return linalg::pinv(std::move(x), tolerance); });
      },
      nb::sig("def pinv(x: UnifiedArray, /, *, rtol: float | UnifiedArray | None = None)"
              " -> UnifiedArray"),
      nb::arg(), nb::kw_only(), nb::arg("rtol") = nb::none(),
      "The pseudo-inverse (Moore-Penrose).");
  m.def(
      "cond",
      [](Operand x, nb::handle p) {
        const auto order = order_in(p);
        return unlocked([&] { return linalg::cond(std::move(x), order); });
      },
      nb::sig("def cond(x: UnifiedArray, /, *, p: float | str = 2) -> UnifiedArray"), nb::arg(),
      nb::kw_only(), nb::arg("p") = 2, "How much solutions feel errors of the right side.");
  m.def(
      "lstsq",
      [](Operand a, Operand b, nb::handle rtol) {
        const auto tolerance = tolerance_in(rtol);
        auto r = unlocked([&] { return linalg::lstsq(std::move(a), std::move(b), tolerance); });
        return named("LstsqResult", std::move(r.x), std::move(r.residuals), std::move(r.rank),
                     std::move(r.S));
      },
      nb::sig("def lstsq(x1: UnifiedArray, x2: UnifiedArray, /, *, rtol: float | None = None)"
              " -> tuple[UnifiedArray, UnifiedArray, UnifiedArray, UnifiedArray]"),
      nb::arg(), nb::arg(), nb::kw_only(), nb::arg("rtol") = nb::none(),
      "Minimise |x2 - x1 x|^2; gives x, residuals, rank and singular values.");
}

}  // namespace

void bind_linalg(nb::module_& main) {
  nb::module_ m = main.def_submodule("linalg", "Linear algebra.");
  bind_products(m, main);
  bind_diagonals(m);
  bind_systems(m);
  bind_decompositions(m);
  bind_norms(m);
}

}  // namespace isofield::python
