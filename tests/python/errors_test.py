"""What is told of arguments that cannot be taken: the type of the exception, and what its text names."""

import numpy as np
import pytest

import isofield as xp

X = xp.ones((2, 3))
HUGE = 10**15

MISTAKEN = {
    "axis is .*1.0": lambda: xp.sum(X, axis=1.0),
    "axis is .*1.5": lambda: xp.max(X, axis=1.5),
    "axis is .*'a'": lambda: xp.flip(X, axis="a"),
    "axis is .*'b'": lambda: xp.squeeze(X, axis="b"),
    "axis is .*2.5": lambda: xp.linalg.vector_norm(X, axis=2.5),
    "axes is .*1.5": lambda: xp.fft.fftshift(X, axes=1.5),
    "axes is .*0.5": lambda: xp.tensordot(X, X, axes=0.5),
    "repeats is .*1.5": lambda: xp.repeat(X, 1.5),
    "repetitions is .*1.5": lambda: xp.tile(X, 1.5),
    "shift is .*1.5": lambda: xp.roll(X, 1.5),
    "width is .*'a'": lambda: xp.pad(X, "a"),
    "bins is .*'auto'": lambda: xp.histogram(X, bins="auto"),
    "q is .*'half'": lambda: xp.quantile(X, "half"),
    "spacing is .*'h'": lambda: xp.gradient(X, "h"),
    "shape is .*2.5": lambda: xp.zeros((2.5,)),
    "shape is .*'ab'": lambda: xp.reshape(X, "ab"),
    "n is .*'five'": lambda: xp.random.permutation("five"),
}


@pytest.mark.parametrize("text", MISTAKEN)
def test_a_type_error_names_the_argument(text):
    with pytest.raises(TypeError, match=text):
        MISTAKEN[text]()


@pytest.mark.parametrize(
    "make",
    [
        lambda: xp.arange(HUGE),
        lambda: xp.linspace(0.0, 1.0, HUGE),
        lambda: xp.zeros(HUGE),
        lambda: xp.random.uniform(HUGE),
        lambda: xp.random.permutation(HUGE),
        lambda: xp.histogram(X, bins=HUGE),
        lambda: xp.eye(10**8),
        lambda: xp.one_hot(xp.arange(10**4), 10**12).eval(),
    ],
)
def test_missing_memory_is_told_with_shape_and_bytes(make):
    with pytest.raises(xp.OutOfMemory, match=r"no memory for shape \(.*\d bytes") as caught:
        make()
    assert isinstance(caught.value, MemoryError)


def test_the_shape_without_memory_is_the_one_asked_for():
    with pytest.raises(xp.OutOfMemory, match=r"\(100000000, 100000000\)"):
        xp.eye(10**8)
    with pytest.raises(xp.OutOfMemory, match=r"\(10000, 1000000000000\)"):
        xp.one_hot(xp.arange(10**4), 10**12).eval()


@pytest.mark.parametrize(
    "call",
    [
        lambda: xp.diff(X, n=-1),
        lambda: xp.gradient(X, edge_order=3),
        lambda: xp.random.uniform(3, low=1.0, high=0.0),
        lambda: xp.random.normal(3, deviation=-1.0),
        lambda: xp.random.integers(3, 3),
        lambda: xp.random.choice(2, 3, replace=False),
        lambda: xp.linalg.matrix_norm(X, ord="foo"),
        lambda: xp.features.normalize_features(X, 1.0, 0.0),
        lambda: xp.fft.dct(X, type=9),
        lambda: xp.vmap(lambda a: a, in_axes=None)(X),
    ],
)
def test_values_that_are_not_taken_are_value_errors(call):
    with pytest.raises(xp.ArgumentError) as caught:
        call()
    assert isinstance(caught.value, ValueError) and isinstance(caught.value, xp.Error)


def test_a_write_that_would_wrap_around_names_the_number():
    x = xp.zeros(2, dtype=xp.uint8)
    with pytest.raises(xp.DTypeError, match="assign: -1 does not fit into dtype uint8"):
        x[0] = -1
    assert x.tolist() == [0, 0]


