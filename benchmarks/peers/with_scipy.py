"""Problem P in NumPy, with SciPy's direct solvers: banded on a line, splu on a square."""

import numpy as np
import scipy.sparse as sparse
from scipy.linalg import solve_banded
from scipy.sparse.linalg import splu

from problem_p import Sweeps


class Scheme:
    """The upwind scheme on a box of any number of axes: arrays named by direction have one entry for each axis."""

    def __init__(self, problem):
        self.p = problem
        self.shape = (problem.n,) * problem.axes

    def along(self, axis, part):
        """An index that takes `part` along one axis."""
        return tuple(part if k == axis else slice(None) for k in range(self.p.axes))

    def upwind_slopes(self, u):
        """max(D- u, 0) and min(D+ u, 0) along each axis, 0 beyond the ends."""
        backward, forward = [], []
        for axis in range(self.p.axes):
            d = np.diff(u, axis=axis) / self.p.h
            left, right = np.zeros(self.shape), np.zeros(self.shape)
            np.maximum(d, 0.0, out=left[self.along(axis, slice(1, None))])
            np.minimum(d, 0.0, out=right[self.along(axis, slice(None, -1))])
            backward.append(left)
            forward.append(right)
        return backward, forward

    def rates(self, backward, forward):
        """What a row of I/dt + K takes, with a minus sign, from the neighbours along each axis."""
        diffusion = self.p.viscosity / self.p.h**2
        below, above = [], []
        for axis, (left, right) in enumerate(zip(backward, forward)):
            lower, upper = diffusion + left / self.p.h, diffusion - right / self.p.h
            lower[self.along(axis, 0)] = 0.0
            upper[self.along(axis, -1)] = 0.0
            below.append(lower)
            above.append(upper)
        return below, above

    def remainder(self, x):
        """Half the largest sum of squared slopes of an update of u: what Newton's method leaves of the equation."""
        total = np.zeros(self.shape)
        for axis in range(self.p.axes):
            squared = (np.diff(x, axis=axis) / self.p.h) ** 2
            total[self.along(axis, slice(1, None))] += squared
            total[self.along(axis, slice(None, -1))] += squared
        return 0.5 * total.max()


def solve_on_line(scheme, below, above, b, transposed):
    (lower,), (upper,) = below, above
    bands = np.zeros((3, scheme.p.n))
    bands[1] = 1.0 / scheme.p.dt + lower + upper
    bands[0, 1:] = -(lower[1:] if transposed else upper[:-1])
    bands[2, :-1] = -(upper[:-1] if transposed else lower[1:])
    return solve_banded((1, 1), bands, b, overwrite_ab=True, check_finite=False)


def solve_on_square(scheme, below, above, b, transposed):
    n = scheme.p.n
    south, west = (x.ravel() for x in below)
    north, east = (x.ravel() for x in above)
    diagonal = 1.0 / scheme.p.dt + south + north + west + east
    a = sparse.diags([-south[n:], -west[1:], diagonal, -east[:-1], -north[:-n]], [-n, -1, 0, 1, n], format="csc")
    return splu(a).solve(b.ravel(), trans="T" if transposed else "N").reshape(b.shape)


def sweeps(problem):
    scheme = Scheme(problem)
    solve = solve_on_line if problem.axes == 1 else solve_on_square
    terminal, initial = problem.terminal_cost(), problem.initial_density()

    def hjb(density, guess, inner):
        u = np.empty_like(density)
        u[-1] = terminal
        for level in range(problem.steps - 1, -1, -1):
            now = guess[level] if inner.warm else u[level + 1]
            known = u[level + 1] / problem.dt + density[level + 1]
            for _ in range(30):
                backward, forward = scheme.upwind_slopes(now)
                squares = sum(q * q for q in backward + forward)
                new = solve(scheme, *scheme.rates(backward, forward), known + 0.5 * squares, transposed=False)
                left = scheme.remainder(new - now)
                now = new
                if left <= inner.hjb:
                    break
            u[level] = now
        return u

    def fokker_planck(u, guess, inner):
        m = np.empty_like(u)
        m[0] = initial
        for level in range(problem.steps):
            rates = scheme.rates(*scheme.upwind_slopes(u[level]))
            m[level + 1] = solve(scheme, *rates, m[level] / problem.dt, transposed=True)
        return m

    return Sweeps(hjb, fokker_planck)
