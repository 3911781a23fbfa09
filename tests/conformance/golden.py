"""Compare what `dump` wrote with NumPy: golden.py FILE."""

import sys

import numpy as np
import scipy
from scipy import fft, linalg
from scipy.linalg import solve_banded
from scipy.sparse import diags_array
from scipy.sparse.linalg import spsolve
from scipy.special import erf

np.seterr(all="ignore")


def records(path):
    data = open(path, "rb").read()
    at = 0
    while at < len(data):
        end = data.index(b"\n", at)
        name, dtype, rank, *shape = data[at:end].decode().split()
        shape = tuple(map(int, shape))
        assert len(shape) == int(rank)
        count = int(np.prod(shape, dtype=int))
        array = np.frombuffer(data, np.dtype(dtype), count, end + 1).reshape(shape)
        at = end + 1 + array.nbytes
        yield name, array


def power(a, b):
    if a.dtype != np.int64:
        return np.power(a, b)
    # NumPy refuses negative exponents; ours truncate towards zero.
    safe = np.power(a, np.maximum(b, 0))
    odd = np.where(b % 2 == 0, 1, -1)
    return np.where(b >= 0, safe, np.where(a == 1, 1, np.where(a == -1, odd, 0)))


def whole(f):
    """Integers are whole already."""
    return lambda x: x if x.dtype.kind == "i" else f(x)


def floor_divide(a, b):
    # Where either is infinite, Python's and NumPy's differ from the Array API's.
    quotient = np.floor_divide(a, b)
    return quotient if a.dtype.kind == "i" else np.where(np.isinf(a) | np.isinf(b), a / b, quotient)


def left_shift(a, b):
    inside = (b >= 0) & (b < 64)
    return np.where(inside, np.left_shift(a, np.where(inside, b, 0)), 0)


def right_shift(a, b):
    return np.right_shift(a, np.where((b >= 0) & (b < 64), b, 63))


SPECIAL = {
    "asinh": np.arcsinh, "acosh": np.arccosh, "atanh": np.arctanh, "floor": whole(np.floor), "ceil": whole(np.ceil),
    "trunc": whole(np.trunc), "floor_divide": floor_divide, "bitwise_invert": np.invert,
    "bitwise_left_shift": left_shift, "bitwise_right_shift": right_shift,
    "asin": np.arcsin, "acos": np.arccos, "atan": np.arctan, "atan2": np.arctan2, "erf": erf, "round": np.round,
    "relu": lambda x: np.maximum(x, x.dtype.type(0)), "sigmoid": lambda x: 1 / (1 + np.exp(-x)), "power": power,
}
# Units in the last place that a library's transcendental functions may differ from another's.
LOOSE = {"exp", "expm1", "log", "log1p", "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "erf",
         "sigmoid", "power", "atan2", "hypot", "log2", "log10", "asinh", "acosh", "atanh", "logaddexp"}


CHECKED = 5  # systems; dense solves are slow


def shift(x, axis, offset, rule):
    n = x.shape[axis]
    i = np.arange(n) + offset
    outside = (i < 0) | (i >= n)
    if rule == "periodic":
        i = i % n
    elif rule == "reflect":
        i = i % (2 * n)
        i = np.where(i < n, i, 2 * n - 1 - i)
    else:
        i = np.clip(i, 0, n - 1)
    y = np.take(x, i, axis)
    if rule == "constant":
        y = np.where(np.expand_dims(outside, 1 - axis), x.dtype.type(0.25), y)
    return y


def lines(l, d, u, r, periodic):
    """Dense solves of systems along the last axis."""
    n = d.shape[-1]
    m = np.zeros(d.shape + (n,))
    i = np.arange(n)
    m[..., i, i] = d
    m[..., i[1:], i[:-1]] = l[..., 1:]
    m[..., i[:-1], i[1:]] = u[..., :-1]
    if periodic:
        m[..., 0, n - 1] += l[..., 0]
        m[..., n - 1, 0] += u[..., n - 1]
    return np.linalg.solve(m, r[..., None])[..., 0]


