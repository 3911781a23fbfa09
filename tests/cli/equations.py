"""The equations of docs/user/solvers.md in NumPy, from a result file alone: how far its u and m are from solving them."""

import tomllib

import numpy as np
from plotting.velocity import ends, evaluate


class Grid:
    """Differences and masks; axes of fields are levels, then places."""

    def __init__(self, file, config):
        self.axes = [file[f"grid/{name}"][...] for name in "xyz" if f"grid/{name}" in file]
        domain = config["domain"]
        self.h = [(high - low) / n for low, high, n in zip(domain["lower"], domain["upper"], domain["cells"])]
        self.length = [n * h for n, h in zip(domain["cells"], self.h)]
        self.config = config
        self.ends = [ends(self, k) for k in range(len(self.axes))]
        self.mask = file["grid/mask"][...]
        self.free = self.mask == 0
        self.exit_cost = float(evaluate(domain["exit_cost"]))
        self.place = dict(zip("xyz", np.meshgrid(*self.axes, indexing="ij")))
        self.volume = np.prod(self.h)

    def beyond(self, values, axis, side, outside):
        """What is across each face on one side (+1, -1); `outside` beyond an end that is not periodic."""
        k = values.ndim - len(self.axes) + axis
        other = np.roll(values, -side, k)
        if self.ends[axis][0] != "periodic":
            end = [slice(None)] * values.ndim
            end[k] = -1 if side > 0 else 0
            other[tuple(end)] = outside
        return other

    def kind_beyond(self, axis, side):
        """0 free, 1 closed, 2 an exit."""
        end = self.ends[axis][1 if side > 0 else 0]
        return self.beyond(self.mask, axis, side, 2 if end == "exit" else 1)

    def difference(self, u, axis, side):
        """(u_{i+1} - u_i)/h or (u_i - u_{i-1})/h with the face rule."""
        kind = self.kind_beyond(axis, side)
        other = np.where(kind == 2, self.exit_cost, self.beyond(u, axis, side, 0.0))
        return np.where((kind == 1) | ~self.free, 0.0, (other - u) * side / self.h[axis])


def densities(grid, tables, fields):
    """What costs may call the densities: m, means and convolutions, of each population and of one's own."""
    every, own = {}, []
    for table, m in zip(tables, fields):
        around = tuple(range(1, m.ndim))
        mass = m.sum(axis=around, keepdims=True)
        mine = {"m": m}
        for name, x in grid.place.items():
            mine[f"mean_{name}"] = (x * m).sum(axis=around, keepdims=True) / mass
        if "nonlocal" in table and "kernel" in table["nonlocal"]:
            mine[table["nonlocal"]["applied_to"]] = convolved(grid, table["nonlocal"], m)
        every |= {f"{name}_{table.get('name', '0')}": value for name, value in mine.items()}
        own.append(mine)
    return [every | mine for mine in own]


def convolved(grid, nonlocal_, m):
    offsets = {}
    for name, x, length, end in zip("xyz", grid.place.values(), grid.length, grid.ends):
        offset = x.reshape(-1, 1) - x.reshape(1, -1)
        offsets[name] = (offset + length / 2) % length - length / 2 if end[0] == "periodic" else offset
    kernel = nonlocal_["weight"] * evaluate(nonlocal_["kernel"], **offsets) * grid.volume
    return (m.reshape(len(m), -1) @ kernel.T).reshape(m.shape)


def cost(config, text, known, **place):
    """F, or for a planner the derivative of m F(m), by a complex step."""
    if not config["control"]:
        return evaluate(text, **known, **place)
    step = 1e-30
    moved = known["m"] + 1j * step
    return (moved * evaluate(text, **(known | {"m": moved}), **place)).imag / step


