"""Draw the examples for docs/user/gallery.md: gallery.py --mfg-solve PROGRAM [--into FOLDER] [EXAMPLE...]"""

import argparse
import contextlib
import io
import pathlib
import subprocess
import sys
import tempfile

import matplotlib.image
import numpy as np
import PIL.Image

import plot

ROOT = pathlib.Path(__file__).resolve().parent.parent
EXAMPLES = {path.stem: path for path in sorted((ROOT / "docs/examples").glob("*.toml"))}
MOST_BYTES = 60_000
PARTICLES = 1500

# What shows best what is particular about an example: where people are, or how they go.
OPTIONS = {
    "crossing": ["--times", "4"],
    "crowd_exit": ["--particles", "--times", "4"],
    "ergodic": ["--arrows"],
    "evacuation": ["--particles", "--times", "6"],
    "hall_3d": ["--particles", "--times", "4"],
    "lq_1d": ["--particles"],
    "periodic_1d": ["--particles"],
}
OTHERS = ["--arrows", "--times", "4"]


def solve(program, name, folder):
    """The result file of an example, with particles where the picture shows them."""
    result = folder / f"{name}.h5"
    particles = PARTICLES if "--particles" in OPTIONS.get(name, OTHERS) else 0
    subprocess.run([program, str(EXAMPLES[name]), "--quiet", "--output", str(result), "--backend", "eigen",
                    "--set", f"output.particles={particles}", "--set", "output.xdmf=false"],
                   check=True, stdout=subprocess.DEVNULL)
    return result


def shrink(source, target):
    """Write a picture with as many colours as fit; tell whether it is small enough."""
    with PIL.Image.open(source) as picture:
        for colours in (256, 160, 100):
            picture.convert("RGB").quantize(colours, dither=PIL.Image.Dither.NONE).save(target, optimize=True)
            if target.stat().st_size < MOST_BYTES:
                return True
    return False


def draw(program, name, into):
    with tempfile.TemporaryDirectory() as folder:
        result = solve(program, name, pathlib.Path(folder))
        picture = result.with_suffix(".png")
        into.mkdir(parents=True, exist_ok=True)
        target = into / f"{name}.png"
        for dpi in (72, 64, 56, 48):
            options = ["-o", str(picture), "--density", "--dpi", str(dpi), *OPTIONS.get(name, OTHERS)]
            with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()) as errors:
                code = plot.main([str(result), *options])
            if code != 0:
                sys.exit(f"gallery: {name}: {errors.getvalue()}")
            if shrink(picture, target):
                break
    size = target.stat().st_size
    if size >= MOST_BYTES or np.ptp(matplotlib.image.imread(target)[..., :3]) == 0:
        sys.exit(f"gallery: {target}: {size} bytes show nothing, or are too many")
    print(f"{target}: {size} bytes")


def main():
    parser = argparse.ArgumentParser(prog="gallery", description=__doc__)
    parser.add_argument("examples", nargs="*", metavar="EXAMPLE", help="default: all")
    parser.add_argument("--mfg-solve", required=True, metavar="PROGRAM")
    parser.add_argument("--into", type=pathlib.Path, default=ROOT / "docs/user/pictures", metavar="FOLDER")
    options = parser.parse_args()
    for name in options.examples or EXAMPLES:
        if name not in EXAMPLES:
            parser.error(f"there is no example {name}; there are " + ", ".join(EXAMPLES))
        draw(options.mfg_solve, name, options.into)


if __name__ == "__main__":
    main()
