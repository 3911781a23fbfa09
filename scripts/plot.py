"""Draw a result file of mfg_solve: density and value over time, convergence, mass. Run by scripts/plot."""

import argparse
import os
import pathlib
import re
import sys
import tempfile
import tomllib
from dataclasses import dataclass, field

import h5py
import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402  (after the choice of a backend without a screen)
import numpy as np  # noqa: E402
from matplotlib.colors import Normalize, PowerNorm  # noqa: E402
from matplotlib.patches import Patch  # noqa: E402

# Readable with every common colour blindness and in print: perceptually uniform maps and the
# colours of Okabe and Ito.
DENSITY, VALUE, TIMES = "viridis", "cividis", "plasma"
BLUE, ORANGE, GREEN, VERMILION, GREY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#8c8c8c"
FREE, OBSTACLE, EXIT = 0, 1, 2


class Unreadable(Exception):
    """A result file that cannot be drawn; the text says why."""


def superscript(unit):
    return re.sub(r"\^(\d+)", r"$^{\1}$", unit)


@dataclass
class Field:
    """A quantity of shape (levels, nx[, ny]) with its name and unit."""

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
    slice_note: str = ""
    config: dict = field(default_factory=dict)


# ---- reading -------------------------------------------------------------------------------------


def read(path, population=None):
    """Read what is drawn; throw Unreadable with a reason for people."""
    if not path.exists():
        raise Unreadable("there is no such file")
    if path.is_dir():
        raise Unreadable("it is a folder")
    try:
        with h5py.File(path) as file:
            return read_open(path, file, population)
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
    result = Result(path, dict(file.attrs), axes, times, mask, u, m, name,
                    [other for other in names if other != name], convergence, mass,
                    " x ".join(str(len(axis)) for axis in axes))
    try:
        result.config = tomllib.loads(result.attributes.get("config", ""))
    except (tomllib.TOMLDecodeError, TypeError):
        pass  # the picture does without
    return middle_plane(result) if len(axes) == 3 else result


def read_field(group, symbol, name, axes, times):
    data = wanted(group, symbol)
    shape = (len(times), *map(len, axes))
    if data.shape != shape:
        raise Unreadable(f"{data.name} has the shape {data.shape}, the grid says {shape}")
    text = lambda key, otherwise: str(data.attrs.get(key, otherwise))
    return Field(data[...].astype(float), text("long_name", name), f"${symbol}$", text("units", ""))


def middle_plane(result):
    """Of a 3-D result, the plane in the middle of the z axis."""
    k = len(result.axes[2]) // 2
    result.slice_note = f"plane z = {result.axes[2][k]:.3g}"
    result.axes = result.axes[:2]
    result.mask = result.mask[..., k]
    for quantity in (result.u, result.m):
        quantity.values = quantity.values[..., k]
    return result


# ---- parts of the picture ------------------------------------------------------------------------


def edges(nodes):
    """The ends of the cells around equidistant nodes."""
    h = nodes[1] - nodes[0] if len(nodes) > 1 else 1.0
    return np.append(nodes - h / 2, nodes[-1] + h / 2)


def free_only(result, values):
    """What can be drawn: obstacles and what is not finite are left out."""
    return np.ma.masked_invalid(np.where(result.mask == OBSTACLE, np.nan, values))


def free_only_values(result, quantity):
    return quantity.values[:, result.mask != OBSTACLE]


def limits(result, quantity):
    values = free_only(result, quantity.values).compressed()
    if values.size == 0:
        raise Unreadable(f"{quantity.name} has no finite value")
    low, high = float(values.min()), float(values.max())
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def density_norm(result):
    """Square-root colours where a peak would leave the rest in the dark."""
    low, high = limits(result, result.m)
    peaks = np.nanmax(free_only(result, result.m.values).reshape(len(result.times), -1), axis=1)
    if low >= 0 and high > 4 * np.ma.median(peaks):
        return PowerNorm(0.5, 0, high)
    return Normalize(min(low, 0), high)


