"""The class UnifiedArray: attributes, operators, values."""

import copy
import inspect
import operator
import pickle

import numpy as np
import pytest

import isofield as xp


def array(values, dtype=None):
    return xp.asarray(values, dtype=dtype, copy=True)


A = np.array([[1.5, -2.0, 3.0], [0.5, 4.0, -6.0]])
B = np.array([[2.0, 0.5, -1.0], [3.0, 1.0, 4.0]])
BINARY = [
    operator.add, operator.sub, operator.mul, operator.truediv, operator.floordiv, operator.mod,
    operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne,
]  # fmt: skip


@pytest.mark.parametrize("op", BINARY)
def test_operators_agree_with_numpy(op):
    x, y = array(A), array(B)
    np.testing.assert_array_equal(np.asarray(op(x, y)), op(A, B))
    np.testing.assert_array_equal(np.asarray(op(x, 2.0)), op(A, 2.0))
    np.testing.assert_array_equal(np.asarray(op(2.0, x)), op(2.0, A))
    np.testing.assert_array_equal(np.asarray(op(x, 2)), op(A, 2))


@pytest.mark.parametrize("op", BINARY[:6])
def test_operators_in_place_keep_the_object_and_its_dtype(op):
    in_place = getattr(operator, "i" + op.__name__)
    x = array(A, xp.float32)
    same = x
    x = in_place(x, array(B))
    assert x is same
    assert x.dtype is xp.float32
    np.testing.assert_allclose(np.asarray(x), op(A.astype(np.float32), B), rtol=1e-6)


def test_an_operator_in_place_does_not_grow_its_array():
    x = array([1.0, 2.0])
    with pytest.raises(xp.ShapeError, match=r"\(2, 2\).*\(2,\)"):
        x += array([[1.0, 2.0], [3.0, 4.0]])
    assert x.tolist() == [1.0, 2.0]


def test_unary_operators_agree_with_numpy():
    x = array(A)
    assert (-x).tolist() == (-A).tolist()
    assert (+x).tolist() == A.tolist()
    assert abs(x).tolist() == abs(A).tolist()
    assert (~(x > 0)).tolist() == (~(A > 0)).tolist()
    assert ((x > 0) & (x < 2)).tolist() == ((A > 0) & (A < 2)).tolist()
    assert ((x > 0) | (x < -5)).tolist() == ((A > 0) | (A < -5)).tolist()
    assert ((x > 0) ^ (x < 2)).tolist() == ((A > 0) ^ (A < 2)).tolist()


def test_powers_and_products_agree_with_numpy():
    x, y = array(A), array(B)
    np.testing.assert_allclose(np.asarray(x**2), A**2, rtol=1e-15)
    np.testing.assert_allclose(np.asarray(2.0**x), 2.0**A, rtol=1e-15)
    np.testing.assert_allclose(np.asarray(x @ y.mT), A @ B.T, rtol=1e-14)
    z = array(np.eye(2))
    same = z
    z @= array([[1.0, 2.0], [3.0, 4.0]])
    assert z is same and z.tolist() == [[1.0, 2.0], [3.0, 4.0]]


def test_attributes_say_what_an_array_is():
    x = xp.zeros((2, 3, 4), dtype=xp.float32)
    assert (x.shape, x.ndim, x.size, x.nbytes) == ((2, 3, 4), 3, 24, 96)
    assert x.dtype is xp.float32
    assert x.device == xp.get_backend()
    assert x.T.shape == (4, 3, 2) and x.mT.shape == (2, 4, 3)
    assert x.__array_namespace__() is xp
    assert x.__array_namespace__(api_version="2025.12") is xp
    with pytest.raises(ValueError, match="1999.01"):
        x.__array_namespace__(api_version="1999.01")


def test_numbers_come_out_of_arrays_of_one_element():
    assert float(array(2.5)) == 2.5
    assert int(array(3)) == 3 and operator.index(array(3)) == 3
    assert complex(array(2.5)) == 2.5
    assert bool(array(True)) is True and bool(array(0.0)) is False
    assert isinstance(array(3).item(), int) and isinstance(array(True).item(), bool)
    with pytest.raises(TypeError):
        operator.index(array(3.0))
    with pytest.raises(ValueError, match="holds 2 elements"):
        bool(array([1, 2]))


def test_an_array_is_a_sequence_of_its_rows():
    x = array(A)
    assert len(x) == 2
    assert [row.tolist() for row in x] == A.tolist()
    with pytest.raises(TypeError, match="rank 0"):
        len(array(1.0))
    with pytest.raises(TypeError, match="rank 0"):
        iter(array(1.0))


def test_arrays_cannot_be_hashed_and_differ_from_other_objects():
    with pytest.raises(TypeError, match="unhashable"):
        hash(array(1))
    assert (array(1) == None) is False  # noqa: E711
    assert (array(1) != "a") is True
    with pytest.raises(TypeError):
        array(1) + "a"
    with pytest.raises(TypeError):
        array([1.0]) + np.ones(1)


def test_a_write_is_not_seen_by_copies():
    x = array(A)
    y = x[0]
    x[0] = 0.0
    assert y.tolist() == A[0].tolist()
    z = copy.copy(x)
    x += 1.0
    assert z[0].tolist() == [0.0, 0.0, 0.0]


