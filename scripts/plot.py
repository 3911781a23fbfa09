"""Draw a result file of mfg_solve: density and value over time, convergence, mass, movies. Run by scripts/plot."""

import argparse
import os
import pathlib
import sys
import tempfile

import matplotlib

matplotlib.use("Agg")
from matplotlib.backend_bases import FigureCanvasBase  # noqa: E402  (after the choice of a backend without a screen)

from plotting.line import draw_line  # noqa: E402
from plotting.movie import ENDINGS, has_ffmpeg, make_movie  # noqa: E402
from plotting.parts import draw_history, finish  # noqa: E402
from plotting.plane import draw_planes  # noqa: E402
from plotting.result import Unreadable, members_of, read, read_all  # noqa: E402
from plotting.space import draw_space  # noqa: E402
from plotting.together import draw_together  # noqa: E402


def save(path, write):
    """Let `write(temporary)` write beside the file's place and rename it, so that a viewer never meets half of one."""
    descriptor, temporary = tempfile.mkstemp(suffix=path.suffix, prefix=f".{path.stem}.", dir=path.parent)
    os.close(descriptor)
    try:
        write(pathlib.Path(temporary))
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def parse_arguments(arguments):
    parser = argparse.ArgumentParser(prog="plot", description="Draw a result file of mfg_solve.")
    parser.add_argument("file", type=pathlib.Path, help="result file (HDF5)")
    parser.add_argument("-o", "--output", type=pathlib.Path,
                        help="picture or movie; its ending (.png .pdf .svg, .mp4 .webm .gif) says the format (default: FILE.png)")
    parser.add_argument("--population", metavar="NAME", help="draw one of several populations (default: all together)")
    parser.add_argument("--member", type=int, metavar="K", help="which run of a family, from 0 (default: the first)")
    parser.add_argument("--times", type=int, default=6, metavar="N", help="time levels drawn apart (default 6)")
    parser.add_argument("--arrows", action="store_true", help="in 2-D and 3-D, show how fast people walk, and where to")
    parser.add_argument("--particles", action="store_true", help="show the particles that the file has")
    parser.add_argument("--density", action="store_true", help="draw the density alone, without value and history")
    parser.add_argument("--axis", choices=list("xyz"), default="z", help="in 3-D, look along this axis (default z)")
    parser.add_argument("--at", type=float, metavar="POSITION", help="in 3-D, where the plane across that axis is (default: in the middle)")
    parser.add_argument("--slices", action="store_true", help="in 3-D, draw the density in a plane across each axis")
    parser.add_argument("--convergence", action="store_true", help="draw the convergence alone, by iterations and by time")
    parser.add_argument("--movie", action="store_true", help="write FILE.mp4, or FILE.gif where ffmpeg is missing")
    parser.add_argument("--fps", type=int, default=12, help="frames of a movie a second (default 12)")
    parser.add_argument("--frames", type=int, default=200, metavar="N", help="frames of a movie at most (default 200)")
    parser.add_argument("--dpi", type=int, default=130, help="dots per inch (default 130)")
    options = parser.parse_args(arguments)
    for name, low, high in (("times", 1, 12), ("dpi", 10, 1200), ("fps", 1, 120), ("frames", 2, 10000)):
        if not low <= getattr(options, name) <= high:
            parser.error(f"--{name}: a number from {low} to {high} is expected")
    if options.output is None:
        options.output = options.file.with_suffix((".mp4" if has_ffmpeg() else ".gif") if options.movie else ".png")
    ending = options.output.suffix.lower()
    films = [film.lstrip(".") for film in ENDINGS]
    formats = films if options.movie else sorted({*FigureCanvasBase.get_supported_filetypes(), *films})
    options.movie = options.movie or ending in ENDINGS
    if ending.lstrip(".") not in formats:
        parser.error(f"--output: the ending of {options.output} names no format; known are " + " ".join(formats))
    return options


def draw(results, options):
    """The figure that the options ask for."""
    result = results[0]
    if options.convergence:
        return draw_history(result)
    if len(results) > 1:
        return draw_together(results, options)
    return {1: draw_line, 2: draw_planes, 3: draw_space}[len(result.axes)](result, options)


def main(arguments=None):
    options = parse_arguments(arguments)
    try:
        results = ([read(options.file, options.population, options.member)] if options.population else
                   read_all(options.file, options.member))
        members = members_of(options.file) if options.member is None else 0
        if options.particles and any(result.particles is None for result in results):
            raise Unreadable("it has no particles; output.particles = 1000 keeps some")
        if options.movie:
            write = lambda path: make_movie(results, path, options)
        else:
            figure = draw(results, options)
            finish(figure, results[0])
            write = lambda path: figure.savefig(path, dpi=options.dpi)
        save(options.output, write)
    except Unreadable as error:
        print(f"plot: cannot draw '{options.file}': {error}", file=sys.stderr)
        return 5
    except OSError as error:
        print(f"plot: cannot write '{options.output}': {error.strerror or error}", file=sys.stderr)
        return 5
    print(options.output)
    if options.movie and options.output.suffix == ".gif" and not has_ffmpeg():
        print("plot: ffmpeg is not installed: the movie is a GIF", file=sys.stderr)
    if members > 1:
        print(f"plot: drawn is the first of {members} runs; --member takes 0 to {members - 1}", file=sys.stderr)
    if len(results) > 1:
        print("plot: drawn are all populations together; --population draws one with its value: " +
              ", ".join(repr(result.population) for result in results), file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