def along(x, periodic):
    """The systems of `along` in dump.cpp, along the last axis, by LAPACK and SuperLU."""
    t = x.dtype.type
    l, d, u = (c.astype(float) for c in (t(0.3) * x, t(4) + abs(x), t(-0.4) * x))
    if not periodic:
        return solve_banded((1, 1), np.stack([np.append(0, u[:-1]), d, np.append(l[1:], 0)]), x.astype(float))
    n = len(x)
    m = diags_array([l[1:], d, u[:-1], l[:1], u[-1:]], offsets=[-1, 0, 1, n - 1, 1 - n], format="csc")
    return spsolve(m, x.astype(float))


def large(u, v):
    t = u.dtype.type
    s = lambda *a: shift(u, *a)
    l, d, c, r = (x.astype(float) for x in (t(0.3) * u, t(4) + abs(u), t(-0.4) * u, u + v))
    return {
        "stencil": u + t(0.1) * (s(0, -1, "periodic") + s(0, 2, "clamp") + s(1, -3, "reflect") + s(1, 1, "constant") - t(4) * u),
        "upwind": np.square(np.maximum(u - s(1, -1, "reflect"), t(0))) + np.square(np.minimum(s(1, 1, "reflect") - u, t(0))) * v,
        "transcendental": np.where(u > 0, np.exp(u) * np.log(v) - np.sqrt(abs(u)), np.tanh(u) / (t(1) + u * u)),
        "reversed": u[::-1][0:130:3, 500:3:-2] * t(2),
        "sum": u.astype(float).sum(), "sum_rows": (u * u).astype(float).sum(1), "sum_columns": u.astype(float).sum(0),
        "max_columns": u.max(0, keepdims=True), "min_rows": u.min(1), "mean": u.astype(float).mean(),
        "prod_rows": (1 + 0.001 * u.astype(float)).prod(1),
        "tridiagonal_rows": lines(*(x[:CHECKED] for x in (l, d, c, r)), False),
        "tridiagonal_columns": lines(*(x.T[:CHECKED] for x in (l, d, c, r)), True).T,
        "few_lines": np.stack([along(x, False) for x in u[:3]]),
        "few_columns_periodic": np.stack([along(x, True) for x in u[:3]], 1),
        "long_line": along(u.ravel(), False), "long_line_periodic": along(u.ravel(), True),
    }


def transform(name, x):
    """What a name such as dct_both_2_1 says: the function, axes, type and norm."""
    function, axes, kind, norm = name.split("_")
    axes = {"rows": [1], "columns": [0], "both": [0, 1]}[axes]
    norm = ["backward", "ortho", "forward"][int(norm)]
    x = x.astype(float)
    if function != "hartley":
        return getattr(fft, function + "n")(x, type=int(kind), axes=axes, norm=norm)
    for axis in axes:
        y = fft.fft(x, axis=axis, norm=norm)
        x = y.real - y.imag
    return x


def of_matrices(name, m):
    """What NumPy and SciPy say of the matrices, in the precision of float64."""
    a, b, h = (x.astype(np.result_type(x, np.float64)) for x in (m["a"], m["b"], m["h"]))
    return {
        "solve": lambda: np.linalg.solve(a, b), "inv": lambda: np.linalg.inv(a), "det": lambda: np.linalg.det(a),
        "sign": lambda: np.linalg.slogdet(a)[0], "logabsdet": lambda: np.linalg.slogdet(a)[1],
        "cholesky": lambda: np.linalg.cholesky(h), "absolute_r": lambda: abs(np.linalg.qr(a)[1]),
        "svdvals": lambda: np.linalg.svd(a, compute_uv=False), "eigvalsh": lambda: np.linalg.eigvalsh(h),
        "eigvals": lambda: np.linalg.eigvals(a), "expm": lambda: np.stack([linalg.expm(0.5 * x) for x in a]),
    }[name]()


