"""Functions of arrays made into other functions: `jit`, `grad` and their kin.

Arguments and results are arrays, or tuples, lists and dicts of them, of any depth. What else an argument holds, a
number or a string, is a constant of the function: it must be hashable, and another one is another function.
"""

import functools

from . import _core


class _Leaf:
    def __repr__(self):
        return "*"


_leaf = _Leaf()


def _flatten(value, arrays):
    """List the arrays in `value`; gives its structure, which is hashable."""
    if isinstance(value, _core.UnifiedArray):
        arrays.append(value)
        return _leaf
    if isinstance(value, (tuple, list)):
        return type(value), tuple(_flatten(v, arrays) for v in value)
    if isinstance(value, dict):
        return dict, tuple((k, _flatten(v, arrays)) for k, v in value.items())
    return None, value


def _unflatten(structure, arrays):
    """The value of a structure; takes its arrays from an iterator."""
    if structure is _leaf:
        return next(arrays)
    kind, parts = structure
    if kind is None:
        return parts
    if kind is dict:
        return {k: _unflatten(v, arrays) for k, v in parts}
    values = [_unflatten(v, arrays) for v in parts]
    return kind(*values) if hasattr(kind, "_fields") else kind(values)


class _Listed:
    """A function with its arguments' structure, as a function of the list of their arrays."""

    def __init__(self, function, args, kwargs=None):
        self.function, self.arrays = function, []
        self.structure = _flatten((args, kwargs or {}), self.arrays)
        self.result_structure = None

    def __call__(self, arrays):
        args, kwargs = _unflatten(self.structure, iter(arrays))
        results = []
        self.result_structure = _flatten(self.function(*args, **kwargs), results)
        return results

    def result(self, arrays):
        return _unflatten(self.result_structure, iter(arrays))


def jit(function):
    """Make a function of arrays fast to call again.

    Its operations are recorded at the first call for given shapes, dtypes and devices, and replayed after without
    running its Python code. Numbers that it captures are fixed at the trace, and so is what it does besides; reading an
    element inside of it is an error.
    """
    traces = {}

    @functools.wraps(function)
    def jitted(*args, **kwargs):
        arrays = args
        if kwargs or not all(type(a) is _core.UnifiedArray for a in args):
            arrays = []
            structure = _flatten((args, kwargs), arrays)
        else:
            structure = len(args)
        key = structure, _core._kinds(arrays)
        try:
            traced, listed = traces.get(key) or traces.setdefault(
                key, (_core._Traced(), _Listed(function, args, kwargs))
            )
        except TypeError:
            raise TypeError("jit: arguments are arrays, and constants that can be hashed") from None
        results = traced(listed, arrays)
        listed.arrays = ()  # what is kept must not keep elements
        return results[0] if listed.result_structure is _leaf else listed.result(results)

    jitted.traces = lambda: sum(traced.count for traced, _ in traces.values())
    return jitted


def value_and_grad(function, argnums=0):
    """A function that gives the value of `function`, a number, and its derivatives by some arguments.

    `argnums` is the position of an argument, or a tuple of positions; derivatives have their structure.
    """
    return _derivative(function, argnums, "value_and_grad")


def grad(function, argnums=0):
    """A function that gives the derivatives of `function`, whose value is a number, by some arguments."""
    both = _derivative(function, argnums, "grad")

    @functools.wraps(function)
    def gradient(*args, **kwargs):
        return both(*args, **kwargs)[1]

    return gradient


def _derivative(function, argnums, name):
    single = isinstance(argnums, int)
    wanted = (argnums,) if single else tuple(argnums)

    @functools.wraps(function)
    def derived(*args, **kwargs):
        if any(not -len(args) <= n < len(args) for n in wanted):
            raise IndexError(f"{name}: argnums {argnums} of {len(args)} arguments")
        positions = [n % len(args) for n in wanted]
        listed = _Listed(function, args, kwargs)
        by, structures = [], {}
        for n, argument in enumerate(args):
            arrays = []
            structures[n] = _flatten(argument, arrays)
            by += [n in positions] * len(arrays)
        by += [False] * (len(listed.arrays) - len(by))
        value, gradients = _core._value_and_gradient(listed, listed.arrays, by, name)
        rest = iter(gradients)
        found = {n: _unflatten(structures[n], rest) for n in sorted(set(positions))}
        gradients = found[positions[0]] if single else tuple(found[n] for n in positions)
        return listed.result([value]), gradients

    return derived