def test_ranks_and_lengths_out_of_range_are_told():
    with pytest.raises(xp.ShapeError, match="rank 33 is above the largest, 32"):
        xp.zeros((1,) * 33)
    with pytest.raises(xp.ShapeError, match="9223372036854775808 does not fit into 64 bits"):
        xp.zeros(2**63)
    with pytest.raises(xp.ShapeError, match="rank 40"):
        xp.reshape(X, (1,) * 40)


def test_an_array_without_truth_value_names_any_and_all():
    with pytest.raises(ValueError, match=r"shape \(2, 3\).*truth value.*any\(\) or all\(\)"):
        bool(X > 0)


NAMED = {
    "clip": lambda: xp.clip(xp.asarray([True]), xp.asarray([False])),
    "softmax": lambda: xp.softmax(X, axis=5),
    "log_softmax": lambda: xp.log_softmax(X, axis=5),
    "logsumexp": lambda: xp.logsumexp(X, axis=5),
    "median": lambda: xp.median(X, axis=5),
    "percentile": lambda: xp.percentile(X, 200.0),
    "norm": lambda: xp.linalg.norm(X, "foo"),
    "cond": lambda: xp.linalg.cond(xp.ones((2, 2)), p="foo"),
    "stack": lambda: xp.stack([xp.ones(2), xp.ones(2)], axis=4),
    "expand_dims": lambda: xp.expand_dims(xp.ones(2), axis=3),
}


@pytest.mark.parametrize("name", NAMED)
def test_errors_name_the_function_that_was_called(name):
    with pytest.raises(xp.Error) as caught:
        NAMED[name]()
    assert str(caught.value).startswith(name + ": "), caught.value


def test_a_new_axis_is_counted_among_those_of_the_array():
    with pytest.raises(xp.IndexError, match="no place 3 for a new axis in a result of rank 2"):
        xp.expand_dims(xp.ones(2), axis=3)


def test_no_error_names_a_line_of_the_library():
    def failing():
        yield lambda: xp.asarray(np.ones(2)) + xp.ones(3)
        yield lambda: xp.asarray([1j]) @ xp.asarray([True])
        yield lambda: xp.astype(xp.asarray([1j]), xp.float64)
        yield lambda: xp.trapezoid(xp.ones(()))
        yield lambda: xp.gradient(xp.ones(1))
        yield lambda: xp.interp(X, X, X)
        yield lambda: xp.cov(xp.ones((2, 2, 2)))
        yield lambda: xp.grad(lambda x: xp.sum(x) + xp.ones(3)[5])(X)
        yield lambda: xp.jacobian(lambda x: xp.reshape(x, (7,)))(X)
        yield lambda: xp.vmap(lambda x: xp.sum(x, axis=4))(X)
        yield from NAMED.values()

    for call in failing():
        with pytest.raises(xp.Error) as caught:
            call()
        assert ".cpp" not in str(caught.value) and ".hpp" not in str(caught.value), caught.value


def test_operators_with_what_must_first_be_made_an_array_are_refused():
    for other in (np.ones(2), [1.0, 1.0], (1.0, 1.0), memoryview(b"ab")):
        for operation in ("__eq__", "__ne__", "__lt__", "__add__", "__rmul__", "__matmul__", "__iadd__"):
            with pytest.raises(TypeError, match="asarray"):
                getattr(xp.ones(2), operation)(other)
    with pytest.raises(TypeError, match="asarray"):
        np.ones(2) == xp.ones(2)
    with pytest.raises(OverflowError):
        xp.ones(2) == 10**30
    for number in (2, 2.0, np.float32(2)):
        with pytest.raises(TypeError, match="unsupported operand.*@"):
            xp.ones((2, 2)) @ number
    assert (xp.ones(2) == None) is False  # noqa: E711
    assert (xp.ones(2) == "a") is False and (xp.ones(2) == b"ab") is False


def test_backends_that_meet_are_named_without_a_method_that_python_lacks():
    others = [name for name, there, _ in xp.list_backends() if there and name != xp.get_backend()]
    if not others:
        pytest.skip("one backend in this build")
    with pytest.raises(xp.Error, match="bring one over") as caught:
        xp.ones(2) + xp.ones(2, device=others[0])
    assert "to_backend" not in str(caught.value)
