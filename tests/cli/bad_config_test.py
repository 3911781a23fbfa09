"""Give mfg_solve bad configurations: bad_config_test.py PROGRAM SOURCE_FOLDER [unittest's options].

Each has one fault: those of single keys are made from the command's own schema, the others stand
below. The command must exit with 2, print one message with file, line, column, key and what was
expected, and write nothing.
"""

import json
import re

from mfg_command import CommandCase, call, main

GOOD = {
    "domain": {"lower": "[0.0, 0.0]", "upper": "[1.0, 2.0]", "cells": "[8, 6]"},
    "time": {"horizon": "1.0", "steps": "5"},
    "model": {"viscosity": "0.1", "initial_density": '"1 + x"'},
}
ERGODIC = {"model.ergodic": "true", "time": None, "model.initial_density": None}
MESSAGE = re.compile(r"^(\S+?):(\d+):(\d+): ([^:]+): (.*)$")


def lines_of(tables):
    """The text of a configuration, and of each key the line and the column of its value."""
    lines, places = [], {}

    def add(table, entries):
        for key, value in entries.items():
            if not isinstance(value, dict):
                lines.append(f"{key} = {value}")
                places[f"{table}.{key}" if table else key] = (len(lines), len(key) + 4)
        for key, value in entries.items():
            if isinstance(value, dict):
                name = f"{table}.{key}" if table else key
                lines.append(f"[{name}]")
                places[name] = (len(lines), 2)
                add(name, value)

    add("", tables)
    return "\n".join(lines) + "\n", places


def with_values(changes):
    """GOOD with other values of some keys; None: without that key."""
    tables = json.loads(json.dumps(GOOD))
    for path, value in changes.items():
        *parents, key = path.split(".")
        table = tables
        for parent in parents:
            table = table.setdefault(parent, {})
        table[key] = value
        if value is None:
            del table[key]
    return tables


def bad_values(rules):
    """Values that a key of these rules does not take, as TOML."""
    alternatives = rules.get("anyOf", [rules])
    types = {t for a in alternatives for t in ([a["type"]] if isinstance(a.get("type"), str)
                                               else a.get("type", []))}
    yield "1979-05-27"  # a date is nothing that any key takes
    if types == {"string"}:
        yield from ("3", '["a"]', "true", '"\\u0000"')
    elif types == {"boolean"}:
        yield from ("1", '"true"', "[true]")
    elif types == {"string", "number"}:  # an expression
        yield from ("true", "[1]", "nan", "inf", '""', '"1 +"', '"no_such_name"', '"sinn(1)"', '"1/0"',
                    '"(1"', '"1 2"', '"1 ** 2"', '"1e999"')
    elif types & {"number", "integer"}:
        yield from ("true", '"3"', "[1]", "nan", "inf", "-inf")
    elif types == {"array"}:
        yield from ("3", '"x"', "[true]", '["0"]', "{}")
    for rule in alternatives:
        if "enum" in rule and "const" not in rule:
            yield from ('"no such word"', f'"{rule["enum"][0][:-1]}"')
        for limit, beyond in (("minimum", -1), ("maximum", 1), ("exclusiveMinimum", 0),
                              ("exclusiveMaximum", 0)):
            if limit in rule:
                number = rule[limit] + beyond
                yield str(int(number)) if rule["type"] == "integer" else str(float(number))
    if "integer" in types:
        yield "1.5"
    items = rules.get("items", {})
    if "minimum" in items:
        yield f"[{int(items['minimum']) - 1}, 4]"
        yield f"[4, {int(items['maximum']) + 1}]"
        yield "[8, 6.0]"


def keys_of(rules, path=""):
    for key, inner in rules["properties"].items():
        name = f"{path}.{key}" if path else key
        if "properties" in inner:
            yield from keys_of(inner, name)
        elif name != "population":
            yield name, inner


