"""Let each system call on files fail under mfg_solve: command_faults.py MFG_SOLVE SHIM FOLDER.

Either the command succeeds and its file is whole, or it exits with 5, names a file, and the older
file is what it was.
"""

import os
import pathlib
import subprocess
import sys

import h5py

program, shim, folder = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
folder.mkdir(parents=True, exist_ok=True)
(folder / "job.toml").write_text("""
title = "first"
[domain]
lower = [0.0]
upper = [1.0]
cells = [16]
boundary = ["periodic"]
[time]
horizon = 1.0
steps = 8
[model]
viscosity = 0.1
running_cost = "m"
initial_density = "1 + 0.5*cos(2*pi*x)"
[output]
file = "job.h5"
""")


output = folder / "out"
output.mkdir(exist_ok=True)
names = ("job.h5", "job.xdmf")


def solve(title, fault=None):
    environment = dict(os.environ)
    if fault:
        environment |= {"LD_PRELOAD": shim, "ISOFIELD_FAULT": f"{output}:{fault}"}
    return subprocess.run([program, "job.toml", "--quiet", "--overwrite", "--backend", "eigen",
                           "--output", str(output / "job.h5"), "--set", f'title="{title}"'],
                          cwd=folder, env=environment, capture_output=True, text=True, timeout=120)


def check(title, fault, done):
    """What the command said is what the files show."""
    assert done.returncode in (0, 5), (fault, done)
    assert sorted(path.name for path in output.iterdir()) == sorted(names), fault
    if done.returncode == 5:
        assert (output / "job.h5").read_bytes() == old["job.h5"], fault
        assert "job." in done.stderr and len(done.stderr.splitlines()) == 1, done.stderr
    else:
        with h5py.File(output / "job.h5") as file:
            assert file.attrs["title"] == title and file["u"][...].shape == (9, 16)


assert solve("first").returncode == 0
old = {name: (output / name).read_bytes() for name in names}
outcomes = {}
for kind in ("ENOSPC:always", "EIO", "EINTR", "short:always"):
    for k in range(1, 170, 7):
        for name, data in old.items():
            (output / name).write_bytes(data)
        done = solve("second", f"{k}:{kind}")
        check("second", f"{kind} at call {k}", done)
        outcomes.setdefault(kind, []).append(done.returncode)
for kind, codes in outcomes.items():
    print(f"{kind}: {codes.count(5)} of {len(codes)} runs failed")
    assert (5 in codes) == (kind in ("ENOSPC:always", "EIO")), kind
    assert codes[-1] == 0, "there are more calls than this test thinks"
