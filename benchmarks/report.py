"""Read what the benchmark programs, the command and the peers left in a folder, and write report.json, report.md and, where
there is matplotlib, report.png there.

    report.py FOLDER [--bandwidth-file FILE]

The first table holds the figures the project promises, each with what was asked and what was measured in this run beside
its rival; then come the machine's bandwidth, problem P against its peers, and everything measured. FOLDER holds NAME.json
of each bench_NAME, peers.json of benchmarks/peers/run.py and command.json of benchmarks/command.py; what is missing is
"not measured". FILE gets the memory's bandwidth in GB/s and the processor's name, for the library's profiles. To promise
something new, add a row to `figures`. Only the standard library is needed for the tables.
"""

import argparse
import json
import pathlib
import platform
import re
import statistics
import subprocess

import plot

BACKENDS = ["eigen", "kokkos", "torch:cpu"]
CASES = {  # of problem P: what benchmarks/peers call them, and bench_solves
    "p1_100": "picard_1d/{backend}/100x100/threads:1",
    "p1_400": "picard_1d/{backend}/400x400/threads:1",
    "p2_32": "picard_2d/{backend}/32x32/threads:1",
    "p2_64": "picard_2d/{backend}/64x64/threads:1",
}


# --- what was measured ---


class Measured:
    """All that the folder holds."""

    def __init__(self, folder):
        self.benchmarks, self.context = {}, {}
        for file in sorted(folder.glob("*.json")):
            document = json.loads(file.read_text() or "null")
            if not isinstance(document, dict) or "benchmarks" not in document:
                continue
            self.context = document["context"]
            for b in document["benchmarks"]:
                numbers = {k: v for k, v in b.items() if isinstance(v, float) and k not in ("real_time", "cpu_time")}
                name = b["name"].split("/iterations:")[0]
                self.benchmarks[name] = {"program": file.stem, "error": b.get("error_message"), **numbers}
        self.peers = self.read(folder / "peers.json") or []
        self.command = self.read(folder / "command.json") or {}

    @staticmethod
    def read(file):
        return json.loads(file.read_text()) if file.exists() and file.stat().st_size else None

    def peer(self, peer, case, rule):
        for entry in self.peers:
            if (entry["peer"], entry["case"], entry["rule"]) == (peer, case, rule):
                return entry
        return None

    def counter(self, name, counter):
        entry = self.benchmarks.get(name)
        return None if entry is None or entry["error"] else entry.get(counter)


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


# --- what was promised: a figure's `values` gives, for a backend, names and numbers ---


def counters(pattern, counter="ratio", scale=1.0, program=None):
    """A counter of all benchmarks (of one program) whose whole name the pattern matches, {backend} in it replaced."""

    def values(measured, backend):
        whole = re.compile(pattern.replace("{backend}", re.escape(backend)))
        found = {}
        for name, entry in measured.benchmarks.items():
            if whole.fullmatch(name) and program in (None, entry["program"]):
                value = measured.counter(name, counter)
                found[name] = None if value is None else value * scale
        return found

    return values


def speedups(pattern):
    """By what factor two threads are faster than one; {threads} in the pattern is their number."""

    def values(measured, backend):
        one = counters(pattern.replace("{threads}", "1"), "ours_ns")(measured, backend)
        two = counters(pattern.replace("{threads}", "2"), "ours_ns")(measured, backend)
        found = {}
        for name, time in two.items():
            alone = one.get(name.replace("threads:2", "threads:1"))
            found[name] = alone / time if alone and time else None
        return found

    return values


def picard(cases, peer=None, rule="plain"):
    """Processor ms for a Picard iteration of problem P, or in units of a peer's."""

    def values(measured, backend):
        found = {}
        for case in cases:
            ours = measured.counter(CASES[case].format(backend=backend), "ms_per_iteration")
            if peer:
                theirs = measured.peer(peer, case, rule)
                ours = ours / theirs["cpu_ms"] if ours and theirs else None
            found[case] = ours
        return found

    return values


