"""Mean-field games: state a problem, solve it, look at the solution.

>>> from isofield import mfg
>>> game = mfg.Problem(cells=100, steps=100, viscosity=0.05, running_cost="m + (x - 0.8)^2",
...                    initial_density="exp(-(x - 0.2)^2 / 0.01)")
>>> solution = mfg.solve(game)
>>> solution.plot()
"""

import html as _html
import sys as _sys
import time as _time

from . import _core
from . import _display

__all__ = ["Problem", "Solution", "solve"]


def _for_axes(value, axes, name):
    """One value for all axes, or a sequence with one for each."""
    values = [value] * axes if isinstance(value, (int, float, str, dict)) else list(value)
    if len(values) != axes:
        raise ValueError(f"{name}: {len(values)} values for {axes} axes")
    return values


class Problem:
    """A mean-field game of one population on a box, from time 0 to a horizon.

        -u_t - viscosity Lap u + scale |grad u|^exponent = running_cost     u(horizon) = terminal_cost
         m_t - viscosity Lap m - div(m d/dq scale |q|^exponent) = 0         m(0) = initial_density

    `cells` is a number of cells, or one for each axis; `lower`, `upper` and `boundary` ("periodic", "reflecting",
    "exit" or a pair of these) are for all axes or a sequence with one for each. Fields and costs are numbers,
    expressions as the configuration of `mfg_solve` has them, such as `"m + (x - 0.8)^2"`, or functions of arrays:
    fields of `(x, y)`, `running_cost` of `(x, y, t, m)`, `terminal_cost` of `(x, y, m)`, without `y` on one axis.
    Functions are called on coarser grids, too. `mass=None` takes the initial density as it is; else it is scaled.
    """

    def __init__(
        self,
        *,
        cells,
        steps,
        lower=0.0,
        upper=1.0,
        boundary="reflecting",
        obstacle=None,
        exit=None,
        exit_cost=0.0,
        horizon=1.0,
        viscosity=0.0,
        scale=0.5,
        exponent=2.0,
        running_cost=0.0,
        terminal_cost=0.0,
        initial_density=1.0,
        mass=1.0,
    ):
        self.cells = (cells,) if isinstance(cells, int) else tuple(cells)
        axes = len(self.cells)
        self.lower = tuple(_for_axes(lower, axes, "lower"))
        self.upper = tuple(_for_axes(upper, axes, "upper"))
        self.boundary = tuple(_for_axes(boundary, axes, "boundary"))
        self.horizon, self.steps = horizon, steps
        self._problem = problem = _core._Problem()
        for low, high, count, ends in zip(self.lower, self.upper, self.cells, self.boundary):
            ends = (ends, ends) if isinstance(ends, str) else tuple(ends)
            problem.add_axis(low, high, count, *ends)
        problem.horizon, problem.steps = horizon, steps
        problem.viscosity, problem.exponent = viscosity, exponent
        problem.exit_cost, problem.mass = exit_cost, mass
        self._fields = {
            "obstacle": obstacle,
            "exit": exit,
            "scale": scale,
            "running_cost": running_cost,
            "terminal_cost": terminal_cost,
            "initial_density": initial_density,
        }
        problem.set_fields(self._fields)

    @property
    def nodes(self):
        """The coordinates of the cells along each axis, as lists of numbers."""
        return tuple(self._problem.nodes(k) for k in range(len(self.cells)))

    @property
    def times(self):
        """The times of the levels, 0 to the horizon."""
        return [self.horizon * n / self.steps for n in range(self.steps + 1)]

    def __repr__(self):
        box = " x ".join(f"[{low:g}, {high:g}]" for low, high in zip(self.lower, self.upper))
        return f"Problem(cells={self.cells}, steps={self.steps}, on {box}, horizon={self.horizon:g})"


