"""isofield.mfg: problems, solves, solutions."""

import numpy as np
import pytest

import isofield as xp
from isofield import mfg

GAME = dict(
    cells=40, steps=30, viscosity=0.1, running_cost="m + (x - 0.8)^2", initial_density="exp(-(x - 0.3)^2 / 0.02)"
)


def test_a_game_is_solved_and_its_mass_is_conserved():
    solution = mfg.solve(mfg.Problem(**GAME), progress=False)
    assert solution.converged and solution.status == "converged"
    assert solution.u.shape == solution.m.shape == (31, 40)
    masses = np.asarray(xp.sum(solution.m, axis=1)) / 40
    np.testing.assert_allclose(masses, 1.0, rtol=1e-12)
    assert solution.report["residual"] <= 1e-8
    assert len(solution.report["history"]) == solution.report["iterations"]


def test_functions_of_arrays_and_expressions_state_the_same_game():
    functions = dict(
        GAME,
        running_cost=lambda x, t, m: m + (x - 0.8) ** 2,
        initial_density=lambda x: xp.exp(-((x - 0.3) ** 2) / 0.02),
        scale=lambda x: 0.5,
    )
    one = mfg.solve(mfg.Problem(**GAME), progress=False)
    other = mfg.solve(mfg.Problem(**functions), progress=False)
    np.testing.assert_allclose(np.asarray(other.m), np.asarray(one.m), atol=1e-7)


def test_without_a_crowd_everybody_walks_to_the_heat_kernel():
    """With zero costs u is 0 and m solves the heat equation: the first cosine decays at a known rate."""
    n, steps, nu, horizon = 64, 400, 0.05, 1.0
    game = mfg.Problem(
        cells=n, steps=steps, viscosity=nu, horizon=horizon, initial_density=lambda x: 1.0 + 0.5 * xp.cos(xp.pi * x)
    )
    solution = mfg.solve(game, progress=False)
    assert float(xp.max(xp.abs(solution.u))) == 0.0
    x, h, dt = np.array(game.nodes[0]), 1.0 / n, horizon / steps
    rate = 1.0 / (1.0 + dt * nu * (2.0 - 2.0 * np.cos(np.pi * h)) / h**2)  # of the implicit scheme
    np.testing.assert_allclose(np.asarray(solution.m[steps]), 1.0 + 0.5 * rate**steps * np.cos(np.pi * x), rtol=1e-9)


def test_second_order_schemes_agree_where_the_implicit_one_is_far():
    def values(scheme, n=40):
        game = mfg.Problem(**dict(GAME, cells=n, steps=n, boundary="periodic", scheme=scheme, initial_density="1 + 0.5*cos(2*pi*x)", running_cost="m^2 - 2*sin(2*pi*x)"))
        return np.asarray(mfg.solve(game, progress=False).u[0])

    exponential, centred, implicit = values("exponential"), values("centred"), values("implicit")
    assert np.abs(exponential - centred).max() < 0.1 * np.abs(exponential - implicit).max()
    with pytest.raises(xp.ConfigError, match='scheme: "upwind" is none of "implicit", "centred", "exponential"'):
        values("upwind")


def test_particles_are_where_the_density_is_and_the_same_again():
    game = mfg.Problem(**GAME)
    solution = mfg.solve(game, progress=False)
    places, inside = solution.particles(4000, seed=3)
    assert places.shape == (31, 4000, 1) and inside.shape == (31, 4000)
    assert bool(xp.all(inside))
    again, _ = solution.particles(4000, seed=3)
    other, _ = solution.particles(4000, seed=4)
    assert bool(xp.all(places == again)) and not bool(xp.all(places == other))
    x, m = np.array(game.nodes[0]), np.asarray(solution.m)
    for n in (0, 15, 30):
        mean = (x * m[n]).sum() / m[n].sum()
        deviation = np.sqrt(((x - mean) ** 2 * m[n]).sum() / m[n].sum())
        # Four standard deviations of the mean, and the scheme's first order.
        assert abs(float(xp.mean(places[n])) - mean) < 4 * deviation / np.sqrt(4000) + 0.01
    with pytest.raises(ValueError, match="population: 'nobody' is none of '0'"):
        solution.particles(population="nobody")
    with pytest.raises(Exception, match="carry_particles: 0 particles are none"):
        solution.particles(0)


