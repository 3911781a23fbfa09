"""Dtype objects and the functions on them."""

import numpy as np
import pytest

import isofield as xp

NAMES = ["bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
         "float32", "float64", "complex64", "complex128"]  # fmt: skip


def test_dtypes_are_equal_to_themselves_alone_and_comparing_never_raises():
    for name in NAMES:
        dtype = getattr(xp, name)
        assert dtype == dtype and hash(dtype) == hash(dtype)
        assert repr(dtype) == f"isofield.{name}" and dtype.name == name
        assert dtype.itemsize == np.dtype(name).itemsize
        for other in (None, 1, "x", object(), np.float64, *(n for n in NAMES if n != name)):
            assert (dtype == other) is False
    assert len({getattr(xp, name) for name in NAMES}) == 13


@pytest.mark.parametrize("name", ["float32", "float64", "complex64", "complex128"])
def test_finfo_agrees_with_numpy(name):
    ours, theirs = xp.finfo(getattr(xp, name)), np.finfo(name)
    for key in ("bits", "eps", "max", "min", "smallest_normal"):
        assert getattr(ours, key) == getattr(theirs, key)
    assert ours.dtype.name == theirs.dtype.name


@pytest.mark.parametrize("name", NAMES[1:9])
def test_iinfo_agrees_with_numpy(name):
    ours, theirs = xp.iinfo(getattr(xp, name)), np.iinfo(name)
    assert (ours.bits, ours.max, ours.min) == (theirs.bits, theirs.max, theirs.min)


def test_limits_are_refused_for_other_kinds():
    with pytest.raises(xp.DTypeError, match="needs a floating-point dtype, got int8"):
        xp.finfo(xp.int8)
    with pytest.raises(xp.DTypeError, match="float32"):
        xp.iinfo(xp.float32)


def test_isdtype_knows_the_kinds_of_the_standard():
    kinds = {
        "bool": NAMES[:1], "signed integer": NAMES[1:5], "unsigned integer": NAMES[5:9],
        "integral": NAMES[1:9], "real floating": NAMES[9:11], "complex floating": NAMES[11:],
        "numeric": NAMES[1:],
    }  # fmt: skip
    for kind, members in kinds.items():
        assert [n for n in NAMES if xp.isdtype(getattr(xp, n), kind)] == members
    assert xp.isdtype(xp.int8, ("bool", xp.int8)) and not xp.isdtype(xp.int8, xp.int16)
    with pytest.raises(xp.DTypeError, match="number"):
        xp.isdtype(xp.int8, "number")


def test_promotion_with_scalars_keeps_the_arrays_dtype():
    assert xp.result_type(xp.float32, 1.0) is xp.float32
    assert xp.result_type(xp.zeros(2, dtype=xp.int64), 1) is xp.int64
    assert xp.result_type(xp.float32, xp.float64, 1) is xp.float64
    with pytest.raises(xp.DTypeError):
        xp.result_type(xp.int64, 1.0)
    assert xp.result_type(xp.float32, 1j) is xp.complex64


def test_can_cast_follows_promotion():
    assert xp.can_cast(xp.float32, xp.float64) and not xp.can_cast(xp.float64, xp.float32)
    assert xp.can_cast(xp.zeros(1, dtype=xp.float32), xp.float64)


def test_the_namespace_says_what_it_has():
    info = xp.__array_namespace_info__()
    assert list(info.dtypes(device="eigen", kind="bool")) == ["bool"]
    assert list(info.dtypes()) == NAMES
    assert info.dtypes(kind=("bool", "real floating")) == {
        "bool": xp.bool, "float32": xp.float32, "float64": xp.float64}  # fmt: skip
    assert info.default_device() in info.devices()
    assert info.default_dtypes()["integral"] is xp.zeros(1, dtype=xp.int64).dtype
    assert info.capabilities()["max dimensions"] == 32
    assert xp.__array_api_version__ == "2025.12"
