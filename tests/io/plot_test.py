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
from plotting import movie, result, together, velocity  # noqa: E402
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
    assert pixels.shape[0] > 150 and pixels.shape[1] > 300, pixels.shape
    colours = np.count_nonzero(np.bincount((pixels * 16).astype(int).reshape(-1, 3) @ [289, 17, 1]))
    assert colours > 30, f"{colours} colours in {path}"


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
    two = sample("two.h5", 1, 20, 5, 2)
    assert "all populations together; --population draws one with its value: 'walkers', 'runners 1'" in expect_picture(two).stderr
    assert expect_picture(two, "--population", "runners 1").stderr == ""
    expect_picture(sample("three.h5", 2, 12, 5, 3), "--arrows")
    expect_picture(line, "--convergence", "-o", folder / "history.png", output=folder / "history.png")
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


def check_space():
    cube = sample("cube.h5", 3, 6, 3)
    expect_picture(cube, "--arrows")
    expect_picture(cube, "--slices", "--arrows")
    expect_picture(cube, "--axis", "x", "--at", 0.9)
    expect_picture(sample("cubes.h5", 3, 6, 3, 2))
    (folder / "cube.png").unlink()
    expect_refusal(cube, "z = 1.5 is not in the box, which reaches from 0 to 1", "--at", 1.5)


def stationary(name, axes):
    """What an ergodic game leaves: one level and lambda."""
    def cut(file):
        file["populations/0/lambda"] = 0.25
        for path in ("grid/t", "populations/0/u", "populations/0/m", "diagnostics/mass"):
            values, units = file[path][:1], file[path].attrs["units"]
            del file[path]
            file[path] = values
            file[path].attrs["units"] = units

    return changed(name, cut, axes, 9, 7)


def check_stationary():
    for axes in (1, 2, 3):
        path = stationary(f"stationary{axes}.h5", axes)
        assert result.read(path).rate == 0.25
        expect_picture(path, "--arrows")
    path.with_suffix(".png").unlink()
    expect_refusal(path, "it has a single time level", "--movie", "-o", folder / "still.gif")


def check_movies():
    import PIL.Image

    for name, arguments in (("line.h5", (1, 40, 5)), ("two.h5", (1, 20, 3, 2)), ("plane.h5", (2, 16, 4)), ("three.h5", (2, 12, 3, 3)),
                            ("cube.h5", (3, 6, 3))):
        path = sample("film_" + name, *arguments)
        done = expect_picture(path, "--movie", "--arrows", "-o", path.with_suffix(".gif"), output=path.with_suffix(".gif"))
        assert movie.has_ffmpeg() or "ffmpeg is not installed: the movie is a GIF" in done.stderr, done.stderr
        with PIL.Image.open(path.with_suffix(".gif")) as film:
            assert film.n_frames == arguments[2], film.n_frames
    expect_picture(path, "--frames", 2, "-o", folder / "short.gif", output=folder / "short.gif")
    with PIL.Image.open(folder / "short.gif") as film:
        assert film.n_frames == 2
    film = folder / "film.mp4"
    if movie.has_ffmpeg():
        expect_picture(path, "-o", film, output=film)
    else:
        path.with_suffix(".png").unlink(missing_ok=True)
        expect_refusal(path, "ffmpeg, which writes .mp4 files, is not installed; a .gif needs none", "-o", film)
        assert not film.exists()


def check_families():
    """A file of several runs: the first one, another one, one that failed."""
    parts = [sample(f"part{k}.h5", 1, 20, 4 + k) for k in range(2)]
    family = folder / "family.h5"
    with h5py.File(family, "w") as file:
        for k, part in enumerate(parts):
            with h5py.File(part) as one:
                group = file.create_group(f"members/{k:04}")
                group.attrs.update(one.attrs)
                for name in one:
                    one.copy(name, group)
        file.create_group("members/0002").attrs["message"] = "the initial density is 0"
    assert "the first of 3 runs; --member takes 0 to 2" in expect_picture(family).stderr
    assert len(result.read(family, member=1).times) == 5
    assert expect_picture(family, "--member", 1).stderr == ""
    (folder / "family.png").unlink()
    expect_refusal(family, "member 2 failed: the initial density is 0", "--member", 2)
    expect_refusal(family, "it has no member 3, but 0 to 2", "--member", 3)
    parts[0].with_suffix(".png").unlink(missing_ok=True)
    expect_refusal(parts[0], "it is no family of runs", "--member", 0)


