"""Solve families of runs with mfg_solve: sweep_test.py PROGRAM SOURCE_FOLDER"""

import json
import signal
import subprocess

from mfg_command import PATIENCE, CommandCase, game, main

FAMILY = game(30, 12, "reflecting", "m + 4*(x - 0.7)^2", "1 + x", "Family") + """
[sweep]
"model.viscosity" = [0.2, 0.1, 0.05]
"model.mass" = [1.0, 2.0]
"""

# Each lasts a while: so damped that it takes hundreds of iterations.
SLOW = game(100, 100, "periodic", "m - sin(2*pi*x)", "1 + 0.5*cos(2*pi*x)") + """
[solver]
coupling = "picard"
damping = 0.02
max_iterations = 300
initial_guess = "zero"
tolerance = 1e-12
[output]
file = "slow.h5"
[sweep]
"model.viscosity" = [0.2, 0.1, 0.05, 0.04]
"""


class Sweep(CommandCase):
    always = ["--backend", "eigen"]

    def setUp(self):
        super().setUp()
        self.write("family.toml", FAMILY)

    def test_each_run_is_a_group_of_one_file_and_a_row_of_a_table(self):
        import numpy

        summary, log = self.solve(0, "family.toml")
        self.assertEqual((summary["status"], summary["runs"], summary["files"]), ("converged", 6, ["family.h5"]))
        self.assertEqual(self.files(), ["family.h5"])
        self.assertIn("run 4 of 6: model.viscosity = 0.1, model.mass = 2.0", log)
        self.assertEqual(summary["members"][3]["parameters"], {"model.viscosity": 0.1, "model.mass": 2.0})
        file = self.read("family.h5")
        self.assertEqual(file.attrs["status"], "converged")
        self.assertEqual(file.attrs["members"], 6)
        self.assertEqual(file["sweep/model.viscosity"][...].tolist(), [0.2, 0.2, 0.1, 0.1, 0.05, 0.05])
        self.assertEqual(file["sweep/model.mass"][...].tolist(), [1, 2] * 3)
        self.assertEqual(file["sweep/status"][...].tolist(), [0] * 6)
        for k, member in enumerate(summary["members"]):
            group = file[f"members/{k:04}"]
            self.assertEqual(group.attrs["status"], "converged")
            self.assertEqual(group.attrs["model.mass"], member["parameters"]["model.mass"])
            self.assertEqual(group.attrs["iterations"], member["iterations"])
            self.assertEqual(file["sweep/iterations"][k], member["iterations"])
            self.assertEqual(group["u"].shape, (13, 30))
            self.assertEqual(group["u"].dims[1][0].name, f"/members/{k:04}/grid/x")
            self.assertAlmostEqual(group["m"][0].sum() / 30, member["parameters"]["model.mass"])
            # What a run alone gives, to the tolerance.
            (self.folder / "alone.toml").write_text(group.attrs["config"])
            self.solve(0, "alone.toml", "--output", "alone.h5", "--overwrite")
            alone = self.read("alone.h5")
            self.assertLess(numpy.abs(alone["u"][...] - group["u"][...]).max(), 1e-6)
        # The family's configuration is one, too.
        (self.folder / "again.toml").write_text(file.attrs["config"])
        again, _ = self.solve(0, "again.toml", "--output", "again.h5")
        self.assertEqual([m["iterations"] for m in again["members"]],
                         [m["iterations"] for m in summary["members"]])
        other = self.read("again.h5")
        self.assertTrue((other["members/0005/u"][...] == file["members/0005/u"][...]).all())

    def test_particles_of_each_run_are_kept_at_the_levels_that_are(self):
        self.solve(0, "family.toml", "--set", "output.particles=20", "--set", "output.stride=5")
        file = self.read("family.h5")
        for member in file["members"].values():
            levels = len(member["grid/t"])
            self.assertEqual(levels, 4)
            population = member["populations/0"]
            self.assertEqual(population["particles"].shape, (levels, 20, 1))
            self.assertEqual(population["particles_inside"].shape, (levels, 20))

    def test_runs_start_from_their_neighbours(self):
        close = ["--set", "sweep.model.viscosity=[0.1, 0.101, 0.102]", "--set", "sweep.mode=zip",
                 "--set", "solver.initial_guess=zero"]
        text = FAMILY.replace('"model.viscosity" = [0.2, 0.1, 0.05]\n"model.mass" = [1.0, 2.0]\n', "")
        self.write("close.toml", text)
        near, _ = self.solve(0, "close.toml", *close)
        far, _ = self.solve(0, "close.toml", *close, "--set", "sweep.continuation=false", "--output", "far.h5")
        for k in (1, 2):
            self.assertLess(near["members"][k]["iterations"], far["members"][k]["iterations"])
        self.assertEqual(near["members"][0]["iterations"], far["members"][0]["iterations"])

    def test_grids_and_kinds_of_games_may_differ(self):
        summary, _ = self.solve(0, "family.toml", "--set", "sweep.domain.cells=[[20], [30]]",
                                "--set", "output.stride=5", "--set", "output.xdmf=false")
        self.assertEqual(summary["runs"], 12)
        file = self.read("family.h5")
        self.assertEqual(file["members/0010/u"].shape, (4, 20))
        self.assertEqual(file["members/0011/u"].shape, (4, 30))
        self.assertEqual(file["members/0011/grid/t"][-1], 1)
        self.assertEqual(file["members/0011/diagnostics/mass"].shape, (4,))
        self.write("ever.toml", """
domain = { lower = [0], upper = [1], cells = [20] }
model = { ergodic = true, running_cost = "m + x" }
[sweep]
"model.viscosity" = [0.5, 0.1]
""")
        summary, _ = self.solve(0, "ever.toml")
        rates = self.read("ever.h5")["sweep/lambda"][...].tolist()
        self.assertEqual(rates, [m["lambda"]["0"] for m in summary["members"]])

    def test_check_plans_every_run_and_touches_nothing(self):
        text = self.call("family.toml", "--check").stdout
        self.assertIn("runs        6: 3 values of model.viscosity by 2 values of model.mass, each from", text)
        self.assertRegex(text, r"(?m)^  0005  0.05 +2.0 +780 +25 kB$")
        plan = json.loads(self.call("family.toml", "--check", "--json").stdout)
        self.assertEqual((plan["runs"], len(plan["members"])), (6, 6))
        self.assertEqual(plan["members"][5]["parameters"], {"model.viscosity": 0.05, "model.mass": 2.0})
        self.assertEqual(self.files(), [])

    def test_a_run_that_fails_does_not_lose_the_others(self):
        summary, log = self.solve(3, "family.toml", "--set", 'sweep.model.running_cost=["m", "log(0.5 - m)"]')
        self.assertEqual(summary["status"], "not_converged")
        statuses = [member["status"] for member in summary["members"]]
        self.assertEqual(statuses, ["converged", "failed"] * 6)
        self.assertIn("time level", summary["members"][1]["reason"])
        self.assertIn("run 2 (model.viscosity = 0.2, model.mass = 1.0, model.running_cost = log(0.5 - m)): failed", log)
        file = self.read("family.h5")
        self.assertEqual(file.attrs["status"], "not_converged")
        self.assertEqual(file["sweep/status"][...].tolist(), [0, 2] * 6)
        self.assertEqual(file["members/0001"].attrs["status"], "failed")
        self.assertEqual(file["members/0002"].attrs["status"], "converged")
        self.assertEqual(self.files(), ["family.h5"])

    def interrupted(self, *arguments, after="run 2 of 4"):
        run = subprocess.Popen(self.command("slow.toml", "--verbose", *arguments), cwd=self.folder,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(run.stdout.close)
        self.addCleanup(run.stderr.close)
        self.addCleanup(run.kill)
        seen = False
        for line in run.stderr:
            seen = seen or after in line
            if seen and "iteration 20 (" in line:
                return run
        self.fail("the run ended by itself")

    def test_an_interrupted_family_goes_on_with_what_is_done(self):
        self.write("slow.toml", SLOW)
        run = self.interrupted()
        run.send_signal(signal.SIGINT)
        output, log = run.communicate(timeout=60 * PATIENCE)
        self.assertEqual(run.returncode, 130, log)
        self.assertIn("interrupted in run 2 of 4; the same command with --resume slow.checkpoint.h5 goes on", log)
        self.assertIn("1 of 4 done", output)
        self.assertEqual(self.files(), ["slow.checkpoint.h5", "slow.member_0000.h5"])
        done = (self.folder / "slow.member_0000.h5").read_bytes()
        result = self.call("slow.toml")
        self.assertEqual(result.returncode, 5)
        self.assertIn("slow.member_0000.h5 is left of an earlier run; --resume slow.member_0000.h5 goes on", result.stderr)
        # Killed in the third, it has the first two.
        run = self.interrupted("--resume", "slow.checkpoint.h5", "--set", "output.checkpoint_every=0", after="run 3 of 4")
        self.assertEqual((self.folder / "slow.member_0000.h5").read_bytes(), done)
        run.kill()
        run.wait()
        result = self.call("slow.toml", "--resume", "slow.member_0001.h5", "--json")
        self.assertEqual(result.returncode, 3, result.stderr)  # damped so much that they do not converge
        self.assertNotIn("run 2 of 4", result.stderr)
        self.assertIn("run 3 of 4", result.stderr)
        self.assertEqual([m["iterations"] for m in json.loads(result.stdout)["members"]][2:], [300, 300])
        self.assertNotIn("slow.member_0000.h5", self.files())
        self.assertEqual(self.read("slow.h5")["sweep/status"][...].tolist(), [1, 1, 1, 1])

    def test_an_interrupted_family_gives_the_bits_of_one_that_nobody_stopped(self):
        self.write("slow.toml", SLOW.replace("max_iterations = 300", "max_iterations = 60"))
        self.assertEqual(self.call("slow.toml", "--output", "whole.h5").returncode, 3)
        run = self.interrupted("--set", "output.checkpoint_every=7", after="run 3 of 4")
        run.kill()
        run.communicate()
        self.assertIn("slow.checkpoint.h5", self.files())
        result = self.call("slow.toml", "--resume", "slow.checkpoint.h5")
        self.assertEqual(result.returncode, 3, result.stderr)
        self.assertNotIn("run 2 of 4", result.stderr)
        self.assertEqual(self.files(), ["slow.h5", "whole.h5"])
        mine, other = self.read("slow.h5"), self.read("whole.h5")
        for k in range(4):
            for path in ("u", "m", "convergence/residual", "diagnostics/mass"):
                name = f"members/{k:04}/{path}"
                self.assertEqual(mine[name][...].tobytes(), other[name][...].tobytes(), name)

    def test_what_is_of_no_run_of_the_family_is_no_start(self):
        self.write("one.toml", game(30, 12, "reflecting", "m", "1 + x"))
        self.solve(0, "one.toml")
        result = self.call("family.toml", "--resume", "one.h5")
        self.assertEqual(result.returncode, 2)
        self.assertIn("one.h5 is of no run of this family", result.stderr)
        self.assertEqual(self.call("family.toml", "--resume", "absent.h5").returncode, 5)
        self.solve(0, "family.toml")
        result = self.call("one.toml", "--resume", "family.h5", "--output", "b.h5")
        self.assertEqual(result.returncode, 5)
        self.assertIn("it holds a family of runs, and one of them is needed", result.stderr)


if __name__ == "__main__":
    main()
