# Install the component that becomes a wheel into PREFIX, and use it from there on each of BACKENDS.
file(REMOVE_RECURSE "${PREFIX}")
execute_process(COMMAND "${CMAKE_COMMAND}" --install "${BUILD}" --component python --prefix "${PREFIX}"
                OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
set(program "
import pathlib, isofield as xp
from isofield import mfg
assert pathlib.Path(xp.__file__).parent == pathlib.Path('${PREFIX}/isofield').resolve()
game = mfg.Problem(cells=20, steps=10, viscosity=0.1, running_cost='m + x^2', initial_density=lambda x: 1.0 + x)
assert mfg.solve(game).converged
assert (pathlib.Path(xp.__file__).parent / '__init__.pyi').exists()
# What the process has loaded of ours is the package's own.
maps = pathlib.Path('/proc/self/maps')
lines = maps.read_text().splitlines() if maps.exists() else []
assert all(line.split()[-1].startswith('${PREFIX}/') for line in lines if 'libisofield' in line)
")
foreach(backend IN LISTS BACKENDS)
  execute_process(COMMAND "${CMAKE_COMMAND}" -E env "PYTHONPATH=${PREFIX}" ISOFIELD_BACKEND=${backend}
                          "${PYTHON}" -c "${program}" COMMAND_ERROR_IS_FATAL ANY)
endforeach()