def command(key):
    """Of the whole process of mfg_solve."""
    return lambda measured, backend: {"mfg_solve": measured.command.get(key) if backend == "eigen" else None}


class Figure:
    """One promised figure: at most (or at least) so much, of every benchmark that `values` finds."""

    def __init__(self, what, asked, limit, values, unit="x", at_least=False, backends=BACKENDS):
        self.what, self.asked, self.limit, self.values = what, asked, limit, values
        self.unit, self.at_least, self.backends = unit, at_least, backends

    def row(self, measured):
        row = {"what": self.what, "asked": self.asked, "limit": self.limit, "unit": self.unit,
               "at_least": self.at_least, "backends": {}}
        for backend in self.backends:
            values = self.values(measured, backend)
            row["backends"][backend] = {"values": values, "worst": self.worst(values), "verdict": self.verdict(values)}
        return row

    def worst(self, values):
        known = [v for v in values.values() if v is not None]
        if not known:
            return None
        return min(known) if self.at_least else max(known)

    def verdict(self, values):
        worst = self.worst(values)
        if worst is None or None in values.values():
            return "not measured"
        return "met" if (worst >= self.limit if self.at_least else worst <= self.limit) else "short"


def figures():
    # Chains of elementary functions have rivals, and rows, of their own.
    chains = "(expression|hamiltonian_[a-z]+|laplacian|fokker_planck)/{backend}/%s/jit/threads:1"
    p1, p2, solves = ["p1_100", "p1_400"], ["p2_32", "p2_64"], "(picard|automatic)_.d/{backend}/.*"
    rows = [
        Figure(f"pointwise chains, N = {size}", "<= 1.15 of a loop", 1.15,
               counters(chains % size, program="chains")) for size in ("1e4", "1e5", "1e6", "1e7")]
    rows += [
        Figure("pointwise chains, N = 1e3", "<= 1.5 of a loop", 1.5, counters(chains % "1e3", program="chains")),
        Figure("chains of exp, log, tanh, power, N = 1e4 .. 1e6", "<= 1.15 of libmvec's loop", 1.15,
               counters("(exp|log|tanh|power)/{backend}/1e[456]/jit/threads:1")),
        Figure("a chain of sin, N = 1e4 .. 1e6", "<= 1.15 of libmvec's loop", 1.15,
               counters("sin/{backend}/1e[456]/jit/threads:1")),
        Figure("a cached program's overhead", "<= 150 ns", 150.0, counters("add/{backend}/1/jit/threads:1", "overhead_ns"),
               unit="ns"),
        Figure("sum, max-abs-difference, N >= 1e5", "<= 1.1 of Eigen and of a loop", 1.1,
               counters("(sum|max_abs_difference)/{backend}/1e[5-7]/.*/threads:1")),
        Figure("tridiagonal, 1024 x 1024, either axis", "<= 1.0 of blocked elimination", 1.0,
               counters("tridiagonal_axis[01]/{backend}/1024/threads:1")),
        Figure("implicit step along both axes, 512 x 512", "<= 1.15 of sweeps with the coefficients in them", 1.15,
               counters("implicit_step/{backend}/512/threads:1")),
        Figure("tridiagonal, one line of 1e3", "<= 0.6 of Thomas", 0.6,
               counters("tridiagonal_line[^/]*/{backend}/(1000|1e3)(/[^/]*)?/threads:1")),
        Figure("cosine and Hartley transforms of many lines, 1-D to 3-D", "<= 1.0 of pocketfft", 1.0,
               counters("(dct|hartley)/{backend}/(1024_batched|[0-9x]+)/threads:1", program="transforms")),
        Figure("gradient of a chain of 20 operations, N = 1e6", "<= 3 of its forward pass", 3.0,
               counters("gradient_[a-z]+/{backend}/1e6/(jit|lazy)/threads:1")),
        Figure("two threads, chains of tanh and power, N = 1e6", ">= 1.8 faster", 1.8,
               speedups("(tanh|power)/{backend}/1e6/jit/threads:{threads}"), at_least=True),
        Figure("two threads, Hamiltonian, N = 1e6, from memory", "-", 1.8,
               speedups("hamiltonian_(periodic|clamp)/{backend}/1e6/jit/threads:{threads}"), at_least=True),
        Figure("compile a program of 30 operations", "<= 0.3 ms", 0.3,
               counters("compile/{backend}/30", "ours_ns", 1e-6), unit="ms", backends=["eigen"]),
    ]
    for case, limit in zip(CASES, (0.5, 8.0, 8.0, 60.0)):
        rows.append(Figure(f"problem P, {case}: a Picard iteration", f"<= {limit:g} ms", limit, picard([case]), unit="ms"))
    rows += [
        Figure("problem P1: a Picard iteration", "<= 0.8 of Numba", 0.8, picard(p1, "numba")),
        Figure("the same, Numba with our starts and tolerances", "-", 1.0, picard(p1, "numba", "matched")),
        Figure("problem P2: a Picard iteration", "<= 0.5 of JAX", 0.5, picard(p2, "jax")),
        Figure("the same, JAX with our starts and tolerances", "-", 1.0, picard(p2, "jax", "matched")),
        Figure("mfg_solve on P1, 100 x 100, to 1e-6, the file written", "<= 0.15 s", 0.15, command("wall_s"), unit="s",
               backends=["eigen"]),
        Figure("its memory", "< 60 MB", 60.0, command("peak_rss_mb"), unit="MB", backends=["eigen"]),
        Figure("problem P: values as the peers have them", "<= 1e-9", 1e-9, counters(solves, "disagreement"), unit=""),
        Figure("problem P: backends among each other", "<= 1e-12", 1e-12, counters(solves, "between_backends"), unit="",
               backends=BACKENDS[1:]),
    ]
    return rows


