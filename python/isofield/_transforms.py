"""Functions of arrays made into other functions: `jit`, `grad` and their kin.

Arguments and results are arrays, or tuples, lists and dicts of them, of any depth. What else an argument holds, a
number or a string, is a constant of the function: it must be hashable, and another one is another function. Constants
are the same when they have one type and are equal; numbers, when they are written alike: 1 is neither 1.0 nor True,
0.0 is not -0.0, and NaN is NaN.
"""

from __future__ import annotations

import collections
import functools
import numbers
import threading
import typing

from . import _core

Function = typing.Callable[..., typing.Any]
SameFunction = typing.TypeVar("SameFunction", bound=Function)
Positions = typing.Union[int, typing.Sequence[int]]
Axes = typing.Union[int, typing.Sequence[typing.Optional[int]], None]


class _Leaf:
    def __repr__(self):
        return "*"


_leaf = _Leaf()


class _Constant:
    """What is no array in an argument, and what tells it from others."""

    __slots__ = ("value", "key")

    def __init__(self, value):
        kind = type(value)
        self.value = value
        exact = kind in (int, str, bool, type(None)) or not isinstance(value, numbers.Number)
        self.key = kind, value if exact else repr(value)

    def __eq__(self, other):
        return type(other) is _Constant and self.key == other.key

    def __hash__(self):
        return hash(self.key)


def _flatten(value, arrays):
    """List the arrays in `value`; gives its structure, which is hashable."""
    if isinstance(value, _core.UnifiedArray):
        arrays.append(value)
        return _leaf
    if isinstance(value, (tuple, list)):
        return type(value), tuple(_flatten(v, arrays) for v in value)
    if isinstance(value, dict):
        return dict, tuple((_Constant(k), _flatten(v, arrays)) for k, v in value.items())
    return _Constant(value)


def _unflatten(structure, arrays):
    """The value of a structure; takes its arrays from an iterator."""
    if structure is _leaf:
        return next(arrays)
    if type(structure) is _Constant:
        return structure.value
    kind, parts = structure
    if kind is dict:
        return {k.value: _unflatten(v, arrays) for k, v in parts}
    values = [_unflatten(v, arrays) for v in parts]
    return kind(*values) if hasattr(kind, "_fields") else kind(values)


class _Listed:
    """A function with its arguments' structure, as a function of the list of their arrays.

    `one`: the transform that can only do with one array as the value.
    """

    def __init__(self, function, args, kwargs=None, one=None):
        self.function, self.arrays, self.one = function, [], one
        self.structure = _flatten((args, kwargs or {}), self.arrays)
        self.result_structure = None

    def __call__(self, arrays):
        args, kwargs = _unflatten(self.structure, iter(arrays))
        results = []
        value = self.function(*args, **kwargs)
        self.result_structure = _flatten(value, results)
        if self.one and len(results) != 1:
            what = f"{type(value).__name__} with {len(results)} arrays" if results else f"{type(value).__name__}, no array"
            raise TypeError(f"{self.one}: the function must give one array, and gave a {what}")
        return results

    def result(self, arrays):
        return _unflatten(self.result_structure, iter(arrays))


_most_traces = 64  # a function that is called with ever new constants must not keep memory for each


