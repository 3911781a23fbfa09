"""Problem P in Numba, as loops: Thomas' algorithm on a line; BiCGStab with Jacobi's preconditioner on a square."""

import numpy as np
from numba import njit

from problem_p import Sweeps


# --- on a line ---


@njit(fastmath=True)
def thomas(lower, diagonal, upper, b, factor, x):
    """Solve the tridiagonal system; `factor` is room to work in."""
    n = len(b)
    pivot = 1.0 / diagonal[0]
    factor[0] = upper[0] * pivot
    x[0] = b[0] * pivot
    for i in range(1, n):
        pivot = 1.0 / (diagonal[i] - lower[i] * factor[i - 1])
        factor[i] = upper[i] * pivot
        x[i] = (b[i] - lower[i] * x[i - 1]) * pivot
    for i in range(n - 2, -1, -1):
        x[i] -= factor[i] * x[i + 1]


@njit(fastmath=True)
def linearise_line(u, h, dt, nu, lower, diagonal, upper, squares):
    """The bands of I/dt + K at u, and half the sum of squared upwind slopes."""
    n = len(u)
    diffusion = nu / (h * h)
    for i in range(n):
        left = right = below = above = 0.0
        if i > 0:
            left = max((u[i] - u[i - 1]) / h, 0.0)
            below = diffusion + left / h
        if i < n - 1:
            right = min((u[i + 1] - u[i]) / h, 0.0)
            above = diffusion - right / h
        lower[i] = -below
        upper[i] = -above
        diagonal[i] = 1.0 / dt + below + above
        squares[i] = 0.5 * (left * left + right * right)


@njit(fastmath=True)
def hjb_on_line(density, guess, terminal, h, dt, nu, tolerance, warm):
    levels, n = density.shape
    u = np.empty((levels, n))
    u[-1] = terminal
    lower, diagonal, upper, squares = np.empty(n), np.empty(n), np.empty(n), np.empty(n)
    b, factor, new = np.empty(n), np.empty(n), np.empty(n)
    for level in range(levels - 2, -1, -1):
        now = u[level]
        now[:] = guess[level] if warm else u[level + 1]
        for _ in range(30):
            linearise_line(now, h, dt, nu, lower, diagonal, upper, squares)
            for i in range(n):
                b[i] = u[level + 1, i] / dt + density[level + 1, i] + squares[i]
            thomas(lower, diagonal, upper, b, factor, new)
            left, last = 0.0, 0.0
            for i in range(1, n):
                slope = ((new[i] - now[i]) - (new[i - 1] - now[i - 1])) / h
                left = max(left, slope * slope + last)
                last = slope * slope
            now[:] = new
            if 0.5 * left <= tolerance:
                break
    return u


@njit(fastmath=True)
def fokker_planck_on_line(u, initial, h, dt, nu):
    levels, n = u.shape
    m = np.empty((levels, n))
    m[0] = initial
    lower, diagonal, upper, squares = np.empty(n), np.empty(n), np.empty(n), np.empty(n)
    below, above, b, factor = np.zeros(n), np.zeros(n), np.empty(n), np.empty(n)
    for level in range(levels - 1):
        linearise_line(u[level], h, dt, nu, lower, diagonal, upper, squares)
        for i in range(n):
            b[i] = m[level, i] / dt
        below[1:] = upper[:-1]  # of the transposed matrix
        above[:-1] = lower[1:]
        thomas(below, diagonal, above, b, factor, m[level + 1])
    return m


# --- on a square: fields have a frame of zeros, so that no loop asks where it is ---

DIAGONAL, SOUTH, NORTH, WEST, EAST = range(5)