def check_particles():
    for axes in (1, 2, 3):
        path = sample(f"particles{axes}.h5", axes, 8, 4, 1, "float64", 30)
        found = result.read(path).particles
        assert found.shape == (4, 30, axes) and np.isnan(found).any(axis=2).sum() == 1 and np.isnan(found[3, 29]).all()
        expect_picture(path, "--particles", "--density")
    expect_picture(sample("crowds.h5", 2, 8, 4, 2, "float64", 30), "--particles", "--density")
    crowds = sample("crowds1.h5", 1, 8, 4, 2, "float64", 30)
    expect_picture(crowds, "--particles", "-o", folder / "crowds.gif", output=folder / "crowds.gif")
    expect_picture(crowds, "--particles", "--density")
    (folder / "two.png").unlink(missing_ok=True)
    expect_refusal(folder / "two.h5", "it has no particles; output.particles = 1000 keeps some", "--particles")


def check_velocities():
    """Against the gradient of what the sample's u is, and against numbers."""
    found = result.read(sample("flow.h5", 2, 40, 3))
    x, y = np.meshgrid(*found.axes, indexing="ij")
    middle, t = 0.2 + 0.6 * 0.5, 0.5
    vx, vy = velocity.velocity(found, 1)
    inside = np.zeros(found.mask.shape, bool)
    inside[1:-1, 1:-1] = True
    for k in (0, 1):
        for step in (-1, 0, 1):
            inside &= np.roll(found.mask, step, k) == result.FREE
    assert np.abs(vx - ((1 + t) - 0.6 * (x - middle)))[inside].max() < 0.01
    assert np.abs(vy + 0.6 * (y - 0.5))[inside].max() < 0.01
    assert (vx[found.mask == result.OBSTACLE] == 0).all()
    # Nobody walks into a wall.
    wall = (found.mask == result.OBSTACLE) & (np.roll(found.mask, 1, 0) == result.FREE)
    assert (vx[np.roll(wall, -1, 0)] <= 1e-12).all() and wall.any()
    # c = x, beta = 3, (m + 2)^-1 and a drift, on the same slopes: c beta |q| q instead of q.
    found.config = {"model": {"hamiltonian": {"scale": "x", "exponent": 3.0, "congestion": 1.0, "offset": 2.0},
                              "drift": ["t", "if(y > 0.5, 1, 0)"]}}
    wx, wy = velocity.velocity(found, 1)
    factor = 3 * x * np.hypot(vx, vy) / (found.m.values[1] + 2)
    free = found.mask != result.OBSTACLE
    assert np.abs(wx - (factor * vx + t))[free].max() < 1e-12
    assert np.abs(wy - (factor * vy + (y > 0.5)))[free].max() < 1e-12
    a = np.array([0.1, 0.6, 0.9])
    logic = velocity.evaluate("if(x > 0.5 and not y < 0.2, -x^2, max(x, y, 0.3)) + mod(-1, 3) + 2^-1", x=a, y=a[::-1])
    assert np.allclose(logic, np.array([0.9, -0.36, 0.9]) + 2.5, atol=1e-15), logic
    assert abs(velocity.evaluate("erf(x)", x=0.5) - 0.5204998778) < 3e-7


def check_colours():
    """Nobody is white, and where two crowds meet their colours mix."""
    found = result.read_all(sample("mixed.h5", 2, 16, 3, 2))
    for one in found:
        one.m.values[:] = 0
    found[0].m.values[:, :8], found[1].m.values[:, :, :8] = 1, 1
    picture = together.mixed(found, 0, 1.0)
    first, second = together.colours(found)
    free = found[0].mask == result.FREE
    assert free[12, 12] and free[1, 12] and free[12, 1] and free[1, 1]
    assert np.allclose(picture[12, 12], 1) and np.allclose(picture[1, 12], first) and np.allclose(picture[12, 1], second)
    assert np.allclose(picture[1, 1], np.array(first) * second)


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
check_space()
check_stationary()
check_movies()
check_families()
check_particles()
check_velocities()
check_colours()
check_command()
check_refusals()
print("all pictures drawn")
