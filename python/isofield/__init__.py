"""One array on Eigen, Kokkos and LibTorch, as the Python Array API standard has it.

>>> import isofield as xp
>>> x = xp.linspace(0, 1, 5)
>>> xp.sum(x * x)
"""

import sys as _sys

from ._core import *
from ._core import __version__, _restored, features, fft, linalg, random
from ._display import to_html as _to_html
from ._functions import complete as _complete

__array_api_version__ = "2025.12"

for _module in (features, fft, linalg, random):
    _sys.modules[_module.__name__] = _module
_complete()
UnifiedArray._repr_html_ = _to_html


def __getattr__(name):
    """`isofield.mfg`, imported when it is first asked for."""
    if name == "mfg":
        import importlib

        return importlib.import_module(".mfg", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _is_known_version(version):
    return version in ("2021.12", "2022.12", "2023.12", "2024.12", "2025.12")


from ._closeness import allclose, isclose
from ._info import __array_namespace_info__
from ._transforms import (
    checkpoint, custom_vjp, grad, hessian, jacobian, jit, jvp, stop_gradient, value_and_grad, vjp, vmap,
)