class Solution:
    """The value `u` and the density `m` of a game at all time levels, shape (steps + 1, cells...).

    `status` is "converged", "not_converged", "failed" or "interrupted"; `report` says more: `message`, `iterations`,
    `residual`, `seconds`, `history` (a dict for each iteration) and `phases` (name, calls, seconds).
    """

    def __init__(self, problem, u, m, report):
        self.problem, self.u, self.m, self.report = problem, u, m, report

    @property
    def status(self):
        return self.report["status"]

    @property
    def converged(self):
        return self.status == "converged"

    def __repr__(self):
        r = self.report
        return (
            f"Solution({self.status}, {r['iterations']} iterations, residual {r['residual']:.2g}, "
            f"{r['seconds']:.3g} s, u and m of shape {self.m.shape})"
        )

    def _repr_html_(self):
        rows = "".join(
            f"<tr><th style='text-align:left'>{name}</th><td style='text-align:left'>{_html.escape(str(value))}</td></tr>"
            for name, value in self.report.items()
            if name not in ("history", "phases") and value != ""
        )
        pictures = "".join(
            f"<figure style='margin:0'>{_display._picture(x)}<figcaption>{title}</figcaption></figure>"
            for title, x in self._planes()
        )
        return f"<div style='display:flex;gap:1em'>{pictures}<table>{rows}</table></div>"

    def _planes(self):
        """What is to be seen: titles and arrays of rank 2."""
        if self.m.ndim == 2:
            return [("m, time downwards", self.m), ("u, time downwards", self.u)]
        levels = (0, self.problem.steps // 2, self.problem.steps)
        return [(f"m at t = {self.problem.times[n]:g}", self.m[n].T[::-1]) for n in levels]

    def plot(self, axes=None):
        """Draw density, value and convergence with matplotlib; gives the figure."""
        import matplotlib.pyplot as plt

        lines = self.m.ndim == 2
        if axes is None:
            figure, axes = plt.subplots(1, 3 if lines else 4, figsize=(12 if lines else 15, 3.4), layout="constrained")
        else:
            figure = axes[0].figure
        if lines:
            self._plot_lines(figure, axes)
        else:
            self._plot_planes(figure, axes)
        history = self.report["history"]
        axes[-1].semilogy([i["number"] for i in history], [i["residual"] for i in history], "o-", markersize=3)
        axes[-1].set(title="convergence", xlabel="iteration", ylabel="residual")
        return figure

    def _plot_lines(self, figure, axes):
        x, t = self.problem.nodes[0], self.problem.times
        for ax, values, title in zip(axes, (self.m, self.u), ("density m", "value u")):
            mesh = ax.pcolormesh(x, t, values.tolist(), shading="nearest", rasterized=True)
            figure.colorbar(mesh, ax=ax)
            ax.set(title=title, xlabel="x", ylabel="t")

    def _plot_planes(self, figure, axes):
        x, y = self.problem.nodes
        for ax, n in zip(axes, (0, self.problem.steps // 2, self.problem.steps)):
            mesh = ax.pcolormesh(x, y, self.m[n].T.tolist(), shading="nearest", rasterized=True)
            figure.colorbar(mesh, ax=ax)
            ax.set(title=f"m at t = {self.problem.times[n]:g}", xlabel="x", ylabel="y", aspect="equal")


def _in_notebook():
    shell = _sys.modules.get("IPython") and _sys.modules["IPython"].get_ipython()
    return bool(shell) and "IPKernelApp" in getattr(shell, "config", {})


class _Progress:
    """One line that is written over: on a terminal, or in a notebook's cell."""

    def __init__(self, wanted, tolerance):
        self.tolerance, self.last, self.handle = tolerance, 0.0, None
        self.notebook = wanted is not False and _in_notebook()
        self.terminal = not self.notebook and (wanted is True or wanted is None and _sys.stderr.isatty())

    @property
    def wanted(self):
        return self.notebook or self.terminal

    def show(self, iteration, coarsening):
        if _time.monotonic() - self.last < 0.1:
            return
        self.last = _time.monotonic()
        where = f", grid {2**coarsening} times coarser" if coarsening else ""
        self.write(
            f"{iteration['method']} {iteration['number']}: residual {iteration['residual']:.2e} "
            f"(asked {self.tolerance:.0e}), {iteration['seconds']:.1f} s{where}"
        )

    def write(self, text):
        if self.notebook:
            from IPython.display import HTML, display

            content = HTML(f"<code>{_html.escape(text)}</code>")
            if self.handle is None:
                self.handle = display(content, display_id=True)
            else:
                self.handle.update(content)
        else:
            _sys.stderr.write("\r" + text.ljust(78))
            _sys.stderr.flush()

    def finish(self, solution):
        if self.wanted:
            self.write(repr(solution))
        if self.terminal:
            _sys.stderr.write("\n")


def solve(
    problem,
    *,
    coupling="auto",
    tolerance=1e-8,
    max_iterations=200,
    damping=0.5,
    initial_guess="coarse",
    dtype=None,
    progress=None,
    on_iteration=None,
):
    """Solve a game on the backend in force.

    `coupling` is "auto", "picard" or "newton"; `initial_guess` "coarse" (solutions on coarser grids), "zero" or an
    array of u. `progress` is True, False, or None: where somebody sees it. `on_iteration(iteration)` is called with a
    dict after each iteration and ends the solve by giving False. What did not converge is told by `status`.
    """
    shown = _Progress(progress, tolerance)

    def each(iteration, coarsening):
        if shown.wanted:
            shown.show(iteration, coarsening)
        if on_iteration is not None and coarsening == 0:
            return on_iteration(iteration)

    u, m, report = _core._solve(
        problem._problem,
        coupling,
        tolerance,
        max_iterations,
        damping,
        initial_guess,
        dtype or _core.float64,
        each,
    )
    solution = Solution(problem, u, m, report)
    shown.finish(solution)
    return solution
