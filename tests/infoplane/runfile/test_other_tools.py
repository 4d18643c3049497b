"""Run files in everyone's tools: what silx, nexusformat, xarray and h5py show is what `open_run` reads.

One real recording with everything on, made by another process: finished, recovered after a kill, killed, and live.
"""

import json
import pickle
import subprocess
import sys
from contextlib import contextmanager

import h5py
import numpy as np
import pytest

import infoplane as ip

ROWS = 3
RECORDING = """
import json, sys
import torch
from torch import nn
from torch.nn import functional as F
import infoplane as ip

torch.set_num_threads(1)
torch.manual_seed(0)
path, waits = sys.argv[1], sys.argv[2] == "waits"
model = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3))
optimizer = torch.optim.SGD(model.parameters(), 0.05)
x = torch.randn(96, 6)
y = (x[:, 0] > 0).long() + (x[:, 1] > 0).long()
options = dict(latent=4, draws=4, beta=[1e-3, 1e-2], scale_twins=(10.0,), control=True, refit=2, raw=16, sketch_at=2)
with ip.record(model, path, sites={"0": "fc", "1": "relu"}, classes=3, data={"name": "é"}, **options) as rec:
    epoch = 0
    while epoch < 3 or (waits and sys.stdin.readline()):
        for k in (0, 32):
            loss = F.cross_entropy(model(x[k : k + 32]), y[k : k + 32]) + rec.loss(y[k : k + 32])
            optimizer.zero_grad(); loss.backward(); optimizer.step()
        epoch += 1
        found = rec.measure([(x[64:], y[64:])], epoch=epoch, fit=[(x[:64], y[:64])])
        rec.event(f"époque {epoch}")
        print(json.dumps([rec.step, found.bounds.i_zx.tolist(), found.bounds.i_zy.tolist()]), flush=True)
"""


@contextmanager
def recording(path, how="waits"):
    """Record in another process; yield it and what it measured, after `ROWS` measurements."""
    command = [sys.executable, "-c", RECORDING, str(path), how]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process, [json.loads(process.stdout.readline()) for _ in range(ROWS)]
            process.wait() if how == "ends" else process.kill()
        finally:
            process.kill()


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """A file whose writer was killed, and what that had measured."""
    path = tmp_path_factory.mktemp("killed") / "run.h5"
    with recording(path) as (_, measured):
        pass
    return path, measured


@pytest.fixture(scope="module", params=["finished", "recovered"])
def closed(request, tmp_path_factory):
    """A finished file or a recovered one, and what was measured."""
    path = tmp_path_factory.mktemp("closed") / "run.h5"
    if request.param == "recovered":
        recover = pytest.importorskip("infoplane.runfile.recover", reason="recovery is not there yet").recover
        source, measured = request.getfixturevalue("killed")
        assert recover(source, path) == path
        return path, measured
    with recording(path, "ends") as (_, measured):
        pass
    return path, measured


@pytest.fixture(scope="module", params=["live", "killed"])
def held(request, tmp_path_factory):
    """A file that is being recorded, or whose writer was killed, and what was measured so far."""
    if request.param == "killed":
        yield request.getfixturevalue("killed")
        return
    path = tmp_path_factory.mktemp("live") / "run.h5"
    with recording(path) as (process, measured):
        yield path, measured
        assert process.poll() is None  # it was alive meanwhile


def ours(path):
    """What `open_run` reads: by stream, dimensions and values of every data set, rows that were committed."""
    with ip.open_run(path) as run:
        views = {name: run.stream(name) for name in run.streams}
        assert run.plane().committed == ROWS
        return {name: {key: (view.dims(key), view[key]) for key in view.names} for name, view in views.items()}


def assert_measured(found, measured):
    """The plane that a tool gave, against what the recording process itself was told by `measure`."""
    steps, i_zx, i_zy = (np.array(part) for part in zip(*measured, strict=True))
    np.testing.assert_array_equal(found["step"], steps)
    names = list(found["quantity"])
    np.testing.assert_array_equal(found["values"][..., names.index("i_zx")], i_zx)
    np.testing.assert_array_equal(found["values"][..., names.index("i_zy")], i_zy)


def scatter_of(measured):
    """The points of the plane scatter: one per row and probe."""
    steps, i_zx, i_zy = (np.array(part) for part in zip(*measured, strict=True))
    return {"step_of_point": np.repeat(steps, i_zx.shape[1]), "i_zx": i_zx.ravel(), "i_zy": i_zy.ravel()}