def time_colours(count):
    return plt.get_cmap(TIMES)(np.linspace(0.0, 0.85, count))


def chosen_levels(result, count):
    return np.unique(np.linspace(0, len(result.times) - 1, count).round().astype(int))


def time_text(time):
    return f"t = {time:.3g}"


def draw_convergence(ax, result):
    ax.set_title("convergence")
    columns = [("residual", "residual", BLUE, "-", 1.8), ("hjb_residual", "HJB", ORANGE, "--", 1.3),
               ("fp_residual", "Fokker-Planck", GREEN, ":", 1.6),
               ("exploitability", "exploitability", VERMILION, "-.", 1.3)]
    iterations = result.convergence.get("iteration", np.array([]))
    drawn = False
    for name, label, colour, style, width in columns:
        values = result.convergence.get(name, np.array([]))
        good = np.isfinite(values) & (values > 0)
        if len(values) == len(iterations) and good.any():
            ax.semilogy(iterations[good], values[good], style, color=colour, label=label, lw=width,
                        marker="o" if good.sum() < 25 else None, ms=3)
            drawn = True
    tolerance = result.config.get("solver", {}).get("tolerance")
    if drawn and isinstance(tolerance, float) and tolerance > 0:
        ax.axhline(tolerance, color=GREY, lw=0.9)
        ax.annotate("tolerance", (1, tolerance), xycoords=("axes fraction", "data"), xytext=(-3, 2),
                    textcoords="offset points", ha="right", fontsize=8, color="#555555")
    if not drawn:
        ax.text(0.5, 0.5, "no iterations were recorded", ha="center", va="center", transform=ax.transAxes)
        ax.set_axis_off()
        return
    ax.set_xlabel("outer iteration")
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.grid(True, which="major", alpha=0.3)
    ax.legend(fontsize=8, loc="best")


def draw_mass(ax, result):
    mass = result.mass
    if not np.isfinite(mass).any():
        ax.set_axis_off()
        return
    spread = np.nanmax(mass) - np.nanmin(mass)
    if spread < 1e-6 * abs(np.nanmax(mass)):
        ax.set_title(f"mass {mass[0]:.6g}: change over time")
        ax.plot(result.times, (mass - mass[0]) / mass[0], color=BLUE)
        ax.set_ylabel("relative change")
    else:
        ax.set_title("mass inside")
        ax.plot(result.times, mass, color=BLUE)
        ax.set_ylim(0, None)
    ax.set_xlabel("time t")
    ax.grid(True, alpha=0.3)


def draw_facts(ax, result):
    a = result.attributes
    rows = []
    if "status" in a:
        rows.append(("status", str(a["status"]).replace("_", " ")))
    if "iterations" in a:
        rows.append(("iterations", f"{a['iterations']}"))
    if "residual" in a:
        rows.append(("residual", f"{a['residual']:.2e}"))
    if "wall_seconds" in a:
        rows.append(("time taken", f"{a['wall_seconds']:.3g} s"))
    where = ":".join(dict.fromkeys(str(a[key]) for key in ("backend", "device") if key in a))
    if where:
        rows.append(("backend", f"{where}, {a.get('dtype', '')}"))
    rows.append(("grid", f"{result.cells} cells, {len(result.times)} time levels kept"))
    if result.others or result.population != "0":
        rows.append(("population", result.population))
    if result.slice_note:
        rows.append(("shown", result.slice_note))
    if not all(np.isfinite(free_only_values(result, q)).all() for q in (result.m, result.u)):
        rows.append(("white", "no finite value"))
    ax.set_axis_off()
    good = a.get("status", "converged") == "converged"
    for k, (name, value) in enumerate(rows):
        colour = VERMILION if name == "status" and not good else "black"
        ax.text(0.0, 0.97 - 0.135 * k, name, transform=ax.transAxes, color="#666666", va="top", fontsize=9.5)
        ax.text(0.3, 0.97 - 0.135 * k, value, transform=ax.transAxes, color=colour, va="top", fontsize=9.5)


