"""Two dimensions: a row of panels for the density and one for the value, with obstacles and exits."""

from dataclasses import dataclass

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import Normalize, PowerNorm
from matplotlib.patches import Patch

from plotting.parts import (DENSITY, VALUE, VERMILION, chosen_levels, density_norm, draw_bottom, edges, free_only,
                            limits, time_text)
from plotting.result import EXIT, FREE, OBSTACLE, Field, Result
from plotting.velocity import velocity


@dataclass
class Row:
    """What a row of panels shows: one quantity at the chosen times."""

    result: Result
    quantity: Field
    cmap: str
    norm: Normalize
    arrows: bool = False
    particles: bool = False

    @property
    def label(self):
        note = f"\n{self.result.slice_note}" if self.result.slice_note else ""
        return self.quantity.label + note + ("\n(square-root colours)" if isinstance(self.norm, PowerNorm) else "")


def quantity_rows(result, options):
    density = Row(result, result.m, DENSITY, density_norm(result), options.arrows, options.particles)
    return [density] if options.density else [density, Row(result, result.u, VALUE, Normalize(*limits(result, result.u)))]


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


def usual_speed(results, levels):
    """The speed that nine people of ten do not exceed, over the levels that are drawn; the last one has no step left."""
    levels = [level for level in levels if level + 1 < len(results[0].times)] or levels
    speeds, people = [], []
    for result in results:
        for level in levels:
            speed = np.sqrt(sum(np.square(c) for c in velocity(result, level)))
            here = shown_people(result, level) & np.isfinite(speed)
            speeds.append(speed[here])
            people.append(result.m.values[level][here])
    speeds, people = np.concatenate(speeds), np.concatenate(people)
    if not len(speeds):
        return 0.0
    order = np.argsort(speeds)
    return float(speeds[order][np.searchsorted(np.cumsum(people[order]), 0.9 * people.sum())])


def shown_people(result, level):
    m = result.m.values[level]
    return (m > 0.02 * np.nanmax(m)) & (result.mask == FREE)


