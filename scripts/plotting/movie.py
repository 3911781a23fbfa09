"""Movies: one picture a time level."""

import shutil

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.animation import FFMpegWriter, PillowWriter
from matplotlib.colors import Normalize

from plotting.line import shade_mask
from plotting.parts import BLUE, VERMILION, DENSITY, density_norm, edges, free_only, limits, time_text
from plotting.plane import Row, box_size, draw_arrows, draw_particles, draw_plane, usual_speed
from plotting.result import Unreadable
from plotting.space import projection
from plotting.together import colours, draw_mixed, largest_density, population_legend

ENDINGS = (".mp4", ".webm", ".mkv", ".mov", ".gif")


def has_ffmpeg():
    return shutil.which("ffmpeg") is not None


def writer(path, fps):
    """What writes such a file; throws Unreadable where it is missing."""
    if path.suffix.lower() == ".gif":
        return PillowWriter(fps)
    if not has_ffmpeg():
        raise Unreadable(f"ffmpeg, which writes {path.suffix} files, is not installed; a .gif needs none")
    return FFMpegWriter(fps)


def frame_levels(result, most):
    count = len(result.times)
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(int))


class Line:
    """Densities as areas and values as curves."""

    def __init__(self, results, options):
        self.results, self.particles = results, options.particles
        self.figure, (self.top, self.bottom) = plt.subplots(2, 1, figsize=(7.2, 6.4), sharex=True, layout="constrained")
        self.ranges = [(min(limits(r, q)[0] for r, q in group), max(limits(r, q)[1] for r, q in group))
                       for group in ([(r, r.m) for r in results], [(r, r.u) for r in results])]

    def draw(self, level):
        for ax, (low, high), pick in ((self.top, self.ranges[0], lambda r: r.m), (self.bottom, self.ranges[1], lambda r: r.u)):
            ax.clear()
            room = 0.05 * (high - low)
            ax.set_ylim(low - (room if low < 0 or pick(self.results[0]) is self.results[0].u else 0), high + room)
            ax.set_xlim(*edges(self.results[0].axes[0])[[0, -1]])
            ax.grid(True, alpha=0.3)
            ax.set_ylabel(pick(self.results[0]).label)
            shade_mask(ax, self.results[0])
            for result, colour in zip(self.results, colours(self.results)):
                values = free_only(result, pick(result).values[level])
                ax.plot(result.axes[0], values, color=colour, lw=1.8, label=result.population)
                if pick(result) is result.m and self.particles:
                    places = result.particles[level, :500, 0]
                    ax.plot(places, np.full(len(places), 0.02 * high), "|", color=colour, ms=8, alpha=0.5)
                if pick(result) is result.m:
                    ax.fill_between(result.axes[0], values, color=colour, alpha=0.25, lw=0)
        self.top.set_title(time_text(self.results[0].times[level]))
        self.bottom.set_xlabel("position x")
        if len(self.results) > 1:
            self.top.legend(loc="upper right", fontsize=9)


class Plane:
    """Densities in colours, with arrows where they are asked for; of a box the largest along an axis."""

    def __init__(self, results, options):
        if len(results[0].axes) == 3:
            results = [projection(result, "xyz".index(options.axis)) for result in results]
        self.results, self.norm = results, density_norm(results[0])
        self.particles = options.particles
        width, height = box_size(results[0])
        scale = min(7.5 / width, 6.5 / height)
        self.figure, self.ax = plt.subplots(figsize=(width * scale + 1.7, height * scale + 1.0), layout="constrained")
        self.largest = largest_density(results)
        arrows = options.arrows and not results[0].slice_note
        levels = frame_levels(results[0], options.frames)
        self.speed = usual_speed(results, levels) if arrows else 0.0
        if len(results) == 1:
            mappable = plt.cm.ScalarMappable(self.norm, DENSITY)
            self.figure.colorbar(mappable, ax=self.ax, label=Row(results[0], results[0].m, DENSITY, self.norm).label)
        else:
            self.figure.legend(handles=population_legend(results), loc="outside right upper", frameon=False)

    def draw(self, level):
        self.ax.clear()
        first = self.results[0]
        if len(self.results) == 1:
            draw_plane(self.ax, first, free_only(first, first.m.values[level]), DENSITY, self.norm)
            if self.speed:
                draw_arrows(self.ax, first, level, self.speed)
            if self.particles:
                draw_particles(self.ax, first, level)
        else:
            draw_mixed(self.ax, self.results, level, self.largest, self.speed, self.particles)
        self.ax.set_title(time_text(first.times[level]))
        self.ax.set_xlabel(first.names[0])
        self.ax.set_ylabel(first.names[1])


def make_movie(results, path, options):
    """Write a movie of the levels that were kept, `options.frames` at most."""
    result = results[0]
    if len(result.times) < 2:
        raise Unreadable("it has a single time level: there is nothing to move")
    film = (Line if len(result.axes) == 1 else Plane)(results, options)
    if title := str(result.attributes.get("title", "")):
        film.figure.suptitle(title.replace("$", r"\$"), fontweight="bold")
    with (taker := writer(path, options.fps)).saving(film.figure, path, options.dpi):
        for level in frame_levels(result, options.frames):
            film.draw(level)
            taker.grab_frame()
            film.figure.set_layout_engine("none")  # nothing moves from now on