def test_pointwise_operations_wait_until_their_value_is_needed():
    x = array(A)
    y = x * 2.0 + 1.0
    assert y.pending
    assert y.eval() is y and not y.pending
    assert y.tolist() == (A * 2.0 + 1.0).tolist()


def test_pickles_and_deep_copies_hold_the_same_elements():
    for values in (A, A > 0, A.astype(np.float32), np.zeros((0, 3)), np.array(2)):
        x = array(values)
        for y in (pickle.loads(pickle.dumps(x)), copy.deepcopy(x)):
            assert y.dtype is x.dtype and y.shape == x.shape and y.tolist() == x.tolist()
    assert pickle.loads(pickle.dumps(xp.float32)) is xp.float32
    assert pickle.loads(pickle.dumps(xp.add)) is xp.add


def test_an_array_says_its_elements_shape_dtype_and_backend():
    text = repr(array([1.0, 2.5]))
    assert text == f"array([1. , 2.5], shape=(2,), dtype=float64, backend={xp.get_backend()})"


def test_signatures_are_known_to_inspect():
    assert str(inspect.signature(xp.zeros(1).to_device)) == (
        "(device: 'str', /, *, stream: 'int | None' = None)"
    )
    parameters = inspect.signature(xp.zeros).parameters
    assert list(parameters) == ["shape", "dtype", "device"]
    assert parameters["dtype"].kind is inspect.Parameter.KEYWORD_ONLY
    assert parameters["dtype"].default is None
    assert list(inspect.signature(xp.UnifiedArray.to_device).parameters)[0] == "self"


def test_errors_are_pythons_and_ours():
    for error, builtin in ((xp.ShapeError, ValueError), (xp.DTypeError, TypeError),
                           (xp.IndexError, IndexError), (xp.NotAvailable, RuntimeError),
                           (xp.IoError, OSError), (xp.SolverError, ArithmeticError)):  # fmt: skip
        assert issubclass(error, builtin) and issubclass(error, xp.Error)
    with pytest.raises(xp.ShapeError) as caught:
        array(A) + array([1.0, 2.0])
    assert str(caught.value) == (
        "add: shapes (2, 3) and (2,) do not broadcast: 3 != 2 along axis 1 "
        f"[{xp.get_backend()}, float64]"
    )
    with pytest.raises(xp.NotAvailable, match="unknown backend 'nope'"):
        xp.set_backend("nope")


def test_a_scope_changes_the_backend_and_gives_it_back():
    before = xp.get_backend()
    with xp.backend("eigen"):
        assert xp.get_backend() == "eigen"
        assert xp.zeros(2).device == "eigen"
    assert xp.get_backend() == before
    x = array(A).to_device("eigen")
    assert x.device == "eigen" and x.tolist() == A.tolist()
    assert array(A).to_device("cpu").tolist() == A.tolist()


def test_notebooks_see_range_holes_and_a_picture():
    values = np.arange(300.0).reshape(3, 10, 10)
    values[0, 2, 3], values[0, 0, 0] = np.nan, np.inf
    text = array(values)._repr_html_()
    for part in ("(3, 10, 10)", "float64", "NaN or infinite</th><td style='text-align:left'>2<", "1 .. 299"):
        assert part in text, part
    assert text.count("<rect") == 100 and text.count("#d33") == 2
    for x in (array([]), array(True), array([1 + 2j]), array([[True, False]]), array([[1], [2]], xp.uint8)):
        assert f"{x.shape}" in x._repr_html_()
    assert array(np.zeros((1000, 1000)))._repr_html_().count("<rect") == 63 * 63


@pytest.mark.parametrize("kind", [np.float32, np.float64, np.int64, np.int16, np.uint8, np.bool_, np.complex64])
def test_numbers_of_numpy_count_as_pythons(kind):
    number = kind(1)
    x = xp.ones(2, dtype=xp.bool) if kind is np.bool_ else xp.full(2, 3, dtype=np.dtype(kind).name)
    for ours, theirs in ((x == number, np.asarray(x) == number), (number == x, np.asarray(x) == number),
                         (x != number, np.asarray(x) != number)):  # fmt: skip
        assert isinstance(ours, xp.UnifiedArray) and ours.tolist() == theirs.tolist()
    if kind is not np.bool_:
        assert (x * number).tolist() == (number * x).tolist() == xp.multiply(x, number).tolist() == x.tolist()
        assert (x + number).dtype is x.dtype
        x += number
        assert x.tolist() == [4, 4]
        assert xp.full(2, number).tolist() == [1, 1] and xp.where(x == 4, number, x).tolist() == [1, 1]


def test_numbers_of_numpy_are_weak_as_pythons_are():
    assert (xp.ones(2, dtype=xp.float32) * np.float64(2)).dtype is xp.float32
    assert (xp.ones(2, dtype=xp.int8) + np.int64(2)).dtype is xp.int8
    assert xp.arange(np.int64(3)).tolist() == [0, 1, 2]
    with pytest.raises(xp.DTypeError):
        xp.ones(2, dtype=xp.int8) + np.float32(0.5)


def test_numpy_takes_no_array_apart_that_has_no_buffer():
    seen = []

    @xp.jit
    def f(x):
        with pytest.raises(xp.Error, match="asked for while tracing"):
            np.asarray(x)
        seen.append(1)
        return x

    f(xp.ones(2))
    assert seen
    assert xp.ones(2).__array__(np.float32).dtype == np.float32
