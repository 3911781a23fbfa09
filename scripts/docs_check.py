"""Check the pages against what they speak of: scripts/docs_check.py [--write] [--mfg-solve PROGRAM]

- A fenced block of C, C++, Python or CMake is part of a file that is built or run. The line above says which:
    <!-- docs/examples/arrays.cpp: shifts -->
  is what lies between the lines "// [shifts]" and "// [end]" of that file; without ": name", the whole file.
  --write copies the files' text into the pages.
- A block of TOML parses. Relative links lead to files, and to headings in them.
- docs/user/backend_selection.md names every environment variable that the sources read.
- docs/user/arrays.md shows the error bounds of src/program/elementary/bounds.def.
- docs/api/README.md lists every public header.
- docs/user/gallery.md shows every example, in pictures of less than 60 kB.
- With --mfg-solve: docs/user/configuration.md lists the keys, types, ranges and defaults of `mfg_solve --schema`, and
  docs/user/mfg_solve.md the options of `mfg_solve --help`.
"""

import argparse
import json
import pathlib
import re
import subprocess
import sys
import textwrap
import tomllib

root = pathlib.Path(__file__).resolve().parent.parent
errors = []


def error(page, line, message):
    errors.append(f"{page.relative_to(root)}:{line}: {message}")


# Snippets ------------------------------------------------------------------------------------------------------------

MARKER = re.compile(r"<!-- ([\w./-]+\.\w+)(?:: (\w+))? -->")
SOURCED = {"c", "cpp", "python", "cmake"}


def region(path, name):
    """The lines of a file between "[name]" and "[end]" in comments; None where there are none."""
    lines = path.read_text().splitlines()
    if not name:
        return [line for line in lines if not re.fullmatch(r"\s*(//|#) \[\w+\]", line)]
    found, inside = [], False
    for line in lines:
        if re.fullmatch(rf"\s*(//|#) \[{name}\]", line):
            inside = True
        elif inside and re.fullmatch(r"\s*(//|#) \[\w+\]", line):
            return textwrap.dedent("\n".join(found)).strip("\n").splitlines()
        elif inside:
            found.append(line)
    return None


def expected_text(page, number, marker):
    source = root / marker[1]
    if not source.is_file():
        error(page, number, f"there is no file {marker[1]}")
        return None
    lines = region(source, marker[2])
    if lines is None:
        error(page, number, f"{marker[1]} has no part [{marker[2]}] that ends with [end]")
    return lines


def check_blocks(page, write):
    lines = page.read_text().splitlines()
    result, i = [], 0
    while i < len(lines):
        fence = re.fullmatch(r"```(\w*)", lines[i])
        result.append(lines[i])
        i += 1
        if not fence:
            continue
        begin = i
        while i < len(lines) and lines[i] != "```":
            i += 1
        if i == len(lines):
            error(page, begin, "the block does not end")
            return
        shown, wanted = lines[begin:i], None
        marker = MARKER.fullmatch(lines[begin - 2]) if begin >= 2 else None
        if marker:
            wanted = expected_text(page, begin, marker)
            if wanted is not None and wanted != shown and not write:
                error(page, begin, f"the block differs from {marker[1]}; scripts/docs_check.py --write copies it")
        elif fence[1] in SOURCED:
            error(page, begin, f"a block of {fence[1]} needs its source: <!-- FILE: part -->")
        elif fence[1] == "toml":
            try:
                tomllib.loads("\n".join(shown))
            except tomllib.TOMLDecodeError as problem:
                error(page, begin, f"the TOML cannot be read: {problem}")
        result += [*(wanted if write and wanted is not None else shown), lines[i]]
        i += 1
    if write:
        page.write_text("\n".join(result) + "\n")


# Links ---------------------------------------------------------------------------------------------------------------

def without_blocks(text):
    return re.sub(r"^```.*?^```$", lambda block: "\n" * block[0].count("\n"), text, flags=re.M | re.S)


def anchors(path):
    """Headings as GitHub names them."""
    found = set()
    for heading in re.findall(r"^#+ (.*)$", without_blocks(path.read_text()), flags=re.M):
        plain = re.sub(r"[`*]|\[([^\]]*)\]\([^)]*\)", lambda m: m[1] or "", heading).strip().lower()
        found.add(re.sub(r"[^\w\- ]", "", plain).replace(" ", "-"))
    return found


def check_links(page):
    text = re.sub(r"`[^`\n]*`", "", without_blocks(page.read_text()))
    for number, line in enumerate(text.splitlines(), 1):
        for target in re.findall(r"\]\(([^)\s]+)\)", line):
            if re.match(r"\w+:", target):
                continue
            file, _, anchor = target.partition("#")
            there = (page.parent / file).resolve() if file else page
            if not there.exists():
                error(page, number, f"the link leads nowhere: {target}")
            elif anchor and anchor not in anchors(there):
                error(page, number, f"{file or page.name} has no heading #{anchor}")


# Lists that must be complete -------------------------------------------------------------------------------------------

def check_variables(page):
    read = set()
    for folder in ("src", "solvers"):
        for source in (root / folder).rglob("*.cpp"):
            read |= set(re.findall(r'getenv\("(ISOFIELD_\w+)"\)', source.read_text()))
    for name in sorted(read - set(re.findall(r"`(ISOFIELD_\w+)", page.read_text()))):
        error(page, 1, f"the environment variable {name} is missing")


def check_headers(page):
    text = page.read_text()
    for folder in ("include", "solvers/include"):
        for header in sorted((root / folder).rglob("*.h*")) + sorted((root / folder).rglob("*.def")):
            name = header.relative_to(root / folder).as_posix().removesuffix(".in")
            if f"<{name}>" not in text:
                error(page, 1, f"<{name}> is missing")


