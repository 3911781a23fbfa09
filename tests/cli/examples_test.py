"""Solve every example on every backend: examples_test.py PROGRAM SOURCE_FOLDER"""

import json
import pathlib
import sys
import tempfile

from mfg_command import SOURCE, FileCase, call, main

sys.path.append(str(SOURCE / "scripts"))  # the pictures' reader of expressions
EXAMPLES = sorted((SOURCE / "docs/examples").glob("*.toml"))


def available_backends():
    return [b["name"] for b in json.loads(call("--list-backends", "--json").stdout)
            if b["available"]]


class Examples(FileCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        cls.summaries = {}
        for example in EXAMPLES:
            for backend in available_backends():
                cls.summaries[example.stem, backend] = cls.solve(example, backend)

    @classmethod
    def solve(cls, example, backend):
        run = call(example, "--backend", backend, "--json",
                   "--output", cls.folder / cls.output(example.stem, backend))
        if run.returncode != 0:
            raise AssertionError(f"{example.name} on {backend}: {run.returncode}\n{run.stderr}")
        return json.loads(run.stdout)

    @staticmethod
    def output(name, backend):
        return f"{name}-{backend.replace(':', '-')}.h5"

    def test_there_are_examples_in_one_to_three_dimensions(self):
        self.assertGreaterEqual(len(EXAMPLES), 9)
        for name in ("lq_1d", "two_rooms", "hall_3d"):
            self.assertIn((name, "eigen"), self.summaries)

    def test_a_planner_makes_all_pay_less(self):
        text = (SOURCE / "docs/examples/planner.toml").read_text()
        self.assertIn("control = true", text)
        game = self.folder / "everybody_for_himself.toml"
        game.write_text(text.replace("control = true", "control = false"))
        self.solve(game, "eigen")
        paid = [sum(self.read(self.output(name, "eigen"))[f"diagnostics/{part}_cost"][...].sum()
                    for part in ("kinetic", "running", "terminal"))
                for name in ("planner", game.stem)]
        self.assertLess(paid[0], 0.995 * paid[1])

    def test_groups_that_cross_evade_each_other(self):
        file = self.read(self.output("crossing", "eigen"))
        right, left = (file[f"populations/{name}/m"][...] for name in ("right", "left"))
        y = file["grid/y"][...]
        amid = len(file["grid/t"]) // 2
        # In the middle of time each keeps to its side, farther off than it started.
        sides = [(m[amid].sum(axis=0) * y).sum() / m[amid].sum() for m in (right, left)]
        self.assertGreater(sides[0], 0.56)
        self.assertLess(sides[1], 0.44)

    def test_all_converge_with_their_mass_kept(self):
        for (name, backend), summary in self.summaries.items():
            with self.subTest(example=name, backend=backend):
                self.assertEqual(summary["status"], "converged")
                self.assertLessEqual(summary["residual"], summary["tolerance"])
                self.assertEqual(summary["backend"], backend.split(":")[0])
                if summary["mass_error"] is not None:
                    self.assertLess(summary["mass_error"], 1e-12)
                else:
                    self.assertTrue(0 < summary["remaining_mass"] < 1)

    def test_densities_are_never_negative_and_obstacles_stay_empty(self):
        for name, backend in self.summaries:
            with self.subTest(example=name, backend=backend):
                file = self.read(self.output(name, backend))
                density = file["m"][...]
                self.assertGreaterEqual(density.min(), -1e-14)
                self.assertEqual(abs(density[:, file["grid/mask"][...] != 0]).sum(), 0)

    def test_files_satisfy_the_equations_of_the_page(self):
        # docs/user/solvers.md in NumPy: what is left of the equations is what the solver says.
        for name, backend in self.summaries:
            with self.subTest(example=name, backend=backend):
                file = self.read(self.output(name, backend))  # skips where there is no h5py
                import equations

                left, said = equations.residual(file), file.attrs["residual"]
                if name == "ergodic":
                    self.assertLess(left, 1e-8)  # scaled otherwise
                else:
                    self.assertLess(abs(left - said), 1e-4 * said + 1e-12)

    def test_backends_agree(self):
        for name, backend in self.summaries:
            if backend == "eigen":
                continue
            with self.subTest(example=name, backend=backend):
                mine, reference = self.read(self.output(name, backend)), self.read(self.output(name, "eigen"))
                for field in ("u", "m"):
                    expected = reference[field][...]
                    error = abs(mine[field][...] - expected).max() / abs(expected).max()
                    self.assertLess(error, 1e-10)

    def test_the_parts_of_the_cost_add_up_to_the_value(self):
        # <u^0, m^0> is what people pay in all, exactly so in the discrete system where nobody leaves.
        for name, backend in self.summaries:
            if name in ("crowd_exit", "evacuation", "crossing", "river", "planner", "ergodic"):
                continue  # somebody leaves, there are two, later costs count less, costs are not prices, no end
            with self.subTest(example=name, backend=backend):
                file = self.read(self.output(name, backend))
                volume = 1.0
                for axis in "xyz"[:file["u"].ndim - 1]:
                    nodes = file[f"grid/{axis}"][...]
                    volume *= nodes[1] - nodes[0]
                paid = sum(file[f"diagnostics/{part}_cost"][...].sum()
                           for part in ("kinetic", "running", "terminal"))
                if name == "regroup":  # what is prescribed has a price that nobody pays
                    paid += (file["u"][-1] * file["m"][-1]).sum() * volume
                value = (file["u"][0] * file["m"][0]).sum() * volume
                self.assertLess(abs(paid - value), 1e-6 * abs(value))

    def test_an_ergodic_game_pays_lambda_and_gains_nothing(self):
        for name, backend in self.summaries:
            if name != "ergodic":
                continue
            with self.subTest(backend=backend):
                summary = self.summaries[name, backend]
                file = self.read(self.output(name, backend))
                self.assertEqual(file["m"].shape, (1, 64, 64))
                rate = file["populations/0/lambda"][()]
                self.assertEqual(summary["lambda"], {"0": rate})
                # What people pay per unit of time, exactly so in the discrete system.
                paid = sum(file[f"diagnostics/{part}_cost"][...].sum() for part in ("kinetic", "running"))
                self.assertLess(abs(paid - rate), 1e-9)
                self.assertLess(abs(file["u"][...].mean()), 1e-12)
                gains = file["convergence/exploitability"][...]
                self.assertGreater(gains[0], 1e-3)
                self.assertLess(abs(gains[-1]), 1e-12)

    def test_lambda_is_what_others_have_published(self):
        # Achdou and Capuzzo-Dolcetta's: 0.9784. With viscosity 0.01 see test_mfg_ergodic.
        text = (SOURCE / "docs/examples/ergodic.toml").read_text()
        thick = self.folder / "thick.toml"
        thick.write_text(text.replace("viscosity = 0.1 ", "viscosity = 1.0 "))
        self.assertAlmostEqual(self.solve(thick, "eigen")["lambda"]["0"], 0.978411, delta=1e-5)

    def test_the_linear_quadratic_density_stays_gaussian_around_a_falling_mean(self):
        file = self.read(self.output("lq_1d", "eigen"))
        x, density = file["grid/x"][...], file["m"][...]
        h = x[1] - x[0]
        mean = (density * x).sum(axis=1) * h
        self.assertAlmostEqual(mean[0], 0.5, places=3)
        self.assertTrue((mean[1:] < mean[:-1]).all())
        variance = (density * x**2).sum(axis=1) * h - mean**2
        fourth = (density * (x[None, :] - mean[:, None]) ** 4).sum(axis=1) * h
        # A Gaussian has kurtosis 3 (a uniform density 1.8); the scheme is of first order.
        self.assertLess(abs(fourth / variance**2 - 3).max(), 0.2)


if __name__ == "__main__":
    main()