@njit(fastmath=True)
def linearise_square(u, open_, h, dt, nu, a, squares):
    """The five entries of each row of I/dt + K at u, and half the sum of squared upwind slopes.

    `open_` is 1 inside the frame and 0 on it.
    """
    n = u.shape[0] - 2
    diffusion = nu / (h * h)
    for i in range(1, n + 1):
        for j in range(1, n + 1):
            south = max((u[i, j] - u[i - 1, j]) / h, 0.0) * open_[i - 1, j]
            north = min((u[i + 1, j] - u[i, j]) / h, 0.0) * open_[i + 1, j]
            west = max((u[i, j] - u[i, j - 1]) / h, 0.0) * open_[i, j - 1]
            east = min((u[i, j + 1] - u[i, j]) / h, 0.0) * open_[i, j + 1]
            a[SOUTH, i, j] = -(diffusion * open_[i - 1, j] + south / h)
            a[NORTH, i, j] = -(diffusion * open_[i + 1, j] - north / h)
            a[WEST, i, j] = -(diffusion * open_[i, j - 1] + west / h)
            a[EAST, i, j] = -(diffusion * open_[i, j + 1] - east / h)
            a[DIAGONAL, i, j] = 1.0 / dt - a[SOUTH, i, j] - a[NORTH, i, j] - a[WEST, i, j] - a[EAST, i, j]
            squares[i, j] = 0.5 * (south * south + north * north + west * west + east * east)


@njit(fastmath=True)
def transpose(a, t):
    n = a.shape[1] - 2
    for i in range(1, n + 1):
        for j in range(1, n + 1):
            t[DIAGONAL, i, j] = a[DIAGONAL, i, j]
            t[SOUTH, i, j] = a[NORTH, i - 1, j]
            t[NORTH, i, j] = a[SOUTH, i + 1, j]
            t[WEST, i, j] = a[EAST, i, j - 1]
            t[EAST, i, j] = a[WEST, i, j + 1]


@njit(fastmath=True)
def multiply(a, v, out):
    n = v.shape[0] - 2
    for i in range(1, n + 1):
        for j in range(1, n + 1):
            out[i, j] = (a[DIAGONAL, i, j] * v[i, j] + a[SOUTH, i, j] * v[i - 1, j] + a[NORTH, i, j] * v[i + 1, j]
                         + a[WEST, i, j] * v[i, j - 1] + a[EAST, i, j] * v[i, j + 1])


@njit(fastmath=True)
def dot(x, y):
    total = 0.0
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            total += x[i, j] * y[i, j]
    return total


@njit(fastmath=True)
def bicgstab(a, b, x, room, absolute, relative, forcing):
    """Solve a x = b from x on; returns by how much the residual's 2-norm exceeds relative |b|. `room` holds eight fields."""
    r, shadow, p, v, s, t, y, inverse = room
    n = b.shape[0] - 2
    for i in range(1, n + 1):
        for j in range(1, n + 1):
            inverse[i, j] = 1.0 / a[DIAGONAL, i, j]
    multiply(a, x, r)
    r[:] = b - r
    shadow[:] = r
    p[:] = 0.0
    v[:] = 0.0
    rho = alpha = omega = 1.0
    size = np.sqrt(dot(r, r))
    allowed = relative * np.sqrt(dot(b, b))
    goal = max(absolute, allowed, forcing * size)
    for _ in range(500):
        if size <= goal:
            break
        new_rho = dot(shadow, r)
        beta = new_rho / rho * alpha / omega
        rho = new_rho
        for i in range(1, n + 1):
            for j in range(1, n + 1):
                p[i, j] = r[i, j] + beta * (p[i, j] - omega * v[i, j])
                y[i, j] = inverse[i, j] * p[i, j]
        multiply(a, y, v)
        alpha = rho / dot(shadow, v)
        for i in range(1, n + 1):
            for j in range(1, n + 1):
                x[i, j] += alpha * y[i, j]
                s[i, j] = r[i, j] - alpha * v[i, j]
                y[i, j] = inverse[i, j] * s[i, j]
        multiply(a, y, t)
        omega = dot(t, s) / dot(t, t)
        for i in range(1, n + 1):
            for j in range(1, n + 1):
                x[i, j] += omega * y[i, j]
                r[i, j] = s[i, j] - omega * t[i, j]
        size = np.sqrt(dot(r, r))
    return max(size - allowed, 0.0)