# Faults that no key shows alone: the keys that differ from GOOD, the key that is named (with whose
# value the place is given), and a part of the message.
HAND_MADE = [
    # expressions
    ({"model.running_cost": '"1/(x - 0.0625)"'}, "model.running_cost",
     "expected a finite value, got inf at x = 0.0625, y = 0.166667"),
    ({"model.running_cost": '"log(y - 1)"'}, "model.running_cost", "expected a finite value, got NaN at"),
    ({"model.running_cost": '"m/0"'}, "model.running_cost", "expected a finite value, got inf"),
    ({"model.running_cost": '"sqrt(-1 - m)"'}, "model.running_cost", "got NaN"),
    ({"model.running_cost": '"1/t"'}, "model.running_cost", "got inf at x = 0.0625, y = 0.166667, t = 0"),
    ({"model.running_cost": '"0/(t - 0.4)"'}, "model.running_cost", "t = 0.4"),
    ({"model.running_cost": '"exp(1e3*x)"'}, "model.running_cost", "expected a finite value, got inf"),
    ({"model.running_cost": '"mod(x, 0)"'}, "model.running_cost", "got NaN"),
    ({"model.running_cost": '"x = 1"'}, "model.running_cost", "did you mean '=='?"),
    ({"model.running_cost": '"x < y < 1"'}, "model.running_cost", "did you mean 'a < b and b < c'?"),
    ({"model.running_cost": '"2 x"'}, "model.running_cost", "did you mean '* x'?"),
    ({"model.running_cost": '"min(x)"'}, "model.running_cost", "'min' takes 2 arguments or more, got 1"),
    ({"model.running_cost": '"sin"'}, "model.running_cost", "needs its arguments in brackets"),
    ({"model.running_cost": '"x(1)"'}, "model.running_cost", "'x' is a variable, not a function"),
    ({"model.running_cost": '"z"'}, "model.running_cost", "unknown name 'z'; the variables here are x, y"),
    ({"model.running_cost": '"mean_z"'}, "model.running_cost", "did you mean 'mean_x'?"),
    ({"model.running_cost": '"x + é"'}, "model.running_cost", "unexpected character 'é'"),
    ({"model.running_cost": '"' + "(" * 200 + "x" + ")" * 200 + '"'}, "model.running_cost",
     "more than 100 nested brackets"),
    ({"model.running_cost": '"' + "x+" * 9000 + 'x"'}, "model.running_cost", "longer than 16384 bytes"),
    ({"model.terminal_cost": '"t"'}, "model.terminal_cost", "unknown name 't'"),
    ({"model.terminal_cost": '"1/(mean_x - mean_x)"'}, "model.terminal_cost", "got inf"),
    ({"model.terminal_cost": '"log(x - 0.5)"'}, "model.terminal_cost", "got NaN at x = 0.0625"),
    ({"domain.exit_cost": '"x"'}, "domain.exit_cost", "no variable can stand here"),
    ({"domain.exit_cost": '"log(0)"'}, "domain.exit_cost", "expected a finite value, got -inf"),
    # the density and its mass
    ({"model.initial_density": '"x - 0.5"'}, "model.initial_density",
     "expected a value >= 0, got -0.4375 at x = 0.0625, y = 0.166667"),
    ({"model.initial_density": "-1"}, "model.initial_density", "expected a value >= 0, got -1"),
    ({"model.initial_density": "0"}, "model.initial_density", "expected a value > 0 in some free cell"),
    ({"model.initial_density": '"if(x > 2, 1, 0)"'}, "model.initial_density",
     "expected a value > 0 in some free cell"),
    ({"model.initial_density": '"if(x > 0.5, 1, 0)"', "domain.obstacle": '"x > 0.4"'},
     "model.initial_density", "expected a value > 0 in some free cell"),
    ({"model.initial_density": "0", "model.mass": '"as given"'}, "model.initial_density",
     "expected a value > 0 in some free cell"),
    ({"model.initial_density": '"1/(x - 0.0625)"'}, "model.initial_density", "got inf"),
    ({"model.initial_density": '"m"'}, "model.initial_density", "unknown name 'm'"),
    ({"model.initial_density": "1e308"}, "model.initial_density", "expected a finite mass"),
    ({"model.mass": "0"}, "model.mass", 'expected a number > 0 or "as given", got the integer 0'),
    ({"model.mass": "-1.0"}, "model.mass", "got the number -1"),
    ({"model.mass": '"all"'}, "model.mass", 'got the text "all"'),
    # masks
    ({"domain.obstacle": '"x < 2"'}, "domain.obstacle", "obstacles and exits leave no free cell"),
    ({"domain.exit": '"y > -1"'}, "domain.exit", "obstacles and exits leave no free cell"),
    ({"domain.obstacle": '"x < 0.5"', "domain.exit": '"x > 0.5"'}, "domain.obstacle",
     "obstacles and exits leave no free cell"),
    ({"domain.obstacle": '"1/(x - 0.0625)"'}, "domain.obstacle", "expected a finite value, got inf"),
    ({"domain.obstacle": '"log(x - 0.5)"'}, "domain.obstacle", "expected a finite value, got NaN"),
    ({"domain.exit": '"sqrt(x - 0.5)"'}, "domain.exit", "expected a finite value, got NaN"),
    ({"domain.exit": '"x > 2"'}, "domain.exit", "expected a condition that holds in some cell"),
    ({"domain.exit": '"x < 0.2"', "domain.obstacle": '"x < 0.3"'}, "domain.exit",
     "holds in some cell outside the obstacles"),
    ({"domain.exit": '"x < 0.2"', "domain.obstacle": '"abs(x - 0.4) < 0.1"'}, "domain.obstacle",
     "expected a way to an exit for everybody, but none leads there from x = 0.5625, y = 0.166667"),
    ({"domain.exit": '"x < 0.2"', "domain.obstacle": '"abs(x - 0.7) < 0.1 or abs(y - 1) < 0.2"',
      "domain.boundary": '["reflecting", "reflecting"]'}, "domain.obstacle", "expected a way to an exit"),
    ({"domain.boundary": '["exit", "reflecting"]', "domain.obstacle": '"abs(x - 0.5) > 0.3"'},
     "domain.obstacle", "expected a way to an exit"),
    # the grid
    ({"domain.cells": "[8, 6, 4, 2]"}, "domain.cells", "expected 1, 2 or 3 axes, got 4"),
    ({"domain.cells": "[]"}, "domain.cells", "expected 1, 2 or 3 axes, got 0"),
    ({"domain.cells": "[1000000, 1000000]"}, "domain.cells", "expected 1e9 cells at most, got 1.0e+12"),
    ({"domain.cells": "[2, 6]", "domain.boundary": '"periodic"'}, "domain.cells",
     "expected at least 3 cells on axis 0"),
    ({"domain.lower": "[0.0]"}, "domain.lower", "expected 2 values, one per axis of domain.cells, got 1"),
    ({"domain.upper": "[1.0, 2.0, 3.0]"}, "domain.upper", "expected 2 values"),
    ({"domain.upper": "[1.0, 0.0]"}, "domain.upper", "expected more than domain.lower on axis 1: 0 is not above 0"),
    ({"domain.lower": "[2.0, 0.0]"}, "domain.upper", "1 is not above 2"),
    ({"domain.upper": "[1e-320, 1.0]"}, "domain.upper", "expected cells whose width squares to a number"),
    ({"domain.lower": "[-1e308, 0.0]", "domain.upper": "[1e308, 1.0]"}, "domain.upper",
     "expected cells whose width squares to a number"),
    ({"domain.upper": "[1e-22, 1.0]", "backend.dtype": '"float32"'}, "domain.upper", "a number of float32"),
    ({"domain.boundary": '["exit"]'}, "domain.boundary", "expected 2 values"),
    ({"domain.boundary": '"exti"'}, "domain.boundary", "did you mean 'exit'?"),
    ({"domain.boundary": '[{ lower = "exit" }, "exit"]'}, "domain.boundary", "an axis has lower and upper, both"),
    ({"domain.boundary": '[{ lower = "exit", upper = "periodic" }, "exit"]'}, "domain.boundary",
     "an axis is periodic at both ends or at none"),
    ({"domain.boundary": '[{ lower = "exit", uper = "exit" }, "exit"]'}, "domain.boundary",
     "did you mean 'upper'?"),
    ({"time.horizon": "1e-320"}, "time.horizon", "expected time steps whose length is a number > 0"),
    ({"model.viscosity": "1e308"}, "model.viscosity", "expected a value whose quotient by h^2 is a number > 0"),
    ({"model.viscosity": "1e-50", "backend.dtype": '"float32"'}, "model.viscosity", "of float32"),
    # what an ergodic game has no use for
    ({"model.ergodic": "true", "model.initial_density": None}, ("time.horizon", "time.steps"),
     "has no meaning in an ergodic game"),
    (ERGODIC | {"model.initial_density": "1"}, "model.initial_density", "has no meaning in an ergodic game"),
    (ERGODIC | {"model.terminal_cost": '"x"'}, "model.terminal_cost", "has no meaning in an ergodic game"),
    (ERGODIC | {"model.mass": '"as given"'}, "model.mass", "has no meaning without initial_density"),
    (ERGODIC | {"model.discount": "0.1"}, "model.discount", "expected 0 in an ergodic game, got 0.1"),
    (ERGODIC | {"model.running_cost": '"m + t"'}, "model.running_cost", "expected an expression without t"),
    (ERGODIC | {"model.drift": '["1", "sin(t)"]'}, "model.drift", "expected an expression without t"),
    (ERGODIC | {"domain.exit": '"x > 0.9"'}, "domain.exit", "has no meaning in an ergodic game"),
    (ERGODIC | {"domain.boundary": '"exit"'}, "domain.boundary", "expected no exit in an ergodic game"),
    (ERGODIC | {"output.stride": "2"}, "output.stride", "expected 1: an ergodic game has one level"),
    (ERGODIC | {"output.particles": "5"}, "output.particles", "expected 0: an ergodic game has no time"),
    (ERGODIC | {"solver.coupling": '"picard"'}, "solver.coupling", 'expected "auto" or "newton"'),
    # keys that contradict each other or the place they stand in
    ({"output.stride": "6"}, "output.stride", "expected at most time.steps = 5, got 6"),
    ({"backend.name": '"torch:cuda"', "backend.device": '"cpu"'}, "backend.device",
     '"cpu" contradicts backend.name = "torch:cuda"'),
    ({"backend.name": '""'}, "backend.name", "expected the name of a backend"),
    ({"backend.device": '""'}, "backend.device", "expected a device"),
    ({"output.file": '""'}, "output.file", "expected the name of a file"),
    ({"output.file": '"bad.toml"'}, "output.file", "expected another file, got the configuration itself"),
    ({"solver.initial_guess": '""'}, "solver.initial_guess", "or the name of a result file"),
    ({"model.name": '"a/b"'}, "model.name", "expected letters, digits and underscores"),
    ({"model.name": '""'}, "model.name", "expected letters, digits and underscores"),
    ({"model.viscosity": '"0.1"'}, "model.viscosity", "numbers have no quotes"),
    ({"model.target_density": '"-1"'}, "model.target_density", "expected a value >= 0, got -1"),
    ({"model.target_density": '"0*x"'}, "model.target_density", "expected a value > 0 in some free cell"),
    ({"model.target_density": '"t"'}, "model.target_density", "unknown"),
    ({"model.target_density": '"x"', "model.terminal_cost": '"x"'}, "model.terminal_cost",
     "has no meaning beside target_density"),
    ({"model.target_density": '"x"', "domain.boundary": '"exit"'}, "model.target_density",
     "expected no target_density where people leave by exits"),
    ({"solver.scheme": '"exponential"', "model.hamiltonian.exponent": "1.5"}, "model.hamiltonian.exponent",
     'expected 2 where solver.scheme = "exponential", got 1.5'),
    ({"solver.scheme": '"exponential"', "model.hamiltonian.congestion": "0.5"},
     "model.hamiltonian.congestion", 'expected 0 where solver.scheme = "exponential", got 0.5'),
    ({"solver": {"scheme": '"implicit"', "damping": '{ value = 1.0 }'}}, "solver.damping",
     "expected a number > 0 and <= 1, got a table"),
]

