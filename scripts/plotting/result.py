"""What is drawn: a result file, read."""

import pathlib
import re
import tomllib
from dataclasses import dataclass, field

import h5py
import numpy as np

FREE, OBSTACLE, EXIT = 0, 1, 2


class Unreadable(Exception):
    """A result file that cannot be drawn; the text says why."""


def superscript(unit):
    return re.sub(r"\^(\d+)", r"$^{\1}$", unit)


@dataclass
class Field:
    """A quantity of shape (levels, nx[, ny[, nz]]) with its name and unit."""

    values: np.ndarray
    name: str
    symbol: str
    unit: str

    @property
    def label(self):
        return f"{self.name} {self.symbol}" + (f"  [{superscript(self.unit)}]" if self.unit not in ("", "1") else "")


@dataclass
class Result:
    path: pathlib.Path
    attributes: dict
    axes: list
    times: np.ndarray
    mask: np.ndarray
    u: Field
    m: Field
    population: str
    others: list
    convergence: dict
    mass: np.ndarray
    cells: str  # "64 x 64"
    rate: float | None = None  # lambda, of an ergodic game
    slice_note: str = ""
    config: dict = field(default_factory=dict)
    names: str = "xyz"  # of the axes
    flow: object = None  # gives velocities at a level; absent: plotting.velocity's
    particles: np.ndarray | None = None  # (levels, particles, axes), NaN where somebody has left

    @property
    def model(self):
        """The population's table of the configuration."""
        for table in self.config.get("population", []):
            if table.get("name") == self.population:
                return table
        return self.config.get("model", {})


def read(path, population=None, member=None):
    """Read one population, the first unless it is named, of a file or of a run of a family; throw Unreadable with a
    reason for people."""
    return opened(path, lambda file: read_open(path, run_of(file, member), population))


def read_all(path, member=None):
    """Read every population."""
    first = read(path, member=member)
    return [first] + [read(path, name, member) for name in first.others]


def run_of(file, member):
    """The run that is drawn: the file's, or one of a family."""
    if "members" not in file:
        if member is not None:
            raise Unreadable("it is no family of runs: there is no member to choose")
        return file
    names = sorted(file["members"])
    if member is None:
        member = 0
    if not 0 <= member < len(names):
        raise Unreadable(f"it has no member {member}, but 0 to {len(names) - 1}")
    group = file["members"][names[member]]
    if "grid" not in group:
        raise Unreadable(f"member {member} failed: {group.attrs.get('message', 'no reason is said')}")
    return group


def members_of(path):
    """How many runs a family has; 0 for what is none."""
    return opened(path, lambda file: len(file.get("members", ())))


def opened(path, use):
    if not path.exists():
        raise Unreadable("there is no such file")
    if path.is_dir():
        raise Unreadable("it is a folder")
    try:
        with h5py.File(path) as file:
            return use(file)
    except PermissionError:
        raise Unreadable("permission denied") from None
    except KeyError as error:
        raise Unreadable(f"it is no result of mfg_solve: {error.args[0]}") from None
    except OSError as error:
        raise Unreadable(explain(str(error))) from None


def explain(text):
    """HDF5's words, for people."""
    if "file signature not found" in text:
        return "it is not an HDF5 file"
    if "truncated file" in text:
        return "it was cut short: the end is missing"
    if "Fletcher32" in text or "checksum" in text or "filter returned failure" in text or "inflate" in text:
        return f"it is damaged: a checksum does not match ({text})"
    return text


def wanted(group, name):
    if name not in group:
        raise KeyError(f"{name} is missing in {group.name}")
    return group[name]


def read_open(path, file, population):
    grid = wanted(file, "grid")
    axes = [grid[name][...] for name in "xyz" if name in grid]
    times = wanted(grid, "t")[...]
    populations = wanted(file, "populations")
    names = sorted(populations, key=lambda name: populations[name].attrs.get("index", 0))
    name = population if population is not None else names[0]
    if name not in names:
        raise Unreadable(f"it has no population {name!r}, but " + ", ".join(map(repr, names)))
    u = read_field(populations[name], "u", "value", axes, times)
    m = read_field(populations[name], "m", "density", axes, times)
    mask = grid["mask"][...] if "mask" in grid else np.zeros(u.values.shape[1:], np.uint8)
    convergence = {column: values[...] for column, values in file.get("convergence", {}).items()}
    mass = file["diagnostics/mass"][...] if "diagnostics/mass" in file else np.full(len(times), np.nan)
    if mass.ndim == 2:
        mass = mass[:, names.index(name)]
    rate = float(populations[name]["lambda"][()]) if "lambda" in populations[name] else None
    result = Result(path, dict(file.attrs), axes, times, mask, u, m, name,
                    [other for other in names if other != name], convergence, mass,
                    " x ".join(str(len(axis)) for axis in axes), rate)
    result.particles = read_particles(populations[name], axes, times)
    try:
        result.config = tomllib.loads(result.attributes.get("config", ""))
    except (tomllib.TOMLDecodeError, TypeError):
        pass  # the picture does without
    return result


def read_particles(group, axes, times):
    """Where particles are; who has left is nowhere."""
    if "particles" not in group:
        return None
    places, inside = group["particles"][...].astype(float), group["particles_inside"][...]
    if places.shape != (len(times), inside.shape[-1], len(axes)) or inside.shape[0] != len(times):
        raise Unreadable(f"{group.name}/particles has the shape {places.shape}")
    places[inside == 0] = np.nan
    return places


def read_field(group, symbol, name, axes, times):
    data = wanted(group, symbol)
    shape = (len(times), *map(len, axes))
    if data.shape != shape:
        raise Unreadable(f"{data.name} has the shape {data.shape}, the grid says {shape}")
    text = lambda key, otherwise: str(data.attrs.get(key, otherwise))
    return Field(data[...].astype(float), text("long_name", name), f"${symbol}$", text("units", ""))
