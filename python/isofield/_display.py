"""How arrays are shown in notebooks: what they are, their range, and a picture of the first plane."""

import html

from . import _core


def _summary(x):
    """Rows of a table: what, value."""
    yield "shape", str(x.shape)
    yield "dtype", x.dtype.name
    yield "backend", x.device
    if x.size == 0 or x.dtype is _core.bool or _core.isdtype(x.dtype, "complex floating"):
        return
    low = high = x
    note = ""
    if _core.isdtype(x.dtype, "real floating"):
        finite = _core.isfinite(x)
        holes = x.size - int(_core.count_nonzero(finite))
        if holes:
            yield "NaN or infinite", str(holes)
            note = " (of what is finite)"
            low, high = _core.where(finite, x, _core.inf), _core.where(finite, x, -_core.inf)
        if holes == x.size:
            return
    yield "range" + note, f"{_core.min(low).item():.6g} .. {_core.max(high).item():.6g}"


def _picture(x, most=64):
    """A plane of numbers as a drawing of at most `most` cells a side; nothing for other arrays."""
    if x.ndim < 2 or x.size == 0 or not _core.isdtype(x.dtype, ("real floating", "integral", "bool")):
        return ""
    plane = x[(0,) * (x.ndim - 2)]
    rows, columns = plane.shape
    plane = plane[:: -(-rows // most), :: -(-columns // most)]
    values = _core.astype(plane, _core.float64).tolist()
    numbers = [v for row in values for v in row if v == v and abs(v) != _core.inf]
    low, high = (min(numbers), max(numbers)) if numbers else (0.0, 0.0)
    scale = 1.0 / (high - low) if high > low else 0.0
    cells = []
    for i, row in enumerate(values):
        for j, v in enumerate(row):
            colour = "#d33" if v != v or abs(v) == _core.inf else _colour((v - low) * scale)
            cells.append(f'<rect x="{j}" y="{i}" width="1.05" height="1.05" fill="{colour}"/>')
    height, width = len(values), len(values[0])
    size = 192.0 / max(height, width)
    return (
        f'<svg viewBox="0 0 {width} {height}" width="{width * size:.0f}" height="{height * size:.0f}" '
        f'preserveAspectRatio="none" shape-rendering="crispEdges">{"".join(cells)}</svg>'
    )


def _colour(t):
    """From dark blue over green to yellow, lighter and lighter."""
    stops = ((68, 1, 84), (59, 82, 139), (33, 145, 140), (94, 201, 98), (253, 231, 37))
    k = min(int(t * 4), 3)
    part = t * 4 - k
    return "#" + "".join(f"{round(a + (b - a) * part):02x}" for a, b in zip(stops[k], stops[k + 1]))


def to_html(x):
    """The array as a table, a picture and its elements."""
    if not x.device.startswith(("eigen", "kokkos", "torch:cpu")):
        x = x.to_device("cpu")
    rows = "".join(
        f"<tr><th style='text-align:left'>{html.escape(name)}</th><td style='text-align:left'>{html.escape(value)}</td></tr>"
        for name, value in _summary(x)
    )
    return (
        f"<div style='display:flex;gap:1em;align-items:flex-start'>{_picture(x)}<table>{rows}</table></div>"
        f"<pre>{html.escape(repr(x))}</pre>"
    )
