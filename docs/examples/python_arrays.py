"""The Python of docs/user/python.md; run with the tests."""

# [first]
import isofield as xp

x = xp.linspace(0.0, 1.0, 5)
y = xp.sin(x) * 2.0 + 1.0  # not computed yet
print(y.shape, y.dtype)  # (5,) isofield.float64
print(xp.sum(y))  # computed, and summed in the same pass
# [end]

# [values]
a = xp.zeros((2, 3))
b = a[0]  # what the row is now
a[0, :] = 1.0
a += 1.0
print(b.tolist())  # [0.0, 0.0, 0.0]
print(a.tolist())  # [[2.0, 2.0, 2.0], [1.0, 1.0, 1.0]]
# [end]
assert b.tolist() == [0.0, 0.0, 0.0] and a.tolist() == [[2.0] * 3, [1.0] * 3]

# [numpy]
import numpy as np

values = np.arange(6.0).reshape(2, 3)
x = xp.asarray(values)  # shares NumPy's memory
view = np.asarray(x)  # and back: the same address, read-only
own = xp.asarray(values, copy=True)
# [end]
assert view.ctypes.data == values.ctypes.data and not view.flags.writeable
assert np.asarray(own).ctypes.data != values.ctypes.data

# [backends]
print(xp.get_backend())  # "eigen", "kokkos", "torch:cuda:0"
with xp.backend("eigen"):
    x = xp.ones(3)
print(x.device)  # "eigen"
z = x.to_device("cpu")  # a host backend; the memory is shared where it is the same device
# [end]
assert x.device == "eigen"

# [random]
g = xp.random.Generator(seed=1)
noise = g.normal((3, 2), deviation=0.1)
rows = g.permutation(noise)  # its slices in another order
sides = g.integers(0, 2, 100, dtype=xp.int8)
mine, yours = g.split(), g.split()  # streams that have nothing to do with each other
xp.random.seed(7)  # the generator behind xp.random.uniform and the like
# [end]
assert sorted(rows.tolist()) == sorted(noise.tolist()) and 20 < int(xp.sum(sides)) < 80

# [features]
scaled = xp.features.standardize_features(noise)  # a Standardizer
seen = scaled.transform(noise)  # mean 0, deviation 1 along each column
back = scaled.inverse_transform(seen)  # the data again
first = xp.features.pca(seen, 1).transform(seen)  # along the direction of most variance
# [end]
assert xp.allclose(back, noise) and xp.allclose(xp.mean(seen, axis=0), 0.0) and first.shape == (3, 1)

# [transforms]
@xp.jit
def step(u, dt):
    return u + dt * (1.0 - u * u)


u, dt = xp.zeros(100), xp.asarray(0.01)
for _ in range(100):
    u = step(u, dt)  # recorded once, replayed 99 times

slope = xp.grad(lambda w: xp.sum(xp.tanh(w) ** 2))(u)
# [end]
t = np.tanh(np.asarray(u))
np.testing.assert_allclose(np.asarray(slope), 2.0 * t * (1.0 - t * t), rtol=1e-13)

# [game]
from isofield import mfg

game = mfg.Problem(
    cells=50,
    steps=40,
    viscosity=0.05,
    running_cost="m + (x - 0.8)^2",  # crowds and distance cost
    initial_density=lambda x: xp.exp(-((x - 0.2) ** 2) / 0.01),
)
solution = mfg.solve(game)
print(solution)  # Solution(converged, ...)
# [end]
assert solution.converged

# [errors]
try:
    xp.ones((2, 3)) + xp.ones(2)
except ValueError as error:  # isofield.ShapeError is one
    print(error)  # add: shapes (2, 3) and (2,) do not broadcast: 3 != 2 along axis 1 [...]
# [end]
