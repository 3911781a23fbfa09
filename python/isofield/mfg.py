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

__all__ = ["Population", "Problem", "Solution", "solve"]


def _for_axes(value, axes, name):
    """One value for all axes, or a sequence with one for each."""
    values = [value] * axes if isinstance(value, (int, float, str, dict)) else list(value)
    if len(values) != axes:
        raise ValueError(f"{name}: {len(values)} values for {axes} axes")
    return values


class Population:
    """One population of agents, who move by dX = (drift(X, t) + control) dt + sqrt(2 viscosity) dW.

    Its Hamiltonian is H(x, q, m) = scale |q|^exponent / (m + offset)^congestion; `discount` is a rate per unit of time.
    `scale`, `initial_density` and costs are numbers, expressions as the configuration of `mfg_solve` has them, such as
    `"m + (x - 0.8)^2"`, or functions of arrays: fields of `(x, y)`, `running_cost` of `(x, y, t, m)`, `terminal_cost`
    of `(x, y, m)`, without `y` on one axis. In a game of several populations expressions know the density of each as
    `m_NAME` and functions get all of them, in order, for `m`. `drift` is None, an expression of `x y t` for each axis,
    or a function of `(x, y, t)` that gives an array for each axis. `convolution={"k": "exp(-x^2/0.02)"}` lets expressions
    of costs know the density's convolution with a kernel, an expression of the offsets `x y z`, as `k`. Functions are called on coarser grids, too, and
    costs are differentiated: they are to be made of isofield's functions. With a `target_density` the density at the end
    is prescribed (planning), and there is no terminal cost. `mass=None` takes the initial density as it
    is; else it is scaled.
    """

    def __init__(
        self,
        name="0",
        *,
        viscosity,
        scale=0.5,
        exponent=2.0,
        congestion=0.0,
        offset=1.0,
        drift=None,
        discount=0.0,
        convolution=None,
        running_cost=0.0,
        terminal_cost=0.0,
        initial_density=1.0,
        target_density=None,
        mass=1.0,
    ):
        if mass is not None and not mass > 0:
            raise ValueError(f"mass: {mass} is not positive")
        if convolution is not None and len(convolution) != 1:
            raise ValueError(f"convolution: one name and its kernel are possible, not {len(convolution)}")
        if target_density is not None and not (isinstance(terminal_cost, (int, float)) and terminal_cost == 0):
            raise ValueError("target_density: there is no terminal_cost beside it")
        self.name = name
        self._data = {
            "viscosity": viscosity,
            "scale": scale,
            "exponent": exponent,
            "congestion": congestion,
            "offset": offset,
            "drift": drift,
            "discount": discount,
            "convolution": convolution,
            "running_cost": running_cost,
            "terminal_cost": terminal_cost,
            "initial_density": initial_density,
            "target_density": target_density,
            "mass": mass,
        }
        for key in ("viscosity", "exponent", "congestion", "offset", "discount", "mass"):
            value = self._data[key]
            if isinstance(value, (str, bytes)) or not (value is None or hasattr(value, "__float__")):
                raise TypeError(f"{key}: expected a number, got {type(value).__name__}")

    def __repr__(self):
        return f"Population({self.name!r}, viscosity={self._data['viscosity']})"


