"""The report's picture: how far each promised figure is from what was asked, and problem P by everybody."""

GREEN, RED, GREY, BLUE = "#2a7f4f", "#b3372e", "#8a8f98", "#2f5d9b"


def measured_over_asked(row):
    """For each backend, 1 where a figure is just met and less where it is better."""
    for backend, found in row["backends"].items():
        if found["worst"]:
            quotient = found["worst"] / row["limit"]
            yield backend, 1.0 / quotient if row["at_least"] else quotient


def draw_figures(axes, rows):
    from matplotlib.ticker import LogLocator

    rows = [r for r in rows if r["asked"] != "-" and r["unit"] and any(measured_over_asked(r))]
    markers = {"eigen": "o", "kokkos": "s", "torch:cpu": "^"}
    for y, row in enumerate(rows):
        for backend, value in measured_over_asked(row):
            axes.plot(value, y, markers[backend], color=GREEN if value <= 1.0 else RED, markersize=5, alpha=0.8)
    axes.axvline(1.0, color=GREY, linewidth=1)
    axes.set_yticks(range(len(rows)), [f"{r['what']}\n{r['asked']}" for r in rows], fontsize=7)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.xaxis.set_major_formatter("{x:g}")
    axes.xaxis.set_minor_formatter("")
    axes.set_xlabel("worst measured over asked: left of the line is met")
    handles = [axes.plot([], [], m, color=GREY, markersize=5, label=b)[0] for b, m in markers.items()]
    axes.legend(handles=handles, fontsize=7, loc="lower right")
    axes.grid(axis="x", which="both", color="0.93", linewidth=0.5)


def draw_problem_p(axes, times, cases):
    for y, case in enumerate(cases):
        codes = [code for code in times if times[code].get(case) is not None]
        height = 0.8 / max(len(codes), 1)
        for k, code in enumerate(codes):
            value, at = times[code][case], y + (k + 0.5) * height - 0.4
            axes.barh(at, value, 0.9 * height, color=BLUE if code.startswith("Isofield") else GREY,
                      alpha=0.6 if "our " in code else 1.0)
            axes.text(value * 1.05, at, f"{value:.3g}  {code}", va="center", fontsize=6)
    axes.set_yticks(range(len(cases)), cases)
    axes.set_ylim(len(cases) - 0.5, -0.5)
    axes.set_xscale("log")
    low, high = axes.get_xlim()
    axes.set_xlim(low, high * 30)  # room for the names
    axes.set_xlabel("ms of processor time for a Picard iteration of problem P")


def draw(path, rows, times, cases):
    """Write the picture, if there is matplotlib and something to draw; says whether it did."""
    try:
        import matplotlib
    except ImportError:
        return False
    matplotlib.use("Agg")
    import matplotlib.pyplot as pyplot

    if not times and not any(any(measured_over_asked(r)) for r in rows):
        return False
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(14, 8), width_ratios=[1, 1.1], layout="constrained")
    draw_figures(left, rows)
    draw_problem_p(right, times, cases)
    figure.savefig(path, dpi=110)
    pyplot.close(figure)
    return True
