"""Read result files with h5py as a user would: read_back.py WRITE_SAMPLE FOLDER."""

import pathlib
import random
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import h5py
import numpy as np

program, folder = sys.argv[1], pathlib.Path(sys.argv[2])
folder.mkdir(parents=True, exist_ok=True)


def sample(name, *arguments):
    path = folder / name
    for old in (path, path.with_suffix(".xdmf")):
        old.unlink(missing_ok=True)
    subprocess.run([program, str(path), *map(str, arguments)], check=True)
    return path


def check_attributes(file, axes):
    attributes = file.attrs
    assert attributes["title"] == f'A sample <of> "{axes}" axes'
    assert attributes["isofield_version"] == "0.1.0"
    assert attributes["config"] == 'title = "ein Muster"  # größer als ASCII\n'
    assert (attributes["backend"], attributes["device"], attributes["dtype"]) == ("eigen", "cpu", "float64")
    assert (attributes["threads"], attributes["iterations"]) == (2, 12)
    assert attributes["status"] == "not_converged"
    assert attributes["residual"] == 3.5e-7 and attributes["wall_seconds"] == 1.25
    assert np.datetime64(attributes["created"].rstrip("Z")) <= np.datetime64("now")
    assert attributes["created"].endswith("Z")


def check_layout(file, axes, cells, levels):
    names = "xyz"[:axes]
    shape = tuple(cells + k for k in range(axes))
    for name, size in zip(names, shape):
        np.testing.assert_array_equal(file[f"grid/{name}"], (np.arange(size) + 0.5) / size)
        assert file[f"grid/{name}"].is_scale
    np.testing.assert_array_equal(file["grid/t"], np.arange(levels) / (levels - 1))
    assert file["grid/mask"].dtype == np.uint8 and file["grid/mask"].shape == shape
    for name in "um":
        field = file[f"populations/0/{name}"]
        assert field == file[name]
        assert field.shape == (levels, *shape) and field.dtype == np.float64
        assert field.chunks is not None and field.fletcher32 and field.shuffle and field.compression == "gzip"
        assert [field.dims[k][0].name for k in range(axes + 1)] == ["/grid/t"] + [f"/grid/{n}" for n in names]
        assert field.attrs["long_name"] == {"u": "value", "m": "density"}[name]
    assert file["u"].attrs["units"] == "cost"
    assert file["m"].attrs["units"] == ("mass/length" if axes == 1 else f"mass/length^{axes}")
    for path in ["grid/t", "grid/mask", "convergence/seconds", "diagnostics/mass"]:
        assert file[path].attrs["units"] and file[path].attrs["long_name"]


def check_values(file, axes):
    """The cloud of the sample, on arrays in C order: x is the first axis."""
    grids = np.meshgrid(file["grid/t"], *(file[f"grid/{n}"] for n in "xyz"[:axes]), indexing="ij")
    t, x = grids[:2]
    squares = (x - 0.2 - 0.6 * t) ** 2 + sum((y - 0.5) ** 2 for y in grids[2:])
    width = 0.006 + 0.01 * t
    density = np.where(file["grid/mask"][...] == 0, np.exp(-squares / width) / width, 0)
    np.testing.assert_allclose(file["m"], density, rtol=1e-12)


def check_tables(file):
    table = file["convergence"]
    np.testing.assert_array_equal(table["iteration"], np.arange(1, 13))
    assert table["iteration"].dtype == np.int64
    np.testing.assert_allclose(table["residual"], 0.25 ** np.arange(1, 13))
    assert np.isnan(table["exploitability"]).all()
    assert set(table) == {"iteration", "residual", "hjb_residual", "fp_residual", "exploitability", "seconds"}
    assert set(file["diagnostics"]) == {"mass", "kinetic_cost", "running_cost", "terminal_cost"}
    np.testing.assert_array_equal(file["diagnostics/mass"], np.ones(len(file["grid/t"])))
    assert file["diagnostics/kinetic_cost"][()] == 0.4


def check_sidecar(path, axes, populations):
    """Every array that the sidecar names is there, in the shape it says; levels select themselves."""
    root = ElementTree.parse(path.with_suffix(".xdmf")).getroot()
    with h5py.File(path) as file:
        grids = root.findall(".//Grid[@GridType='Uniform']")
        assert [float(g.find("Time").get("Value")) for g in grids] == list(file["grid/t"])
        for level, grid in enumerate(grids):
            assert len(grid.findall("Attribute")) == 2 * populations + 1
            for item in grid.iter("DataItem"):
                if item.get("Format") == "HDF":
                    name, dataset = item.text.split(":")
                    assert name == path.name
                    assert file[dataset].shape == tuple(map(int, item.get("Dimensions").split()))
                    assert file[dataset].dtype.itemsize == int(item.get("Precision"))
                elif item.get("Format") == "XML":
                    start, stride, count = np.array(item.text.split(), int).reshape(3, -1)
                    shape = file["grid/mask"].shape
                    assert tuple(count[-axes:]) == shape and set(stride) == {1}
                    assert not start[-axes:].any() and (len(start) == axes or (start[0], count[0]) == (level, 1))
                elif item.get("ItemType") == "HyperSlab":
                    # ParaView reads a part wrongly unless it has the dimensions of the topology.
                    assert item.get("Dimensions") == grid.find("Topology").get("Dimensions")
        x = file["grid/points"][..., 0]
        np.testing.assert_allclose(x, np.broadcast_to(
            file["grid/x"][...].reshape(-1, *[1] * (axes - 1)), x.shape), rtol=1e-6)


