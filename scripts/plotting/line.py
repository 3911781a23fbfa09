"""One dimension: maps over time and space, with cuts at single times."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import Normalize

from plotting.parts import (BLUE, DENSITY, GREY, ORANGE, VALUE, VERMILION, chosen_levels, density_norm, draw_bottom,
                            edges, free_only, limits, time_colours, time_text)
from plotting.result import EXIT, OBSTACLE


def draw_map(figure, ax, result, quantity, cmap, norm, particles=False):
    """Space-time picture: time to the right, position upwards, and the ways of 40 particles at most."""
    t = result.times
    t_edges = np.concatenate([[t[0]], (t[1:] + t[:-1]) / 2, [t[-1]]]) if len(t) > 1 else [0, 1]
    mesh = ax.pcolormesh(t_edges, edges(result.axes[0]), free_only(result, quantity.values).T, cmap=cmap,
                         norm=norm, rasterized=True)
    figure.colorbar(mesh, ax=ax, label=quantity.label, pad=0.015)
    if quantity.values.shape[1] > 2 and len(t) > 2 and isinstance(norm, Normalize) and cmap == VALUE:
        lines = ax.contour(t, result.axes[0], free_only(result, quantity.values).T, 8, colors="white",
                           linewidths=0.5, alpha=0.6)
        lines.set_rasterized(True)
    if particles:
        for way in jumpless(result.particles[:, :40, 0].T, result.axes[0]):
            ax.plot(t, way, color="white", lw=0.5, alpha=0.7)
        ax.set_ylim(*edges(result.axes[0])[[0, -1]])
    ax.set_title(f"{quantity.name} over time")
    ax.set_xlabel("time t")
    ax.set_ylabel("position x")


def jumpless(ways, nodes):
    """Ways without the lines from one end of a periodic axis to the other."""
    far = np.abs(np.diff(ways, axis=1, prepend=ways[:, :1])) > 0.5 * (nodes[-1] - nodes[0])
    return np.where(far, np.nan, ways)


def draw_cuts(ax, result, quantity, levels):
    for level, colour in zip(levels, time_colours(len(levels))):
        ax.plot(result.axes[0], free_only(result, quantity.values[level]), color=colour, lw=1.6,
                label=time_text(result.times[level]))
    ax.set_title(f"{quantity.name} at single times")
    ax.set_xlabel("position x")
    ax.set_ylabel(quantity.label)
    ax.set_xlim(*edges(result.axes[0])[[0, -1]])
    ax.grid(True, alpha=0.3)
    shade_mask(ax, result)
    ax.legend(fontsize=8.5, loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)


def shade_mask(ax, result):
    ends = edges(result.axes[0])
    for kind, colour in ((OBSTACLE, GREY), (EXIT, ORANGE)):
        for i in np.flatnonzero(result.mask == kind):
            ax.axvspan(ends[i], ends[i + 1], color=colour, alpha=0.35, lw=0)


def draw_still(result, options):
    """A single time: density and value as curves."""
    figure = plt.figure(figsize=(12, 4.2 if options.density else 7.5), layout="constrained")
    grid = figure.add_gridspec(1, 2) if options.density else figure.add_gridspec(2, 2, height_ratios=[1, 0.8])
    for column, (quantity, colour) in enumerate(((result.m, BLUE), (result.u, VERMILION))):
        ax = figure.add_subplot(grid[0, column])
        ax.plot(result.axes[0], free_only(result, quantity.values[0]), color=colour, lw=1.8)
        ax.set_xlabel("position x")
        ax.set_ylabel(quantity.label)
        ax.set_xlim(*edges(result.axes[0])[[0, -1]])
        ax.grid(True, alpha=0.3)
        shade_mask(ax, result)
    if not options.density:
        draw_bottom(figure, grid[1, :], result)
    return figure


def draw_line(result, options):
    if len(result.times) == 1:
        return draw_still(result, options)
    rows = [(result.m, DENSITY, density_norm(result), options.particles),
            (result.u, VALUE, Normalize(*limits(result, result.u)), False)][:1 if options.density else 2]
    heights = [1] * len(rows) + ([] if options.density else [0.8])
    figure = plt.figure(figsize=(12, 3.75 * sum(heights)), layout="constrained")
    grid = figure.add_gridspec(len(heights), 2, width_ratios=[1.25, 1], height_ratios=heights)
    levels = chosen_levels(result, options.times)
    for row, (quantity, cmap, norm, particles) in enumerate(rows):
        draw_map(figure, figure.add_subplot(grid[row, 0]), result, quantity, cmap, norm, particles)
        draw_cuts(figure.add_subplot(grid[row, 1]), result, quantity, levels)
    if not options.density:
        draw_bottom(figure, grid[-1, :], result)
    return figure