def check_gallery(page):
    shown = set(re.findall(r"^!\[[^\]]+\]\(pictures/(\w+)\.png\)$", page.read_text(), flags=re.M))
    wanted = {path.stem for path in (root / "docs/examples").glob("*.toml")}
    for name in sorted(wanted - shown):
        error(page, 1, f"there is no picture of {name}; scripts/gallery {name} draws it")
    for picture in (root / "docs/user/pictures").iterdir():
        if picture.stem not in wanted or picture.suffix != ".png" or picture.stat().st_size >= 60_000:
            error(page, 1, f"{picture.name} is no small picture of an example")


def check_bounds(page):
    table = (root / "src/program/elementary/bounds.def").read_text()
    wanted = re.findall(r"^BOUND\((\w+), *([\d.]+), *([\d.]+)\)", table, flags=re.M)
    shown = re.findall(r"^\| `(\w+)` \| ([\d.]+) \| ([\d.]+) \|$", page.read_text(), flags=re.M)
    if not wanted or wanted != shown:
        error(page, 1, f"the table of accuracy is {shown}, bounds.def has {wanted}")


def number(value):
    """A bound as the table writes it: 1e6 rather than 1000000.0."""
    if value == int(value) and abs(value) >= 1e5:
        digits = f"{value:.0e}".replace("e+0", "e")
        if float(digits) == value:
            return digits
    return f"{value:g}"


def range_of(schema):
    parts = []
    for name, sign in (("minimum", ">="), ("exclusiveMinimum", ">"), ("maximum", "<="), ("exclusiveMaximum", "<")):
        if name in schema:
            parts.append(f"{sign} {number(schema[name])}")
    return ", ".join(parts)


def type_of(schema):
    if "enum" in schema:
        return "text", ", ".join(f'`"{value}"`' for value in schema["enum"])
    if "anyOf" in schema and any("const" in option for option in schema["anyOf"]):
        kind, bounds = type_of(schema["anyOf"][0])
        return f'{kind} or `"{schema["anyOf"][1]["const"]}"`', bounds
    if "anyOf" in schema:
        return "list of boundaries", ""
    if schema["type"] == ["string", "number"]:
        return "expression", ""
    if schema["type"] == "array":
        kind, bounds = type_of(schema["items"])
        return f"list of {kind}s", bounds
    return {"string": "text", "boolean": "true or false"}.get(schema["type"], schema["type"]), range_of(schema)


def keys_of(schema, path=()):
    """(path, type, range, default) of every key, in order."""
    # What an ergodic game may leave out stands under "else".
    required = schema.get("required", []) + schema.get("else", {}).get("required", [])
    for name, inner in schema["properties"].items():
        if path == () and name == "population":
            continue
        if inner.get("type") == "object":
            yield from keys_of(inner, (*path, name))
            continue
        default = "required" if name in required else ""
        if "default" in inner:
            default = f"`{json.dumps(inner['default']).replace('e-0', 'e-')}`"
        yield ".".join((*path, name)), *type_of(inner), default


def check_keys(page, program):
    schema = json.loads(subprocess.run([program, "--schema"], capture_output=True, text=True, check=True).stdout)
    wanted = {key: facts for key, *facts in keys_of(schema)}
    rows = {}
    for number_of_line, line in enumerate(page.read_text().splitlines(), 1):
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if line.startswith("| `") and len(cells) == 6:
            key, kind, unit, bounds, default, about = cells
            rows[key.strip("`")] = (number_of_line, [kind, bounds, default])
            if not unit or not about:
                error(page, number_of_line, f"{key} needs a unit (- where it has none) and a meaning")
    for key, facts in wanted.items():
        facts = [fact or "-" for fact in facts]
        if key not in rows:
            error(page, 1, f"the key {key} is missing: {' | '.join(facts)}")
        elif rows[key][1] != facts:
            error(page, rows[key][0], f"{key} is {' | '.join(facts)}, the page says {' | '.join(rows[key][1])}")
    for key in rows.keys() - wanted.keys():
        error(page, rows[key][0], f"mfg_solve knows no key {key}")


def check_options(page, program):
    text = subprocess.run([program, "--help"], capture_output=True, text=True, check=True).stdout
    options = set(re.findall(r"^\s+(?:-\w,)?(--[\w-]+)", text, flags=re.M))
    assert len(options) > 10, "the options of --help cannot be found"
    listed = set(re.findall(r"^\| (?:`-\w`, )?`(--[\w-]+)", page.read_text(), flags=re.M))
    for option in sorted(options - listed):
        error(page, 1, f"the option {option} is missing")
    for option in sorted(listed - options):
        error(page, 1, f"mfg_solve has no option {option}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="copy the sources' text into the pages")
    parser.add_argument("--mfg-solve", help="the command, to compare its keys and options")
    arguments = parser.parse_args()
    pages = [root / "README.md", *sorted((root / "docs").rglob("*.md"))]
    for page in pages:
        check_blocks(page, arguments.write)
        check_links(page)
    check_variables(root / "docs/user/backend_selection.md")
    check_bounds(root / "docs/user/arrays.md")
    check_headers(root / "docs/api/README.md")
    check_gallery(root / "docs/user/gallery.md")
    if arguments.mfg_solve:
        check_keys(root / "docs/user/configuration.md", arguments.mfg_solve)
        check_options(root / "docs/user/mfg_solve.md", arguments.mfg_solve)
    for line in errors:
        print(line, file=sys.stderr)
    print(f"{len(pages)} pages, {len(errors)} errors")
    sys.exit(1 if errors else 0)


if __name__ == "__main__":
    main()
