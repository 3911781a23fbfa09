"""Print what gcov counted as a table of folders and files: coverage_report.py BUILD UNCOVERED.txt --fail-under N.

A line of a template or of an .inc file counts as covered if one of its instances ran.
"""

import argparse
import collections
import json
import multiprocessing.pool
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent


def ranges(numbers):
    """3, 4, 5, 9 as "3-5 9"."""
    parts = []
    for n in sorted(numbers):
        if parts and n == parts[-1][1] + 1:
            parts[-1][1] = n
        else:
            parts.append([n, n])
    return " ".join(str(a) if a == b else f"{a}-{b}" for a, b in parts)


def is_ours(name):
    """Whether a file belongs to the three tiers of the array."""
    return name.startswith(("include/isofield/", "src/")) and not name.startswith(("include/isofield/io/", "src/io/"))


def counts_in(data):
    """What one object file counted: {file: {line: count}}. A line has a count for each instance."""
    result = collections.defaultdict(dict)
    output = subprocess.run(
        ["gcov", "--json-format", "--stdout", data.name], cwd=data.parent, capture_output=True, check=True
    ).stdout
    for document in output.splitlines():
        parsed = json.loads(document)
        for file in parsed["files"]:
            name = os.path.normpath(os.path.join(parsed["current_working_directory"], file["file"]))
            if not name.startswith(f"{ROOT}/") or not is_ours(name := os.path.relpath(name, ROOT)):
                continue
            counts = result[name]
            for line in file["lines"]:
                number = line["line_number"]
                counts[number] = max(counts.get(number, 0), line["count"])
    return dict(result)


def counts_of(build):
    """The same of all object files. What did not run at all has notes and no data."""
    objects = []
    for notes in sorted(pathlib.Path(build).resolve().rglob("*.gcno")):
        data = notes.with_suffix(".gcda")
        objects.append(data if data.exists() else notes)
    files = collections.defaultdict(dict)
    with multiprocessing.pool.ThreadPool(os.cpu_count()) as pool:
        for part in pool.imap_unordered(counts_in, objects):
            for name, counts in part.items():
                for number, count in counts.items():
                    files[name][number] = max(files[name].get(number, 0), count)
    return files


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("uncovered")
    parser.add_argument("--fail-under", type=float, default=0.0)
    options = parser.parse_args()
    folders = collections.defaultdict(dict)
    for name, ran in sorted(counts_of(options.build).items()):
        if ran:
            folders[str(pathlib.PurePosixPath(name).parent)][name] = ran

    def row(name, ran, total):
        print(f"{name:<52}{ran:>7}{total:>7}{100 * ran / total:>8.1f} %")

    listing = []
    all_ran = all_lines = 0
    print(f"{'':<52}{'ran':>7}{'lines':>7}")
    for folder, members in folders.items():
        ran = sum(sum(map(bool, m.values())) for m in members.values())
        total = sum(len(m) for m in members.values())
        all_ran, all_lines = all_ran + ran, all_lines + total
        row(folder + "/", ran, total)
        for name, counts in members.items():
            row("  " + name.rsplit("/", 1)[1], sum(map(bool, counts.values())), len(counts))
            missing = [n for n, count in counts.items() if not count]
            if missing:
                source = (ROOT / name).read_text().splitlines()
                listing.append(f"{name}: {ranges(missing)}")
                listing += [f"  {n:>5} {source[n - 1]}" for n in sorted(missing) if n <= len(source)]
    pathlib.Path(options.uncovered).write_text("\n".join(listing) + "\n")
    row("all", all_ran, all_lines)
    percent = 100 * all_ran / all_lines
    if percent < options.fail_under:
        sys.exit(f"{percent:.1f} % of the lines ran, less than {options.fail_under:g} %")


main()
