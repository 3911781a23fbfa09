"""Stop runs of mfg_solve anywhere and go on: resume_test.py PROGRAM SOURCE_FOLDER

What comes out must be what a run gives that nobody stopped, bit for bit, however often it is killed and by whatever
coupling, and for any number of threads. ISOFIELD_TEST_KILLS says how many kills (12 unless given).
"""

import json
import os
import random
import signal
import subprocess
import time

from mfg_command import PATIENCE, CommandCase, game, main

KILLS = int(os.environ.get("ISOFIELD_TEST_KILLS", "12"))

LINE = game(60, 30, "periodic", "0.3*m - sin(2*pi*x)", "1 + 0.5*cos(2*pi*x)")
ROOM = """
[domain]
lower = [0.0, 0.0]
upper = [1.0, 1.0]
cells = [14, 12]
obstacle = "x > 0.45 and x < 0.55 and abs(y - 0.5) > 0.2"
[time]
horizon = 1.0
steps = 10
[[population]]
name = "a"
viscosity = 0.1
hamiltonian = { congestion = 0.5 }
running_cost = "m + 0.5*m_b"
terminal_cost = "2*(x - 0.8)^2"
initial_density = "exp(-20*(x - 0.3)^2)"
[[population]]
name = "b"
viscosity = 0.05
running_cost = "m + m_a"
terminal_cost = "2*(x - 0.2)^2"
initial_density = "1 + y"
"""
ERGODIC = """
domain = { lower = [0, 0], upper = [1, 1], cells = [24, 24], boundary = "periodic" }
[model]
ergodic = true
viscosity = 0.015
hamiltonian = { scale = "1" }
running_cost = "m^2 - sin(2*pi*x) - sin(2*pi*y) - cos(4*pi*x)"
"""
# So strong, at the end, that Newton's method gets on only along a path.
HARD = """
[domain]
lower = [0.0]
upper = [1.0]
cells = [24]
[time]
horizon = 1.0
steps = 24
[model]
viscosity = 0.1
running_cost = "m"
terminal_cost = "40*m"
initial_density = "exp(-50*(x - 0.3)^2)"
"""