class Problem:
    """A mean-field game on a box, from time 0 to a horizon.

        -u_t - viscosity Lap u + H(x, grad u, m) - drift grad u + discount u = running_cost
         m_t - viscosity Lap m - div(m (H_q(x, grad u, m) - drift)) = 0
         u(horizon) = terminal_cost     m(0) = initial_density

    for each of `populations`, a list of `Population`; of one population, its keywords may be given here instead, such
    as `viscosity`. `cells` is a number of cells, or one for each of one to three axes; `lower`, `upper` and `boundary`
    ("periodic", "reflecting", "exit" or a pair of these) are for all axes or a sequence with one for each. `obstacle`
    and `exit` are expressions or functions of `(x, y)` that say of which cells it is true; `mask` says it besides, an array
    of numbers of shape `cells` (0 free, 1 obstacle, 2 exit) or an HDF5 file with one, `"FILE.h5:/dataset"`. `scheme` is
    "implicit", of first order, for any data, or, of second order, "centred" or, for `exponent=2`, "exponential". With
    `control=True` a
    planner minimises what all pay together, instead of each his own. With `ergodic=True` the game goes on for ever: time,
    terminal costs and the shape of the initial density do not matter, and the solution is one level of u, of mean 0, and
    m, and what everybody pays per unit of time, `lam`.
    """

    def __init__(
        self,
        *,
        cells,
        steps=None,
        lower=0.0,
        upper=1.0,
        boundary="reflecting",
        obstacle=None,
        exit=None,
        mask=None,
        exit_cost=0.0,
        horizon=1.0,
        scheme="implicit",
        control=False,
        ergodic=False,
        populations=None,
        **population,
    ):
        self.cells = (cells,) if isinstance(cells, int) else tuple(cells)
        axes = len(self.cells)
        if not 1 <= axes <= 3:
            raise ValueError(f"cells: one to three axes are possible, not {axes}")
        if populations is None:
            populations = [Population(**population)]
        elif population:
            raise TypeError(f"{next(iter(population))}: with `populations` this belongs to each Population")
        self.populations = tuple(populations)
        names = [p.name for p in self.populations]
        if not names or len(set(names)) < len(names):
            raise ValueError(f"populations: names {names} are not one or more different ones")
        self.lower = tuple(_for_axes(lower, axes, "lower"))
        self.upper = tuple(_for_axes(upper, axes, "upper"))
        if axes == 1 and len(boundary) == 2 and all(isinstance(end, str) for end in boundary):
            boundary = [boundary]
        self.boundary = tuple(_for_axes(boundary, axes, "boundary"))
        self._problem = problem = _core._Problem()
        for low, high, count, ends in zip(self.lower, self.upper, self.cells, self.boundary):
            if not (isinstance(count, int) and count >= 2 and low < high):
                raise ValueError(f"cells, lower, upper: {count!r} cells from {low} to {high} are no axis")
            ends = (ends, ends) if isinstance(ends, str) else tuple(ends)
            problem.add_axis(low, high, count, *ends)
        if ergodic and steps is None:
            steps = 1
        if steps is None:
            raise TypeError("steps: expected a number of time steps")
        if not (isinstance(steps, int) and steps >= 1 and horizon > 0):
            raise ValueError(f"steps, horizon: {steps!r} steps to {horizon} are no time")
        self.horizon, self.steps = horizon, steps
        problem.horizon, problem.steps = horizon, steps
        problem.set_scheme(scheme)
        problem.exit_cost, problem.control, problem.ergodic = exit_cost, control, ergodic
        self.ergodic = ergodic
        problem.set_domain(obstacle, exit)
        if mask is not None:
            problem.set_mask(mask)
        problem.set_populations([(p.name, p._data) for p in self.populations])

    @property
    def nodes(self):
        """The coordinates of the cells along each axis, as lists of numbers."""
        return tuple(self._problem.nodes(k) for k in range(len(self.cells)))

    @property
    def times(self):
        """The times of the levels, 0 to the horizon; of an ergodic game one."""
        if self.ergodic:
            return [0.0]
        return [self.horizon * n / self.steps for n in range(self.steps + 1)]

    def __repr__(self):
        box = " x ".join(f"[{low:g}, {high:g}]" for low, high in zip(self.lower, self.upper))
        return f"Problem(cells={self.cells}, steps={self.steps}, on {box}, horizon={self.horizon:g})"


