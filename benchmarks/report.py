"""Read what the benchmark programs left in a folder and write report.json and report.md there.

    report.py FOLDER [--peer FILE.json]

The first table holds the figures the project promises, each with what was asked and what was measured in this run; the
others hold everything measured. Only the standard library is needed.
"""

import argparse
import json
import pathlib
import platform
import subprocess

BACKENDS = ["eigen", "kokkos", "torch:cpu"]


def load(folder):
    """All benchmarks of all programs, by name without Google Benchmark's suffixes; and one program's context."""
    results, context = {}, {}
    for file in sorted(folder.glob("*.json")):
        if file.name in ("report.json", "peer.json"):
            continue
        document = json.loads(file.read_text())
        context = document["context"]
        for b in document["benchmarks"]:
            results[b["name"].split("/iterations:")[0]] = {
                "program": file.stem,
                "error": b.get("error_message"),
                **{k: v for k, v in b.items() if isinstance(v, float) and k not in ("real_time", "cpu_time")},
            }
    return results, context


def machine(context):
    def first_line(path, key):
        try:
            for line in pathlib.Path(path).read_text().splitlines():
                if line.startswith(key):
                    return line.split(":", 1)[1].strip()
        except OSError:
            pass
        return ""

    commit = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True)
    return {
        "processor": first_line("/proc/cpuinfo", "model name") or platform.processor(),
        "cores": context.get("num_cpus"),
        "caches": [f"L{c['level']} {c['type']} {c['size'] // 1024} KiB" for c in context.get("caches", [])],
        "memory": first_line("/proc/meminfo", "MemTotal"),
        "instruction_set": context.get("instruction_set"),
        "system": platform.platform(),
        "compiler": context.get("compiler"),
        "commit": commit.stdout.strip(),
        "date": context.get("date"),
        "load": context.get("load_avg"),
    }


class Figure:
    """One promised figure: at most (or at least) so much, for some backends, over some benchmarks."""

    def __init__(self, what, asked, limit, names, counter="ratio", scale=1.0, unit="x", at_least=False,
                 backends=BACKENDS):
        self.what, self.asked, self.limit, self.names = what, asked, limit, names
        self.counter, self.scale, self.unit, self.at_least = counter, scale, unit, at_least
        self.backends = backends

    def measured(self, results, backend):
        """The values of each benchmark, in the order of the names."""
        values = []
        for name in self.names:
            entry = results.get(name.format(backend=backend))
            values.append(None if entry is None or entry["error"] or self.counter not in entry
                          else entry[self.counter] * self.scale)
        return values

    def verdict(self, values):
        known = [v for v in values if v is not None]
        if not known or len(known) < len(values):
            return "not measured"
        met = min(known) >= self.limit if self.at_least else max(known) <= self.limit
        return "met" if met else "short"


def figures():
    sizes = ["1e4", "1e5", "1e6"]
    chains = [f"hamiltonian_{edge}/{{backend}}/{size}/jit/threads:1" for size in sizes for edge in ("periodic", "clamp")]
    return [
        Figure("cached jit step, N = 100, 20 operations: overhead over the loop", "<= 0.5 us", 0.5,
               ["twenty_operations/{backend}/100/jit/threads:1"], "overhead_ns", 1e-3, " us"),
        Figure("upwind Hamiltonian, N = 1e4, 1e5, 1e6, periodic and clamped", "<= 3x the loop", 3.0, chains),
        Figure("the same, with fused stencil instructions", "<= 2.3x the loop", 2.3, chains,
               backends=BACKENDS[:2]),
        Figure("sum, N = 1e6", "<= 1.2x Eigen", 1.2, ["sum/{backend}/1e6/against_eigen/threads:1"]),
        Figure("max-abs-difference, N = 1e6", "<= 1.2x Eigen", 1.2,
               ["max_abs_difference/{backend}/1e6/against_eigen/threads:1"]),
        Figure("tridiagonal, outer and contiguous axis of 1024 x 1024", "<= 1.3x blocked elimination", 1.3,
               [f"tridiagonal_axis{axis}/{{backend}}/1024/threads:1" for axis in (0, 1)]),
        Figure("1-D game, 100 x 100, Picard to 1e-6: times faster than NumPy", ">= 10", 10.0,
               ["picard_1d/{backend}/100x100/threads:1"], "speedup", at_least=True),
        Figure("2-D game, 64 x 64 x 64 steps, to 1e-8", "seconds", 60.0,
               ["automatic_2d/{backend}/64x64/threads:1"], "ours_ns", 1e-9, " s"),
    ]