def test_a_density_is_planned_to_be_reached():
    goal = "0.1 + exp(-(x - 0.7)^2 / 0.05)"
    game = mfg.Problem(**dict(GAME, initial_density="0.1 + exp(-(x - 0.3)^2 / 0.05)", target_density=goal))
    solution = mfg.solve(game, tolerance=1e-7, progress=False)
    assert solution.converged
    wanted = 0.1 + np.exp(-((np.array(game.nodes[0]) - 0.7) ** 2) / 0.05)
    np.testing.assert_allclose(np.asarray(solution.m[30]), wanted / wanted.mean(), atol=1e-6)
    with pytest.raises(ValueError, match="target_density: there is no terminal_cost beside it"):
        mfg.Problem(**GAME, target_density=goal, terminal_cost="x")


def test_gradients_through_a_solve_are_those_of_whole_solves():
    def family(avoidance, viscosity):
        return mfg.Problem(**dict(GAME, viscosity=viscosity, running_cost=f"{avoidance!r}*m + (x - 0.8)^2"))

    def mean_square(u, m):
        return xp.sum(m[-1] ** 2) / 40

    at = [0.8, 0.1]
    value, gradient = mfg.value_and_gradient(family, at, mean_square)
    for i, size in enumerate((1e-3, 1e-4)):
        near = [[x + (s * size if i == j else 0.0) for j, x in enumerate(at)] for s in (1, -1)]
        up, down = (mfg.value_and_gradient(family, x, mean_square)[0] for x in near)
        assert abs((up - down) / (2 * size) - gradient[i]) < 1e-4 * abs(gradient[i])
    solution = mfg.solve(family(*at), tolerance=1e-10, progress=False)
    found = mfg.Sensitivity(solution, mean_square)
    assert found.value == pytest.approx(value, abs=1e-12)
    assert found.by_running_cost.shape == (30, 40) and found.by_initial_density.shape == (40,)
    stopped = mfg.solve(family(*at), max_iterations=1, initial_guess="zero", progress=False)
    with pytest.raises(ValueError, match="it has not converged"):
        mfg.Sensitivity(stopped, mean_square)


def test_two_axes_obstacles_and_exits():
    game = mfg.Problem(
        cells=(16, 12),
        steps=10,
        upper=(2.0, 1.0),
        viscosity=0.1,
        boundary=[("reflecting", "exit"), "reflecting"],
        obstacle="x > 0.9 and x < 1.1 and y > 0.5",
        exit=lambda x, y: (x > 1.8) & (y < 0.2),
        running_cost=1.0,
        initial_density="x < 0.5",
    )
    solution = mfg.solve(game, progress=False)
    assert solution.converged, solution.report["message"]
    assert solution.m.shape == (11, 16, 12)
    assert float(xp.sum(solution.m[-1])) < float(xp.sum(solution.m[0]))
    inside = np.asarray(solution.m)[:, 8, 8]
    assert np.all(inside == 0.0)


def test_what_no_machine_has_the_memory_for_is_refused_before_any_of_it_is_taken():
    huge = mfg.Problem(cells=(2000, 2000, 2000), steps=1000, viscosity=0.1)
    with pytest.raises(MemoryError, match=r"this needs 512512\.0 GB of memory at least, and .* a coarser grid"):
        mfg.solve(huge, progress=False)


def test_a_mask_marks_what_arrays_or_files_say(tmp_path):
    kinds = np.zeros((16, 12), np.uint8)
    kinds[8, 5:] = 1
    kinds[15, :3] = 2
    room = {"cells": (16, 12), "steps": 6, "viscosity": 0.1, "running_cost": "m", "initial_density": 1.0}
    by_array = mfg.solve(mfg.Problem(mask=kinds, **room), progress=False)
    x, y = np.meshgrid((np.arange(16) + 0.5) / 16, (np.arange(12) + 0.5) / 12, indexing="ij")
    by_text = mfg.solve(
        mfg.Problem(obstacle="x > 8/16 and x < 9/16 and y > 5/12", exit="x > 15/16 and y < 3/12", **room), progress=False
    )
    assert by_array.converged
    assert np.array_equal(np.asarray(by_array.m), np.asarray(by_text.m))
    assert np.all(np.asarray(by_array.m)[:, kinds > 0] == 0.0)
    with pytest.raises(ValueError, match=r"mask has shape \(12, 16\), the grid has \(16, 12\) cells"):
        mfg.Problem(mask=kinds.T, **room)
    with pytest.raises(Exception, match=r"not 3 as in cell \(0, 0\)"):
        mfg.Problem(mask=kinds + 3, **room)
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "hall.h5", "w") as file:
        file["walls"] = kinds
    by_file = mfg.solve(mfg.Problem(mask=f"{tmp_path}/hall.h5:/walls", **room), progress=False)
    assert np.array_equal(np.asarray(by_file.u), np.asarray(by_array.u))
    with pytest.raises(OSError, match="there is no dataset /grid/mask"):
        mfg.Problem(mask=str(tmp_path / "hall.h5"), **room)


