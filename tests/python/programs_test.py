"""Random sequences of operations against NumPy.

ISOFIELD_FUZZ_RUNS says how many, ISOFIELD_FUZZ_SEED which is the first. Operations on the way are exact in both, so that
every bit must agree; what libraries may round differently comes last and is compared with a tolerance.
"""

import os

import numpy as np
import pytest

import isofield as xp

RUNS = int(os.environ.get("ISOFIELD_FUZZ_RUNS", "400"))
SEED = int(os.environ.get("ISOFIELD_FUZZ_SEED", "0"))

DTYPES = ["bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
          "float32", "float64", "complex64", "complex128"]  # fmt: skip
SHAPES = [(), (1,), (3,), (8,), (17,), (40,), (0,), (300,), (2, 3), (5, 4), (1, 7), (3, 1), (2, 0),
          (2, 3, 4), (3, 1, 5), (1, 2, 1, 3)]  # fmt: skip
SPECIAL = [0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, 0.5, 2.5, -3.5, 127.0, 1e10, -1e-3]

NUMERIC_UNARY = ["positive", "negative"]
REAL_UNARY = ["abs", "sign", "square", "floor", "ceil", "trunc", "round", "isnan", "isfinite", "isinf"]
FLOATING_UNARY = ["sqrt", "reciprocal", "signbit"]
INTEGER_UNARY = ["bitwise_invert", "abs", "sign", "square"]
BOOLEAN_UNARY = ["logical_not", "bitwise_invert"]
COMPARISONS = ["equal", "not_equal"]
ORDERED = ["less", "less_equal", "greater", "greater_equal"]
REAL_BINARY = ["add", "subtract", "multiply", "maximum", "minimum"]
INTEGER_BINARY = ["bitwise_and", "bitwise_or", "bitwise_xor", "floor_divide", "remainder",
                  "bitwise_left_shift", "bitwise_right_shift"]  # fmt: skip
BOOLEAN_BINARY = ["logical_and", "logical_or", "logical_xor", "bitwise_and", "bitwise_or", "bitwise_xor"]
LAST = ["sum", "prod", "mean", "std", "cumulative_sum", "exp", "tanh", "sin", "log1p", "atan", "matmul"]


def text(x):
    if isinstance(x, list):
        return f"[{', '.join(map(text, x))}]"
    return f"{x.dtype}{x.shape}" if isinstance(x, np.ndarray) else repr(x)