# Texts that are no TOML or have a wrong outline: place and message.
OUTLINES = [
    ("title = 3 rooms\n", "1:", "not valid TOML"),
    ("title = \"a\n", "1:", "not valid TOML"),
    ("[domain\n", "1:", "not valid TOML"),
    ("a = 1\na = 2\n", "2:", "not valid TOML"),
    ("a = [1, 2\nb = 3\n", "2:", "not valid TOML"),
    ("[&\n", "1:1", "the name of a table must follow '['"),
    ("a = 1\rb = 2\n", "1:6", "control character 0x0D"),
    ("é = 1\n", "1:1", "characters beyond ASCII belong in quotes or comments"),
]


class BadConfigurations(CommandCase):
    def refused(self, text, expected):
        """The one message that the command has for a text, split; everything stays as it was."""
        data = text.encode()
        (self.folder / "bad.toml").write_bytes(data)
        result = self.call("bad.toml", "--overwrite")
        self.assertEqual(result.returncode, 2, expected + result.stderr)
        self.assertEqual(result.stdout, "")
        self.assertEqual([p.name for p in self.folder.iterdir()], ["bad.toml"])
        self.assertEqual((self.folder / "bad.toml").read_bytes(), data)
        lines = result.stderr.splitlines()
        self.assertEqual(lines[-1], "mfg_solve: 1 error; nothing was computed", result.stderr)
        self.assertEqual(sum(line.startswith("bad.toml:") for line in lines), 1, result.stderr)
        return lines[0]

    def check(self, changes, key, part, at=None, column=None):
        """See that the message is about a key and points to its value, or to another place."""
        text, places = lines_of(with_values(changes))
        first = self.refused(text, f"{changes}: ")
        found = MESSAGE.match(first)
        self.assertIsNotNone(found, first)
        path, message = found.group(4), found.group(5)
        self.assertEqual((found.group(1), path), ("bad.toml", key), first)
        line, value_column = places[at or key]
        self.assertEqual(int(found.group(2)), line, first)
        if column:
            self.assertEqual(int(found.group(3)), column, first)
        elif not at:  # in lists, texts and tables it may be a part
            self.assertGreaterEqual(int(found.group(3)), value_column, first)
        self.assertIn(part, message)
        return first

    def test_hand_made_faults_are_told_with_their_place(self):
        for changes, key, part in HAND_MADE:
            with self.subTest(changes=changes):
                if isinstance(key, tuple):
                    self.check_all(changes, key, part)
                else:
                    self.check(changes, key, part)

    def check_all(self, changes, keys, part):
        """See that one run tells all these keys, each at its own value."""
        text, places = lines_of(with_values(changes))
        (self.folder / "bad.toml").write_text(text)
        result = self.call("bad.toml")
        self.assertEqual(result.returncode, 2)
        found = [MESSAGE.match(line) for line in result.stderr.splitlines() if line.startswith("bad.toml:")]
        self.assertEqual([(int(f.group(2)), f.group(4)) for f in found],
                         [(places[key][0], key) for key in keys])
        for f in found:
            self.assertIn(part, f.group(5))

    def test_all_populations_play_an_ergodic_game_or_none(self):
        one = '[[population]]\nname = "{}"\nviscosity = 0.1\nergodic = {}\n'
        domain = "[domain]\nlower = [0.0]\nupper = [1.0]\ncells = [8]\n"
        self.assertIn("bad.toml:12:11: population[1].ergodic: expected true, as another population has it",
                      self.refused(domain + one.format("a", "true") + one.format("b", "false"), ""))

    def test_faults_of_every_key_are_told_with_their_place(self):
        count = 0
        for key, rules in keys_of(json.loads(call("--schema").stdout)):
            for value in dict.fromkeys(bad_values(rules)):
                with self.subTest(key=key, value=value):
                    first = self.check({key: value}, key, "")
                    # An expression that is none says why; all else what was expected.
                    self.assertRegex(first, "expect|unknown|missing|never|range|operator|empty|not yet")
                    count += 1
        self.assertGreater(count, 150)

    def test_misspelt_keys_are_told_with_the_nearest(self):
        keys = [key for key, _ in keys_of(json.loads(call("--schema").stdout))]
        for key in keys:
            table, _, name = key.rpartition(".")
            misspelt = name[:-2] + name[-1] + name[-2] if name[-1] != name[-2] else name[:-1]
            wrong = f"{table}.{misspelt}" if table else misspelt
            with self.subTest(wrong):
                self.check({wrong: "1"}, wrong, f"unknown key; did you mean '{key}'?", column=1)

    def test_required_keys_are_missed_where_their_table_stands(self):
        schema = json.loads(call("--schema").stdout)
        for table in ("domain", "time", "model"):
            rules = schema["properties"][table]
            for name in rules["required"] + rules.get("else", {}).get("required", []):
                with self.subTest(name):
                    key = f"{table}.{name}"
                    self.check({key: None}, key, "missing; expected a", at=table)

    def test_wrong_outlines_are_told_with_their_place(self):
        for text, place, part in OUTLINES:
            with self.subTest(text):
                first = self.refused(text, "")
                self.assertTrue(first.startswith(f"bad.toml:{place}"), first)
                self.assertIn(part, first)
        for text, part in (("", "model: the table [model] is missing"),
                           ("[model]\n[[population]]\n", "cannot stand together")):
            (self.folder / "bad.toml").write_text(text)
            result = self.call("bad.toml")
            self.assertEqual(result.returncode, 2)
            self.assertIn(part, result.stderr)


if __name__ == "__main__":
    main()
