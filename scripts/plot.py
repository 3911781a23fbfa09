"""Draw a result file of mfg_solve: density and value over time, convergence, mass. Run by scripts/plot."""

import argparse
import os
import pathlib
import sys
import tempfile

import matplotlib

matplotlib.use("Agg")
from matplotlib.backend_bases import FigureCanvasBase  # noqa: E402  (after the choice of a backend without a screen)

from plotting.line import draw_line  # noqa: E402
from plotting.parts import finish  # noqa: E402
from plotting.plane import draw_planes  # noqa: E402
from plotting.result import Unreadable, read  # noqa: E402


def save(figure, path, dpi):
    """Write the picture beside its place and rename it, so that a viewer never meets half of one."""
    descriptor, temporary = tempfile.mkstemp(suffix=path.suffix, prefix=f".{path.stem}.", dir=path.parent)
    os.close(descriptor)
    try:
        figure.savefig(temporary, dpi=dpi)
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
                        help="picture; its ending (.png, .pdf, .svg) says the format (default: FILE.png)")
    parser.add_argument("--population", metavar="NAME", help="which population (default: the first)")
    parser.add_argument("--times", type=int, default=6, metavar="N", help="time levels drawn apart (default 6)")
    parser.add_argument("--arrows", action="store_true", help="in 2-D, show where people walk to")
    parser.add_argument("--dpi", type=int, default=130, help="dots per inch (default 130)")
    options = parser.parse_args(arguments)
    if not 1 <= options.times <= 12:
        parser.error("--times: a number from 1 to 12 is expected")
    if not 10 <= options.dpi <= 1200:
        parser.error("--dpi: a number from 10 to 1200 is expected")
    options.output = options.output or options.file.with_suffix(".png")
    known = FigureCanvasBase.get_supported_filetypes()
    if options.output.suffix.lstrip(".").lower() not in known:
        parser.error(f"--output: the ending of {options.output} names no format; known are " + " ".join(sorted(known)))
    return options


def main(arguments=None):
    options = parse_arguments(arguments)
    try:
        result = read(options.file, options.population)
        figure = draw_line(result, options) if len(result.axes) == 1 else draw_planes(result, options)
        finish(figure, result)
    except Unreadable as error:
        print(f"plot: cannot draw '{options.file}': {error}", file=sys.stderr)
        return 5
    try:
        save(figure, options.output, options.dpi)
    except OSError as error:
        print(f"plot: cannot write '{options.output}': {error.strerror or error}", file=sys.stderr)
        return 5
    print(options.output)
    if result.others and options.population is None:
        print(f"plot: drawn is population {result.population!r}; --population also takes " +
              ", ".join(map(repr, result.others)), file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
