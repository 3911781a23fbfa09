"""Draw result files of every kind, and files that are none: plot_test.py SCRIPTS/PLOT.PY WRITE_SAMPLE FOLDER."""

import contextlib
import io
import pathlib
import subprocess
import sys
import warnings

import h5py
import matplotlib.image
import numpy as np

script, program, folder = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
sys.path.insert(0, str(pathlib.Path(script).parent))
import plot as command  # noqa: E402
import matplotlib.pyplot as plt  # noqa: E402  (after the command's choice of a backend without a screen)

folder.mkdir(parents=True, exist_ok=True)
for old in folder.iterdir():
    old.unlink()


def sample(name, *arguments):
    subprocess.run([program, str(folder / name), *map(str, arguments)], check=True)
    return folder / name


def plot(path, *options):
    """Run the command here: the libraries take longer to load than a picture to draw."""
    arguments = [str(path), "--dpi", "50", *map(str, options)]
    with contextlib.redirect_stdout(io.StringIO()) as output, contextlib.redirect_stderr(io.StringIO()) as errors:
        warnings.simplefilter("always")
        try:
            code = command.main(arguments)
        except SystemExit as end:
            code = end.code
    plt.close("all")
    return subprocess.CompletedProcess(arguments, code, output.getvalue(), errors.getvalue())


def check_picture(path):
    """A picture is there and shows something: many colours, not a white sheet."""
    pixels = matplotlib.image.imread(path)[..., :3]
    assert pixels.shape[0] > 200 and pixels.shape[1] > 300, pixels.shape
    colours = np.count_nonzero(np.bincount((pixels * 16).astype(int).reshape(-1, 3) @ [289, 17, 1]))
    assert colours > 60, f"{colours} colours in {path}"


def expect_picture(path, *options, output=None):
    output = output or path.with_suffix(".png")
    done = plot(path, *options)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{output}\n", done.stdout
    assert "Warning" not in done.stderr, done.stderr
    if output.suffix == ".png":
        check_picture(output)
    else:
        assert output.stat().st_size > 1000
    return done


def expect_refusal(path, text, *options, code=5):
    done = plot(path, *options)
    assert done.returncode == code, (done.returncode, done.stderr)
    assert text in done.stderr and "Traceback" not in done.stderr, done.stderr
    assert not path.with_suffix(".png").exists()


def changed(name, change, *arguments):
    """A sample that somebody changed afterwards."""
    path = sample(name, *(arguments or (1, 9, 5)))
    with h5py.File(path, "r+") as file:
        change(file)
    return path


def check_pictures():
    line, plane = sample("line.h5", 1, 40, 11), sample("plane.h5", 2, 16, 7)
    expect_picture(line)
    expect_picture(plane, "--arrows")
    expect_picture(plane, "--times", 12, "-o", folder / "plane.svg", output=folder / "plane.svg")
    expect_picture(line, "-o", folder / "line.pdf", output=folder / "line.pdf")
    expect_picture(sample("cube.h5", 3, 6, 3))
    two = sample("two.h5", 1, 20, 5, 2)
    assert "population 'walkers'; --population also takes 'runners 1'" in expect_picture(two).stderr
    expect_picture(two, "--population", "runners 1")
    expect_picture(sample("single.h5", 2, 8, 2, 1, "float32"))
    assert not [name for name in folder.iterdir() if name.name.startswith(".")]


def check_odd_results():
    """What a broken run leaves must be drawn too."""
    def spoil(file):
        file["u"][2:] = np.nan
        file["m"][1, 3] = np.inf
        file.attrs["status"] = "failed"
        file.attrs["title"] = "costs $1 and_more"
        file.attrs["config"] = "not = [TOML"

    expect_picture(changed("spoilt.h5", spoil))
    expect_picture(changed("spoilt2.h5", lambda file: file["u"].__setitem__((3, 4), np.nan), 2, 9, 5))

    def empty(file):
        for name in ("convergence", "diagnostics"):
            del file[name]

    expect_picture(changed("bare.h5", empty))
    expect_picture(changed("still.h5", lambda file: file["u"].__setitem__(..., 1.0), 2, 9, 5))


def check_command():
    """As scripts/plot runs it."""
    path = sample("alone.h5", 1, 20, 5)
    done = subprocess.run([sys.executable, script, str(path)], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{folder / 'alone.png'}\n", ""), done
    check_picture(folder / "alone.png")
    done = subprocess.run([sys.executable, script, str(folder / "none.h5")], capture_output=True, text=True)
    assert done.returncode == 5 and "there is no such file" in done.stderr, done


def check_refusals():
    expect_refusal(folder / "none.h5", "there is no such file")
    (folder / "text.h5").write_text("no HDF5")
    expect_refusal(folder / "text.h5", "it is not an HDF5 file")
    (folder / "dir.h5").mkdir()
    expect_refusal(folder / "dir.h5", "it is a folder")
    (folder / "dir.h5").rmdir()
    whole = sample("whole.h5", 1, 40, 11).read_bytes()
    (folder / "cut.h5").write_bytes(whole[: len(whole) // 2])
    expect_refusal(folder / "cut.h5", "it was cut short")
    with h5py.File(folder / "whole.h5") as file:
        chunk = file["m"].id.read_direct_chunk((0, 0))[1]
    damaged = bytearray(whole)
    damaged[whole.index(chunk) + len(chunk) // 2] ^= 8
    (folder / "damaged.h5").write_bytes(damaged)
    expect_refusal(folder / "damaged.h5", "it is damaged")
    with h5py.File(folder / "other.h5", "w") as file:
        file["x"] = [1, 2]
    expect_refusal(folder / "other.h5", "it is no result of mfg_solve: grid is missing in /")
    (folder / "whole.png").unlink(missing_ok=True)
    expect_refusal(folder / "whole.h5", "it has no population 'nobody', but '0'", "--population", "nobody")
    expect_refusal(folder / "whole.h5", "names no format", "-o", folder / "a.txt", code=2)
    expect_refusal(folder / "whole.h5", "a number from 1 to 12", "--times", 0, code=2)
    expect_refusal(folder / "whole.h5", "cannot write", "-o", folder / "none" / "a.png")
    expect_refusal(changed("nan.h5", lambda file: file["m"].__setitem__(..., np.nan)), "density has no finite value")


check_pictures()
check_odd_results()
check_command()
check_refusals()
print("all pictures drawn")