# --- the report ---


def number(value, unit=""):
    if value is None:
        return "-"
    return f"{value:.3g}{'' if unit in ('', 'x') else ' '}{unit}"


def table(head, rows):
    return ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)] + ["| " + " | ".join(r) + " |" for r in rows]


def cell(row, backend):
    if backend not in row["backends"]:
        return ""
    found = row["backends"][backend]
    known = [v for v in found["values"].values() if v is not None]
    if not known:
        return "not measured"
    text = number(found["worst"], row["unit"])
    if len(known) > 1:
        text += f" (median {number(statistics.median(known))} of {len(known)})"
    return text if row["asked"] == "-" else f"{text} **{found['verdict']}**"


def promised(rows):
    return table(["what", "asked"] + BACKENDS,
                 [[r["what"], r["asked"]] + [cell(r, b) for b in BACKENDS] for r in rows])


def shortfalls(rows):
    """The benchmarks behind each figure that is short, the worst first."""
    lines = []
    for row in rows:
        for backend, found in row["backends"].items():
            if found["verdict"] != "short" or row["asked"] == "-":
                continue
            beyond = [(v, name) for name, v in found["values"].items()
                      if v is not None and (v < row["limit"] if row["at_least"] else v > row["limit"])]
            beyond.sort(reverse=not row["at_least"])
            names = ", ".join(f"`{name}` {number(v, row['unit'])}" for v, name in beyond[:4])
            lines.append(f"- {row['what']}, {row['asked']}, {backend}: {names}"
                         + (f" and {len(beyond) - 4} more" if len(beyond) > 4 else ""))
    return ["", "## What is short", ""] + lines if lines else []


def bandwidth(measured):
    rows = []
    for name, entry in measured.benchmarks.items():
        if name.startswith("triad/") and not entry["error"]:
            rows.append([name.split("/")[2], number(entry["rival_gb_per_s"]), number(entry["gb_per_s"])])
    if not rows:
        return []
    return ["", "## Bandwidth", "", "The triad z = x + 3 y, one thread, 24 bytes an element, in GB/s.", ""] + table(
        ["where", "a loop", "an array"], rows)


