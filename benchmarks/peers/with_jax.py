"""Problem P in JAX: scans over time; LAPACK's tridiagonal solver on a line; its BiCGStab with Jacobi's preconditioner on a
square."""

import jax

jax.config.update("jax_enable_x64", True)

import jax.numpy as jnp  # noqa: E402 (after the precision is set)
from jax import lax  # noqa: E402
from jax.scipy.sparse.linalg import bicgstab  # noqa: E402

from problem_p import Sweeps  # noqa: E402


def shifted(x, axis, step):
    """x of the neighbour `step` nodes on, 0 beyond the end."""
    rest = [(0, 0, 0)] * x.ndim
    rest[axis] = (-step, step, 0)
    return lax.pad(x, 0.0, rest)


class Scheme:
    def __init__(self, problem):
        self.p = problem
        inside = jnp.ones((problem.n,) * problem.axes)
        self.open = [(shifted(inside, k, -1), shifted(inside, k, 1)) for k in range(problem.axes)]

    def slopes(self, u):
        """D- u and D+ u along each axis, 0 beyond the ends."""
        return [((u - shifted(u, k, -1)) / self.p.h * below, (shifted(u, k, 1) - u) / self.p.h * above)
                for k, (below, above) in enumerate(self.open)]

    def linearise(self, u):
        """What a row of I/dt + K takes, with a minus sign, from below and above along each axis; half the sum of
        squared upwind slopes."""
        diffusion = self.p.viscosity / self.p.h**2
        rates, squares = [], 0.0
        for (left, right), (below, above) in zip(self.slopes(u), self.open):
            left, right = jnp.maximum(left, 0.0), jnp.minimum(right, 0.0)
            rates.append((diffusion * below + left / self.p.h, diffusion * above - right / self.p.h))
            squares = squares + left * left + right * right
        return rates, 0.5 * squares

    def diagonal(self, rates):
        return 1.0 / self.p.dt + sum(below + above for below, above in rates)

    def remainder(self, x):
        return 0.5 * jnp.max(sum(left * left + right * right for left, right in self.slopes(x)))

    def transposed(self, rates):
        return [(shifted(above, k, -1), shifted(below, k, 1)) for k, (below, above) in enumerate(rates)]

    def solve(self, rates, diagonal, b, x, absolute, relative, forcing):
        """The solution, and by how much the 2-norm of its residual exceeds relative |b|."""
        if self.p.axes == 1:
            below, above = rates[0]
            return lax.linalg.tridiagonal_solve(-below, diagonal, -above, b[:, None])[:, 0], 0.0

        def product(v):
            y = diagonal * v
            for k, (below, above) in enumerate(rates):
                y = y - below * shifted(v, k, -1) - above * shifted(v, k, 1)
            return y

        allowed = relative * jnp.linalg.norm(b)
        goal = jnp.maximum(absolute, jnp.maximum(allowed, forcing * jnp.linalg.norm(b - product(x))))
        y, _ = bicgstab(product, b, x0=x, tol=0.0, atol=goal, maxiter=500, M=lambda v: v / diagonal)
        return y, jnp.maximum(jnp.linalg.norm(b - product(y)) - allowed, 0.0)


def sweeps(problem):
    scheme = Scheme(problem)
    terminal, initial = jnp.asarray(problem.terminal_cost()), jnp.asarray(problem.initial_density())

    @jax.jit
    def hjb_(density, guess, tolerance, linear, forcing, warm):
        def step(next_, inputs):
            m, start = inputs
            known = next_ / problem.dt + m

            def update(state):
                u, _, k = state
                rates, squares = scheme.linearise(u)
                new, left = scheme.solve(rates, scheme.diagonal(rates), known + squares, u, 0.3 * tolerance, linear,
                                         forcing)
                return new, scheme.remainder(new - u) + left, k + 1

            state = (jnp.where(warm, start, next_), jnp.inf, 0)
            u, _, _ = lax.while_loop(lambda s: (s[1] > tolerance) & (s[2] < 30), update, state)
            return u, u

        _, levels = lax.scan(step, terminal, (density[1:], guess[:-1]), reverse=True)
        return jnp.concatenate([levels, terminal[None]])

    @jax.jit
    def fokker_planck_(u, guess, tolerance, warm):
        def step(last, inputs):
            value, start = inputs
            rates, _ = scheme.linearise(value)
            m, _ = scheme.solve(scheme.transposed(rates), scheme.diagonal(rates), last / problem.dt,
                                jnp.where(warm, start, last), 0.0, tolerance, 0.0)
            return m, m

        _, levels = lax.scan(step, initial, (u[:-1], guess[1:]))
        return jnp.concatenate([initial[None], levels])

    def hjb(density, guess, inner):
        return hjb_(density, guess, inner.hjb, inner.linear, inner.forcing, inner.warm).block_until_ready()

    def fokker_planck(u, guess, inner):
        return fokker_planck_(u, guess, inner.fokker_planck, inner.warm).block_until_ready()

    return Sweeps(hjb, fokker_planck)