def text(values):
    """Text as str, whether a tool gives it as bytes or as objects."""
    values = np.asarray(values)
    if values.dtype.kind == "S" or (values.dtype.kind == "O" and values.size and isinstance(values.flat[0], bytes)):
        return np.char.decode(values.astype("S"), "utf-8")
    return values.astype(str) if values.dtype.kind == "O" else values


EVERYTHING = {
    *("plane", "plane_scatter", "activations", "weights", "step_activations", "step_weights"),
    *("neurons", "gradients", "raw", "metrics", "findings", "events"),
}


def test_our_own_reader_gives_what_was_measured(closed):
    path, measured = closed
    found = ours(path)
    assert found.keys() == EVERYTHING
    assert all(len(values) for stream in found.values() for _, values in stream.values())
    assert_measured({key: values for key, (_, values) in found["plane"].items()}, measured)


# Finished and recovered files


def test_h5py_alone_reads_every_number_label_and_unit(closed):
    path, measured = closed
    expected = ours(path)
    with h5py.File(path) as file:
        status = file["entry/status"]
        assert status.attrs["flag_meanings"].decode().split()[status[()]] in ("finished", "interrupted")
        for name, stream in expected.items():
            for key, (dims, values) in stream.items():
                dset = file["entry"][name][key]
                labels = [dset.dims[k].keys()[0] if not dset.is_scale else key for k in range(dset.ndim)]
                assert tuple(labels) == dims, dset.name
                np.testing.assert_array_equal(text(dset[()]), values, err_msg=dset.name)
                if name == "raw" and key in ("values", "label"):
                    continue  # in the units of the user's activations and labels
                if values.dtype.kind in "iuf" and key in OF_SEVERAL_UNITS:
                    assert all(stream["unit"][1]), dset.name
                elif values.dtype.kind in "iuf":
                    assert dset.attrs["units"], dset.name
            row = file["entry"][name].attrs["row"].decode()
            assert file["entry"][name]["committed"][()] == len(stream[row][1])
        found = {key: file["entry/plane"][key][()] for key in ("step", "values")}
        assert_measured(found | {"quantity": file["entry/plane/quantity"].asstr()[()]}, measured)
        assert {key: file[f"entry/plane_scatter/{key}"].attrs["units"] for key in ("i_zx", "i_zy")} == {
            "i_zx": b"bit",
            "i_zy": b"bit",
        }


# Of several units, which the data set `unit` of the stream names.
OF_SEVERAL_UNITS = {"values", "scalars", "amount"}