def comparison(measured):
    """Problem P by everybody: a row for each code, in ms of processor time for a Picard iteration."""
    rows = {}
    for case, name in CASES.items():
        for backend in BACKENDS:
            rows.setdefault(f"Isofield, {backend}", {})[case] = measured.counter(name.format(backend=backend),
                                                                                 "ms_per_iteration")
    names = {"scipy": "NumPy + SciPy", "numba": "Numba", "jax": "JAX"}
    for entry in measured.peers:
        rule = "" if entry["rule"] == "plain" else ", our starts and tolerances"
        rows.setdefault(names[entry["peer"]] + rule, {})[entry["case"]] = entry["cpu_ms"]
    return {code: times for code, times in rows.items() if any(times.values())}


def problem_p(measured):
    rows = comparison(measured)
    if not rows:
        return []
    text = ["", "## Problem P", "", "Processor time of one thread for a Picard iteration (damping 0.2, until u and m change "
            "by less than 1e-6), in ms.", ""]
    text += table(["code"] + list(CASES), [[code] + [number(t.get(c)) for c in CASES] for code, t in rows.items()])
    if measured.peers:
        versions = {k: v for entry in measured.peers for k, v in entry["versions"].items()}
        text += ["", "Peers: " + ", ".join(f"{k} {v}" for k, v in sorted(versions.items())) + ". Memory "
                 + ", ".join(f"{p} {max(e['peak_rss_mb'] for e in measured.peers if e['peer'] == p):.0f} MB, to compile "
                             f"{max(e['compile_s'] for e in measured.peers if e['peer'] == p):.2g} s"
                             for p in sorted({e["peer"] for e in measured.peers})) + "."]
    return text


def everything(measured):
    lines = []
    for program in sorted({r["program"] for r in measured.benchmarks.values()}):
        rows = []
        for name, r in measured.benchmarks.items():
            if r["program"] != program:
                continue
            if r["error"]:
                rows.append([name, r["error"], "", ""])
            elif "ours_ns" in r:
                rival = r.get("rival_ns")
                rows.append([name, number(r["ours_ns"] * 1e-3), number(rival and rival * 1e-3), number(r.get("ratio"))])
        lines += ["", f"## bench_{program}", ""] + table(["benchmark", "ours, us", "rival, us", "ratio"], rows)
    return lines


def heading(about):
    load = " ".join(f"{x:.1f}" for x in about["load"] or [])
    return ["# Benchmarks", "",
            f"{about['processor']}, {about['cores']} cores, {', '.join(about['caches'])}; kernels: "
            f"{about['instruction_set']}; compiler {about['compiler']}; {about['system']}. Commit {about['commit']}, "
            f"{about['date']}, load {load}.", "",
            "Ratios are of medians, rival and candidate timed in turn in one process; one thread is processor time, two are "
            "time on the wall. float64. Of several benchmarks the worst counts.", ""]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--bandwidth-file", type=pathlib.Path)
    options = parser.parse_args()
    folder = options.folder
    measured = Measured(folder)
    about, rows = machine(measured.context), [f.row(measured) for f in figures()]
    of_memory = measured.counter("triad/eigen/memory/threads:1", "rival_gb_per_s")
    if options.bandwidth_file and of_memory:
        options.bandwidth_file.parent.mkdir(parents=True, exist_ok=True)
        options.bandwidth_file.write_text(f"{of_memory:.3g}\n{about['processor']}\n")
    (folder / "report.json").write_text(json.dumps({
        "machine": about, "figures": rows, "peers": measured.peers, "command": measured.command,
        "results": measured.benchmarks}, indent=1) + "\n")
    first = heading(about) + promised(rows) + shortfalls(rows) + bandwidth(measured) + problem_p(measured)
    picture = plot.draw(folder / "report.png", rows, comparison(measured), list(CASES))
    if picture:
        first += ["", "![asked and measured](report.png)"]
    (folder / "report.md").write_text("\n".join(first + everything(measured)) + "\n")
    print("\n".join(first))


if __name__ == "__main__":
    main()
