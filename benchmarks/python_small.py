"""What a call from Python costs, beside NumPy's in the same run.

    PYTHONPATH=build/release/python scripts/python benchmarks/python_small.py [--elements 10] [--smoke]

Pointwise operations are lazy: "made" is the time until the operation returns, "computed" until its value is there.
Times are the least of several repetitions; the ratio is ours to NumPy's, so less than 1 is faster.
"""

import argparse
import os
import timeit

import numpy as np

import isofield as xp


def cases(n):
    """Name, ours, theirs, and whether ours is lazy."""
    a, b = np.arange(float(n)) + 1.0, np.arange(float(n)) + 2.0
    x, y = xp.asarray(a, copy=True), xp.asarray(b, copy=True)
    part = slice(1, -1)
    step = xp.jit(lambda u, v: (u * v + u) * 0.5)
    step(x, y)
    return [
        ("add(a, b)", lambda: xp.add(x, y), lambda: np.add(a, b), True),
        ("a + b", lambda: x + y, lambda: a + b, True),
        ("a + 1.0", lambda: x + 1.0, lambda: a + 1.0, True),
        ("(a * b + a) * 0.5", lambda: (x * y + x) * 0.5, lambda: (a * b + a) * 0.5, True),
        ("jit: (a * b + a) * 0.5", lambda: step(x, y), lambda: (a * b + a) * 0.5, False),
        ("exp(a)", lambda: xp.exp(x), lambda: np.exp(a), True),
        ("sum(a)", lambda: xp.sum(x), lambda: np.sum(a), False),
        ("a[1:-1]", lambda: x[part], lambda: a[part], False),
        ("float(a[0])", lambda: float(x[0]), lambda: float(a[0]), False),
        ("zeros(n)", lambda: xp.zeros(n), lambda: np.zeros(n), False),
        ("asarray(numpy)", lambda: xp.asarray(a), lambda: np.asarray(memoryview(a)), False),
    ]


def nanoseconds(function, repeat):
    timer = timeit.Timer(function)
    number = 1 if repeat == 1 else max(1, timer.autorange()[0] // 10)
    return min(timer.repeat(repeat, number)) / number * 1e9


def agree(ours, theirs):
    values = [np.asarray(f()) for f in (ours, theirs)]
    np.testing.assert_allclose(*values, rtol=1e-14)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--elements", type=int, default=10)
    parser.add_argument("--smoke", action="store_true", help="check that both compute the same, and time nothing")
    options = parser.parse_args()
    print(f"{options.elements} elements, backend {xp.get_backend()}, load {os.getloadavg()[0]:.1f}")
    print(f"{'':26}{'made':>10}{'computed':>10}{'NumPy':>10}{'ratio':>9}{'computed':>10}")
    for name, ours, theirs, lazy in cases(options.elements):
        agree(ours, theirs)
        repeat = 1 if options.smoke else 7
        made, numpy = nanoseconds(ours, repeat), nanoseconds(theirs, repeat)
        computed = nanoseconds(lambda: ours().eval(), repeat) if lazy else made
        print(f"{name:26}{made:8.0f}ns{computed:8.0f}ns{numpy:8.0f}ns{made / numpy:9.2f}{computed / numpy:10.2f}")


if __name__ == "__main__":
    main()
