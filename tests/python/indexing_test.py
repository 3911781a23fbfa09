"""Reading and writing parts, against NumPy."""

import numpy as np
import pytest

import isofield as xp

X = np.arange(60.0).reshape(3, 4, 5)
KEYS = [
    0, -1, (1, 2), (1, 2, 3), slice(None), slice(1, None), slice(None, None, -1), slice(10, 0, -2),
    slice(-2, None), (slice(None), 1), (slice(None), slice(None, None, -2)), ..., (..., 1),
    (0, ..., slice(1, 3)), None, (None, 0), (..., None), (slice(None), None, 2), (),
    slice(2, 1), slice(-100, 100), slice(0, 2**70),
]  # fmt: skip


@pytest.mark.parametrize("key", KEYS, ids=repr)
def test_parts_are_numpys(key):
    assert xp.asarray(X)[key].shape == X[key].shape
    assert xp.asarray(X)[key].tolist() == X[key].tolist()


@pytest.mark.parametrize("key", KEYS, ids=repr)
def test_writes_are_numpys(key):
    x, values = xp.asarray(X, copy=True), X.copy()
    x[key], values[key] = -1.0, -1.0
    assert x.tolist() == values.tolist()
    x[key], values[key] = xp.asarray(X[key] * 2.0), X[key] * 2.0
    assert x.tolist() == values.tolist()


def test_an_array_of_rank_0_is_an_index():
    assert xp.asarray(X)[xp.asarray(1)].tolist() == X[1].tolist()


MASK = X[:, :, 0] % 3 == 0
CHOICES = [
    X > 30, X[:, 0, 0] > 5, MASK, (slice(None), MASK[0]), (1, X[1] > 25), True, False,
    [0, 2, 0], np.array([[0, 1], [2, -1]]), (slice(None), [1, 3]), (0, [1, 3], slice(None, None, 2)),
    ([0, 1], [1, 2]), ([0, 1], slice(None), [3, 4]), (..., np.array([4, 0])), (None, [1]), (np.zeros(0, int), 0),
    (np.array([[0], [2]]), np.array([1, 3])), (np.int64(1), [0]),
]  # fmt: skip


def ours(key):
    """The key with our arrays in the place of NumPy's."""
    if isinstance(key, tuple):
        return tuple(ours(k) for k in key)
    return xp.asarray(key) if isinstance(key, np.ndarray) else key


@pytest.mark.parametrize("key", CHOICES, ids=repr)
def test_choices_are_numpys(key):
    theirs = X[key]
    for k in (key, ours(key)):
        got = xp.asarray(X)[k]
        assert got.shape == theirs.shape and got.tolist() == theirs.tolist()


@pytest.mark.parametrize("key", CHOICES, ids=repr)
def test_writes_into_choices_are_numpys(key):
    x, values = xp.asarray(X, copy=True), X.copy()
    x[ours(key)], values[key] = -1.0, -1.0
    assert x.tolist() == values.tolist()
    part = X[key] * 2.0
    x[ours(key)], values[key] = xp.asarray(part), part
    assert x.tolist() == values.tolist()


def test_an_empty_list_chooses_nothing():
    assert xp.asarray(X)[[]].shape == (0, 4, 5)


def test_choices_beyond_an_axis_are_refused():
    for key in ([3], [-4], ([0], [4]), np.ones((2, 4), bool)):
        with pytest.raises(IndexError):
            xp.asarray(X)[key]
    with pytest.raises(IndexError):
        xp.asarray(X)[[0.5]]


def test_values_of_other_kinds_go_into_parts():
    x = xp.zeros((2, 3))
    x[0] = [1.0, 2.0, 3.0]
    x[1, :] = np.array([4.0, 5.0, 6.0])
    x[:, 0] = 7
    assert x.tolist() == [[7.0, 2.0, 3.0], [7.0, 5.0, 6.0]]
    with pytest.raises(xp.ShapeError, match=r"assign: shape"):
        x[0] = [1.0, 2.0]


@pytest.mark.parametrize("key", [3, -4, (0, 4), (0, 0, 0, 0), (..., ...), 2**70])
def test_indices_out_of_range_are_refused(key):
    with pytest.raises(IndexError) as caught:
        xp.asarray(X)[key]
    assert isinstance(caught.value, xp.IndexError)
    x = xp.asarray(X, copy=True)
    with pytest.raises(xp.IndexError):
        x[key] = 0.0


@pytest.mark.parametrize("key", ["a", 1.5, slice(None, None, 0)])
def test_what_is_no_index_is_refused(key):
    with pytest.raises((IndexError, TypeError, ValueError)):
        xp.asarray(X)[key]


def test_elements_cannot_be_deleted():
    x = xp.ones(2)
    with pytest.raises(TypeError, match="deleted"):
        del x[0]