def test_populations_drift_congestion_discount_and_control():
    left = mfg.Population(
        "left",
        viscosity=0.05,
        congestion=0.5,
        running_cost="0.5*m + m_right",
        terminal_cost="(x - 0.8)^2",
        initial_density="exp(-40*(x - 0.2)^2)",
    )
    right = mfg.Population(
        "right",
        viscosity=0.08,
        discount=0.3,
        drift=["0.2*sin(t)"],
        running_cost=lambda x, t, m_left, m_right: 0.5 * m_right + m_left,
        terminal_cost=lambda x, m_left, m_right: (x - 0.2) ** 2,
        initial_density="exp(-40*(x - 0.8)^2)",
        mass=0.5,
    )
    game = mfg.Problem(cells=40, steps=20, populations=[left, right])
    solution = mfg.solve(game, progress=False)
    assert solution.converged, solution.report["message"]
    assert list(solution.populations) == ["left", "right"]
    for name, mass in (("left", 1.0), ("right", 0.5)):
        m = solution.populations[name][1]
        np.testing.assert_allclose(np.asarray(xp.sum(m, axis=1)) / 40, mass, rtol=1e-12)
    again = mfg.solve(game, initial_guess=[u for u, _ in solution.populations.values()], progress=False)
    assert again.converged and again.report["iterations"] <= 1
    one = dict(cells=30, steps=20, viscosity=0.1, running_cost="m^2", terminal_cost="(x - 0.5)^2")
    leaders = mfg.solve(mfg.Problem(**one, control=True), progress=False)
    followers = mfg.solve(mfg.Problem(**dict(one, running_cost="3*m^2")), progress=False)
    np.testing.assert_allclose(np.asarray(leaders.u), np.asarray(followers.u), atol=1e-7)
    near = dict(one, initial_density="exp(-40*(x - 0.2)^2)")
    by_kernel = mfg.Problem(**dict(near, running_cost="k", convolution={"k": "exp(-x^2/0.02)"}))
    by_sum = mfg.Problem(
        **dict(
            near,
            running_cost=lambda x, t, m: xp.matmul(m, xp.exp(-((x[:, None] - x[None, :]) ** 2) / 0.02)) / x.shape[0],
        )
    )
    one_way, other_way = (mfg.solve(game, progress=False) for game in (by_kernel, by_sum))
    assert one_way.converged and float(xp.max(one_way.u)) > 0.1
    np.testing.assert_allclose(np.asarray(one_way.u), np.asarray(other_way.u), atol=1e-7)
    flow = mfg.Problem(cells=30, steps=20, viscosity=0.1, drift=lambda x, t: [0.5 + 0.0 * x], boundary="periodic")
    assert mfg.solve(flow, progress=False).converged


def test_every_other_coupling_finds_the_same_solution():
    exact = mfg.solve(mfg.Problem(**GAME), progress=False)
    for coupling in ("picard", "anderson", "policy", "newton"):
        solution = mfg.solve(mfg.Problem(**GAME), coupling=coupling, damping=0.3, progress=False)
        assert solution.converged
        np.testing.assert_allclose(np.asarray(solution.u), np.asarray(exact.u), atol=1e-6)


def test_games_that_go_on_for_ever():
    torus = mfg.Problem(
        cells=(24, 24),
        boundary="periodic",
        ergodic=True,
        viscosity=1.0,
        scale=1.0,
        running_cost="m^2 - sin(2*pi*y) - sin(2*pi*x) - cos(4*pi*x)",
    )
    solution = mfg.solve(torus, progress=False)
    assert solution.converged and solution.u.shape == (1, 24, 24)
    assert abs(solution.lam - 0.9784) < 1e-3
    assert solution.lams == {"0": solution.lam}
    assert "stationary" in solution._repr_html_()
    assert mfg.solve(mfg.Problem(**GAME), progress=False).lam is None
    with pytest.raises(TypeError, match="steps"):
        mfg.Problem(cells=10, viscosity=0.1)
    line = mfg.solve(
        mfg.Problem(cells=30, ergodic=True, viscosity=0.1, running_cost="m + (x - 0.5)^2"), progress=False
    )
    assert line.converged and "<svg" in line._repr_html_()
    pyplot = pytest.importorskip("matplotlib.pyplot")
    pyplot.switch_backend("Agg")
    assert {"density m", "value u"} <= {ax.get_title() for ax in line.plot().axes}
    pyplot.close("all")


