"""The types that stubs give, as a type checker sees them."""

import os
import pathlib
import subprocess
import sys

import pytest

import isofield as xp

FOLDER = pathlib.Path(xp.__file__).parent

USE = """
import numpy as np

import isofield as xp

x = xp.zeros((2, 3), dtype="float32")
y: xp.UnifiedArray = xp.ones([2, 3], dtype=float) + xp.zeros(3, dtype=np.float32)
z = xp.reshape(x, [3, 2])
d = xp.astype(x, np.dtype("float64"))
n = xp.linalg.norm(x, axis=[0, 1])
r = xp.random.Generator(1).normal((2, 3), dtype=xp.float32)
version: str = xp.__version__
close: bool = xp.allclose(x, y)
quotient, rest = divmod(x, 2.0)


@xp.jit
def step(u: xp.UnifiedArray, dt: float) -> xp.UnifiedArray:
    return u + dt * u


s: xp.UnifiedArray = step(x, 0.5)
g = xp.grad(lambda w: xp.sum(w))(x)
p = xp.mfg.Problem
"""


def checked(tmp_path, text):
    pytest.importorskip("mypy")
    if not (FOLDER / "__init__.pyi").exists():
        pytest.skip("the stubs are not built")
    use = tmp_path / "use.py"
    use.write_text(text)
    command = [sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent", "--cache-dir", str(tmp_path), str(use)]
    ran = subprocess.run(command, env={**os.environ, "MYPYPATH": str(FOLDER.parent)}, capture_output=True, text=True)
    return [line for line in ran.stdout.splitlines() if " error: " in line]


def test_what_works_has_a_type(tmp_path):
    assert checked(tmp_path, USE) == []


def test_what_does_not_work_has_none(tmp_path):
    errors = checked(tmp_path, "import isofield as xp\nxp.zeros('a' + 1)\nxp.no_such_function(1)\nxp.grad(3)\n")
    assert len(errors) == 3, errors