@pytest.mark.parametrize("engine", ["h5netcdf", "netcdf4"])
def test_xarray_without_infoplane_opens_every_stream_labelled(closed, engine, tmp_path):
    pytest.importorskip("xarray", reason="xarray is an extra")
    pytest.importorskip({"netcdf4": "netCDF4"}.get(engine, engine), reason="it belongs to the test extras")
    path, measured = closed
    expected = ours(path)
    command = [sys.executable, "-W", "error", "-c", XARRAY, str(path), engine, str(tmp_path / "found")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    groups, found, tree = pickle.loads((tmp_path / "found").read_bytes())
    assert set(groups) == {"/", "/entry", "/entry/provenance", *(f"/entry/{name}" for name in expected)}
    assert found.keys() == expected.keys()
    for name, stream in expected.items():
        assert found[name].keys() == stream.keys() | {"committed", "title"}
        for key, (dims, values) in stream.items():
            for of in (found, tree):
                kept = of[name][key]
                assert kept["dims"] == dims, (name, key)
                if key == "time":
                    np.testing.assert_allclose(kept["values"].astype("i8") / 1e9, values, rtol=0, atol=1e-5)
                    continue
                # Labels are str with both engines. h5netcdf gives text that was appended (it has a fixed length) as
                # UTF-8, netCDF4 as str.
                is_appended = name in ("findings", "events") and values.dtype.kind == "U"
                if values.dtype.kind == "U" and not (is_appended and engine == "h5netcdf"):
                    assert kept["values"].dtype.kind in "UT", (name, key)
                np.testing.assert_array_equal(text(kept["values"]), values, err_msg=f"{name}/{key}")
                assert kept["is_coordinate"] == (dims == (key,) or key in BESIDE.get(name, ())), (name, key)
    plane = {key: kept["values"] for key, kept in found["plane"].items()}
    assert_measured(plane, measured)
    assert set(plane["unit"]) == {"bit", "1"}
    assert found["plane_scatter"]["i_zx"]["units"] == "bit"
    assert found["plane"]["covariance_i_zx"]["units"] == "bit2"


# What labels a dimension beside its coordinate, or every row: attached to the values by name.
BESIDE = {
    "plane": (
        *("site", "host", "beta", "latent", "scale", "reduction", "unit", "kind", "standard_error_of"),
        *("epoch", "n", "n_sandwich", "updates"),
    ),
    **dict.fromkeys(("activations", "weights", "step_activations", "step_weights"), ("unit", "epoch")),
    "neurons": ("site", "index", "unit", "epoch", "n"),
    "gradients": ("unit", "epoch"),
    "raw": ("site", "index", "epoch"),
    "metrics": ("unit", "epoch", "time"),
}
XARRAY = """
import pickle, sys
import xarray as xr

def kept(data):
    assert not any("phony" in str(dim) for dim in data.sizes), data.sizes
    return {
        key: {
            "dims": variable.dims,
            "values": variable.values,
            "units": variable.attrs.get("units"),
            "is_coordinate": key in data.coords,
        }
        for key, variable in data.variables.items()
    }

path, engine, out = sys.argv[1:]
with xr.open_datatree(path, engine=engine) as tree:
    groups = tree.groups
    names = [group.removeprefix("/entry/") for group in groups if group.count("/") == 2]
    names.remove("provenance")
    of_tree = {name: kept(tree[f"/entry/{name}"].to_dataset(inherit=False)) for name in names}
    assert tree["/entry/provenance/device"].item() == "cpu"
    assert tree["/entry"].dataset["status"].attrs["flag_meanings"].split()[1:] == ["finished", "interrupted"]
found = {}
for name in names:
    with xr.open_dataset(path, group=f"entry/{name}", engine=engine) as data:
        found[name] = kept(data.load())
with xr.open_dataset(path, group="entry/events", engine=engine) as data:
    said = data["text"] if data["text"].dtype.kind != "S" else data["text"].str.decode("utf-8")
    assert "époque 2" in said.values.tolist()
assert "infoplane" not in sys.modules
with open(out, "wb") as file:
    pickle.dump((groups, found, of_tree), file)
"""


def test_nexusformat_resolves_the_default_plot_to_the_plane(closed):
    nexus = pytest.importorskip("nexusformat.nexus", reason="nexusformat belongs to the test extras")
    path, measured = closed
    expected = ours(path)
    root = nexus.nxload(str(path))
    assert (root.nxclass, root.entry.nxclass) == ("NXroot", "NXentry")
    shown = root.get_default()
    assert shown.nxpath == root.plottable_data.nxpath == "/entry/plane_scatter"
    assert "I(Z;Y)" in shown.nxtitle
    of_axes = {axis.nxname: axis for axis in shown.nxaxes}
    assert list(of_axes) == ["i_zx", "i_zy"]
    for name, values in scatter_of(measured).items():
        field = shown.nxsignal if name == shown.nxsignal.nxname else of_axes[name]
        np.testing.assert_array_equal(field.nxvalue, values)
    assert {name: axis.attrs["units"] for name, axis in of_axes.items()} == {"i_zx": "bit", "i_zy": "bit"}
    for name in EVERYTHING - {"findings", "events", "plane_scatter"}:
        group = root.entry[name]
        dims, values = expected[name][group.nxsignal.nxname]
        assert tuple(axis.nxname for axis in group.nxaxes) == dims
        np.testing.assert_array_equal(group.nxsignal.nxvalue, values)
        for axis, dim in zip(group.nxaxes, dims, strict=True):
            np.testing.assert_array_equal(text(np.atleast_1d(axis.nxvalue)), expected[name][dim][1])


def test_the_defaults_keep_to_what_viewers_of_nexus_ask_for(closed):
    """NXdata and H5Web: numbers over numeric axes of matching length, each told by name where it lies."""
    with h5py.File(closed[0]) as file:
        chain = [file]
        while "default" in chain[-1].attrs:
            chain.append(chain[-1][chain[-1].attrs["default"].decode()])
        assert [group.attrs["NX_class"] for group in chain] == [b"NXroot", b"NXentry", b"NXdata"]
        shown = chain[-1]
        assert shown.name == "/entry/plane_scatter"
        signal = shown[shown.attrs["signal"].decode()]
        for axis in (name.decode() for name in shown.attrs["axes"]):
            along = shown.attrs[f"{axis}_indices"]
            assert shown[axis].shape == (signal.shape[along],)
            assert shown[axis].dtype.kind == "f"
            assert shown[axis].attrs["long_name"].decode().endswith(f"({shown[axis].attrs['units'].decode()})")
        assert signal.dtype.kind == "i"
        assert shown["title"].shape == ()
        assert h5py.check_string_dtype(shown["title"].dtype).encoding == "utf-8"
        for group in (group for group in file["entry"].values() if group.attrs.get("NX_class") == b"NXdata"):
            if group.name != shown.name:  # dimension by dimension, by name
                signal = group[group.attrs["signal"].decode()]
                assert signal.shape == tuple(group[name.decode()].size for name in group.attrs["axes"])


# Files of any health


def assert_silx_shows_the_plane(path, measured):
    silx_io = pytest.importorskip("silx.io", reason="silx belongs to the test extras")
    nxdata = pytest.importorskip("silx.io.nxdata", reason="silx belongs to the test extras")
    with silx_io.open(str(path)) as file:
        shown = nxdata.get_default(file)
        assert shown.group.name == "/entry/plane_scatter"
        assert shown.is_valid
        assert not shown.issues
        assert shown.is_x_y_value_scatter
        assert shown.axes_dataset_names == ["i_zx", "i_zy"]
        assert [label.endswith(" (bit)") for label in shown.axes_names] == [True, True]
        assert "I(Z;Y)" in shown.title
        expected = scatter_of(measured)
        np.testing.assert_array_equal(shown.signal, expected["step_of_point"])
        for axis, name in zip(shown.axes, ("i_zx", "i_zy"), strict=True):
            np.testing.assert_array_equal(axis, expected[name])
        for name in EVERYTHING - {"findings", "events"}:
            assert nxdata.is_valid_nxdata(file[f"entry/{name}"])
            assert not nxdata.NXdata(file[f"entry/{name}"]).issues


def test_silx_opens_a_closed_file_on_the_plane(closed):
    assert_silx_shows_the_plane(*closed)


def test_silx_opens_a_live_and_a_killed_file_on_the_plane(held):
    assert_silx_shows_the_plane(*held)


def test_h5py_reads_a_live_and_a_killed_file_with_swmr(held):
    path, measured = held
    expected = ours(path)
    with h5py.File(path, "r", swmr=True) as file:
        for name, stream in expected.items():
            group = file["entry"][name]
            for key, (dims, values) in stream.items():
                assert group[key].attrs["dimensions"].decode().split() == list(dims)
                rows = len(values) if dims[0] != group.attrs["row"].decode() else group["committed"][()]
                np.testing.assert_array_equal(text(group[key][:rows]), values, err_msg=group[key].name)
        plane = file["entry/plane"]
        found = {"step": plane["step"][:ROWS], "values": plane["values"][:ROWS]}
        assert_measured(found | {"quantity": plane["quantity"].asstr()[()]}, measured)


def test_h5py_sees_a_live_file_grow(tmp_path):
    path = tmp_path / "run.h5"
    with recording(path) as (process, measured), h5py.File(path, "r", swmr=True) as file:
        plane = file["entry/plane"]
        assert plane["committed"][()] == ROWS
        process.stdin.write("\n")
        process.stdin.flush()
        measured.append(json.loads(process.stdout.readline()))
        for name in ("committed", "step", "values"):
            plane[name].refresh()
        rows = plane["committed"][()]
        assert rows == ROWS + 1
        found = {"step": plane["step"][:rows], "values": plane["values"][:rows]}
        assert_measured(found | {"quantity": plane["quantity"].asstr()[()]}, measured)


def test_open_dataset_labels_a_live_and_a_killed_file(held):
    pytest.importorskip("xarray", reason="xarray is an extra")
    path, measured = held
    expected = ours(path)
    for name, stream in expected.items():
        data = ip.open_dataset(path, name)
        assert data.variables.keys() == stream.keys()
        for key, (dims, values) in stream.items():
            assert data[key].dims == dims
            if key == "time":
                np.testing.assert_allclose(data[key].values.astype("i8") / 1e9, values, rtol=0, atol=1e-5)
            else:
                np.testing.assert_array_equal(data[key].values, values)
            if dims == (key,) or key in BESIDE.get(name, ()):
                assert key in data.coords
    plane = ip.open_dataset(path)
    assert_measured(plane, measured)
    assert plane["covariance_i_zx"].attrs["units"] == "bit2"
    one = plane["values"].sel(step=measured[-1][0], probe="fc@beta=0.01@untrained", quantity="i_zx")
    assert (one["site"].item(), one["host"].item(), one["beta"].item(), one["unit"].item()) == (
        *("fc", "untrained", 0.01, "bit"),
    )