class Program:
    """Grows pairs of arrays: ours, which may be pending, and NumPy's."""

    def __init__(self, seed):
        self.random = np.random.default_rng(seed)
        self.shape = self.choice(SHAPES)
        self.dtype = self.choice(DTYPES)
        self.log = []
        self.pairs = [self.leaf() for _ in range(4)]

    def choice(self, things):
        return things[int(self.random.integers(len(things)))]

    def below(self, n):
        return int(self.random.integers(n))

    def values(self, shape, dtype):
        n = int(np.prod(shape))
        if dtype == "bool":
            return (self.random.integers(0, 2, n) == 1).reshape(shape)
        if dtype.startswith(("int", "uint")):
            info = np.iinfo(dtype)
            if self.below(3):
                low = -9 if info.min else 0
                return self.random.integers(low, 10, n).astype(dtype).reshape(shape)
            return self.random.integers(info.min, info.max, n, dtype=dtype, endpoint=True).reshape(shape)
        x = self.random.integers(-64, 64, n) / 16.0
        if self.below(3) == 0:
            x[self.random.random(n) < 0.3] = self.choice(SPECIAL)
        if dtype.startswith("complex"):
            return (x + 1j * self.random.integers(-8, 8, n)).astype(dtype).reshape(shape)
        return x.astype(dtype).reshape(shape)

    def leaf(self):
        shape = list(self.shape)
        if self.below(3) == 0:
            shape = [min(n, 1) if self.below(2) else n for n in shape]
        shape = tuple(shape[self.below(2) if shape else 0 :])
        dtype = self.dtype if self.below(3) else self.choice(DTYPES)
        kind = self.below(5)
        if kind == 0 and shape:
            x = self.values(shape, dtype)
            return xp.flip(xp.asarray(x), axis=-1), np.flip(x, axis=-1)
        if kind == 1 and shape:
            x = self.values(shape[:-1] + (2 * shape[-1],), dtype)
            return xp.asarray(x)[..., ::2], x[..., ::2]
        if kind == 2 and shape:
            x = self.values(shape[::-1], dtype)
            return xp.permute_dims(xp.asarray(x), tuple(range(len(shape)))[::-1]), x.T
        x = self.values(shape, dtype)
        return xp.asarray(x, copy=True), x

    def some(self):
        return self.pairs[-1 - self.below(min(4, len(self.pairs)))] if self.below(2) else self.choice(self.pairs)

    def scalar(self, dtype):
        if dtype.kind == "b":
            return bool(self.below(2))
        if dtype.kind == "i":
            return self.below(9) - 4
        if dtype.kind == "u":
            return self.below(5)
        return self.choice([0.0, -0.0, 1.5, -2.0, 3, -1])

    def both(self, name, *arguments, **options):
        """Call ours and NumPy's function on pairs, lists of pairs and other arguments."""

        def part(x, i):
            if isinstance(x, list):
                return [part(y, i) for y in x]
            return x[i] if isinstance(x, tuple) and x and isinstance(x[0], xp.UnifiedArray) else x

        self.log.append(f"{name}({', '.join(map(text, (part(x, 1) for x in arguments)))}, {options})")
        ours = getattr(xp, name)(*(part(x, 0) for x in arguments), **options)
        return ours, np.asarray(getattr(np, name)(*(part(x, 1) for x in arguments), **options))

    def unary(self):
        x = self.some()
        kind = x[1].dtype.kind
        names = {"b": BOOLEAN_UNARY, "i": INTEGER_UNARY + ["negative", "positive"], "u": INTEGER_UNARY,
                 "f": REAL_UNARY + FLOATING_UNARY + NUMERIC_UNARY,
                 "c": NUMERIC_UNARY + ["conj", "real", "imag", "isnan", "isinf", "isfinite"]}  # fmt: skip
        return self.both(self.choice(names[kind]), x)

    def binary(self):
        a, b = self.some(), self.some()
        if self.below(3) == 0:
            b = self.scalar(a[1].dtype)
            kind = a[1].dtype.kind
        else:
            kinds = {a[1].dtype.kind, b[1].dtype.kind}
            mixed = kinds <= {"i", "u"} and {a[1].dtype.name, b[1].dtype.name} & {"uint64"} and len(kinds) == 2
            if mixed or not (len(kinds) == 1 or kinds <= {"i", "u"} or kinds <= {"f", "c"}):
                return None
            try:
                np.broadcast_shapes(a[1].shape, b[1].shape)
            except ValueError:
                return None
            kind = max(kinds, key="buifc".index) if kinds != {"i", "u"} else "i"
        names = {"b": BOOLEAN_BINARY, "i": REAL_BINARY + INTEGER_BINARY + ORDERED,
                 "u": REAL_BINARY + INTEGER_BINARY + ORDERED, "f": [*REAL_BINARY, "divide", *ORDERED],
                 "c": ["add", "subtract"]}[kind] + COMPARISONS  # fmt: skip
        name = self.choice(names)
        if name in ("floor_divide", "remainder"):  # division by zero is nobody's promise
            b = self.both("where", self.both("equal", b, 0), self.ones_like(b), b) if isinstance(b, tuple) else b or 1
            if b == -1 or isinstance(b, tuple) and a[1].dtype.kind == "i":
                b = 3  # the smallest by -1 does not fit
        if name.endswith("shift"):
            b = self.below(8)
        return self.both(name, a, b)

    def ones_like(self, x):
        return xp.ones_like(x[0]), np.ones_like(x[1])

    def truth(self, shape):
        x = self.some()
        mask = xp.astype(x[0], xp.bool), x[1].astype(bool)
        try:
            return xp.broadcast_to(mask[0], shape), np.broadcast_to(mask[1], shape)
        except (ValueError, xp.ShapeError) as e:
            del e
            whole = self.random.integers(0, 2, shape) == 1
            return xp.asarray(whole), whole

    def axis(self, x):
        return self.below(2 * x[1].ndim) - x[1].ndim

    def slices(self, shape):
        index = []
        for n in shape:
            match self.below(5):
                case 0 if n:
                    index.append(self.below(2 * n) - n)
                case 1:
                    index.append(slice(None))
                case 2:
                    index += [None, slice(None, None, self.choice([-2, -1, 2]))]
                case 3:
                    index.append(...)
                    break
                case _:
                    index.append(slice(self.below(n + 2), self.below(n + 3) - 1, self.choice([1, 2])))
        return tuple(index)

    def other(self):
        x = self.some()
        ours, numpys = x
        kind, ndim = numpys.dtype.kind, numpys.ndim
        match self.below(16):
            case 0:
                y = self.some()
                if y[1].dtype != numpys.dtype:
                    return None
                try:
                    shape = np.broadcast_shapes(numpys.shape, y[1].shape)
                except ValueError:
                    return None
                return self.both("where", self.truth(shape), x, y)
            case 1:
                index = self.slices(numpys.shape)
                self.log.append(f"{numpys.dtype}{numpys.shape}[{index}]")
                return ours[index], np.asarray(numpys[index])
            case 2 if ndim:
                index = self.random.integers(0, max(numpys.shape[0], 1), self.choice([(0,), (4,), (2, 3)]))
                if not numpys.shape[0]:
                    return None
                self.log.append(f"{numpys.dtype}{numpys.shape}[{index}]")
                return ours[xp.asarray(index)], numpys[index]
            case 3 if ndim:
                mask = self.truth(numpys.shape)
                self.log.append(f"{numpys.dtype}{numpys.shape}[mask]")
                return ours[mask[0]], numpys[mask[1]]
            case 4 if ndim:
                return self.both("flip", x, axis=self.axis(x))
            case 5 if ndim:
                return self.both("roll", x, self.below(9) - 4, axis=self.axis(x))
            case 6:
                return self.both("reshape", x, (-1,)) if numpys.size else None
            case 7 if ndim:
                y = self.some()
                if y[1].shape != numpys.shape or y[1].dtype != numpys.dtype:
                    y = x
                return self.both(self.choice(["concat", "stack"]), [x, y], axis=self.axis(x))
            case 8 if ndim and kind in "iufb":
                name = self.choice(["min", "max"]) if kind != "b" else "any"
                axis = self.axis(x)
                return self.both(name, x, axis=axis, keepdims=bool(self.below(2))) if numpys.shape[axis] else None
            case 9 if kind in "iu":
                return self.both("sum", x)
            case 10 if ndim and kind in "iuf":
                return self.both(self.choice(["sort", "argsort"]), x, axis=self.axis(x), stable=True)
            case 11 if ndim and kind in "iuf":
                axis = self.axis(x)
                return self.both(self.choice(["argmax", "argmin"]), x, axis=axis) if numpys.shape[axis] else None
            case 12:
                to = self.choice(DTYPES)
                if kind == "c" and not to.startswith("complex") or kind == "f" and to.startswith(("int", "uint")):
                    return None  # refused here; nobody's promise
                self.log.append(f"astype({numpys.dtype}{numpys.shape}, {to})")
                return xp.astype(ours, getattr(xp, to)), numpys.astype(to)
            case 13 if ndim and kind != "b":
                return self.both("diff", x, axis=self.axis(x), n=self.below(3))
            case 14 if ndim and numpys.size < 200:
                return self.both("repeat", x, self.below(3), axis=self.axis(x))
            case _:
                return self.both("expand_dims", x, axis=0) if ndim < 5 else None
        return None

    def write(self):
        """Write to a copy; who else looks at the memory must not see it."""
        i = self.below(len(self.pairs))
        ours, numpys = self.pairs[i]
        numpys = numpys.copy()
        value = self.scalar(numpys.dtype)
        if self.below(2):
            index = self.slices(numpys.shape)
            mine = index
        else:
            mine, index = self.truth(numpys.shape)
        self.log.append(f"{numpys.dtype}{numpys.shape}[{index}] = {value}")
        ours = xp.asarray(ours, copy=True) if self.below(2) else ours[...]
        ours[mine] = value
        numpys[index] = value
        return ours, numpys

    def step(self):
        match self.below(10):
            case 0 | 1:
                pair = self.unary()
            case 2 | 3 | 4 | 5:
                pair = self.binary()
            case 6:
                pair = self.write()
            case _:
                pair = self.other()
        if pair is not None and pair[1].size <= 2000:
            self.pairs.append(pair)

    def last(self):
        """What may differ in the last places."""
        x = self.some()
        kind, ndim = x[1].dtype.kind, x[1].ndim
        if kind != "f" or not np.isfinite(x[1]).all() or np.abs(x[1]).max(initial=0) > 8:
            return None
        name = self.choice(LAST)
        if name in ("sum", "prod", "mean", "std"):
            return self.both(name, x) if x[1].size else None
        if name == "cumulative_sum":
            return self.both(name, x, axis=self.axis(x)) if ndim else None
        if name == "matmul":
            return self.both(name, x, self.both("matrix_transpose", x)) if ndim > 1 else None
        if name == "log1p":
            x = self.both("abs", x)
        return self.both(name, x)