def jit(function: SameFunction) -> SameFunction:
    """Make a function of arrays fast to call again.

    Its operations are recorded at the first call for given shapes, dtypes and devices, and replayed after without
    running its Python code. Numbers that it captures are fixed at the trace, and so is what it does besides; reading an
    element inside of it is an error. The 64 traces used last are kept; `traces()` says how many were made.
    """
    traces, lock, dropped = collections.OrderedDict(), threading.Lock(), [0]
    newest = None, (None, None)  # the key of the last call and what it found

    def find(key, args, kwargs):
        gone = None
        with lock:
            found = traces.get(key)
            if found is None:
                if len(traces) == _most_traces:
                    gone = traces.popitem(last=False)[1][0]
                found = traces[key] = _core._Traced(), _Listed(function, args, kwargs)
            else:
                traces.move_to_end(key)
        if gone:
            count = gone.count  # may wait for another thread's replay: not under the lock
            with lock:
                dropped[0] += count
        return found

    @functools.wraps(function)
    def jitted(*args, **kwargs):
        arrays = args
        if kwargs or not all(type(a) is _core.UnifiedArray for a in args):
            arrays = []
            structure = _flatten((args, kwargs), arrays)
        else:
            structure = len(args)
        key = structure, _core._kinds(arrays)
        nonlocal newest
        known, (traced, listed) = newest
        if key != known:
            try:
                traced, listed = find(key, args, kwargs)
            except TypeError:
                raise TypeError("jit: arguments are arrays, and constants that can be hashed") from None
            newest = key, (traced, listed)
        results = traced(listed, arrays)
        listed.arrays = ()  # what is kept must not keep elements
        return results[0] if listed.result_structure is _leaf else listed.result(results)

    def count():
        with lock:
            kept, others = list(traces.values()), dropped[0]
        return others + sum(traced.count for traced, _ in kept)

    jitted.traces = count
    return jitted


def value_and_grad(function: Function, argnums: Positions = 0) -> Function:
    """A function that gives the value of `function`, a number, and its derivatives by some arguments.

    `argnums` is the position of an argument, or a tuple of positions; derivatives have their structure.
    """
    return _derivative(function, argnums, "value_and_grad")


def grad(function: Function, argnums: Positions = 0) -> Function:
    """A function that gives the derivatives of `function`, whose value is a number, by some arguments."""
    both = _derivative(function, argnums, "grad")

    @functools.wraps(function)
    def gradient(*args, **kwargs):
        return both(*args, **kwargs)[1]

    return gradient


def _derivative(function, argnums, name):
    single = isinstance(argnums, int)

    @functools.wraps(function)
    def derived(*args, **kwargs):
        positions = _positions(argnums, args, kwargs, name)
        listed = _Listed(function, args, kwargs, one=name)
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


def _positions(argnums, args, kwargs, name):
    """The places of the arguments that `argnums` names, counted from the first."""
    wanted = (argnums,) if isinstance(argnums, int) else tuple(argnums)
    if all(-len(args) <= n < len(args) for n in wanted):
        return [n % len(args) for n in wanted]
    note = "; arguments passed by name are not counted" if kwargs else ""
    raise _core.IndexError(f"{name}: argnums {argnums}, and there are {len(args)} positional arguments{note}")


def vjp(function: Function, *args: typing.Any) -> tuple[typing.Any, Function]:
    """The value of `function`, and a function from cotangents of it to a tuple of cotangents of the arguments."""
    listed = _Listed(function, args)
    values, pulled = _core._pulled_back(listed, listed.arrays)

    def pull(cotangent):
        arrays = []
        if _flatten(cotangent, arrays) != listed.result_structure:
            raise TypeError("vjp: the cotangent does not have the structure of the value")
        return _unflatten(listed.structure, iter(pulled(arrays)))[0]

    return listed.result(values), pull


def jvp(
    function: Function, args: typing.Sequence[typing.Any], tangents: typing.Sequence[typing.Any]
) -> tuple[typing.Any, typing.Any]:
    """The value of `function` and its derivative along `tangents`, a tuple as `args` is."""
    listed, directions = _Listed(function, tuple(args)), []
    if _flatten((tuple(tangents), {}), directions) != listed.structure:
        raise TypeError("jvp: tangents do not have the structure of the arguments")
    values, derivatives = _core._pushed_forward(listed, listed.arrays, directions)
    return listed.result(values), listed.result(derivatives)


