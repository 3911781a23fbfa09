"""What pictures of every dimension are made of: ranges, colours, and the row below them."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import Normalize, PowerNorm

from plotting.result import OBSTACLE, Unreadable

# Readable with every common colour blindness and in print: perceptually uniform maps and the
# colours of Okabe and Ito.
DENSITY, VALUE, TIMES = "viridis", "cividis", "plasma"
BLUE, ORANGE, GREEN, VERMILION, GREY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#8c8c8c"


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


def draw_convergence(ax, result, against="iteration"):
    """The residuals and the exploitability of each outer iteration."""
    ax.set_title("convergence")
    columns = [("residual", "residual", BLUE, "-", 1.8), ("hjb_residual", "HJB", ORANGE, "--", 1.3),
               ("fp_residual", "Fokker-Planck", GREEN, ":", 1.6),
               ("exploitability", "exploitability", VERMILION, "-.", 1.3)]
    places = result.convergence.get(against, np.array([]))
    drawn = False
    for name, label, colour, style, width in columns:
        values = result.convergence.get(name, np.array([]))
        if len(values) != len(places):
            continue
        good = np.isfinite(values) & (values > 0) & np.isfinite(places)
        if good.any():
            ax.semilogy(places[good], values[good], style, color=colour, label=label, lw=width,
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
    ax.set_xlabel("outer iteration" if against == "iteration" else "seconds")
    if against == "iteration":
        ax.xaxis.get_major_locator().set_params(integer=True)
    ax.grid(True, which="major", alpha=0.3)
    ax.legend(fontsize=8, loc="best")


def draw_history(result):
    """Convergence alone: by iterations, and by time."""
    figure = plt.figure(figsize=(12, 4.6), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    draw_convergence(left, result)
    draw_convergence(right, result, "seconds")
    right.set_title("convergence over time")
    return figure


def draw_mass(ax, result):
    mass = result.mass
    if not np.isfinite(mass).any() or len(mass) < 2:
        ax.set_axis_off()
        return
    spread = np.nanmax(mass) - np.nanmin(mass)
    if spread < 1e-6 * abs(np.nanmax(mass)):
        ax.set_title(f"mass: change from {mass[0]:.6g}")
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
    if result.rate is not None:
        rows.append(("lambda", f"{result.rate:.6g}"))
    levels = len(result.times)
    rows.append(("grid", f"{result.cells} cells, " + ("stationary" if levels == 1 else f"{levels} time levels kept")))
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
    row = place.subgridspec(1, 3, width_ratios=[1.15, 1, 0.9], wspace=0.06)
    draw_convergence(figure.add_subplot(row[0]), result)
    draw_mass(figure.add_subplot(row[1]), result)
    draw_facts(figure.add_subplot(row[2]), result)


def finish(figure, result):
    """Set the title and the space between the parts."""
    figure.get_layout_engine().set(w_pad=0.07, h_pad=0.07, wspace=0.015, hspace=0.015)
    title = str(result.attributes.get("title", "")) or result.path.stem
    figure.suptitle(title.replace("$", r"\$"), fontsize=14, fontweight="bold")