def agree(ours, numpys, exact, log):
    lines = "\n".join(log[-30:])
    assert ours.shape == numpys.shape, lines
    assert ours.dtype.name == numpys.dtype.name, f"{ours.dtype} {numpys.dtype}\n{lines}"
    got = np.asarray(ours)
    if exact:
        np.testing.assert_array_equal(got, numpys, err_msg=lines)
        # Which of 0.0 and -0.0 is the smaller is nobody's promise.
        if numpys.dtype.kind == "f" and not any(line.startswith("m") for line in log):
            known = ~np.isnan(numpys)
            np.testing.assert_array_equal(np.signbit(got)[known], np.signbit(numpys)[known], err_msg=lines)
    else:
        # Sums of numbers up to 8, in the precision of the dtype.
        accuracy = 64 * np.finfo(numpys.dtype).eps
        scale = 8.0 * max(numpys.size, 64)
        np.testing.assert_allclose(got, numpys, rtol=accuracy, atol=accuracy * scale, err_msg=lines)


@pytest.mark.parametrize("part", range(4))
def test_random_programs_agree_with_numpy(part):
    with np.errstate(all="ignore"):
        for seed in range(SEED + part, SEED + RUNS, 4):
            program = Program(seed)
            for _ in range(6 + program.below(20)):
                program.step()
            final = program.last()
            log = [f"seed {seed}", *program.log]
            # The latest first: what it is made of is then computed on the way.
            for ours, numpys in reversed(program.pairs):
                agree(ours, numpys, True, log)
            if final:
                agree(*final, False, log)