def draw_bottom(figure, place, result):
    row = place.subgridspec(1, 3, width_ratios=[1.15, 1, 0.9])
    draw_convergence(figure.add_subplot(row[0]), result)
    draw_mass(figure.add_subplot(row[1]), result)
    draw_facts(figure.add_subplot(row[2]), result)


def finish(figure, result):
    figure.get_layout_engine().set(w_pad=0.07, h_pad=0.07, wspace=0.015, hspace=0.015)
    title = str(result.attributes.get("title", "")) or result.path.stem
    figure.suptitle(title.replace("$", r"\$"), fontsize=14, fontweight="bold")


# ---- one dimension -------------------------------------------------------------------------------


def draw_map(figure, ax, result, quantity, cmap, norm):
    """Space-time picture: time to the right, position upwards."""
    t = result.times
    t_edges = np.concatenate([[t[0]], (t[1:] + t[:-1]) / 2, [t[-1]]]) if len(t) > 1 else [0, 1]
    mesh = ax.pcolormesh(t_edges, edges(result.axes[0]), free_only(result, quantity.values).T, cmap=cmap,
                         norm=norm, rasterized=True)
    figure.colorbar(mesh, ax=ax, label=quantity.label, pad=0.015)
    if quantity.values.shape[1] > 2 and len(t) > 2 and isinstance(norm, Normalize) and cmap == VALUE:
        lines = ax.contour(t, result.axes[0], free_only(result, quantity.values).T, 8, colors="white",
                           linewidths=0.5, alpha=0.6)
        lines.set_rasterized(True)
    ax.set_title(f"{quantity.name} over time")
    ax.set_xlabel("time t")
    ax.set_ylabel("position x")


def draw_cuts(ax, result, quantity, levels):
    for level, colour in zip(levels, time_colours(len(levels))):
        ax.plot(result.axes[0], free_only(result, quantity.values[level]), color=colour, lw=1.6,
                label=time_text(result.times[level]))
    ax.set_title(f"{quantity.name} at single times")
    ax.set_xlabel("position x")
    ax.set_ylabel(quantity.label)
    ax.margins(x=0)
    ax.grid(True, alpha=0.3)
    shade_mask(ax, result)
    ax.legend(fontsize=8.5, loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)


def shade_mask(ax, result):
    ends = edges(result.axes[0])
    for kind, colour in ((OBSTACLE, GREY), (EXIT, ORANGE)):
        for i in np.flatnonzero(result.mask == kind):
            ax.axvspan(ends[i], ends[i + 1], color=colour, alpha=0.35, lw=0)


def draw_1d(result, options):
    figure = plt.figure(figsize=(12, 10.5), layout="constrained")
    grid = figure.add_gridspec(3, 2, width_ratios=[1.25, 1], height_ratios=[1, 1, 0.8])
    levels = chosen_levels(result, options.times)
    for row, (quantity, cmap, norm) in enumerate([
            (result.m, DENSITY, density_norm(result)), (result.u, VALUE, Normalize(*limits(result, result.u)))]):
        draw_map(figure, figure.add_subplot(grid[row, 0]), result, quantity, cmap, norm)
        draw_cuts(figure.add_subplot(grid[row, 1]), result, quantity, levels)
    draw_bottom(figure, grid[2, :], result)
    return figure


# ---- two dimensions ------------------------------------------------------------------------------


def draw_plane(ax, result, values, cmap, norm):
    x, y = result.axes
    mesh = ax.pcolormesh(edges(x), edges(y), values.T, cmap=cmap, norm=norm, rasterized=True)
    ax.set_aspect("equal")
    draw_mask(ax, result)
    return mesh


