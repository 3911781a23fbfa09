"""Time mfg_solve as a whole process on problem_p1.toml, the result file written, and print one JSON object.

    command.py MFG_SOLVE [--backend eigen] [--repeat 9]

wall_s and cpu_s are medians over the runs, peak_rss_mb the largest; a run that does not converge is an error.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import tempfile
import time


def one_run(program, backend, folder):
    configuration = pathlib.Path(__file__).with_name("problem_p1.toml")
    command = [program, configuration, "--backend", backend, "--threads", "1", "--quiet", "--json", "--overwrite",
               "--output", folder / "p1.h5"]
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    summary = json.loads(process.stdout.read())
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0 or not (folder / "p1.h5").exists():
        raise SystemExit(f"mfg_solve ended with {process.returncode}")
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, summary


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--backend", default="eigen")
    parser.add_argument("--repeat", type=int, default=9)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        runs = [one_run(options.program, options.backend, pathlib.Path(folder)) for _ in range(options.repeat)]
    wall, cpu, memory, summaries = zip(*runs)
    print(json.dumps({
        "backend": options.backend, "wall_s": statistics.median(wall), "cpu_s": statistics.median(cpu),
        "peak_rss_mb": max(memory), "iterations": summaries[0]["iterations"], "residual": summaries[0]["residual"],
    }))


if __name__ == "__main__":
    main()