def in_order_of(want, got):
    """Eigenvalues have no order: for each wanted one, the nearest of those found."""
    return np.stack([g[abs(g[:, None] - w[None, :]).argmin(0)] for g, w in zip(got, want)])


def complex_transform(name, z):
    function, norm = name.split("_")
    z = z.astype(complex)
    x = z.real if function in ("rfft", "ihfft", "rfftn") else z
    more = {"fft": {}, "ifft": {"axis": 0}, "fftn": {"s": (40, 50)}, "irfft": {"n": 77}, "hfft": {"n": 50}, "ihfft": {"axis": 0}}
    return getattr(np.fft, function)(x, norm=["backward", "ortho", "forward"][int(norm)], **more.get(function, {}))


def compare(name, got, want):
    exact = got.dtype.kind != "f" or name not in LOOSE
    want = np.asarray(want)
    if want.dtype.kind == "f":
        want = want.astype(got.dtype)
    assert got.shape == want.shape, (name, got.shape, want.shape)
    if exact:
        good = (got == want) | (np.isnan(got) & np.isnan(want) if got.dtype.kind == "f" else False)
    else:
        ulp = 8 * np.spacing(np.maximum(abs(want), np.finfo(want.dtype).tiny))
        good = (got == want) | (np.isnan(got) & np.isnan(want)) | (abs(got - want) <= ulp)
    if not np.all(good):
        at = tuple(int(k) for k in np.argwhere(~good)[0])
        return [f"{name} {got.dtype} at {at}: {got[at]!r}, NumPy {want[at]!r}"]
    return []


def main():
    errors, compared, x, u, t, expected = [], 0, None, None, None, {}
    matrix, signal = {}, None
    for name, got in records(sys.argv[1]):
        if name.startswith("matrix_"):
            matrix[name[-1]] = got
            continue
        if name.startswith("signal_"):
            signal = got
            continue
        if name.startswith(("linalg_", "fourier_")):
            compared += 1
            kind, function = name.split("_", 1)
            want = of_matrices(function, matrix) if kind == "linalg" else complex_transform(function, signal)
            if function == "eigvals":
                got = in_order_of(want, got)
            tolerance = (1e-3 if kind == "linalg" else 1e-5) if got.dtype.itemsize // (1 + (got.dtype.kind == "c")) == 4 else 1e-11
            if got.shape != want.shape or not np.all(abs(got - want) <= tolerance * max(1, abs(want).max())):
                errors.append(f"{name} {got.dtype} {got.shape}: off by {abs(got - want).max()}")
            continue
        if name == "specials":
            x = got
            continue
        if name == "u":
            u = got
            continue
        if name == "v":
            expected = large(u, got)
            continue
        if name == "x":
            t = got
            continue
        compared += 1
        if t is not None:
            want = transform(name, t)
            tolerance = (2e-6 if got.dtype == np.float32 else 1e-14) * abs(want).max()
            if got.shape != want.shape or not np.all(abs(got - want) <= tolerance):
                errors.append(f"{name} {got.dtype} {got.shape}: off by {abs(got - want).max()}, SciPy {scipy.__version__}")
            continue
        if name in expected:
            tolerance = 2e-5 if got.dtype == np.float32 else 1e-13
            want = np.asarray(expected[name])
            if name.startswith("tridiagonal"):
                got = got[:, :CHECKED] if name.endswith("columns") else got[:CHECKED]
            if got.shape != want.shape or not np.allclose(got, want, rtol=tolerance, atol=tolerance * max(1, abs(want).max())):
                errors.append(f"{name} {got.dtype}: off by {abs(got - want).max()}")
            continue
        function = SPECIAL.get(name) or getattr(np, name)
        errors += compare(name, got, function(x) if got.ndim == 1 else function(x[:, None], x[None, :]))
    print(f"{compared} results compared with NumPy {np.__version__}")
    print("\n".join(errors))
    return 1 if errors or compared < 151 + 2 * 3 * 3 * 21 + 4 * 5 * 11 + 2 * 3 * 3 * 9 else 0


sys.exit(main())
