"""Problem P1 in NumPy and SciPy, as a careful user would write it: the peer of the C++ solver's Picard iteration.

    -u_t - nu u_xx + u_x^2 / 2 = m,            u(1, x) = 2 (x - 0.7)^2
     m_t - nu m_xx - (m u_x)_x = 0,            m(0, x) ~ exp(-50 (x - 0.3)^2)

on [0, 1] without flux, nu = 0.045, by the implicit upwind scheme of Achdou and Capuzzo-Dolcetta on the nodes
i / intervals. Prints one JSON object: processor seconds (the median over --repeat solves), outer iterations, and values
of the solution to compare with.
"""

import argparse
import json
import statistics
import time

import numpy as np
from scipy.linalg import solve_banded


class Game:
    def __init__(self, intervals, steps, nu=0.045):
        self.n, self.steps = intervals + 1, steps
        self.h, self.dt, self.nu = 1.0 / intervals, 1.0 / steps, nu
        x = np.linspace(0.0, 1.0, self.n)
        self.terminal = 2.0 * (x - 0.7) ** 2
        self.initial = np.exp(-50.0 * (x - 0.3) ** 2)
        self.initial /= self.initial.sum() * self.h

    def slopes(self, u):
        """The upwind slopes max(D- u, 0) and min(D+ u, 0), 0 beyond the ends."""
        d = np.diff(u) / self.h
        left, right = np.zeros(self.n), np.zeros(self.n)
        np.maximum(d, 0.0, out=left[1:])
        np.minimum(d, 0.0, out=right[:-1])
        return left, right

    def matrix(self, left, right):
        """I/dt + K in the banded form of solve_banded: upper, diagonal, lower."""
        diffusion = self.nu / self.h**2
        to_left = diffusion + left / self.h
        to_right = diffusion - right / self.h
        to_left[0] = to_right[-1] = 0.0
        bands = np.zeros((3, self.n))
        bands[0, 1:] = -to_right[:-1]
        bands[1] = 1.0 / self.dt + to_left + to_right
        bands[2, :-1] = -to_left[1:]
        return bands

    def hjb(self, m, tolerance=1e-10):
        """u backwards from m, each step by Newton's method."""
        u = np.empty((self.steps + 1, self.n))
        u[-1] = self.terminal
        for k in range(self.steps - 1, -1, -1):
            now, known = u[k + 1], u[k + 1] / self.dt + m[k + 1]
            for _ in range(30):
                left, right = self.slopes(now)
                rhs = known + 0.5 * (left * left + right * right)
                new = solve_banded((1, 1), self.matrix(left, right), rhs, overwrite_ab=True, overwrite_b=True,
                                   check_finite=False)
                change = np.max(np.abs(new - now))
                now = new
                if change < tolerance:
                    break
            u[k] = now
        return u

    def fokker_planck(self, u):
        """m forwards from u, by the transposed matrices."""
        m = np.empty((self.steps + 1, self.n))
        m[0] = self.initial
        for k in range(self.steps):
            bands = self.matrix(*self.slopes(u[k]))
            transposed = np.zeros_like(bands)
            transposed[0, 1:] = bands[2, :-1]
            transposed[1] = bands[1]
            transposed[2, :-1] = bands[0, 1:]
            m[k + 1] = solve_banded((1, 1), transposed, m[k] / self.dt, overwrite_ab=True, check_finite=False)
        return m

    def solve(self, damping, tolerance, most=2000):
        """Picard's iteration until neither u nor the undamped m changes by `tolerance`."""
        density = np.tile(self.initial, (self.steps + 1, 1))
        last = np.zeros_like(density)
        for iteration in range(1, most + 1):
            u = self.hjb(density)
            m = self.fokker_planck(u)
            change = max(np.max(np.abs(m - density)), np.max(np.abs(u - last)))
            if change < tolerance:
                return u, m, iteration
            last = u
            density = damping * m + (1.0 - damping) * density
        raise RuntimeError(f"no convergence in {most} iterations")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--intervals", type=int, default=100)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--damping", type=float, default=0.2)
    parser.add_argument("--tolerance", type=float, default=1e-6)
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    seconds = []
    for _ in range(options.repeat):
        start = time.process_time()
        game = Game(options.intervals, options.steps)
        u, m, iterations = game.solve(options.damping, options.tolerance)
        seconds.append(time.process_time() - start)
    print(json.dumps({
        "seconds": statistics.median(seconds),
        "iterations": iterations,
        "u_at_0.3": u[0, round(0.3 * options.intervals)],
        "u_at_0": u[0, 0],
        "max_m_end": m[-1].max(),
        "numpy": np.__version__,
    }))


if __name__ == "__main__":
    main()