def vmap(function: Function, in_axes: Axes = 0, out_axes: Positions = 0) -> Function:
    """A function of a batch from a function of one, computed together.

    `in_axes` is the axis of all arguments along which the batch lies, or a sequence with one for each, None for those
    that all share. Results have it along `out_axes`.
    """

    @functools.wraps(function)
    def mapped(*args, **kwargs):
        axes = [in_axes] * len(args) if in_axes is None or isinstance(in_axes, int) else list(in_axes)
        if len(axes) != len(args):
            raise ValueError(f"vmap: {len(axes)} axes for {len(args)} arguments")
        listed, by_array = _Listed(function, args, kwargs), []
        for axis, argument in zip(axes, args):
            arrays = []
            _flatten(argument, arrays)
            by_array += [axis] * len(arrays)
        by_array += [None] * (len(listed.arrays) - len(by_array))  # what is passed by name is shared
        out = [out_axes] if isinstance(out_axes, int) else list(out_axes)
        return listed.result(_core._mapped(listed, listed.arrays, by_array, out))

    return mapped


def jacobian(function: Function, argnums: Positions = 0) -> Function:
    """The derivatives of all elements of a function's array by all elements of an argument, as a function.

    Their shape is that of the value, then that of the argument. `argnums` is the position of an argument, an array, or a
    tuple of positions, for a tuple of derivatives.
    """
    return _all_derivatives(function, argnums, "jacobian")


def _all_derivatives(function, argnums, name):
    @functools.wraps(function)
    def derivatives(*args, **kwargs):
        def by(n):
            def of_one(arrays):
                value = function(*args[:n], arrays[0], *args[n + 1 :], **kwargs)
                if not isinstance(value, _core.UnifiedArray):
                    raise TypeError(f"{name}: the function must give an array, and gave a {type(value).__name__}")
                return [value]

            if not isinstance(args[n], _core.UnifiedArray):
                raise TypeError(f"{name}: argument {n} must be an array, and is a {type(args[n]).__name__}")
            return _core._jacobian(of_one, args[n])

        found = tuple(by(n) for n in _positions(argnums, args, kwargs, name))
        return found[0] if isinstance(argnums, int) else found

    return derivatives


def hessian(function: Function, argnums: Positions = 0) -> Function:
    """The second derivatives of a function whose value is a number, by an argument, as a function.

    Of a tuple of positions: for each of them a tuple of the derivatives by each.
    """
    if isinstance(argnums, int):
        return _all_derivatives(grad(function, argnums), argnums, "hessian")
    rows = [_all_derivatives(grad(function, n), argnums, "hessian") for n in argnums]

    @functools.wraps(function)
    def derivatives(*args, **kwargs):
        return tuple(row(*args, **kwargs) for row in rows)

    return derivatives


def stop_gradient(x: typing.Any) -> typing.Any:
    """The same elements, as constants for all transforms that differentiate."""
    arrays = []
    structure = _flatten(x, arrays)
    return _unflatten(structure, iter([_core._stop_gradient(a) for a in arrays]))


def checkpoint(function: SameFunction) -> SameFunction:
    """The same function, computed again when its derivative is: its intermediate values are not kept."""

    @functools.wraps(function)
    def checkpointed(*args, **kwargs):
        listed = _Listed(function, args, kwargs)
        return listed.result(_core._checkpointed(listed, listed.arrays))

    return checkpointed


def custom_vjp(function: SameFunction, forward: Function, backward: Function) -> SameFunction:
    """A function with a derivative of one's own.

    `forward(*args)` gives the value and what `backward` needs; `backward(kept, cotangent)` gives a tuple of cotangents of
    the arguments, which are passed by position.
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
            given, found = backward(kept, cotangent), []
            if not isinstance(given, (tuple, list)) or len(given) != len(args):
                what = f"{len(given)} of them" if isinstance(given, (tuple, list)) else f"a {type(given).__name__}"
                raise TypeError(
                    f"custom_vjp: backward must give a tuple of cotangents, one for each of {len(args)} arguments,"
                    f" and gave {what}"
                )
            _flatten(tuple(given), found)
            if len(found) != len(listed.arrays):
                raise TypeError("custom_vjp: the cotangents do not have the structure of the arguments")
            return found

        return listed.result(_core._custom(listed, run_forward, run_backward, listed.arrays))

    return custom
