"""The snippets of docs/user/results.md; run where two_rooms.h5 lies."""

# [read]
import h5py
import numpy as np

with h5py.File("two_rooms.h5") as file:
    print(file.attrs["status"], file.attrs["iterations"], file.attrs["residual"])
    x, y, t = file["grid/x"][:], file["grid/y"][:], file["grid/t"][:]
    u, m = file["u"][:], file["m"][:]          # u[n, i, j] at time t[n] and node (x[i], y[j])
    free = file["grid/mask"][:] == 0
# [end]

assert u.shape == m.shape == (len(t), len(x), len(y)) and free.shape == u.shape[1:]

# [mean]
cell = (x[1] - x[0]) * (y[1] - y[0])
mass = m.sum(axis=(1, 2)) * cell                                       # 1 at every time
mean_x = (m * x[:, np.newaxis]).sum(axis=(1, 2)) * cell / mass         # the crowd's mean position
# [end]

np.testing.assert_allclose(mass, 1, rtol=1e-12)
assert mean_x[0] < 0.25 and mean_x[-1] > mean_x[0]

# [config]
import tomllib

with h5py.File("two_rooms.h5") as file:
    config = tomllib.loads(file.attrs["config"])                       # what ran, defaults included
    history = file["convergence/residual"][:]
    lengths = [file["m"].dims[k][0].name for k in range(3)]            # the axes belong to the data
# [end]

assert config["model"]["viscosity"] == 0.05 and history[-1] <= config["solver"]["tolerance"]
assert lengths == ["/grid/t", "/grid/x", "/grid/y"], lengths

# [velocity]
scale = float(config["model"]["hamiltonian"]["scale"])                 # H = scale |q|^2
du_dx, du_dy = np.gradient(u, x, y, axis=(1, 2))
velocity = -2 * scale * np.stack([du_dx, du_dy])                       # -H_q, where people go
# [end]

assert velocity.shape == (2, *u.shape)

# [mask]
kinds = np.zeros((64, 48), np.uint8)
kinds[32, :20] = kinds[32, 28:] = 1            # a wall with a door
kinds[63, :] = 2                               # who arrives here has left
with h5py.File("hall.h5", "w") as file:
    file["plan/walls"] = kinds                 # domain.cells = [64, 48]
# [end]

# [family]
with h5py.File("family.h5") as file:
    nu = file["sweep/model.viscosity"][:]
    spread = [float(run["m"][-1].max()) for run in file["members"].values()]   # the last level's largest density
# [end]

assert list(nu) == [0.1, 0.05] and spread[1] > spread[0], (nu, spread)
