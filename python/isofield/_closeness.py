"""Whether arrays are equal to within tolerances, as NumPy has it."""

from __future__ import annotations

import typing

from . import _core

if typing.TYPE_CHECKING:
    from . import UnifiedArray


def isclose(
    x1: UnifiedArray | complex,
    x2: UnifiedArray | complex,
    /,
    *,
    rtol: float = 1e-5,
    atol: float = 1e-8,
    equal_nan: bool = False,
) -> UnifiedArray:
    """Whether |x1 - x2| <= atol + rtol |x2|, element by element; infinities are close to themselves alone.

    With `equal_nan` NaN is close to NaN.
    """
    x1, x2 = _core.broadcast_arrays(*_together(x1, x2))
    same = x1 == x2
    if not _core.isdtype(x1.dtype, ("real floating", "complex floating")):
        if x1.dtype is _core.bool:
            return same
        x1, x2 = _core.astype(x1, _core.float64), _core.astype(x2, _core.float64)
    near = _core.abs(x1 - x2) <= atol + rtol * _core.abs(x2)
    close = same | (near & _core.isfinite(x2))
    return close | (_core.isnan(x1) & _core.isnan(x2)) if equal_nan else close


def allclose(
    x1: UnifiedArray | complex,
    x2: UnifiedArray | complex,
    /,
    *,
    rtol: float = 1e-5,
    atol: float = 1e-8,
    equal_nan: bool = False,
) -> bool:
    """Whether all elements are close to each other; see `isclose`."""
    return bool(_core.all(isclose(x1, x2, rtol=rtol, atol=atol, equal_nan=equal_nan)))


def _together(x1, x2):
    """Both as arrays of their common dtype."""
    dtype = _core.result_type(x1, x2)
    like = x1 if isinstance(x1, _core.UnifiedArray) else x2
    device = like.device if isinstance(like, _core.UnifiedArray) else None

    def array(x):
        if not isinstance(x, _core.UnifiedArray):
            return _core.asarray(x, dtype=dtype, device=device)
        return _core.astype(x, dtype, copy=False)

    return array(x1), array(x2)