def number(value, unit=""):
    return "-" if value is None else f"{value:.3g}{unit}"


def promised(results):
    rows = []
    for f in figures():
        row = {"what": f.what, "asked": f.asked}
        for backend in f.backends:
            values = f.measured(results, backend)
            row[backend] = {"measured": values, "unit": f.unit.strip(), "verdict": f.verdict(values)}
        rows.append(row)
    return rows


def markdown(rows, results, about, peer):
    lines = ["# Benchmarks", ""]
    lines += [f"{about['processor']}, {about['cores']} cores, {', '.join(about['caches'])}; kernels: "
              f"{about['instruction_set']}; compiler {about['compiler']}; {about['system']}. Commit {about['commit']}, {about['date']}, load "
              f"{' '.join(f'{x:.1f}' for x in about['load'] or [])}.", "",
              "Ratios are of medians, rival and candidate timed in turn in one process; one thread is processor time, "
              "two are time on the wall. float64.", "",
              "| what | asked | " + " | ".join(BACKENDS) + " |", "| --- | --- |" + " --- |" * len(BACKENDS)]
    for row in rows:
        cells = []
        for backend in BACKENDS:
            if backend not in row:
                cells.append("not asked")
                continue
            cell = row[backend]
            unit = cell["unit"] if cell["unit"] == "x" else f" {cell['unit']}"
            text = ", ".join(number(v) for v in cell["measured"])
            cells.append(f"{text}{unit} **{cell['verdict']}**" if cell["verdict"] != "not measured" else "not measured")
        lines.append(f"| {row['what']} | {row['asked']} | " + " | ".join(cells) + " |")
    if peer:
        lines += ["", f"NumPy {peer['numpy']} with SciPy solves the 1-D game in {peer['seconds']:.3g} s of processor time "
                      f"({peer['iterations']} iterations)."]
    for program in sorted({r["program"] for r in results.values()}):
        lines += ["", f"## {program}", "", "| benchmark | ours, us | rival, us | ratio |", "| --- | --- | --- | --- |"]
        for name, r in results.items():
            if r["program"] != program:
                continue
            if r["error"]:
                lines.append(f"| {name} | {r['error']} | | |")
            elif "ours_ns" in r:
                rival = r.get("rival_ns")
                lines.append(f"| {name} | {number(r['ours_ns'] * 1e-3)} | {number(rival and rival * 1e-3)} | "
                             f"{number(r.get('ratio'))} |")
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--peer", type=pathlib.Path, help="what benchmarks/peers/lq_1d.py printed")
    options = parser.parse_args()
    results, context = load(options.folder)
    peer = None
    if options.peer and options.peer.exists() and options.peer.stat().st_size:
        peer = json.loads(options.peer.read_text())
        for name, r in results.items():
            if name.startswith("picard_1d/") and "ours_ns" in r:
                r["rival_ns"] = peer["seconds"] * 1e9
                r["speedup"] = r["rival_ns"] / r["ours_ns"]
                r["ratio"] = 1.0 / r["speedup"]
    about = machine(context)
    rows = promised(results)
    (options.folder / "report.json").write_text(
        json.dumps({"machine": about, "figures": rows, "numpy": peer, "results": results}, indent=1) + "\n")
    text = markdown(rows, results, about, peer)
    (options.folder / "report.md").write_text(text)
    print(text.split("\n## ")[0])


if __name__ == "__main__":
    main()
