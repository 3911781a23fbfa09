"""Problem P, the yardstick of the comparison, and Picard's iteration for it: what all peers share.

    -u_t - nu Lap u + |grad u|^2 / 2 = m,         u(1, x) = 2 |x - 0.7|^2
     m_t - nu Lap m - div(m grad u)  = 0,         m(0, x) ~ exp(-50 |x - 0.3|^2)

on [0, 1]^d without flux, nu = 0.045, by the implicit upwind scheme of Achdou and Capuzzo-Dolcetta on the nodes
i / intervals along each axis:

    u^n - u^(n+1) + dt (-nu Lap_h u^n + sum over axes of (max(D- u^n, 0)^2 + min(D+ u^n, 0)^2) / 2 - m^(n+1)) = 0
    (I + dt K(u^n))^T m^(n+1) = m^n,        K(u) the derivative in u of what is behind dt above

A peer is a pair of functions, see Sweeps.
"""

import dataclasses
import time
from collections.abc import Callable

import numpy as np


@dataclasses.dataclass(frozen=True)
class ProblemP:
    axes: int
    intervals: int  # along each axis
    steps: int
    viscosity: float = 0.045

    @property
    def n(self):
        """Nodes along an axis."""
        return self.intervals + 1

    @property
    def h(self):
        return 1.0 / self.intervals

    @property
    def dt(self):
        return 1.0 / self.steps

    def squared_distance(self, centre):
        """|x - (centre, ..., centre)|^2 on the nodes, shape (n,) or (n, n)."""
        x = np.linspace(0.0, 1.0, self.n)
        one_axis = (x - centre) ** 2
        return one_axis if self.axes == 1 else one_axis[:, None] + one_axis[None, :]

    def terminal_cost(self):
        return 2.0 * self.squared_distance(0.7)

    def initial_density(self):
        m = np.exp(-50.0 * self.squared_distance(0.3))
        return m / (m.sum() * self.h**self.axes)


CASES = {
    "p1_100": ProblemP(1, 100, 100),
    "p1_400": ProblemP(1, 400, 400),
    "p2_32": ProblemP(2, 32, 32),
    "p2_64": ProblemP(2, 64, 64),
}


@dataclasses.dataclass(frozen=True)
class Inner:
    """How exactly time steps are solved, and from where they start.

    Newton's method in a step ends when half the largest sum of squared slopes of its last update, which is what an exact
    update can leave of the equation, plus the 2-norm of the linear system's residual, is at most `hjb`, in units of u
    over time, beside what `linear` allows. Linear systems of Newton's method are solved until the residual has fallen
    by `forcing`, or to 0.3 `hjb`, or to `linear` relative to the right-hand side; those of the Fokker-Planck equation to
    `fokker_planck`, relative to the right-hand side. Direct solvers need `hjb` alone.
    """

    hjb: float
    linear: float
    forcing: float
    fokker_planck: float
    warm: bool  # steps start from the last outer iterate, instead of from the neighbour in time


def plain(problem, last_change):
    """Each sweep by itself, to fixed tolerances: how such codes are usually written."""
    return Inner(hjb=1e-10, linear=1e-10, forcing=0.0, fokker_planck=1e-10, warm=False)


def matched(problem, last_change):
    """What the solver library does: start from the last iterate, and be no more exact than the coupling is."""
    return Inner(hjb=max(1e-10, 1e-3 * last_change), linear=0.0, forcing=1e-3,
                 fokker_planck=max(1e-12, 1e-4 * last_change / problem.steps), warm=True)


RULES = {"plain": plain, "matched": matched}


@dataclasses.dataclass(frozen=True)
class Sweeps:
    """hjb(density, guess, inner) -> u backwards in time, fokker_planck(u, guess, inner) -> m forwards.

    Fields have shape (steps + 1, n) or (steps + 1, n, n). A guess is a field of the same shape.
    """

    hjb: Callable
    fokker_planck: Callable


@dataclasses.dataclass
class Solution:
    u: np.ndarray
    m: np.ndarray
    iterations: int
    cpu_seconds: float


def picard(problem, sweeps, rule, damping=0.2, tolerance=1e-6, most=2000):
    """Iterate m -> u -> m until neither u nor the undamped m changes by `tolerance`."""
    density = np.repeat(problem.initial_density()[None], problem.steps + 1, axis=0)
    last_u, last_m = np.zeros_like(density), density
    change_m, warm = 0.0, False
    start = time.process_time()
    for iteration in range(1, most + 1):
        inner = dataclasses.replace(rule(problem, change_m), warm=warm)
        u = np.asarray(sweeps.hjb(density, last_u, inner))
        m = np.asarray(sweeps.fokker_planck(u, last_m, inner))
        change_m = float(np.max(np.abs(m - density)))
        if max(change_m, np.max(np.abs(u - last_u))) < tolerance:
            return Solution(u, m, iteration, time.process_time() - start)
        last_u, last_m, warm = u, m, rule(problem, change_m).warm
        density = damping * m + (1.0 - damping) * density
    raise RuntimeError(f"no convergence in {most} iterations")


def values(problem, solution):
    """Numbers to compare solutions by."""
    diagonal = (0,) * problem.axes
    node = (round(0.3 * problem.intervals),) * problem.axes
    m_end = solution.m[-1]
    along_x = m_end.reshape(problem.n, -1).sum(axis=1)
    x = np.linspace(0.0, 1.0, problem.n)
    return {
        "u_at_start": float(solution.u[(0, *node)]),
        "u_at_corner": float(solution.u[(0, *diagonal)]),
        "largest_m_at_end": float(m_end.max()),
        "mean_x_at_end": float((x * along_x).sum() / along_x.sum()),
        "largest_loss_of_mass": float(np.max(np.abs(solution.m.reshape(problem.steps + 1, -1).sum(axis=1)
                                                    * problem.h**problem.axes - 1.0))),
    }
