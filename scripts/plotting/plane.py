"""Two dimensions: a row of panels for the density and one for the value, with obstacles and exits."""

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import Normalize, PowerNorm
from matplotlib.patches import Patch

from plotting.parts import (DENSITY, VALUE, VERMILION, chosen_levels, density_norm, draw_bottom, edges, free_only,
                            limits, time_text)
from plotting.result import EXIT, FREE, OBSTACLE


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


def draw_planes(result, options):
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
