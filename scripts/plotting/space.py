"""Three dimensions: the density's largest value along an axis, and planes across it."""

import copy
import dataclasses

import numpy as np

from plotting.plane import Row, draw_panels, quantity_rows
from plotting.result import EXIT, FREE, OBSTACLE, Unreadable
from plotting.velocity import velocity


def plane_number(result, axis, at):
    """The plane across an axis that is nearest to a position; the one in the middle unless it is given."""
    nodes = result.axes[axis]
    if at is None:
        return len(nodes) // 2
    half = (nodes[1] - nodes[0]) / 2 if len(nodes) > 1 else 0.5
    if not nodes[0] - half <= at <= nodes[-1] + half:
        raise Unreadable(f"{result.names[axis]} = {at:g} is not in the box, which reaches from "
                         f"{nodes[0] - half:g} to {nodes[-1] + half:g}")
    return int(np.abs(nodes - at).argmin())


def reduced(result, axis, u, m, mask, note):
    """A result of the other two axes."""
    kept = [k for k in range(3) if k != axis]
    flat = copy.copy(result)
    flat.axes = [result.axes[k] for k in kept]
    flat.names = "".join(result.names[k] for k in kept)
    flat.u = dataclasses.replace(result.u, values=u)
    flat.m = dataclasses.replace(result.m, values=m)
    flat.mask, flat.slice_note = mask, note
    flat.particles = None if result.particles is None else result.particles[..., kept]
    return flat


def plane(result, axis, at=None):
    """A plane across an axis."""
    k = plane_number(result, axis, at)
    across = lambda values: np.take(values, k, axis - 3)
    flat = reduced(result, axis, across(result.u.values), across(result.m.values), across(result.mask),
                   f"plane {result.names[axis]} = {result.axes[axis][k]:.3g}")
    kept = [i for i in range(3) if i != axis]
    flat.flow = lambda level: [across(velocity(result, level)[i]) for i in kept]
    return flat


def projection(result, axis):
    """The largest density along an axis. Walls are drawn where they stand from end to end."""
    mask = np.where((result.mask == OBSTACLE).all(axis), OBSTACLE,
                    np.where((result.mask == EXIT).any(axis), EXIT, FREE)).astype(np.uint8)
    m = np.where(result.mask == OBSTACLE, -np.inf, result.m.values).max(axis - 3)
    return reduced(result, axis, result.u.values.min(axis - 3), np.where(np.isfinite(m), m, 0.0), mask,
                   f"largest along {result.names[axis]}")


def draw_space(result, options):
    axis = "xyz".index(options.axis)
    cut, shadow = plane(result, axis, options.at), projection(result, axis)
    if options.slices:
        rows = []
        for k in (2, 1, 0):
            across = plane(result, k, options.at if k == axis else None)
            rows.append(dataclasses.replace(quantity_rows(across, options)[0], particles=False))
        return draw_panels(rows, result, options)
    top = dataclasses.replace(quantity_rows(shadow, options)[0], arrows=False)
    if options.density:
        return draw_panels([top], result, options)
    # Particles are anywhere along the axis, and not in the plane.
    density, value = quantity_rows(cut, options)
    return draw_panels([top, dataclasses.replace(density, particles=False), value], result, options)
