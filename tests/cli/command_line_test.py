"""Call mfg_solve as users do: command_line_test.py PROGRAM SOURCE_FOLDER [unittest's options]"""

import json
import os
import subprocess
import tomllib

from mfg_command import PATIENCE, SOURCE, CommandCase, game, main

TEMPLATES = ["crossing", "crowd_exit", "ergodic", "evacuation", "hall_3d", "lq_1d", "periodic_1d", "planner", "regroup", "river", "two_rooms"]
GOOD = game(10, 5)


class CommandLine(CommandCase):
    def setUp(self):
        super().setUp()
        self.write("good.toml", GOOD)

    def fails(self, code, message, *arguments):
        """Check an exit code and a part of the message; nothing may go to stdout or to a file."""
        before = sorted(self.folder.iterdir())
        result = self.call(*arguments)
        self.assertEqual(result.returncode, code, result.stderr)
        self.assertIn(message, result.stderr)
        self.assertEqual(result.stdout, "")
        self.assertEqual(sorted(self.folder.iterdir()), before)
        return result.stderr

    def succeeds(self, *arguments):
        result = self.call(*arguments)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        return result.stdout

    def test_help_and_version_need_no_configuration(self):
        text = self.succeeds("--help")
        for option in ("--set", "--backend", "--device", "--dtype", "--threads", "--output",
                       "--resume", "--check", "--list-backends", "--template", "--schema",
                       "--json", "--progress", "--quiet", "--verbose", "--profile", "--overwrite", "--version"):
            self.assertIn(option + " ", text)
        for code in ("0 converged", "2 bad usage", "130 interrupted"):
            self.assertIn(code, text)
        self.assertEqual(self.succeeds("-h"), text)
        self.assertRegex(self.succeeds("--version"), r"^mfg_solve \d+\.\d+\.\d+\n$")

    def test_templates_are_the_examples_and_check(self):
        listed = self.succeeds("--template", "list").splitlines()
        self.assertEqual([line.split()[0] for line in listed], TEMPLATES)
        for name in TEMPLATES:
            text = self.succeeds("--template", name)
            self.assertEqual(text, (SOURCE / "docs/examples" / f"{name}.toml").read_text())
            (self.folder / f"my_{name}.toml").write_text(text)
            # The result is called as the file is that somebody made of the template.
            self.assertIn(f" my_{name}.h5,", self.succeeds(f"my_{name}.toml", "--check"))
        self.fails(2, "there is no template 'two_room'; did you mean 'two_rooms'?",
                   "--template", "two_room")

    def test_schema_is_json_and_fits_the_examples(self):
        schema = json.loads(self.succeeds("--schema"))
        self.assertEqual(schema["properties"]["solver"]["properties"]["damping"]["default"], 0.5)
        self.assertFalse(schema["additionalProperties"])
        self.assertEqual(schema["properties"]["model"]["required"], ["viscosity"])
        self.assertEqual(schema["properties"]["model"]["else"]["required"], ["initial_density"])
        self.assertEqual(schema["else"]["required"], ["time"])

        def misfits(table, rules, path, ergodic):
            """List what a document has that the schema's tables do not, and what it lacks."""
            unknown = [path + key for key in table if key not in rules["properties"]]
            required = rules.get("required", [])
            if not ergodic:
                required = required + rules.get("else", {}).get("required", [])
            missing = [path + key for key in required if key not in table]
            for key, value in table.items():
                inner = rules["properties"].get(key, {})
                if isinstance(value, dict) and "properties" in inner:
                    unknown += misfits(value, inner, f"{path}{key}.", ergodic)
            return unknown + missing

        for name in TEMPLATES:
            text = (SOURCE / "docs/examples" / f"{name}.toml").read_text()
            self.assertEqual(misfits(tomllib.loads(text), schema, "", name == "ergodic"), [])
        wrong = tomllib.loads(GOOD.replace("viscosity", "viscosty"))
        self.assertEqual(misfits(wrong, schema, "", False), ["model.viscosty", "model.viscosity"])
        lacking = tomllib.loads(GOOD.replace("initial_density", "terminal_cost"))
        self.assertEqual(misfits(lacking, schema, "", False), ["model.initial_density"])

    def test_check_prints_the_plan_and_touches_nothing(self):
        text = self.succeeds("good.toml", "--check")
        for part in ("10 cells on [0, 1], reflecting", "5 steps to 1", "unknowns    120: u and m on 10 free cells at 6 levels",
                     "good.h5, 6 levels"):
            self.assertIn(part, text)
        self.assertEqual([p.name for p in self.folder.iterdir()], ["good.toml"])
        plan = json.loads(self.succeeds("good.toml", "--check", "--json", "--set", "output.stride=2"))
        self.assertEqual((plan["unknowns"], plan["output_bytes"]), (120, 2 * 4 * 10 * 8))

    def test_what_no_machine_has_the_memory_for_is_refused(self):
        huge = ["good.toml", "--set", "domain.cells=[1000000]", "--set", "time.steps=1000000"]
        lack = "this needs 64000.1 GB of memory at least, and the machine has "
        self.fails(2, lack, *huge)
        plan = self.call(*huge, "--check", "--json")  # the plan is good for another machine
        self.assertEqual(plan.returncode, 0)
        self.assertEqual(json.loads(plan.stdout)["memory_bytes"], 4 * 2 * 8 * 10**6 * (10**6 + 1))
        self.assertIn("warning: " + lack, plan.stderr)

    def test_check_tells_how_long_it_may_take(self):
        text = self.succeeds("good.toml", "--check")
        self.assertRegex(text, r"time taken  about [\d.]+ s, by trials of [\d.]+ s; a difficult game takes longer")
        # A trial ends by itself: of a game that would take hours, too.
        huge = ["good.toml", "--check", "--json", "--set", "domain.cells=[20000]", "--set", "time.steps=5000"]
        plan = json.loads(self.succeeds(*huge))
        small = json.loads(self.succeeds("good.toml", "--check", "--json"))
        self.assertGreater(plan["seconds"], small["seconds"])
        self.assertGreater(plan["trial_seconds"], 0)
        none = json.loads(self.call("good.toml", "--check", "--json", "--set", "domain.cells=[1000000]",
                                    "--set", "time.steps=1000000").stdout)
        self.assertIsNone(none["seconds"])  # it is not tried what there is no memory for

    def test_check_counts_free_cells_and_refuses_data_without_sense(self):
        plan = json.loads(self.succeeds("good.toml", "--check", "--json",
                                        "--set", "domain.obstacle=x > 0.8"))
        self.assertEqual((plan["free_cells"], plan["unknowns"]), (8, 2 * 8 * 6))
        for setting in ("model.initial_density=x - 0.5", "model.initial_density=log(x - 0.5)",
                        "domain.obstacle=x < 2", "model.hamiltonian.scale=x - 0.5"):
            with self.subTest(setting):
                self.fails(2, "mfg_solve: ", "good.toml", "--check", "--set", setting)

    def test_backends_are_listed_and_those_not_there_are_refused(self):
        listed = json.loads(self.succeeds("--list-backends", "--json"))
        self.assertTrue(next(b for b in listed if b["name"] == "eigen")["available"])
        self.assertEqual(sum(b["default"] for b in listed), 1)
        lines = self.succeeds("--list-backends").splitlines()
        self.assertEqual([line.split()[0] for line in lines], [b["name"] for b in listed])
        for b in listed:
            if b["available"]:
                plan = json.loads(self.succeeds("good.toml", "--check", "--json",
                                                "--backend", b["name"]))
                self.assertEqual(plan["backend"], b["name"].split(":")[0])
            else:
                self.fails(6, b["reason"].splitlines()[0], "good.toml", "--check",
                           "--backend", b["name"])
        self.fails(6, "unknown backend 'nosuch'; available: ", "good.toml", "--check",
                   "--backend", "nosuch")
        self.fails(6, "no device cuda:77", "good.toml", "--check",
                   "--backend", "eigen", "--device", "cuda:77")
        self.fails(6, "no backend has a device cuda:77 here", "good.toml", "--check",
                   "--device", "cuda:77")
        self.fails(6, "device", "good.toml", "--check", "--backend", "eigen", "--device", "cpx")

    def test_a_preference_for_what_is_not_there_is_named(self):
        environment = {**os.environ, "ISOFIELD_BACKEND": "nosuch"}
        reason = ("unknown backend 'nosuch'; available: ", "environment variable ISOFIELD_BACKEND")
        result = self.call("good.toml", "--check", env=environment)
        self.assertEqual(result.returncode, 6)
        for part in reason:
            self.assertIn(part, result.stderr)
        # The list is what helps then: it is printed, without a default and with the reason.
        listed = self.call("--list-backends", env=environment)
        self.assertEqual(listed.returncode, 0)
        self.assertIn("eigen ", listed.stdout)
        self.assertNotIn("<- default", listed.stdout)
        for part in ("mfg_solve: there is no default: ", *reason):
            self.assertIn(part, listed.stderr)

    def test_options_are_stronger_than_the_file(self):
        plan = json.loads(self.succeeds(
            "good.toml", "--check", "--json", "--set", "time.steps=7", "--set=domain.cells=[20]",
            "--backend", "eigen", "--device", "cpu", "--dtype", "float32", "--threads", "2",
            "--output", "other.h5", "--output", "last.h5"))
        self.assertEqual((plan["steps"], plan["cells"], plan["backend"], plan["device"],
                          plan["dtype"], plan["threads"], plan["output"]),
                         (7, [20], "eigen", "cpu", "float32", 2, "last.h5"))

    def test_a_configuration_may_come_from_standard_input(self):
        result = self.call("-", "--check", "--json", input=GOOD)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(json.loads(result.stdout)["output"], "stdin.h5")
        result = self.call("-", input="[domain]\ncell = [3]\n")
        self.assertEqual(result.returncode, 2)
        self.assertIn("/dev/stdin:2:1: domain.cell: unknown key", result.stderr)

    def test_bad_options_are_named_with_the_nearest(self):
        for message, *arguments in [
                ("unknown option --outptu; did you mean --output?", "--outptu", "x.h5", "good.toml"),
                ("unknown option --frobnicate\n", "good.toml", "--frobnicate"),
                ("unknown option -x", "-x"),
                ("--output needs a value", "good.toml", "--output"),
                ("--output needs a value", "good.toml", "--output", "--check"),
                ("--check takes no value", "good.toml", "--check=yes"),
                ("--progress takes auto, always or never, got 'maybe'",
                 "good.toml", "--progress", "maybe"),
                ("--quiet and --verbose contradict", "good.toml", "--quiet", "--verbose"),
                ("which CONFIG?",),
                ("which CONFIG?", ""),
                ("one CONFIG at a time: 'b.toml' is one too many", "good.toml", "b.toml"),
                ("--set:1:1: expected KEY=VALUE", "good.toml", "--set", "model.mass"),
                ("--set:1:1: model.viscosty: unknown key; did you mean 'model.viscosity'?",
                 "good.toml", "--set", "model.viscosty=1"),
                ("--threads:1:17: backend.threads: expected an integer >= 0 and <= 4096, got the "
                 "text \"many\"", "good.toml", "--threads", "many"),
                ("--dtype:1:15: backend.dtype: expected one of \"float64\", \"float32\"",
                 "good.toml", "--dtype", "float16"),
                ("--resume needs a value", "good.toml", "--resume"),
                ("--resume needs a value", "good.toml", "--resume", ""),
                ("--output needs a value", "good.toml", "--output=")]:
            with self.subTest(message):
                self.fails(2, message, *arguments)

    def test_all_errors_of_a_file_come_in_one_run(self):
        (self.folder / "bad.toml").write_text(
            GOOD.replace("viscosity", "viscosty").replace("steps = 5", "steps = 0")
            .replace("[10]", "[10, 10]").replace("1 + x", "1 + xx"))
        text = self.fails(2, "7 errors; nothing was computed", "bad.toml")
        for part in ("bad.toml:4:9: domain.lower: expected 2 values",
                     "bad.toml:10:9: time.steps: expected an integer >= 1",
                     "bad.toml:12:1: model.viscosty: unknown key; did you mean 'model.viscosity'?",
                     "bad.toml:11:1: model.viscosity: missing; expected a number > 0",
                     "bad.toml:14:24: model.initial_density: unknown name 'xx'; the variables here "
                     "are x, y; did you mean 'x'?\n  initial_density = \"1 + xx\"\n"
                     "                         ^~"):
            self.assertIn(part, text)

    def test_files_that_cannot_be_read_or_written(self):
        self.fails(5, "cannot read none.toml: No such file or directory", "none.toml")
        self.fails(5, "cannot read .: it is a folder", ".")
        self.fails(5, "cannot write none/x.h5: there is no folder none",
                   "good.toml", "--check", "--output", "none/x.h5")
        (self.folder / "sub").mkdir()
        self.fails(5, "cannot write sub: it is a folder", "good.toml", "--output", "sub")
        (self.folder / "old.h5").write_text("old")
        for arguments in (["--check"], []):
            self.fails(5, "old.h5 exists; --overwrite replaces it", "good.toml",
                       "--output", "old.h5", *arguments)
        self.assertEqual((self.folder / "old.h5").read_text(), "old")
        self.succeeds("good.toml", "--check", "--output", "old.h5", "--overwrite")
        for name in ("x" * 300 + ".h5", "x" * 251 + ".h5"):  # the latter with its sidecar only
            self.fails(5, "File name too long", "good.toml", "--output", name)
        self.fails(2, "the document is larger than 1 MiB", "/dev/zero")
        if os.geteuid() != 0:
            (self.folder / "good.toml").chmod(0)
            self.fails(5, "cannot read good.toml: Permission denied", "good.toml")

    def test_a_configuration_is_not_overwritten_by_its_result(self):
        self.write("room.h5", GOOD)
        for message, *arguments in [
                ("--output:1:13: output.file: expected another file, got the configuration itself, "
                 "./good.toml", "good.toml", "--output", "./good.toml"),
                ("room.h5: output.file: expected another file, got the configuration itself, room.h5",
                 "room.h5")]:
            with self.subTest(message):
                self.fails(2, message, *arguments, "--overwrite")
        self.assertEqual((self.folder / "room.h5").read_text(), GOOD)
        self.assertEqual((self.folder / "good.toml").read_text(), GOOD)

    def test_a_full_standard_output_is_an_error(self):
        if not os.path.exists("/dev/full"):
            self.skipTest("no /dev/full")
        for arguments in (["--help"], ["--schema"], ["good.toml", "--check"]):
            with open("/dev/full", "w") as full:
                result = self.call(*arguments, stdout=full)
            self.assertEqual(result.returncode, 5)
            self.assertIn("cannot write to standard output", result.stderr)

    def test_what_is_not_a_configuration_never_ends_in_a_signal(self):
        for text in (b"[&", b"\x00", b"[[", b"a", b"a=", b"\xff\xfe", b"a=[" * 500, b"a." * 5000,
                     b"d = 1979-05-27T:32:00Z", b"[a]\n[a]", bytes(range(256)), b"9\"\xc3\xa9"):
            (self.folder / "odd.toml").write_bytes(text)
            result = subprocess.run(self.command("odd.toml"), cwd=self.folder, capture_output=True,
                                    timeout=60 * PATIENCE)
            self.assertEqual(result.returncode, 2, text[:20])
            self.assertIn(b"odd.toml", result.stderr)


if __name__ == "__main__":
    main()
