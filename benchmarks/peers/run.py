"""Solve problem P with the peers and print what it took, as JSON.

    run.py                                     every peer, case and rule, each in a process of its own: a list
    run.py --peer numba --case p1_100          one of them, in this process: one object
    run.py --choose numba:p1_100,jax:p2_32     some of them, by both rules

Peers are scipy, numba and jax; those that cannot be imported are left out, with a word on stderr. SciPy's factorisations
serve small squares only. Rules say how exactly time steps are solved, see problem_p.Inner: "plain" each sweep by itself, to
fixed tolerances; "matched" as the solver library does.

cpu_ms is processor time for one Picard iteration, the mean over a solve, the median over --repeat solves; compile_s what
the first iteration took beyond; start_s what importing took; peak_rss_mb the memory of the whole process.
"""

import argparse
import importlib
import importlib.util
import json
import os
import resource
import statistics
import subprocess
import sys
import time

PEERS = {"scipy": ["numpy", "scipy"], "numba": ["numpy", "numba"], "jax": ["numpy", "jax"]}
TOO_LARGE = {("scipy", "p2_64")}


def stay_on_one_processor():
    """Before anything is imported that counts processors: all are measured on one thread."""
    for name in ("OMP", "OPENBLAS", "MKL", "NUMBA"):
        os.environ[f"{name}_NUM_THREADS"] = "1"
    os.environ["JAX_PLATFORMS"] = "cpu"
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def measure(peer, case, rule_name, repeat):
    start = time.process_time()
    module = importlib.import_module(f"with_{peer}")
    from problem_p import CASES, RULES, picard, values

    started = time.process_time() - start
    problem, rule = CASES[case], RULES[rule_name]
    sweeps = module.sweeps(problem)
    start = time.process_time()
    picard(problem, sweeps, rule, tolerance=1e300)  # one iteration
    first = time.process_time() - start
    solutions = [picard(problem, sweeps, rule) for _ in range(repeat)]
    cpu = statistics.median(s.cpu_seconds / s.iterations for s in solutions)
    return {
        "peer": peer, "case": case, "rule": rule_name,
        "cpu_ms": 1e3 * cpu, "iterations": solutions[0].iterations,
        "compile_s": max(first - cpu, 0.0), "start_s": started,
        "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "values": values(problem, solutions[0]),
        "versions": {name: importlib.import_module(name).__version__ for name in PEERS[peer]},
    }


def in_a_process(peer, case, rule, repeat):
    command = [sys.executable, __file__, "--peer", peer, "--case", case, "--rule", rule, "--repeat", str(repeat)]
    print(f"{peer} {case} {rule}", file=sys.stderr)
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout) if done.returncode == 0 else None


def available(peer):
    missing = [name for name in PEERS[peer] if importlib.util.find_spec(name) is None]
    if missing:
        print(f"{peer}: left out, there is no {', '.join(missing)}", file=sys.stderr)
    return not missing


def main():
    cases = ["p1_100", "p1_400", "p2_32", "p2_64"]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer", choices=PEERS)
    parser.add_argument("--case", choices=cases)
    parser.add_argument("--rule", choices=["plain", "matched"], default="plain")
    everything = ",".join(f"{peer}:{case}" for peer in PEERS for case in cases if (peer, case) not in TOO_LARGE)
    parser.add_argument("--choose", default=everything, metavar="PEER:CASE,...")
    parser.add_argument("--repeat", type=int, default=1)
    options = parser.parse_args()
    if options.peer and options.case:
        stay_on_one_processor()
        print(json.dumps(measure(options.peer, options.case, options.rule, options.repeat)))
        return
    chosen = [item.split(":") for item in options.choose.split(",")]
    present = {peer for peer in dict.fromkeys(peer for peer, _ in chosen) if available(peer)}
    results = [in_a_process(peer, case, rule, options.repeat)
               for peer, case in chosen if peer in present
               for rule in ("plain", "matched")]
    print(json.dumps([r for r in results if r], indent=1))


if __name__ == "__main__":
    main()
