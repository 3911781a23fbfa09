"""Tests of what is not C++ here: the peers' scheme, and the report.

    scripts_test.py     needs NumPy and SciPy
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE / "peers")]

import problem_p  # noqa: E402 (found by the path above)
import report  # noqa: E402
import with_scipy  # noqa: E402


class Peers(unittest.TestCase):
    def test_mass_stays_and_backward_and_forward_sweeps_are_adjoint(self):
        for axes in (1, 2):
            p = problem_p.ProblemP(axes, intervals=8, steps=4)
            s = problem_p.picard(p, with_scipy.sweeps(p), problem_p.plain, tolerance=1e-8)
            self.assertLess(problem_p.values(p, s)["largest_loss_of_mass"], 1e-12)
            # <u^0, m^0> - <u^N, m^N> = dt sum <m^(n+1), |grad u|^2 / 2 + m^(n+1)> for upwind slopes of u^n.
            scheme = with_scipy.Scheme(p)
            total = 0.0
            for n in range(p.steps):
                squares = sum(q * q for side in scheme.upwind_slopes(s.u[n]) for q in side)
                total += p.dt * (s.m[n + 1] * (0.5 * squares + s.m[n + 1])).sum()
            change = (s.u[0] * s.m[0]).sum() - (s.u[-1] * s.m[-1]).sum()
            self.assertAlmostEqual(change / total, 1.0, places=7)

    def test_rules_lead_to_the_same_solution(self):
        p = problem_p.ProblemP(1, intervals=20, steps=20)
        ends = [problem_p.values(p, problem_p.picard(p, with_scipy.sweeps(p), rule)) for rule in problem_p.RULES.values()]
        for name, value in ends[0].items():
            self.assertAlmostEqual(value, ends[1][name], places=9)


class Report(unittest.TestCase):
    def test_figures_find_their_benchmarks_and_judge_them(self):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            benchmarks = [{"name": f"sum/{b}/1e5/against_loop/threads:1/iterations:1/manual_time", "ratio": ratio,
                           "ours_ns": 1.0, "rival_ns": 1.0}
                          for b, ratio in (("eigen", 1.05), ("kokkos", 1.2))]
            (folder / "reductions.json").write_text(json.dumps({"context": {}, "benchmarks": benchmarks}))
            measured = report.Measured(folder)
            row = next(f.row(measured) for f in report.figures() if f.what.startswith("sum"))
            verdicts = {b: found["verdict"] for b, found in row["backends"].items()}
            self.assertEqual(verdicts, {"eigen": "met", "kokkos": "short", "torch:cpu": "not measured"})

    def test_a_report_of_nothing_says_so(self):
        with tempfile.TemporaryDirectory() as name:
            done = subprocess.run([sys.executable, HERE / "report.py", name], capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, done.stderr)
            text = (pathlib.Path(name) / "report.md").read_text()
            self.assertIn("not measured", text)
            self.assertNotIn("**met**", text)


if __name__ == "__main__":
    unittest.main()