def draw_mask(ax, result):
    """Obstacles as grey areas, exits as hatched frames."""
    x, y = edges(result.axes[0]), edges(result.axes[1])
    obstacle = np.ma.masked_where(result.mask != OBSTACLE, np.ones(result.mask.shape))
    ax.pcolormesh(x, y, obstacle.T, cmap=matplotlib.colors.ListedColormap(["#b5b5b5"]), rasterized=True)
    for kind, colour, width in ((OBSTACLE, "#555555", 0.8), (EXIT, VERMILION, 1.6)):
        draw_border(ax, result.mask == kind, x, y, colour, width)
    ends = result.mask == EXIT
    if ends.any():
        cells = np.ma.masked_where(~ends, np.ones(ends.shape))
        ax.pcolor(x, y, cells.T, hatch="////", alpha=0, edgecolor=VERMILION, linewidth=0)


def draw_border(ax, inside, x, y, colour, width):
    """The faces between cells inside and outside a set, so that borders follow the grid."""
    wide = np.pad(inside, 1)
    lines = []
    across, along = np.nonzero(wide[1:, 1:-1] != wide[:-1, 1:-1])
    lines += [((x[i], y[j]), (x[i], y[j + 1])) for i, j in zip(across, along)]
    across, along = np.nonzero(wide[1:-1, 1:] != wide[1:-1, :-1])
    lines += [((x[i], y[j]), (x[i + 1], y[j])) for i, j in zip(across, along)]
    ax.add_collection(matplotlib.collections.LineCollection(lines, colors=colour, linewidths=width))


