"""How arrays and other objects show themselves, against NumPy's arrays."""

import re

import numpy as np
import pytest

import isofield as xp

ARRAYS = {
    "halves": np.array([1.0, 2.5, -0.1]),
    "thirds": np.array([[1 / 3, -2 / 3], [100.0, 0.125]]),
    "sum": np.array([0.1 + 0.2, 1.0]),
    "small": np.array([1e-10, 2500.0]),
    "large": np.array([1e8, -1.5]),
    "wide": np.array([1.0, 1000.5]),
    "wider": np.array([0.5, 1000.5]),
    "special": np.array([np.nan, -np.inf, 1.5, np.inf]),
    "zeros": np.zeros((2, 3)),
    "single": np.array([0.1, 1 / 3], np.float32),
    "complex": np.array([1 + 2j, -0.25 - 10j]),
    "complex nan": np.array([complex(np.nan, 1), complex(0.5, -np.inf)]),
    "integers": np.array([[1, -20], [300, 4]]),
    "unsigned": np.array([1, 2**64 - 1], np.uint64),
    "bool": np.array([True, False]),
    "cube": np.arange(24).reshape(2, 3, 4),
    "four axes": np.arange(16.0).reshape(2, 2, 2, 2),
    "ten": np.arange(10.0),
    "wrapped": np.arange(100),
    "wrapped floats": np.linspace(0, 1, 50),
    "wrapped rows": np.arange(90.0).reshape(3, 30),
    "long": np.arange(1001.0),
    "long rows": np.arange(1200).reshape(600, 2),
    "long columns": np.arange(1200).reshape(2, 600),
    "long cube": np.arange(8000).reshape(20, 20, 20),
    "scalar": np.array(3.0),
    "integer scalar": np.array(3),
    "negative zero": np.array([-0.0, 1.0]),
}


@pytest.mark.parametrize("name", ARRAYS)
def test_arrays_are_shown_as_numpys(name):
    values = ARRAYS[name]
    theirs = repr(values)
    theirs = theirs[len("array(") : theirs.rfind(")")]
    theirs = re.sub(r",\s+(dtype|shape)=.*", "", theirs, flags=re.DOTALL)
    ours = repr(xp.asarray(values))
    tail = f", shape={values.shape}, dtype={values.dtype}, backend={xp.get_backend()})"
    assert ours == f"array({theirs}{tail}"


def test_an_undefined_number_has_no_sign():
    assert "nan" in repr(-xp.asarray([np.nan])) and "-nan" not in repr(-xp.asarray([np.nan]))


def test_an_array_without_elements_is_shown_by_its_shape():
    assert repr(xp.zeros((0, 3))).startswith("array([], shape=(0, 3), dtype=float64")


def test_numbers_of_rank_0_are_formatted_rounded_and_divided():
    x = xp.asarray(2.71828)
    assert f"{x:.3f}" == "2.718" and f"{xp.asarray(7):>4d}" == "   7"
    assert round(x, 2) == 2.72 and round(x) == 3
    assert f"{xp.ones(2)}" == str(xp.ones(2))
    with pytest.raises(TypeError, match=r"shape \(2,\)"):
        f"{xp.ones(2):.3f}"
    quotient, rest = divmod(xp.asarray([7.0, -7.0]), 2)
    assert quotient.tolist() == [3.0, -4.0] and rest.tolist() == [1.0, 1.0]
    assert [v.tolist() for v in divmod(7, xp.asarray([2, 3]))] == [[3, 2], [1, 1]]


def test_other_objects_say_what_they_are():
    assert repr(xp.finfo(xp.float32)).startswith("finfo(bits=32, eps=1.19")
    assert repr(xp.iinfo(xp.int8)) == "iinfo(bits=8, max=127, min=-128, dtype=isofield.int8)"
    assert repr(xp.random.Generator(7)) == "Generator(seed=7), 0 blocks drawn"
    data = xp.asarray([[1.0, 2.0], [3.0, 5.0]])
    assert repr(xp.features.standardize_features(data)) == "Standardizer(features=2)"
    assert repr(xp.features.normalize_features(data)) == "Normalizer(features=2)"
    assert repr(xp.features.pca(data)) == "PCA(features=2)"


def test_the_range_in_a_notebook_is_that_of_finite_elements():
    text = xp.asarray([np.nan, 1.0, 3.0, np.inf])._repr_html_()
    assert "1 .. 3" in text and "0 .. " not in text
    assert "range" not in xp.asarray([np.nan])._repr_html_()