@njit(fastmath=True)
def remainder_square(new, now, open_, h):
    n = new.shape[0] - 2
    worst = 0.0
    for i in range(1, n + 1):
        for j in range(1, n + 1):
            x = new[i, j] - now[i, j]
            south = (x - (new[i - 1, j] - now[i - 1, j])) * open_[i - 1, j]
            north = (x - (new[i + 1, j] - now[i + 1, j])) * open_[i + 1, j]
            west = (x - (new[i, j - 1] - now[i, j - 1])) * open_[i, j - 1]
            east = (x - (new[i, j + 1] - now[i, j + 1])) * open_[i, j + 1]
            worst = max(worst, south * south + north * north + west * west + east * east)
    return 0.5 * worst / (h * h)


@njit(fastmath=True)
def hjb_on_square(density, guess, terminal, open_, h, dt, nu, tolerance, linear, forcing, warm):
    levels, size = density.shape[0], density.shape[1] + 2
    u = np.empty_like(density)
    u[-1] = terminal
    a, room = np.zeros((5, size, size)), np.zeros((8, size, size))
    now, new, b = np.zeros((size, size)), np.zeros((size, size)), np.zeros((size, size))
    squares = np.zeros((size, size))
    for level in range(levels - 2, -1, -1):
        new[1:-1, 1:-1] = guess[level] if warm else u[level + 1]
        for _ in range(30):
            now[:] = new
            linearise_square(now, open_, h, dt, nu, a, squares)
            b[1:-1, 1:-1] = u[level + 1] / dt + density[level + 1] + squares[1:-1, 1:-1]
            left = bicgstab(a, b, new, room, 0.3 * tolerance, linear, forcing)
            if remainder_square(new, now, open_, h) + left <= tolerance:
                break
        u[level] = new[1:-1, 1:-1]
    return u


@njit(fastmath=True)
def fokker_planck_on_square(u, guess, initial, open_, h, dt, nu, tolerance, warm):
    levels, size = u.shape[0], u.shape[1] + 2
    m = np.empty_like(u)
    m[0] = initial
    a, t, room = np.zeros((5, size, size)), np.zeros((5, size, size)), np.zeros((8, size, size))
    now, x, b = np.zeros((size, size)), np.zeros((size, size)), np.zeros((size, size))
    squares = np.zeros((size, size))
    for level in range(levels - 1):
        now[1:-1, 1:-1] = u[level]
        linearise_square(now, open_, h, dt, nu, a, squares)
        transpose(a, t)
        b[1:-1, 1:-1] = m[level] / dt
        x[1:-1, 1:-1] = guess[level + 1] if warm else m[level]
        bicgstab(t, b, x, room, 0.0, tolerance, 0.0)
        m[level + 1] = x[1:-1, 1:-1]
    return m


def sweeps(problem):
    terminal, initial = problem.terminal_cost(), problem.initial_density()
    constants = (problem.h, problem.dt, problem.viscosity)
    if problem.axes == 1:
        return Sweeps(
            lambda density, guess, inner: hjb_on_line(density, guess, terminal, *constants, inner.hjb, inner.warm),
            lambda u, guess, inner: fokker_planck_on_line(u, initial, *constants))
    open_ = np.pad(np.ones((problem.n, problem.n)), 1)
    return Sweeps(
        lambda density, guess, inner: hjb_on_square(density, guess, terminal, open_, *constants, inner.hjb,
                                                    inner.linear, inner.forcing, inner.warm),
        lambda u, guess, inner: fokker_planck_on_square(u, guess, initial, open_, *constants, inner.fokker_planck,
                                                        inner.warm))
