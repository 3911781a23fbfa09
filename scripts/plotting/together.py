"""Several populations in one picture, each in its colour."""

import copy

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import Normalize, to_rgb
from matplotlib.patches import Patch

from plotting.line import draw_cuts, draw_map
from plotting.parts import (BLUE, DENSITY, GREEN, ORANGE, VERMILION, chosen_levels, draw_bottom, edges, free_only,
                            limits)
from plotting.plane import (Row, arrow_legend, draw_arrows, draw_mask, draw_panels, draw_particles,
                            usual_speed)
from plotting.space import projection

COLOURS = (BLUE, VERMILION, GREEN, ORANGE, "#CC79A7", "#56B4E9")


def colours(results):
    return [to_rgb(COLOURS[k % len(COLOURS)]) for k in range(len(results))]


def mixed(results, level, largest):
    """Colours that take from white where people are: shape (nx, ny, 3). Square roots show thin crowds, too."""
    picture = np.ones((*results[0].mask.shape, 3))
    for result, colour in zip(results, colours(results)):
        m = np.nan_to_num(np.ma.filled(free_only(result, result.m.values[level]), 0.0), posinf=0, neginf=0)
        share = np.sqrt(np.clip(m / largest, 0, 1))[..., np.newaxis]
        picture *= 1 - share * (1 - np.array(colour))
    return picture


def largest_density(results):
    return max(max(limits(result, result.m)[1] for result in results), 1e-300)


def draw_mixed(ax, results, level, largest, speed=0.0, particles=False):
    x, y = (edges(nodes) for nodes in results[0].axes)
    ax.imshow(mixed(results, level, largest).transpose(1, 0, 2), origin="lower", extent=(x[0], x[-1], y[0], y[-1]),
              interpolation="nearest")
    ax.set_aspect("equal")
    draw_mask(ax, results[0])
    if speed:
        for result, colour in zip(results, colours(results)):
            draw_arrows(ax, result, level, speed, [0.7 * c for c in colour])
    if particles:
        for result, colour in zip(results, colours(results)):
            draw_particles(ax, result, level, [0.6 * c for c in colour])


def population_legend(results):
    return [Patch(facecolor=colour, label=result.population) for result, colour in zip(results, colours(results))]


def all_of(results):
    """What stands below the picture is about all populations together."""
    everybody = copy.copy(results[0])
    everybody.population = ", ".join(result.population for result in results)
    everybody.mass = sum(result.mass for result in results)
    return everybody


def draw_planes_together(results, options):
    if len(results[0].axes) == 3:
        results = [projection(result, "xyz".index(options.axis)) for result in results]
    largest, speed = largest_density(results), 0.0
    if options.arrows and not results[0].slice_note:
        levels = chosen_levels(results[0], options.times)
        speed = usual_speed(results, levels)
    row = Row(results[0], results[0].m, DENSITY, Normalize(0, largest))
    return draw_panels([row], all_of(results), options,
                       lambda ax, row, level: draw_mixed(ax, results, level, largest, speed, options.particles),
                       population_legend(results) + arrow_legend(speed))


def draw_lines_together(results, options):
    bottom = [] if options.density else [0.8]
    figure = plt.figure(figsize=(12, 3.7 * (len(results) + len(bottom))), layout="constrained")
    grid = figure.add_gridspec(len(results) + len(bottom), 2, width_ratios=[1.25, 1],
                               height_ratios=[1] * len(results) + bottom)
    norm = Normalize(0, largest_density(results))
    levels = chosen_levels(results[0], options.times)
    for row, result in enumerate(results):
        if len(result.times) > 1:
            draw_map(figure, figure.add_subplot(grid[row, 0]), result, result.m, DENSITY, norm, options.particles)
        draw_cuts(figure.add_subplot(grid[row, 1] if len(result.times) > 1 else grid[row, :]), result, result.m, levels)
    if not options.density:
        draw_bottom(figure, grid[-1, :], all_of(results))
    return figure


def draw_together(results, options):
    return draw_lines_together(results, options) if len(results[0].axes) == 1 else draw_planes_together(results, options)