class Solution:
    """The value `u` and the density `m` of a game at all time levels, shape (steps + 1, cells...).

    These are the first population's; `populations` maps the name of each to its `(u, m)`. Of an ergodic game `lam` is the
    first population's cost per unit of time, `lams` that of each by name. `status` is "converged", "not_converged", "failed" or "interrupted"; `report` says more: `message`, `iterations`,
    `residual`, `seconds`, `history` (a dict for each iteration) and `phases` (name, calls, seconds).
    """

    def __init__(self, problem, u, m, lam, report):
        self.problem, self.report = problem, report
        self.lam = lam[0] if lam else None
        self.lams = {p.name: rate for p, rate in zip(problem.populations, lam)}
        self.u, self.m = u[0], m[0]
        self.populations = {p.name: pair for p, pair in zip(problem.populations, zip(u, m))}

    @property
    def status(self):
        return self.report["status"]

    @property
    def converged(self):
        return self.status == "converged"

    def particles(self, count=1000, seed=0, population=None):
        """Carry `count` agents of a population, the first unless it is named, along the best policy.

        They move by dX = (drift - H_q) dt + sqrt(2 viscosity) dW from places drawn from the initial density: `seed`
        decides how. Gives their positions, shape (steps + 1, count, axes), and who is inside, (steps + 1, count): those
        who have left stay where they left. Each stands for its mass over `count`.
        """
        names = list(self.populations)
        name = names[0] if population is None else population
        if name not in names:
            raise ValueError(f"population: {name!r} is none of {', '.join(map(repr, names))}")
        return _core._particles(self.problem._problem, names.index(name), *self.populations[name], count, seed)

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
        return [(title, plane.T[::-1]) for title, plane in self._levels()]

    def _levels(self):
        """The density on planes at the beginning, in the middle of time and at the end; of three axes, amid the last."""
        cut, where = (), ""
        if self.m.ndim == 4:
            middle = self.problem.cells[2] // 2
            cut, where = (slice(None), slice(None), middle), f", z = {self.problem.nodes[2][middle]:.3g}"
        if self.problem.ergodic:
            return [(f"m, stationary{where}", self.m[0][cut] if cut else self.m[0])]
        levels = (0, self.problem.steps // 2, self.problem.steps)
        return [(f"m at t = {self.problem.times[n]:g}{where}", self.m[n][cut] if cut else self.m[n]) for n in levels]

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
            if self.problem.ergodic:
                ax.plot(x, values[0].tolist())
                ax.set(title=title, xlabel="x")
                continue
            mesh = ax.pcolormesh(x, t, values.tolist(), shading="nearest", rasterized=True)
            figure.colorbar(mesh, ax=ax)
            ax.set(title=title, xlabel="x", ylabel="t")

    def _plot_planes(self, figure, axes):
        x, y = self.problem.nodes[:2]
        for ax, (title, plane) in zip(axes, self._levels()):
            mesh = ax.pcolormesh(x, y, plane.T.tolist(), shading="nearest", rasterized=True)
            figure.colorbar(mesh, ax=ax)
            ax.set(title=title, xlabel="x", ylabel="y", aspect="equal")


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

    def show(self, iteration, start):
        if _time.monotonic() - self.last < 0.1:
            return
        self.last = _time.monotonic()
        where = f", {start}" if start else ""
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

    `coupling` is "auto", "picard", "fictitious_play", "anderson", "policy" or "newton"; `initial_guess` "coarse"
    (solutions on coarser grids), "zero", an array of u, or a list of one for each population. `progress` is True, False, or None: where somebody sees it. `on_iteration(iteration)` is called with a
    dict after each iteration and ends the solve by giving False. What did not converge is told by `status`.
    """
    shown = _Progress(progress, tolerance)

    def each(iteration, start):
        if shown.wanted:
            shown.show(iteration, start)
        if on_iteration is not None and not start:
            return on_iteration(iteration)

    if not isinstance(initial_guess, (str, list)):
        initial_guess = [initial_guess]
    u, m, lam, report = _core._solve(
        problem._problem,
        coupling,
        tolerance,
        max_iterations,
        damping,
        initial_guess,
        dtype or _core.float64,
        each,
    )
    solution = Solution(problem, u, m, lam, report)
    shown.finish(solution)
    return solution


class Sensitivity:
    """How a functional of a converged solution changes with the problem's data, by implicit differentiation.

    `functional(u, m)` gives one number, made of isofield's functions; of several populations u and m are lists. `value` is
    the functional itself; `by_running_cost`, shape (steps, cells...), `by_terminal_cost` and `by_initial_density` are its
    derivatives in every cell, lists of them for several populations.
    """

    def __init__(self, solution, functional):
        if not solution.converged:
            raise ValueError(f"solution: it has not converged, its status is {solution.status!r}")
        pairs = list(solution.populations.values())
        self._single = len(pairs) == 1

        def of_lists(u, m):
            return functional(u[0], m[0]) if self._single else functional(u, m)

        self._core = _core._sensitivity(
            solution.problem._problem, [u for u, _ in pairs], [m for _, m in pairs], of_lists
        )
        self.value = self._core.value
        self.by_running_cost = self._own(self._core.by_running_cost())
        self.by_terminal_cost = self._own(self._core.by_terminal_cost())
        self.by_initial_density = self._own(self._core.by_initial_density())

    def _own(self, arrays):
        return arrays[0] if self._single else arrays

    def along(self, path):
        """The derivative along `path(s)`, a `Problem` for each s near 0; that at s = 0 is the one that was solved."""
        return self._core.along(lambda s: path(s)._problem)


def value_and_gradient(family, parameters, functional, *, tolerance=1e-10, progress=False, **options):
    """Solve `family(*parameters)`, a `Problem`, and differentiate a functional of its solution by the parameters.

    Returns the value and the gradient, a list with a number for each parameter: what a calibration asks for. For
    `functional` see `Sensitivity`; other options are those of `solve`. Raises SolverError where the solve does not
    converge.
    """
    parameters = list(parameters)
    solution = solve(family(*parameters), tolerance=tolerance, progress=progress, **options)
    if not solution.converged:
        raise _core.SolverError(f"value_and_gradient: the solve did not converge: {solution.report['message']}")
    sensitivity = Sensitivity(solution, functional)

    def derivative(i):
        unit = abs(parameters[i]) or 1.0  # parameters may be large or small
        path = lambda s: family(*parameters[:i], parameters[i] + s * unit, *parameters[i + 1 :])
        return sensitivity.along(path) / unit

    return sensitivity.value, [derivative(i) for i in range(len(parameters))]