class Resume(CommandCase):
    always = ["--backend", "eigen", "--set", "output.checkpoint_every=1", "--set", "output.compression=0",
              "--set", "output.xdmf=false"]

    def identical(self, name, reference):
        mine, other = self.read(name), self.read(reference)
        for population in other["populations"]:
            for field in ("u", "m"):
                path = f"populations/{population}/{field}"
                self.assertEqual(mine[path][...].tobytes(), other[path][...].tobytes(), path)
            if "lambda" in other[f"populations/{population}"]:
                path = f"populations/{population}/lambda"
                self.assertEqual(mine[path][()], other[path][()])
        for column in ("iteration", "residual", "hjb_residual", "fp_residual", "exploitability"):
            path = f"convergence/{column}"
            self.assertEqual(mine[path][...].tobytes(), other[path][...].tobytes(), path)
        self.assertEqual(mine.attrs["iterations"], other.attrs["iterations"])
        self.assertEqual(mine.attrs["status"], other.attrs["status"])
        mine.close()
        other.close()

    def stopped_at(self, iteration, *arguments):
        """Kill a run when the checkpoint of an iteration is there, if it gets so far; gives the checkpoint."""
        for file in ("run.h5", "run.checkpoint.h5"):
            (self.folder / file).unlink(missing_ok=True)
        run = subprocess.Popen(self.command(*arguments, "--verbose", "--output", "run.h5"), cwd=self.folder,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            for line in run.stderr:
                if line.startswith(f"iteration {iteration + 1} ("):
                    run.kill()
        finally:
            run.wait(60 * PATIENCE)
            run.stdout.close()
            run.stderr.close()
        return "run.checkpoint.h5" if run.returncode == -signal.SIGKILL else None

    def goes_on(self, text, *arguments, threads=(1, 2), stops=(1, 2, 5, 6, 9)):
        """Stop a run after some iterations, go on, and compare with the run that nobody stopped."""
        self.write("run.toml", text)
        whole = self.call("run.toml", *arguments, "--output", "whole.h5", "--overwrite", "--json", "--threads", "1")
        self.assertIn(whole.returncode, (0, 3), whole.stderr)
        count = json.loads(whole.stdout)["iterations"]
        self.assertGreater(count, 2)
        done = 0
        for number in threads:
            for iteration in [k for k in stops if k < count] + [count - 1]:
                checkpoint = self.stopped_at(iteration, "run.toml", *arguments, "--threads", number)
                if checkpoint is None:
                    continue
                with self.subTest(threads=number, iteration=iteration):
                    rest = self.call("run.toml", *arguments, "--output", "rest.h5", "--overwrite", "--json",
                                     "--threads", number, "--resume", checkpoint)
                    self.assertEqual(rest.returncode, whole.returncode, rest.stderr)
                    self.assertRegex(rest.stderr, r"goes on after iteration \d+ of run.checkpoint.h5")
                    self.identical("rest.h5", "whole.h5")
                    done += 1
        self.assertGreaterEqual(done, len(threads))
        return json.loads(whole.stdout)

    def test_every_coupling_goes_on_bit_for_bit(self):
        for coupling in ("picard", "fictitious_play", "anderson", "policy", "newton", "auto"):
            with self.subTest(coupling=coupling):
                start = "zero" if coupling == "auto" else "coarse"
                self.goes_on(LINE, "--set", f"solver.coupling={coupling}", "--set", "solver.max_iterations=14",
                             "--set", f"solver.initial_guess={start}", "--set", "solver.tolerance=1e-9", stops=(1, 5))

    def test_populations_obstacles_and_congestion_go_on_bit_for_bit(self):
        for coupling in ("anderson", "auto"):
            with self.subTest(coupling=coupling):
                self.goes_on(ROOM, "--set", f"solver.coupling={coupling}", "--set", "solver.max_iterations=12", stops=(3,))

    def test_narrow_numbers_go_on_bit_for_bit(self):
        self.goes_on(ROOM, "--dtype", "float32", "--set", "solver.max_iterations=6", "--set", "solver.tolerance=1e-6",
                     "--set", "solver.initial_guess=zero", threads=(2,), stops=(2, 3))

    def test_a_path_from_weaker_couplings_goes_on_bit_for_bit(self):
        summary = self.goes_on(HARD, "--set", "solver.initial_guess=zero", threads=(2,), stops=(20, 40, 62, 65, 68))
        self.assertIn("a path from weaker couplings was tried", summary["reason"])

    def test_an_ergodic_game_goes_on_bit_for_bit(self):
        summary = self.goes_on(ERGODIC, stops=(2, 12), threads=(2,))
        self.assertIn("a path from more viscosity", summary["reason"])
        self.goes_on(ERGODIC, "--set", "model.viscosity=0.3", stops=(1,))

    def test_what_is_interrupted_on_coarser_grids_begins_again(self):
        self.write("run.toml", ROOM.replace("[14, 12]", "[80, 80]").replace("steps = 10", "steps = 24"))
        run = subprocess.Popen(self.command("run.toml", "--verbose"), cwd=self.folder, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
        for line in run.stderr:
            if line.startswith("grid 2 times coarser, iteration 1 "):
                run.send_signal(signal.SIGTERM)
                break
        _, log = run.communicate(timeout=120 * PATIENCE)
        self.assertEqual(run.returncode, 130, log)
        self.assertIn("interrupted; the same command with --resume run.checkpoint.h5 goes on", log)
        result = self.call("run.toml", "--resume", "run.checkpoint.h5", "--set", "solver.max_iterations=1", "--verbose")
        self.assertEqual(result.returncode, 3)
        self.assertIn("is of a run that had done nothing yet: it begins", result.stderr)
        self.assertIn("grid 2 times coarser, iteration 1 ", result.stderr)

    def test_another_computation_takes_the_value_alone(self):
        self.write("run.toml", LINE)
        checkpoint = self.stopped_at(3, "run.toml", "--set", "solver.coupling=anderson")
        for change in ("solver.coupling=newton", "model.viscosity=0.2", "solver.tolerance=1e-7"):
            result = self.call("run.toml", "--resume", checkpoint, "--output", "other.h5", "--overwrite", "--set", change)
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertIn("run.checkpoint.h5 is of another computation: only its value is a start", result.stderr)
        # Threads, files, the title and the number of iterations make no other computation.
        result = self.call("run.toml", "--resume", checkpoint, "--set", "solver.coupling=anderson", "--threads", "1",
                           "--output", "same.h5", "--set", "title=x", "--set", "solver.max_iterations=150",
                           "--set", "output.stride=3")
        self.assertIn("goes on after iteration", result.stderr)

    def test_kills_at_any_time_lose_nothing(self):
        text = ROOM + '[solver]\ncoupling = "anderson"\nmax_iterations = 40\ntolerance = 1e-12\n'
        self.write("run.toml", text)
        whole = self.call("run.toml", "--output", "whole.h5", "--threads", "1")
        self.assertIn(whole.returncode, (0, 3), whole.stderr)
        seed = int(os.environ.get("ISOFIELD_TEST_SEED", random.randrange(10**6)))
        chance = random.Random(seed)
        kills = finished = 0
        alone = time.monotonic()
        self.call("run.toml", "--output", "timed.h5", "--threads", "2")
        alone = time.monotonic() - alone
        while kills < KILLS:
            arguments = ["run.toml", "--output", "run.h5", "--overwrite", "--quiet", "--threads", str(chance.choice((1, 2)))]
            if (self.folder / "run.checkpoint.h5").exists():
                arguments += ["--resume", "run.checkpoint.h5"]
            run = subprocess.Popen(self.command(*arguments), cwd=self.folder, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE, text=True)
            try:
                _, log = run.communicate(timeout=chance.uniform(0, 0.6 * alone))
                self.assertEqual(run.returncode, whole.returncode, f"seed {seed}: {log}")
                finished += 1
                self.identical("run.h5", "whole.h5")
                (self.folder / "run.checkpoint.h5").unlink(missing_ok=True)
                (self.folder / "run.h5").unlink()
            except subprocess.TimeoutExpired:
                run.kill()
                run.communicate()
                kills += 1
        arguments = ["--resume", "run.checkpoint.h5"] if (self.folder / "run.checkpoint.h5").exists() else []
        last = self.call("run.toml", "--output", "run.h5", "--overwrite", *arguments)
        self.assertEqual(last.returncode, whole.returncode, f"seed {seed}: {last.stderr}")
        self.identical("run.h5", "whole.h5")
        print(f"{kills} kills, {finished + 1} runs finished, seed {seed}", flush=True)
        hidden = [name for name in os.listdir(self.folder) if name.endswith(".part")]
        self.assertEqual(hidden, [], "what killed runs leave is removed by the next")


if __name__ == "__main__":
    main()