def advection(grid, table, u, m, t):
    """The numerical Hamiltonian G, and the speeds A+ and A- that it carries people with, along each axis."""
    h = table["hamiltonian"]
    c, beta = evaluate(h["scale"], **grid.place), h["exponent"]
    crowd = (m + h["offset"]) ** -h["congestion"]
    slopes = [(np.minimum(grid.difference(u, k, +1), 0), np.maximum(grid.difference(u, k, -1), 0)) for k in range(len(grid.axes))]
    s = sum(forward**2 + backward**2 for forward, backward in slopes)
    total = c * s ** (beta / 2) * crowd
    factor = c * beta * np.maximum(s, 1e-280) ** (beta / 2 - 1) * crowd
    speeds = []
    for k, (forward, backward) in enumerate(slopes):
        b = evaluate(table["drift"][k], t=t, **grid.place) if "drift" in table else 0.0
        ahead = np.where(grid.kind_beyond(k, +1) != 1, -np.maximum(b, 0.0), 0.0)
        behind = np.where(grid.kind_beyond(k, -1) != 1, np.maximum(-b, 0.0), 0.0)
        # -b grad u, seen from where the drift comes from: (b)^- D- u - (b)^+ D+ u.
        total = total + behind * grid.difference(u, k, -1) + ahead * grid.difference(u, k, +1)
        speeds.append((factor * forward + ahead, factor * backward + behind))
    return total, speeds


def outflow(grid, nu, m, speeds):
    """K^T m: what leaves each cell less what enters it, per unit of time."""
    balance = np.zeros_like(m)
    for k, (ahead, behind) in enumerate(speeds):
        for side, speed in ((+1, -ahead), (-1, behind)):
            h = grid.h[k]
            flux = np.where((grid.kind_beyond(k, side) != 1) & grid.free, nu / h**2 + speed / h, 0.0) * m
            balance += flux - grid.beyond(flux, k, -side, 0.0) * grid.free
    return balance


def laplacian(grid, u):
    return sum((grid.difference(u, k, +1) - grid.difference(u, k, -1)) / grid.h[k] for k in range(len(grid.axes)))


def residual(file):
    """The largest of what is left of all equations, scaled as the solver's own."""
    config = tomllib.loads(file.attrs["config"])
    grid, t = Grid(file, config), file["grid/t"][...]
    tables = config.get("population") or [config["model"]]
    groups = [file["populations"][table.get("name", "0")] for table in tables]
    us, ms = ([group[name][...] for group in groups] for name in "um")
    ergodic = tables[0]["ergodic"]
    now, later = (slice(None), slice(None)) if ergodic else (slice(None, -1), slice(1, None))
    levels = t[now].reshape(-1, *[1] * len(grid.axes))
    dt, horizon = (np.inf, 1.0) if ergodic else (t[1] - t[0], t[-1])
    known = densities(grid, tables, [m[later] for m in ms])
    at_the_end = densities(grid, tables, [m[-1:] for m in ms])
    left = []
    for p, (table, u, m, group) in enumerate(zip(tables, us, ms, groups)):
        nu = table["viscosity"]
        g, speeds = advection(grid, table, u[now], m[later], levels)
        hjb = -nu * laplacian(grid, u[now]) + g + table["discount"] * u[now] - cost(
            config, table["running_cost"], known[p], t=levels, **grid.place)
        fokker_planck = outflow(grid, nu, m[later], speeds)
        if ergodic:
            hjb = hjb + group["lambda"][()]
        else:
            hjb = hjb + (u[now] - u[later]) / dt
            fokker_planck = fokker_planck + (m[later] - m[now]) / dt
            if "target_density" in table:
                target = cost(config, table["target_density"], {}, **grid.place) * grid.free
                target = target * (m[0].sum() / target.sum())
                left.append(np.abs(m[-1] - target).max() / target.max())
            else:
                terminal = cost(config, table["terminal_cost"], at_the_end[p], **grid.place)
                left.append(np.abs(u[-1] - terminal)[..., grid.free].max() / np.abs(u).max())
        left.append(np.abs(hjb[..., grid.free]).max() * horizon / np.abs(u).max())
        left.append(np.abs(fokker_planck[..., grid.free]).max() * horizon / np.abs(m).max())
    return max(left)
