"""What linear algebra and Fourier transforms take, beside NumPy's in the same run, on one thread.

    PYTHONPATH=build/release/python scripts/python benchmarks/python_linalg.py [--filter svd] [--smoke]

Both are called in turn; the ratio is the median of ours to the median of NumPy's, so less than 1 is faster. NumPy calls
the BLAS and LAPACK that it was built with, from PyPI an OpenBLAS.
"""

import os

for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "ISOFIELD_THREADS"):
    os.environ[_name] = "1"

import argparse
import statistics
import time

import numpy as np

import isofield as xp


def matrices(rng, n):
    """Large matrices: name, ours, NumPy's, arguments, and what must agree of the results."""
    a = rng.random((n, n)) - 0.5 + 4.0 * np.eye(n)
    h, b = a @ a.T + np.eye(n), rng.random((n, n))
    ours, theirs = xp.linalg, np.linalg
    return [
        ("matmul", ours.matmul, np.matmul, (a, b), None),
        ("solve, a vector", ours.solve, theirs.solve, (a, b[0]), None),
        ("solve, a matrix", ours.solve, theirs.solve, (a, b), None),
        ("inv", ours.inv, theirs.inv, (a,), None),
        ("det", ours.det, theirs.det, (a / 4.0,), None),
        ("cholesky", ours.cholesky, theirs.cholesky, (h,), None),
        ("qr", ours.qr, theirs.qr, (a,), lambda r: abs(r[1])),
        ("svd", ours.svd, theirs.svd, (a,), lambda r: r[1]),
        ("svdvals", ours.svdvals, theirs.svdvals, (a,), None),
        ("eigh", ours.eigh, theirs.eigh, (h,), lambda r: r[0]),
        ("eig", ours.eig, theirs.eig, (a,), lambda r: np.sort_complex(r[0])),
        ("pinv", ours.pinv, theirs.pinv, (a,), None),
    ]


def stacks(rng, count):
    """Many matrices of 3 x 3."""
    s = rng.random((count, 3, 3)) - 0.5 + np.eye(3)
    h, r = s @ s.swapaxes(1, 2) + np.eye(3), rng.random((count, 3, 1))
    ours, theirs = xp.linalg, np.linalg
    return [
        ("3 x 3 matmul", ours.matmul, np.matmul, (s, s), None),
        ("3 x 3 solve", ours.solve, theirs.solve, (h, r), None),
        ("3 x 3 inv", ours.inv, theirs.inv, (h,), None),
        ("3 x 3 det", ours.det, theirs.det, (s,), None),
        ("3 x 3 cholesky", ours.cholesky, theirs.cholesky, (h,), None),
        ("3 x 3 svd", ours.svd, theirs.svd, (s,), lambda r: r[1]),
        ("3 x 3 eigh", ours.eigh, theirs.eigh, (h,), lambda r: r[0]),
    ]


def transforms(rng, lines, n):
    x = rng.random((lines, n))
    z = x + 1j * rng.random((lines, n))
    line = rng.random(lines * n) + 0j
    along_columns = {"axis": 0}
    return [
        ("fft, rows", xp.fft.fft, np.fft.fft, (z,), None),
        ("fft, columns", lambda a: xp.fft.fft(a, **along_columns), lambda a: np.fft.fft(a, **along_columns), (z,), None),
        ("rfft, rows", xp.fft.rfft, np.fft.rfft, (x,), None),
        ("fft, one line", xp.fft.fft, np.fft.fft, (line,), None),
    ]


def seconds(function, arguments):
    start = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - start


def agree(name, mine, numpy, part):
    if part:
        mine, numpy = part([np.asarray(m) for m in mine]), part(numpy)
    np.testing.assert_allclose(np.asarray(mine), numpy, rtol=1e-7, atol=1e-9 * np.max(abs(numpy)), err_msg=name)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--filter", default="", help="only those whose name has this in it")
    parser.add_argument("--repeat", type=int, default=15)
    parser.add_argument("--smoke", action="store_true", help="check that both compute the same, and time nothing")
    options = parser.parse_args()
    rng = np.random.default_rng(1)
    small = options.smoke
    rows = matrices(rng, 24 if small else 256) + stacks(rng, 50 if small else 100_000)
    rows += transforms(rng, 5, 64) if small else transforms(rng, 1000, 1024)
    print(f"backend {xp.get_backend()}, NumPy {np.__version__}, load {os.getloadavg()[0]:.1f}")
    print(f"{'':18}{'ours':>11}{'NumPy':>11}{'ratio':>8}")
    for name, ours, theirs, arguments, part in rows:
        if options.filter not in name:
            continue
        own = [xp.asarray(a, copy=True) for a in arguments]
        agree(name, ours(*own), theirs(*arguments), part)
        pairs = [(seconds(ours, own), seconds(theirs, arguments)) for _ in range(1 if small else options.repeat)]
        mine, numpy = (statistics.median(times) * 1e3 for times in zip(*pairs))
        print(f"{name:18}{mine:9.3f}ms{numpy:9.3f}ms{mine / numpy:8.2f}")


if __name__ == "__main__":
    main()