def test_three_axes_are_solved_and_seen():
    game = mfg.Problem(cells=(8, 6, 5), steps=5, viscosity=0.2, running_cost="m", terminal_cost="x^2 + z")
    solution = mfg.solve(game, progress=False)
    assert solution.converged and solution.m.shape == (6, 8, 6, 5)
    assert "z = 0.5" in solution._repr_html_()
    pyplot = pytest.importorskip("matplotlib.pyplot")
    pyplot.switch_backend("Agg")
    assert len(solution.plot().axes) >= 4
    pyplot.close("all")


def test_a_callback_sees_iterations_and_ends_the_solve():
    seen = []

    def stop(iteration):
        seen.append(iteration)
        return len(seen) < 2

    solution = mfg.solve(
        mfg.Problem(**GAME), coupling="picard", initial_guess="zero", on_iteration=stop, progress=False
    )
    assert solution.status == "interrupted" and len(seen) == 2
    assert [i["number"] for i in seen] == [1, 2]


def test_an_error_in_a_callback_or_a_cost_is_raised():
    def fail(*arguments):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        mfg.solve(mfg.Problem(**GAME), on_iteration=fail, progress=False)
    with pytest.raises(KeyError, match="mine"):
        mfg.solve(mfg.Problem(**dict(GAME, running_cost=fail)), progress=False)


def test_what_is_no_game_is_refused():
    with pytest.raises(xp.ConfigError, match="q"):
        mfg.Problem(**dict(GAME, running_cost="q + 1"))
    with pytest.raises(xp.ConfigError, match="open"):
        mfg.Problem(**dict(GAME, boundary="open"))
    with pytest.raises(ValueError, match="3 values for 1 axes"):
        mfg.Problem(**dict(GAME, lower=(0.0, 0.0, 0.0)))
    with pytest.raises(ValueError, match="mass"):
        mfg.Problem(**dict(GAME, mass=-1.0))
    with pytest.raises(TypeError, match="viscosity"):
        mfg.Problem(cells=10, steps=10)
    with pytest.raises(TypeError, match="viscosity: expected a number"):
        mfg.Problem(cells=10, steps=10, viscosity="x")
    with pytest.raises(ValueError, match="-5 cells"):
        mfg.Problem(**dict(GAME, cells=-5))
    with pytest.raises(ValueError, match="0 steps"):
        mfg.Problem(**dict(GAME, steps=0))
    with pytest.raises(xp.ConfigError, match="drift: 2 components for 1 axes"):
        mfg.Problem(**dict(GAME, drift=["x", "t"]))
    crowd = mfg.Population(viscosity=0.1)
    with pytest.raises(ValueError, match="names"):
        mfg.Problem(cells=10, steps=10, populations=[crowd, crowd])
    with pytest.raises(TypeError, match="mass: with `populations`"):
        mfg.Problem(cells=10, steps=10, populations=[crowd], mass=2.0)
    assert mfg.Problem(**dict(GAME, boundary=("exit", "reflecting"))).boundary == (("exit", "reflecting"),)
    with pytest.raises(xp.ConfigError, match="coupling"):
        mfg.solve(mfg.Problem(**GAME), coupling="quick", progress=False)


def test_a_solution_can_be_seen(capsys):
    solution = mfg.solve(mfg.Problem(**GAME), progress=True)
    assert "residual" in capsys.readouterr().err
    assert repr(solution).startswith("Solution(converged, ")
    assert "<svg" in solution._repr_html_() and "converged" in solution._repr_html_()
    pyplot = pytest.importorskip("matplotlib.pyplot")
    pyplot.switch_backend("Agg")
    titles = [ax.get_title() for ax in solution.plot().axes]
    assert {"density m", "value u", "convergence"} <= set(titles)
    pyplot.close("all")
