"""Solve with mfg_solve and look at exit codes and files: run_test.py PROGRAM SOURCE_FOLDER"""

import json
import os
import resource
import signal
import subprocess
import threading
import time

from mfg_command import PATIENCE, CommandCase, game, main

SMALL = game(20, 10, "periodic", "m - sin(2*pi*x)", "1 + 0.5*cos(2*pi*x)", "Small")

# Damped so much that it lasts, with small steps that are soon over: there is time to stop it.
LONG = (game(200, 400, "periodic", "m - sin(2*pi*x)", "1 + 0.5*cos(2*pi*x)", "Long") + """
[solver]
coupling = "picard"
damping = 0.001
max_iterations = 1000000
initial_guess = "zero"
[output]
file = "long.h5"
""")


class Run(CommandCase):
    always = ["--backend", "eigen"]  # what this file is about does not depend on it

    def setUp(self):
        super().setUp()
        self.write("small.toml", SMALL)
        self.write("long.toml", LONG)

    def start_long_run(self, *arguments):
        """Start a run that does not end by itself; give it back in its midst."""
        run = subprocess.Popen(self.command("long.toml", "--verbose", *arguments), cwd=self.folder,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(run.stdout.close)
        self.addCleanup(run.stderr.close)
        self.addCleanup(run.kill)
        iterations = 0  # of this run: one that goes on counts further
        for line in run.stderr:
            iterations += line.startswith("iteration ") and " (" in line
            if iterations == 3:
                return run
        self.fail("the run ended by itself")

    def test_a_profile_names_kernels_calls_and_rates(self):
        summary, log = self.solve(0, "small.toml", "--profile")
        names, *rows = log.split(" ms in all\n", 1)[1].splitlines()
        self.assertEqual(names.split()[:2], ["time", "ms"])
        solves = [row.split() for row in rows if row.endswith("tridiagonal_solve  (20,)")]
        self.assertTrue(solves, log)
        self.assertGreater(sum(int(row[2]) for row in solves), 10 * summary["iterations"])
        self.assertIn(" more kernels", rows[-2])
        self.assertIn("bandwidth", rows[-1])
        self.assertNotIn("tridiagonal_solve", self.call("small.toml", "--overwrite").stderr)

    def test_a_converged_run_writes_what_it_says(self):
        summary, log = self.solve(0, "small.toml")
        self.assertEqual(summary["status"], "converged")
        self.assertLessEqual(summary["residual"], 1e-8)
        self.assertLess(summary["mass_error"], 1e-12)
        self.assertEqual(summary["unknowns"], 2 * 20 * 11)
        self.assertEqual(summary["files"], ["small.h5", "small.xdmf"])
        self.assertEqual(self.files(), ["small.h5", "small.xdmf"])
        self.assertIn("iteration 1 of 200 at most: residual", log)
        file = self.read("small.h5")
        self.assertEqual(file.attrs["status"], "converged")
        self.assertEqual(file.attrs["iterations"], summary["iterations"])
        self.assertEqual(file["u"].shape, (11, 20))
        table = {name: file[f"convergence/{name}"][...] for name in file["convergence"]}
        self.assertEqual({len(column) for column in table.values()}, {summary["iterations"]})
        self.assertTrue((table["fp_residual"] > 0).all())
        self.assertTrue((table["residual"] >= table["fp_residual"]).all())
        self.assertGreater(table["exploitability"][0], 1e-6)
        self.assertLess(abs(table["exploitability"][-1]), 1e-12)
        self.assertEqual(summary["exploitability"], table["exploitability"][-1])
        self.assertTrue(all(phase["calls"] >= 1 for phase in summary["phases"]))
        again, _ = self.solve(0, "small.toml", "--output", "again.h5", "--quiet")
        self.assertEqual(again["residual"], summary["residual"])

    def test_an_ergodic_game_is_planned_solved_and_a_start(self):
        self.write("ever.toml", """
domain = { lower = [0.0], upper = [1.0], cells = [30] }
[[population]]
name = "a"
ergodic = true
viscosity = 0.1
running_cost = "m + m_b + (x - 0.3)^2"
[[population]]
name = "b"
ergodic = true
viscosity = 0.2
mass = 2.0
running_cost = "m_a + (x - 0.6)^2"
""")
        plan = json.loads(self.call("ever.toml", "--check", "--json").stdout)
        self.assertEqual((plan["ergodic"], plan["steps"], plan["unknowns"]), (True, None, 2 * 2 * 30 + 2))
        self.assertEqual(plan["output_bytes"], 2 * 2 * 30 * 8)
        self.assertIn("for ever (an ergodic game)", self.call("ever.toml", "--check").stdout)
        self.assertEqual(self.files(), [])
        summary, _ = self.solve(0, "ever.toml", "--set", "output.checkpoint_every=1")
        self.assertEqual(summary["unknowns"], plan["unknowns"])
        self.assertLess(summary["mass_error"], 1e-13)
        file = self.read("ever.h5")
        self.assertEqual(file["grid/t"][...].tolist(), [0.0])
        self.assertEqual(file["populations/b/u"].shape, (1, 30))
        for name in "ab":
            self.assertEqual(file[f"populations/{name}/lambda"][()], summary["lambda"][name])
        self.assertGreater(summary["lambda"]["a"], summary["lambda"]["b"])
        # Converged it is a start that leaves nothing to do; nearby it leaves little.
        again, _ = self.solve(0, "ever.toml", "--resume", "ever.h5", "--output", "again.h5")
        self.assertEqual(again["iterations"], 0)
        self.assertLessEqual(again["residual"], 1e-8)
        self.assertAlmostEqual(again["lambda"]["a"], summary["lambda"]["a"], delta=1e-9)
        near, _ = self.solve(0, "ever.toml", "--set", "solver.initial_guess=ever.h5",
                             "--set", "population.0.viscosity=0.101", "--output", "near.h5")
        self.assertLess(near["iterations"], summary["iterations"])
        text = self.call("ever.toml", "--overwrite").stdout
        self.assertRegex(text, r"lambda          [\d.]+ of a, [\d.]+ of b\n")

    def test_a_mask_of_a_file_marks_obstacles_and_exits(self):
        try:
            import h5py
            import numpy
        except ImportError:
            self.skipTest("h5py is not there")
        kinds = numpy.zeros((12, 10), numpy.uint8)
        kinds[6, 3:] = 1
        kinds[11, :] = 2
        with h5py.File(self.folder / "hall.h5", "w") as file:
            file["grid/mask"] = kinds
            file["plan/closed"] = numpy.where(numpy.arange(12)[:, None] == 6, 1, kinds)
            file["plan/text"] = "a hall"
            file["plan/transposed"] = kinds.T.astype(float)
            file["plan/odd"] = kinds.astype(numpy.int64) - 258 * (kinds == 2)
            file["plan/walls"] = numpy.ones((12, 10), numpy.uint8)
        self.write("hall.toml", """
domain = { lower = [0, 0], upper = [1, 1], cells = [12, 10], mask = "hall.h5" }
time = { horizon = 1.0, steps = 8 }
model = { viscosity = 0.1, running_cost = "1 + m", initial_density = "x < 0.4" }
[output]
file = "out.h5"
""")
        self.assertIn("reflecting, with obstacles, with exits", self.call("hall.toml", "--check").stdout)
        summary, _ = self.solve(0, "hall.toml")
        self.assertLess(summary["remaining_mass"], 0.99)
        file = self.read("out.h5")
        self.assertTrue((file["grid/mask"][...] == kinds).all())
        self.assertIn('mask = "hall.h5"', file.attrs["config"])
        # The mask of a result is one for the next run, and expressions mark besides.
        result, _ = self.solve(0, "hall.toml", "--set", "domain.mask=out.h5:/grid/mask", "--output",
                               "b.h5", "--set", 'domain.obstacle="y > 0.9"')
        self.assertEqual(self.read("b.h5")["grid/mask"][0, 9], 1)
        for mask, message in (
                ("absent.h5", "cannot read 'absent.h5': there is no such file"),
                (".", "cannot read '.': it is no file"),
                ("hall.toml", "hall.toml"),
                ("hall.h5:/plan", "/plan"),
                ("hall.h5:/nowhere", "cannot read 'hall.h5': there is no dataset /nowhere"),
                ("hall.h5:/plan/text", "/plan/text"),
                ("hall.h5:/plan/transposed",
                 "/plan/transposed of 'hall.h5' has shape (10, 12), the grid has (12, 10) cells"),
                ("hall.h5:/plan/odd", "2 for exits, not -256 as in cell (11, 0)"),
                ("hall.h5:/plan/walls", "/plan/walls of 'hall.h5' has no free cell"),
                ("hall.h5:/plan/closed", "expected a way to an exit for everybody, but none leads"),
                ("", "expected the name of an HDF5 file")):
            with self.subTest(mask):
                (self.folder / "bad.toml").write_text(
                    (self.folder / "hall.toml").read_text().replace('"hall.h5"', f'"{mask}"'))
                result = self.call("bad.toml", "--overwrite")
                self.assertEqual(result.returncode, 2, result.stderr)
                self.assertRegex(result.stderr, r"^bad.toml:2:69: domain.mask: ")
                self.assertIn(message, result.stderr)
                self.assertIn("1 error; nothing was computed", result.stderr)
        # Where nobody can leave, an ergodic game has a mask, too.
        self.write("ever.toml", """
domain = { lower = [0, 0], upper = [1, 1], cells = [12, 10], mask = "hall.h5" }
model = { viscosity = 0.1, ergodic = true }
""")
        self.assertIn("domain.mask: expected no exit in an ergodic game", self.call("ever.toml").stderr)

    def test_the_configuration_in_the_file_gives_the_same_result(self):
        self.solve(0, "small.toml", "--set", "model.viscosity=0.2")
        file = self.read("small.h5")
        (self.folder / "again.toml").write_text(file.attrs["config"])
        self.assertIn("viscosity = 0.2", file.attrs["config"])
        self.solve(0, "again.toml", "--output", "again.h5")
        self.assertTrue((file["u"][...] == self.read("again.h5")["u"][...]).all())

    def test_quiet_leaves_the_summary_and_never_leaves_no_progress(self):
        for option in (["--quiet"], ["--progress", "never"]):
            result = self.call("small.toml", "--overwrite", *option)
            self.assertEqual((result.returncode, result.stderr), (0, ""))
            self.assertIn("status          converged\n", result.stdout)
        self.assertIn("\x1b[K", self.call("small.toml", "--overwrite", "--progress", "always").stderr)
        self.assertIn("iteration 1 (", self.call("small.toml", "--overwrite", "--verbose").stderr)

    def test_an_existing_file_stays_without_overwrite(self):
        (self.folder / "small.xdmf").write_text("old")
        result = self.call("small.toml")
        self.assertEqual(result.returncode, 5)
        self.assertIn("small.xdmf exists; --overwrite replaces it", result.stderr)
        self.assertEqual(self.files(), ["small.xdmf"])
        self.solve(0, "small.toml", "--overwrite")
        self.assertEqual(self.files(), ["small.h5", "small.xdmf"])

    def test_a_stride_keeps_every_so_many_levels_and_the_last(self):
        self.solve(0, "small.toml", "--set", "output.stride=4", "--set", "output.xdmf=false",
                   "--dtype", "float32", "--set", "solver.tolerance=1e-3")
        self.assertEqual(self.files(), ["small.h5"])
        file = self.read("small.h5")
        self.assertEqual([round(t, 6) for t in file["grid/t"]], [0, 0.4, 0.8, 1])
        self.assertEqual(file["m"].shape, (4, 20))
        self.assertEqual(file["diagnostics/mass"].shape[0], 4)
        self.assertEqual(file["m"].dtype.name, "float32")

    def test_particles_are_carried_kept_and_the_same_again(self):
        exits = ["--set", "output.particles=500", "--set", "output.stride=4",
                 "--set", 'domain.boundary=["exit"]']
        summary, _ = self.solve(0, "small.toml", *exits)
        file = self.read("small.h5")
        places, inside = (file[f"populations/0/{name}"][...] for name in ("particles", "particles_inside"))
        self.assertEqual((places.shape, inside.shape), ((4, 500, 1), (4, 500)))
        self.assertTrue((places >= 0).all() and (places <= 1).all())
        # As many are left as mass is, up to chance and the scheme's first order.
        self.assertTrue(0.02 < summary["remaining_mass"] < 0.98, summary["remaining_mass"])
        self.assertLess(abs(inside[-1].mean() - summary["remaining_mass"]), 4 * 0.5 / 500**0.5 + 0.04)
        self.solve(0, "small.toml", *exits, "--output", "again.h5")
        self.solve(0, "small.toml", *exits, "--output", "other.h5", "--set", "output.particle_seed=1")
        again, other = (self.read(name)["populations/0/particles"][...] for name in ("again.h5", "other.h5"))
        self.assertTrue((again == places).all())
        self.assertFalse((other == places).all())

    def test_too_few_iterations_are_told_and_the_file_says_so(self):
        summary, log = self.solve(3, "small.toml", "--set", "solver.max_iterations=1",
                                  "--set", "solver.tolerance=1e-14")
        self.assertEqual((summary["status"], summary["iterations"]), ("not_converged", 1))
        self.assertIn("did not converge: ", log)
        self.assertEqual(self.read("small.h5").attrs["status"], "not_converged")

    def test_a_breakdown_is_told_with_its_place_and_the_last_state_is_written(self):
        summary, log = self.solve(4, "small.toml", "--set", "model.running_cost=log(0.5 - m)")
        self.assertEqual(summary["status"], "failed")
        self.assertIn("numerical breakdown: ", log)
        self.assertIn("time level", log)
        self.assertEqual(self.read("small.h5").attrs["status"], "failed")

    def test_an_interrupted_run_leaves_a_checkpoint_that_it_can_go_on_from(self):
        run = self.start_long_run()
        run.send_signal(signal.SIGINT)
        output, log = run.communicate(timeout=60 * PATIENCE)
        self.assertEqual(run.returncode, 130, log)
        self.assertIn("status          interrupted", output)
        self.assertIn("--resume long.checkpoint.h5 goes on", log)
        self.assertEqual(self.files(), ["long.checkpoint.h5"])
        self.assertEqual(self.read("long.checkpoint.h5").attrs["status"], "interrupted")
        faster = ["--set", "solver.coupling=newton", "--set", "output.checkpoint_every=1"]
        summary, _ = self.solve(0, "long.toml", "--resume", "long.checkpoint.h5", *faster)
        self.assertLessEqual(summary["residual"], 1e-8)
        # The checkpoint has served: what it led to is written.
        self.assertEqual(self.files(), ["long.h5", "long.xdmf"])
        # From the solution there is nothing left to do but to see it.
        result, _ = self.solve(0, "long.toml", "--resume", "long.h5", "--output", "b.h5", *faster)
        self.assertLessEqual(result["iterations"], 1)

    def test_a_checkpoint_of_another_run_is_not_lost(self):
        for name in ("long.checkpoint.h5", "long.checkpoint.older.h5"):
            run = self.start_long_run()
            run.send_signal(signal.SIGINT)
            _, log = run.communicate(timeout=60 * PATIENCE)
            self.assertEqual(run.returncode, 130, log)
            self.assertIn(name, self.files())
        self.assertIn("the checkpoint of an earlier run is now long.checkpoint.older.h5", log)
        # Going on from a checkpoint replaces it.
        before = (self.folder / "long.checkpoint.older.h5").read_bytes()
        run = self.start_long_run("--resume", "long.checkpoint.h5")
        run.send_signal(signal.SIGINT)
        self.assertEqual(run.wait(60 * PATIENCE), 130)
        self.assertEqual((self.folder / "long.checkpoint.older.h5").read_bytes(), before)

    def test_a_start_must_be_whole_and_of_the_same_grid(self):
        self.solve(0, "small.toml", "--set", "output.stride=5")
        for option in (["--resume", "small.h5"], ["--set", "solver.initial_guess=small.h5"]):
            result = self.call("small.toml", "--output", "b.h5", *option)
            self.assertEqual(result.returncode, 2)
            self.assertIn("small.h5 holds 3 x 20 levels x nodes, this configuration has 11 x 20",
                          result.stderr)
        data = bytearray((self.folder / "small.h5").read_bytes())
        data[len(data) // 2] ^= 1
        (self.folder / "damaged.h5").write_bytes(data)
        (self.folder / "none.h5").write_text("no HDF5")
        for name in ("damaged.h5", "none.h5", "absent.h5"):
            result = self.call("small.toml", "--output", "b.h5", "--resume", name)
            self.assertEqual(result.returncode, 5, result.stderr)
            self.assertIn(name, result.stderr)

    def test_checkpoints_come_when_they_are_due(self):
        run = self.start_long_run("--set", "output.checkpoint_every=2")
        deadline = time.time() + 60
        while "long.checkpoint.h5" not in self.files() and time.time() < deadline:
            time.sleep(0.05)
        run.kill()
        run.wait()
        file = self.read("long.checkpoint.h5")
        self.assertEqual(file.attrs["status"], "checkpoint")
        self.assertEqual(file.attrs["iterations"] % 2, 0)
        self.assertEqual(file["u"].shape, (401, 200))

    def test_a_reader_finds_whole_checkpoints_while_the_run_goes_on(self):
        try:
            import h5py
            import numpy
        except ImportError:
            self.skipTest("h5py is not there")
        run = self.start_long_run("--set", "output.checkpoint_every=1")
        threading.Thread(target=lambda: [None for _ in run.stderr], daemon=True).start()
        while not (self.folder / "long.checkpoint.h5").exists():
            time.sleep(0.01)
        held = h5py.File(self.folder / "long.checkpoint.h5", "r")  # open all the while
        first = held.attrs["iterations"]
        seen = []
        deadline = time.time() + 60 * PATIENCE
        while len(set(seen)) < 12 and time.time() < deadline:
            with h5py.File(self.folder / "long.checkpoint.h5", "r") as file:
                self.assertEqual(file.attrs["status"], "checkpoint")
                seen.append(int(file.attrs["iterations"]))
                self.assertEqual(file["convergence/iteration"][-1], seen[-1])
                mass = file["m"][...].sum(axis=1) / 200
                self.assertLess(numpy.abs(mass - 1).max(), 1e-12)
                self.assertTrue(numpy.isfinite(file["u"][...]).all())
        self.assertEqual(seen, sorted(seen))
        self.assertGreaterEqual(len(set(seen)), 12)
        self.assertEqual(held.attrs["iterations"], first)
        self.assertTrue(numpy.isfinite(held["u"][...]).all())
        held.close()
        self.assertIsNone(run.poll(), "readers do not end a run")
        run.send_signal(signal.SIGINT)
        self.assertEqual(run.wait(60 * PATIENCE), 130)

    def test_killing_a_run_leaves_the_old_file_as_it_was(self):
        self.solve(0, "small.toml", "--output", "long.h5")
        before = (self.folder / "long.h5").read_bytes()
        run = self.start_long_run("--overwrite")
        run.kill()
        run.wait()
        self.assertEqual((self.folder / "long.h5").read_bytes(), before)

    def test_a_run_goes_on_where_nobody_can_be_told_about_it(self):
        closed_pipe, end = os.pipe()
        os.close(closed_pipe)
        self.addCleanup(os.close, end)
        with open("/dev/full", "w") as full:
            for stream in (full, end):
                result = self.call("small.toml", "--verbose", "--overwrite", stderr=stream)
                self.assertEqual(result.returncode, 0)
                self.assertIn("status          converged", result.stdout)

    def test_closed_streams_do_not_become_result_files(self):
        for closed, code in (((2,), 0), ((0, 1, 2), 5)):
            result = self.call("small.toml", "--verbose", "--overwrite",
                               preexec_fn=lambda: [os.close(k) for k in closed])
            self.assertEqual(result.returncode, code)
            self.assertEqual(self.read("small.h5").attrs["status"], "converged")
            # It is what a checksum of the whole says, too.
            self.solve(0, "small.toml", "--resume", "small.h5", "--output", "b.h5", "--overwrite")

    def test_a_terminal_that_closes_leaves_a_checkpoint(self):
        run = self.start_long_run()
        run.send_signal(signal.SIGHUP)
        self.assertEqual((run.wait(60 * PATIENCE), self.files()), (130, ["long.checkpoint.h5"]))

    def test_a_solution_whose_name_is_taken_meanwhile_is_kept(self):
        run = self.start_long_run("--set", "solver.max_iterations=300")
        (self.folder / "long.h5").write_text("somebody else's")
        _, log = run.communicate(timeout=200 * PATIENCE)
        self.assertEqual(run.returncode, 5, log)
        self.assertIn("cannot write 'long.h5': the file exists already; the solution is kept in "
                      "long.checkpoint.h5", log)
        self.assertEqual((self.folder / "long.h5").read_text(), "somebody else's")
        self.assertEqual(self.read("long.checkpoint.h5").attrs["iterations"], 300)

    def test_a_file_that_cannot_grow_is_an_error_and_the_old_one_stays(self):
        self.solve(0, "small.toml")
        before = (self.folder / "small.h5").read_bytes()

        def allow_little():
            resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))

        result = self.call("small.toml", "--overwrite", "--set", "output.xdmf=false",
                           "--set", "output.compression=0", preexec_fn=allow_little)
        self.assertEqual(result.returncode, 5, result.stderr)
        self.assertIn("cannot write 'small.h5'", result.stderr)
        self.assertEqual((self.folder / "small.h5").read_bytes(), before)
        self.assertEqual(self.files(), ["small.h5", "small.xdmf"])


if __name__ == "__main__":
    main()