def draw_arrows(ax, result, level):
    """Where people walk to: the direction of -grad u, where there are people."""
    x, y = result.axes
    u = np.where(result.mask == OBSTACLE, np.nan, result.u.values[level])
    if min(u.shape) < 3:
        return
    gx, gy = np.gradient(u, x, y)
    m = result.m.values[level]
    step = max(1, max(u.shape) // 15)
    here = (slice(step // 2, None, step),) * 2
    size = np.hypot(gx, gy)
    shown = (m > 0.02 * np.nanmax(m)) & (size > 1e-12 * np.nanmax(size)) & (result.mask == FREE)
    with np.errstate(invalid="ignore", divide="ignore"):
        dx, dy = (np.where(shown, -g / size, np.nan) for g in (gx, gy))
    ax.quiver(*np.meshgrid(x[here[0]], y[here[1]], indexing="ij"), dx[here], dy[here], color="white",
              angles="xy", scale=20, width=0.007, headwidth=4, edgecolor="black", linewidth=0.2)


def draw_2d(result, options):
    levels = chosen_levels(result, options.times)
    x, y = edges(result.axes[0]), edges(result.axes[1])
    shape = (y[-1] - y[0]) / (x[-1] - x[0])
    # Wide domains take two rows of panels for each quantity, so that each panel is large enough.
    columns = len(levels) if shape > 0.55 or len(levels) < 4 else -(-len(levels) // 2)
    rows = -(-len(levels) // columns)
    width = min(max(13.0 / columns, 1.6), 4.4)
    height = min((width - 0.25) * shape, 4.5)
    top = 2 * rows * (height + 0.25) + 0.9
    figure = plt.figure(figsize=(max(width * columns + 1.7, 9.0), top + 3.2), layout="constrained")
    grid = figure.add_gridspec(2, 1, height_ratios=[top, 3.0])
    panels = grid[0].subgridspec(2 * rows, columns)
    norms = (density_norm(result), Normalize(*limits(result, result.u)))
    for part, (quantity, cmap, norm) in enumerate(zip((result.m, result.u), (DENSITY, VALUE), norms)):
        axes = [figure.add_subplot(panels[part * rows + k // columns, k % columns]) for k in range(len(levels))]
        for k, (ax, level) in enumerate(zip(axes, levels)):
            mesh = draw_level(ax, result, quantity, cmap, norm, level, options)
            lowest = part == 1 and k + columns >= len(levels)
            ax.tick_params(labelleft=k % columns == 0, labelbottom=lowest)
            ax.set_ylabel("y" if k % columns == 0 else None)
            ax.set_xlabel("x" if lowest else None)
            if part == 0 or rows > 1:
                ax.set_title(time_text(result.times[level]), fontsize=11)
        label = quantity.label + ("\n(square-root colours)" if isinstance(norm, PowerNorm) else "")
        figure.colorbar(mesh, ax=axes, label=label, pad=0.01, aspect=16, fraction=0.05)
    draw_bottom(figure, grid[1], result)
    figure.legend(handles=mask_legend(result, options), loc="upper right", fontsize=9, ncols=3, frameon=False)
    return figure


def draw_level(ax, result, quantity, cmap, norm, level, options):
    values = free_only(result, quantity.values[level])
    mesh = draw_plane(ax, result, values, cmap, norm)
    if quantity is result.m and options.arrows:
        draw_arrows(ax, result, level)
    inside = np.ma.masked_where(result.mask != FREE, values)
    if quantity is result.u and min(values.shape) > 1 and np.ptp(inside.compressed()) > 0:
        ax.contour(*result.axes, inside.T, 8, colors="white", linewidths=0.5, alpha=0.6)
    return mesh


def mask_legend(result, options):
    handles = []
    if (result.mask == OBSTACLE).any():
        handles.append(Patch(facecolor="#b5b5b5", edgecolor="#555555", label="obstacle"))
    if (result.mask == EXIT).any():
        handles.append(Patch(facecolor="none", edgecolor=VERMILION, hatch="////", label="exit"))
    if options.arrows:
        handles.append(Patch(facecolor="none", edgecolor="none", label="arrows: where people walk to"))
    return handles


# ---- the command ---------------------------------------------------------------------------------


def save(figure, path, dpi):
    """Write the picture beside its place and rename it, so that a viewer never meets half of one."""
    descriptor, temporary = tempfile.mkstemp(suffix=path.suffix, prefix=f".{path.stem}.", dir=path.parent)
    os.close(descriptor)
    try:
        figure.savefig(temporary, dpi=dpi)
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def parse_arguments():
    parser = argparse.ArgumentParser(prog="plot", description="Draw a result file of mfg_solve.")
    parser.add_argument("file", type=pathlib.Path, help="result file (HDF5)")
    parser.add_argument("-o", "--output", type=pathlib.Path,
                        help="picture; its ending (.png, .pdf, .svg) says the format (default: FILE.png)")
    parser.add_argument("--population", metavar="NAME", help="which population (default: the first)")
    parser.add_argument("--times", type=int, default=6, metavar="N", help="time levels drawn apart (default 6)")
    parser.add_argument("--arrows", action="store_true", help="in 2-D, show where people walk to")
    parser.add_argument("--dpi", type=int, default=130, help="dots per inch (default 130)")
    options = parser.parse_args()
    if not 1 <= options.times <= 12:
        parser.error("--times: a number from 1 to 12 is expected")
    if not 10 <= options.dpi <= 1200:
        parser.error("--dpi: a number from 10 to 1200 is expected")
    options.output = options.output or options.file.with_suffix(".png")
    known = plt.figure().canvas.get_supported_filetypes()
    if options.output.suffix.lstrip(".").lower() not in known:
        parser.error(f"--output: the ending of {options.output} names no format; known are " + " ".join(sorted(known)))
    return options


def main():
    options = parse_arguments()
    try:
        result = read(options.file, options.population)
        figure = draw_1d(result, options) if len(result.axes) == 1 else draw_2d(result, options)
        finish(figure, result)
    except Unreadable as error:
        print(f"plot: cannot draw '{options.file}': {error}", file=sys.stderr)
        return 5
    try:
        save(figure, options.output, options.dpi)
    except OSError as error:
        print(f"plot: cannot write '{options.output}': {error.strerror or error}", file=sys.stderr)
        return 5
    print(options.output)
    if result.others and options.population is None:
        print(f"plot: drawn is population {result.population!r}; --population also takes " +
              ", ".join(map(repr, result.others)), file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
