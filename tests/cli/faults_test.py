"""Let each system call on files fail under mfg_solve: faults_test.py PROGRAM SOURCE_FOLDER SHIM.

Either the command succeeds and its file is whole, or it exits with 5, names a file, and the older
files are what they were. A few calls fail; ISOFIELD_TEST_FAULTS=all lets each fail in turn.
"""

import os
import sys

from mfg_command import CommandCase, game, main

SHIM = os.path.abspath(sys.argv.pop(3))
ALL = os.environ.get("ISOFIELD_TEST_FAULTS") == "all"
HARMFUL = ("ENOSPC", "ENOSPC:always", "EIO", "EIO:always")
HARMLESS = ("EINTR", "short", "short:always")  # such calls are repeated


class Faults(CommandCase):
    always = ["--quiet", "--overwrite", "--backend", "eigen"]

    def setUp(self):
        super().setUp()
        self.output = self.folder / "out"
        self.output.mkdir()

    def run_job(self, title, *arguments, fault=None, count=None):
        environment = dict(os.environ)
        if fault:
            environment |= {"LD_PRELOAD": SHIM, "ISOFIELD_FAULT": f"{self.output}:{fault}"}
        if count:
            environment["ISOFIELD_FAULT_COUNT"] = count
        return self.call(self.output / "job.toml", "--output", self.output / "job.h5", "--set",
                         f'title="{title}"', *arguments, env=environment)

    def whole_runs(self, cells, *arguments, picks):
        """Let calls of a run fail, some picks of each kind: what it says is what the files show."""
        (self.output / "job.toml").write_text(
            game(cells, 8, "periodic", "m", "1 + 0.5*cos(2*pi*x)", "first"))
        first = self.run_job("first")
        self.assertEqual(first.returncode, 0, first.stderr)
        (self.output / "start.h5").write_bytes((self.output / "job.h5").read_bytes())
        self.old = {path.name: path.read_bytes() for path in self.output.iterdir()}
        count = self.folder / "count"
        self.assertEqual(self.run_job("second", *arguments, fault="0:none", count=count).returncode, 0)
        calls = int(count.read_text())
        self.assertGreater(calls, 100)
        stride = 1 if ALL else max(calls // picks, 1)
        for kind in HARMFUL + HARMLESS:
            codes = []
            for k in range(1, calls + 1, stride):
                with self.subTest(kind=kind, call=k, of=calls):
                    codes.append(self.check(f"{k}:{kind}", *arguments))
            self.assertEqual(5 in codes, kind in HARMFUL, kind)
        self.assertEqual(self.check(f"{calls + 50}:EIO:always", *arguments), 0)

    def check(self, fault, *arguments):
        for path in self.output.iterdir():
            if path.name not in self.old:
                path.unlink()
        for name, data in self.old.items():
            (self.output / name).write_bytes(data)
        done = self.run_job("second", *arguments, fault=fault)
        self.assertIn(done.returncode, (0, 5), done.stderr)
        # Beside the old names there may be a checkpoint, and that of the run before.
        checkpoints = {"job.checkpoint.h5", "job.checkpoint.older.h5"}
        names = {path.name for path in self.output.iterdir()}
        self.assertLessEqual(set(self.old), names)
        self.assertLessEqual(names - set(self.old), checkpoints, done.stderr)
        for name in names & checkpoints:
            with self.read(f"out/{name}") as file:
                self.assertEqual(file["u"].shape, file["m"].shape)
        for name in ("start.h5", "job.toml"):
            self.assertEqual((self.output / name).read_bytes(), self.old[name], name)
        if done.returncode == 5:
            self.assertEqual((self.output / "job.h5").read_bytes(), self.old["job.h5"])
            self.assertRegex(done.stderr.splitlines()[-1],
                             r"^mfg_solve: cannot (read|write) \S*(job|start)\.")
        else:
            with self.read("out/job.h5") as file:
                self.assertEqual(file.attrs["title"], "second")
                self.assertEqual(file["u"].shape[0], 9)
        return done.returncode

    def test_each_failing_call_is_an_error_or_no_matter(self):
        self.whole_runs(16, picks=7)

    def test_a_run_that_goes_on_and_writes_checkpoints_loses_nothing_either(self):
        self.whole_runs(12, "--resume", self.output / "start.h5", "--set", "model.viscosity=0.2",
                        "--set", "solver.coupling=picard", "--set", "output.checkpoint_every=3",
                        picks=7)


if __name__ == "__main__":
    main()
