"""Let each system call on files fail under mfg_solve: faults_test.py PROGRAM SOURCE_FOLDER SHIM.

Either the command succeeds and its file is whole, or it exits with 5, names a file, and the older
file is what it was.
"""

import os
import sys

from mfg_command import CommandCase, game, main

SHIM = os.path.abspath(sys.argv.pop(3))
NAMES = ("job.h5", "job.xdmf")


class Faults(CommandCase):
    always = ["--quiet", "--overwrite", "--backend", "eigen"]

    def setUp(self):
        super().setUp()
        self.write("job.toml", game(16, 8, "periodic", "m", "1 + 0.5*cos(2*pi*x)", "first"))
        self.output = self.folder / "out"
        self.output.mkdir()
        self.assertEqual(self.run_job("first").returncode, 0)
        self.old = {name: (self.output / name).read_bytes() for name in NAMES}

    def run_job(self, title, fault=None):
        environment = dict(os.environ)
        if fault:
            environment |= {"LD_PRELOAD": SHIM, "ISOFIELD_FAULT": f"{self.output}:{fault}"}
        return self.call("job.toml", "--output", self.output / "job.h5", "--set",
                         f'title="{title}"', env=environment)

    def check(self, fault):
        """Let it happen in a run, and see that what the command says is what the files show."""
        for name, data in self.old.items():
            (self.output / name).write_bytes(data)
        done = self.run_job("second", fault)
        self.assertIn(done.returncode, (0, 5), done.stderr)
        kept = "job.checkpoint.h5"
        names = [*NAMES] + ([kept] if kept in done.stderr else [])
        self.assertEqual(sorted(path.name for path in self.output.iterdir()), sorted(names))
        if kept in names:
            self.assertEqual(self.read(f"out/{kept}").attrs["title"], "second")
            (self.output / kept).unlink()
        if done.returncode == 5:
            self.assertEqual((self.output / "job.h5").read_bytes(), self.old["job.h5"])
            self.assertIn("job.", done.stderr)
            self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        else:
            file = self.read("out/job.h5")
            self.assertEqual((file.attrs["title"], file["u"][...].shape), ("second", (9, 16)))
        return done.returncode

    def test_each_failing_call_is_an_error_or_no_matter(self):
        for kind in ("ENOSPC:always", "EIO", "EINTR", "short:always"):
            codes = []
            for k in range(1, 170, 7):
                with self.subTest(kind=kind, call=k):
                    codes.append(self.check(f"{k}:{kind}"))
            self.assertEqual(5 in codes, kind in ("ENOSPC:always", "EIO"), kind)
            self.assertEqual(codes[-1], 0, "there are more calls than this test thinks")


if __name__ == "__main__":
    main()