def vjp(function, *args):
    """The value of `function`, and a function from cotangents of it to a tuple of cotangents of the arguments."""
    listed = _Listed(function, args)
    values, pulled = _core._pulled_back(listed, listed.arrays)

    def pull(cotangent):
        arrays = []
        if _flatten(cotangent, arrays) != listed.result_structure:
            raise TypeError("vjp: the cotangent does not have the structure of the value")
        return _unflatten(listed.structure, iter(pulled(arrays)))[0]

    return listed.result(values), pull


def jvp(function, args, tangents):
    """The value of `function` and its derivative along `tangents`, a tuple as `args` is."""
    listed, directions = _Listed(function, tuple(args)), []
    if _flatten((tuple(tangents), {}), directions) != listed.structure:
        raise TypeError("jvp: tangents do not have the structure of the arguments")
    values, derivatives = _core._pushed_forward(listed, listed.arrays, directions)
    return listed.result(values), listed.result(derivatives)


def vmap(function, in_axes=0, out_axes=0):
    """A function of a batch from a function of one, computed together.

    `in_axes` is the axis of all arguments along which the batch lies, or a sequence with one for each, None for those
    that all share. Results have it along `out_axes`.
    """

    @functools.wraps(function)
    def mapped(*args):
        axes = [in_axes] * len(args) if in_axes is None or isinstance(in_axes, int) else list(in_axes)
        if len(axes) != len(args):
            raise ValueError(f"vmap: {len(axes)} axes for {len(args)} arguments")
        listed, by_array = _Listed(function, args), []
        for axis, argument in zip(axes, args):
            arrays = []
            _flatten(argument, arrays)
            by_array += [axis] * len(arrays)
        out = [out_axes] if isinstance(out_axes, int) else list(out_axes)
        return listed.result(_core._mapped(listed, listed.arrays, by_array, out))

    return mapped


def jacobian(function, argnums=0):
    """The derivatives of all elements of a function's array by all elements of an argument, as a function.

    Their shape is that of the value, then that of the argument.
    """

    @functools.wraps(function)
    def derivatives(*args):
        def of_one(arrays):
            with_it = args[:argnums] + (arrays[0],) + args[argnums + 1 :]
            return [function(*with_it)]

        return _core._jacobian(of_one, args[argnums])

    return derivatives


def hessian(function, argnums=0):
    """The second derivatives of a function whose value is a number, by an argument, as a function."""
    return jacobian(grad(function, argnums), argnums)


def stop_gradient(x):
    """The same elements, as constants for all transforms that differentiate."""
    arrays = []
    structure = _flatten(x, arrays)
    return _unflatten(structure, iter([_core._stop_gradient(a) for a in arrays]))


def checkpoint(function):
    """The same function, computed again when its derivative is: its intermediate values are not kept."""

    @functools.wraps(function)
    def checkpointed(*args):
        listed = _Listed(function, args)
        return listed.result(_core._checkpointed(listed, listed.arrays))

    return checkpointed


def custom_vjp(function, forward, backward):
    """A function with a derivative of one's own.

    `forward(*args)` gives the value and what `backward` needs; `backward(kept, cotangent)` gives a tuple of cotangents of
    the arguments.
    """

    @functools.wraps(function)
    def custom(*args):
        listed, kept_structure, count = _Listed(function, args), [None], [0]

        def run_forward(arrays):
            values, kept = [], []
            value, residuals = forward(*_unflatten(listed.structure, iter(arrays))[0])
            listed.result_structure = _flatten(value, values)
            kept_structure[0], count[0] = _flatten(residuals, kept), len(kept)
            return [_core.asarray(len(values)), *values, *kept]

        def run_backward(arrays):
            kept = _unflatten(kept_structure[0], iter(arrays[: count[0]]))
            cotangent = _unflatten(listed.result_structure, iter(arrays[count[0] :]))
            found = []
            _flatten(tuple(backward(kept, cotangent)), found)
            return found

        return listed.result(_core._custom(listed, run_forward, run_backward, listed.arrays))

    return custom