def check_particles(axes):
    """Points in three coordinates, with whether each is inside, at each level; as h5py and the sidecar see them."""
    path = sample("particles.h5", axes, 6, 4, 2, "float64", 5)
    with h5py.File(path) as file:
        root = ElementTree.parse(path.with_suffix(".xdmf")).getroot()
        collections = [c for c in root.find("Domain") if c.get("Name").startswith("particles of ")]
        assert [c.get("Name") for c in collections] == ["particles of walkers", "particles of runners 1"]
        for collection, name in zip(collections, ("walkers", "runners 1")):
            group = file["populations"][name]
            places, points = group["particles"][...], group["particle_points"][...]
            assert places.shape == (4, 5, axes) and points.shape == (4, 5, 3)
            np.testing.assert_allclose(points[..., :axes], places, rtol=1e-6)
            assert not points[..., axes:].any()
            assert (group["particles_inside"][...] == 0).sum() == 1 and group["particles_inside"][3, 4] == 0
            assert [float(g.find("Time").get("Value")) for g in collection] == list(file["grid/t"])
            for level, grid in enumerate(collection):
                assert grid.find("Topology").get("NumberOfElements") == "5"
                for item, data, row in ((grid.find("Geometry/DataItem"), "particle_points", (5, 3)),
                                        (grid.find("Attribute/DataItem"), "particles_inside", (5,))):
                    start, stride, count = np.array(item[0].text.split(), int).reshape(3, -1)
                    assert tuple(start) == (level, *[0] * len(row)) and set(stride) == {1} and tuple(count) == (1, *row)
                    assert item[1].text == f"{path.name}:/populations/{name}/{data}"
                    assert item[1].get("Dimensions") == " ".join(map(str, (4, *row)))
                    assert item.get("Dimensions") == " ".join(map(str, row))


def check_several_populations():
    path = sample("several.h5", 1, 9, 3, 2)
    with h5py.File(path) as file:
        assert set(file["populations"]) == {"walkers", "runners 1"}
        assert file["u"] == file["populations/walkers/u"]
        assert file["populations/runners 1/lambda"][()] == 0.75
        assert "lambda" not in file["populations/walkers"]
        assert file["diagnostics/mass"].shape == (3, 2) and file["diagnostics/running_cost"].shape == (2,)
        assert file["populations/runners 1/m"].attrs["long_name"] == "density of runners 1"
    check_sidecar(path, 1, 2)


def check_damage_shows():
    """Whoever reads a field whose bytes changed gets an error, not other numbers."""
    path = sample("damage.h5", 2, 40, 6)
    with h5py.File(path) as file:
        before = file["m"][...]
        corners = [file["m"].id.get_chunk_info(k).chunk_offset for k in range(file["m"].id.get_num_chunks())]
        chunks = [file["m"].id.read_direct_chunk(corner)[1] for corner in corners]
    whole = path.read_bytes()
    places = [(whole.index(chunk), len(chunk)) for chunk in chunks]
    generator = random.Random(20261121)
    for _ in range(200):
        start, size = generator.choice(places)
        damaged = bytearray(whole)
        damaged[start + generator.randrange(size)] ^= 1 << generator.randrange(8)
        path.write_bytes(damaged)
        try:
            with h5py.File(path) as file:
                np.testing.assert_array_equal(file["m"][...], before)  # equal, or an error of HDF5's
        except OSError:
            continue
        raise AssertionError("a flipped bit went unnoticed")


for axes in (1, 2, 3):
    path = sample(f"axes{axes}.h5", axes, 11, 5)
    with h5py.File(path) as file:
        check_attributes(file, axes)
        check_layout(file, axes, 11, 5)
        check_values(file, axes)
        check_tables(file)
        assert file["state/history"].shape == (2, 3) and file["state/damping"][()] == 0.5
    check_sidecar(path, axes, 1)
with h5py.File(sample("single.h5", 1, 9, 3, 1, "float32")) as file:
    assert file["u"].dtype == file["m"].dtype == np.float32
check_sidecar(folder / "single.h5", 1, 1)
for axes in (1, 2, 3):
    check_particles(axes)
check_several_populations()
check_damage_shows()
print("all files read back")