def draw_arrows(ax, result, level, speed, colour="white"):
    """How fast people walk, and where to, where there are people. Arrows at `speed` and above have the full length; at the
    last level there are none, for nobody walks on."""
    if min(result.mask.shape) < 3 or not speed > 0 or 1 < len(result.times) == level + 1:
        return
    step = -(-max(result.mask.shape) // 14)
    here = (slice(step // 2, None, step),) * 2
    v = velocity(result, level)
    with np.errstate(invalid="ignore", divide="ignore"):
        shorter = np.minimum(1.0, speed / np.sqrt(sum(np.square(c) for c in v)))
    dx, dy = (np.where(shown_people(result, level), c * np.nan_to_num(shorter, nan=1.0), np.nan)[here] for c in v)
    x, y = result.axes
    gap = step * max(x[1] - x[0], y[1] - y[0])
    ax.quiver(*np.meshgrid(x[here[0]], y[here[1]], indexing="ij"), dx, dy, color=colour, angles="xy",
              scale_units="xy", scale=speed / (1.2 * gap), width=0.007, headwidth=4, minlength=0.5,
              edgecolor="black", linewidth=0.2)


def draw_particles(ax, result, level, colour="white"):
    """A point for each of 2000 particles at most."""
    places = result.particles[level, :2000]
    ax.scatter(places[:, 0], places[:, 1], s=3, color=colour, linewidths=0, alpha=0.8, zorder=3)


def draw_planes(result, options):
    return draw_panels(quantity_rows(result, options), result, options)


def draw_panels(rows, result, options, draw=None, legend=()):
    """A figure of rows of panels, one a time, above the history of convergence. `draw(ax, row, level)` draws a panel and
    gives what its colours mean."""
    levels = chosen_levels(result, options.times)
    legend = mask_legend(rows) + list(legend)
    if draw is None:
        walkers = [row.result for row in rows if row.arrows]
        speed = usual_speed(walkers, levels) if walkers else 0.0
        draw = lambda ax, row, level: draw_level(ax, row, level, speed)
        legend += arrow_legend(speed)
    widths, heights = zip(*(box_size(row.result) for row in rows))
    shape = max(h / w for w, h in zip(widths, heights))
    figure, bottom, axes_of = (beside(rows, shape, options.density) if len(levels) == 1 else
                               below(rows, levels, shape, options.density))
    for part, (row, lines) in enumerate(zip(rows, axes_of)):
        flat = [ax for line in lines for ax in line]
        last = part == len(rows) - 1 or rows[part + 1].result.names != row.result.names or len(levels) == 1
        for k, (ax, level) in enumerate(zip(flat, levels)):
            mesh = draw(ax, row, level)
            first, lowest = k % len(lines[0]) == 0, last and k + len(lines[0]) >= len(levels)
            ax.tick_params(labelleft=first, labelbottom=lowest)
            ax.set_ylabel(row.result.names[1] if first else None)
            ax.set_xlabel(row.result.names[0] if lowest else None)
            if len(levels) > 1 and (part == 0 or len(lines) > 1):
                ax.set_title(time_text(result.times[level]), fontsize=11)
        if mesh is not None:
            figure.colorbar(mesh, ax=flat, label=row.label, pad=0.01, aspect=16, fraction=0.05)
    if bottom:
        draw_bottom(figure, bottom, result)
    figure.legend(handles=legend, loc="upper right", fontsize=9, ncols=4, frameon=False)
    return figure


def box_size(result):
    return tuple(edges(nodes)[-1] - edges(nodes)[0] for nodes in result.axes)


def framed(width, top, alone):
    """A figure, the place of panels, and the one under them unless they are alone."""
    figure = plt.figure(figsize=(width, top + (0 if alone else 3.2)), layout="constrained")
    if alone:
        return figure, figure.add_gridspec(1, 1)[0], None
    grid = figure.add_gridspec(2, 1, height_ratios=[top, 3.0])
    return figure, grid[0], grid[1]


def below(rows, levels, shape, alone):
    """A figure for rows one below the other, the place under them, and for each row lines of axes."""
    # Wide domains take two lines of panels for each quantity, so that each panel is large enough.
    columns = len(levels) if shape > 0.55 or len(levels) < 4 else -(-len(levels) // 2)
    lines = -(-len(levels) // columns)
    width = min(max(13.0 / columns, 1.6), 4.4)
    height = min((width - 0.25) * shape, 4.5)
    top = len(rows) * lines * (height + 0.25) + 0.9
    figure, place, bottom = framed(max(width * columns + 1.7, 9.0), top, alone)
    panels = place.subgridspec(len(rows) * lines, columns)
    return figure, bottom, [
        [[figure.add_subplot(panels[part * lines + line, k]) for k in range(min(columns, len(levels) - line * columns))]
         for line in range(lines)] for part in range(len(rows))]


def beside(rows, shape, alone):
    """The same for a single time: one panel beside the other."""
    top = min(11.0 / max(len(rows), 2) * shape, 5.2) + 0.6
    figure, place, bottom = framed(8.5 if alone else 13, top, alone)
    panels = place.subgridspec(1, len(rows))
    return figure, bottom, [[[figure.add_subplot(panels[0, part])]] for part in range(len(rows))]


def draw_level(ax, row, level, speed):
    """Draw a quantity in colours, with its arrows or contours."""
    result = row.result
    values = free_only(result, row.quantity.values[level])
    mesh = draw_plane(ax, result, values, row.cmap, row.norm)
    if row.arrows:
        draw_arrows(ax, result, level, speed)
    if row.particles:
        draw_particles(ax, result, level)
    inside = np.ma.masked_where(result.mask != FREE, values)
    if row.quantity is result.u and min(values.shape) > 1 and np.ptp(inside.compressed()) > 0:
        ax.contour(*result.axes, inside.T, 8, colors="white", linewidths=0.5, alpha=0.6)
    return mesh


def mask_legend(rows):
    handles = []
    if any((row.result.mask == OBSTACLE).any() for row in rows):
        handles.append(Patch(facecolor="#b5b5b5", edgecolor="#555555", label="obstacle"))
    if any((row.result.mask == EXIT).any() for row in rows):
        handles.append(Patch(facecolor="none", edgecolor=VERMILION, hatch="////", label="exit"))
    return handles


def arrow_legend(speed):
    label = f"full arrows: speed {speed:.2g} and more"
    return [Patch(facecolor="none", edgecolor="none", label=label)] if speed else []
