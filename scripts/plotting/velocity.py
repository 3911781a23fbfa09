"""Where people go: b - H_q(x, grad u, m), from the configuration in a result file."""

import ast

import numpy as np

from plotting.result import EXIT, OBSTACLE


def wide_if(condition, yes, no):
    return np.where(condition, yes, no)


def erf(x):
    """Abramowitz and Stegun, 7.1.26: to 2e-7, which is enough to draw."""
    t = 1 / (1 + 0.3275911 * np.abs(x))
    series = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))))
    return np.sign(x) * (1 - series * np.exp(-np.square(x)))


NAMES = {"if_": wide_if, "mod": np.mod, "erf": erf, "pi": np.pi, "e": np.e,
         "min": lambda *a: np.minimum.reduce(np.broadcast_arrays(*a)),
         "max": lambda *a: np.maximum.reduce(np.broadcast_arrays(*a)),
         **{name: getattr(np, name) for name in ("abs", "exp", "log", "sqrt", "sin", "cos", "tan", "tanh", "floor", "sign")}}


class Elementwise(ast.NodeTransformer):
    """Logic of arrays instead of Python's."""

    def visit_BoolOp(self, node):
        self.generic_visit(node)
        name = "logical_and" if isinstance(node.op, ast.And) else "logical_or"
        result = node.values[0]
        for value in node.values[1:]:
            result = ast.Call(ast.Name(name, ast.Load()), [result, value], [])
        return result

    def visit_UnaryOp(self, node):
        self.generic_visit(node)
        if isinstance(node.op, ast.Not):
            return ast.Call(ast.Name("logical_not", ast.Load()), [node.operand], [])
        return node


def evaluate(text, **variables):
    """The value of an expression of the configuration on arrays; it was checked before it was written."""
    if not isinstance(text, str):
        return float(text)
    tree = ast.parse(text.replace("^", "**").replace("if(", "if_(").strip(), mode="eval")
    tree = ast.fix_missing_locations(Elementwise().visit(tree))
    logic = {name: getattr(np, name) for name in ("logical_and", "logical_or", "logical_not")}
    with np.errstate(all="ignore"):
        return eval(compile(tree, "expression", "eval"), {"__builtins__": {}}, {**NAMES, **logic, **variables})


def ends(result, axis):
    """What happens at both ends of an axis."""
    boundary = result.config.get("domain", {}).get("boundary", "reflecting")
    boundary = boundary if isinstance(boundary, str) else boundary[axis]
    if isinstance(boundary, str):
        return boundary, boundary
    return boundary.get("lower", "reflecting"), boundary.get("upper", "reflecting")


def gradient(result, u):
    """Upwind slopes of u at a level, both sides together, with the scheme's rule for faces."""
    exit_cost = float(evaluate(result.config.get("domain", {}).get("exit_cost", 0)))
    u = np.where(result.mask == EXIT, exit_cost, u)
    wall = result.mask == OBSTACLE
    slopes = []
    for axis in range(u.ndim):
        h = result.axes[axis][1] - result.axes[axis][0] if len(result.axes[axis]) > 1 else 1.0
        one_sided = []
        for step, end in zip((-1, 1), reversed(ends(result, axis))):
            beyond, blocked = np.roll(u, step, axis), np.roll(wall, step, axis)
            last = [slice(None)] * u.ndim
            last[axis] = -1 if step == -1 else 0
            if end != "periodic":
                beyond[tuple(last)] = exit_cost if end == "exit" else u[tuple(last)]
                blocked[tuple(last)] = False
            one_sided.append(np.where(blocked | wall, 0.0, (beyond - u) * (-step / h)))
        forward, backward = one_sided
        slopes.append(np.minimum(forward, 0) + np.maximum(backward, 0))
    return slopes


def velocity(result, level):
    """The velocity of people at a level, an array for each axis; 0 where nobody can be."""
    if result.flow:
        return result.flow(level)
    model = result.model
    h = model.get("hamiltonian", {})
    scale, beta = h.get("scale", 0.5), float(h.get("exponent", 2.0))
    alpha, offset = float(h.get("congestion", 0.0)), float(h.get("offset", 1.0))
    place = dict(zip("xyz", np.meshgrid(*result.axes, indexing="ij")))
    q = gradient(result, result.u.values[level])
    speed = evaluate(scale, **place) * beta * np.maximum(sum(np.square(g) for g in q), 1e-280) ** (beta / 2 - 1)
    if alpha:
        speed = speed * (np.maximum(result.m.values[level], 0) + offset) ** -alpha
    v = [-speed * g for g in q]
    for axis, drift in enumerate(model.get("drift", [])):
        v[axis] = v[axis] + evaluate(drift, **place, t=result.times[level])
    return [np.where(result.mask != OBSTACLE, c, 0.0) for c in v]
