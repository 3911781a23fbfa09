"""What the tests of mfg_solve share: a folder, a small game, a call.

Run as SCRIPT_test.py PROGRAM SOURCE_FOLDER [unittest's options].
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

PROGRAM, SOURCE = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
# How much slower than usual the program may be: sanitizers take their time.
PATIENCE = float(os.environ.get("ISOFIELD_TEST_PATIENCE", "1"))


def game(cells, steps, boundary="reflecting", cost="0", density="1 + x", title=""):
    """The configuration of a game on a line, without the tables [solver] and [output]."""
    return f"""
title = "{title}"
[domain]
lower = [0.0]
upper = [1.0]
cells = [{cells}]
boundary = ["{boundary}"]
[time]
horizon = 1.0
steps = {steps}
[model]
viscosity = 0.1
running_cost = "{cost}"
initial_density = "{density}"
"""


def call(*arguments, **options):
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.run([PROGRAM, *map(str, arguments)], text=True, timeout=280 * PATIENCE,
                          **(streams | options))


class FileCase(unittest.TestCase):
    """Tests that look at result files in `folder`."""

    def read(self, name):
        try:
            import h5py
        except ImportError:
            self.skipTest("h5py is not there")
        file = h5py.File(self.folder / name, "r")
        self.addCleanup(file.close)
        return file


class CommandCase(FileCase):
    """Tests that call the command in a folder of their own."""

    always = []  # arguments of every call

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def write(self, name, text):
        (self.folder / name).write_text(text)

    def command(self, *arguments):
        return [PROGRAM, *map(str, arguments), *self.always]

    def call(self, *arguments, **options):
        return call(*arguments, *self.always, cwd=self.folder, **options)

    def solve(self, code, *arguments, **options):
        """Check the exit code and give the summary and the log."""
        result = self.call(*arguments, "--json", **options)
        self.assertEqual(result.returncode, code, result.stderr)
        return json.loads(result.stdout), result.stderr

    def files(self):
        return sorted(p.name for p in self.folder.iterdir() if p.suffix != ".toml")


def main():
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
