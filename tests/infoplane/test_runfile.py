import dataclasses
import os

import h5py
import numpy as np
import pytest

import infoplane as ip
from infoplane.analysis.sketch import BIN_CENTERS, BIN_EDGES, QUANTITIES, LogHistogram
from infoplane.errors import InputError, RunFileError
from infoplane.plots.read_paths import read_paths
from infoplane.probes.probe_info import ProbeInfo
from infoplane.runfile.schema import PLANE_QUANTITIES, run_streams
from infoplane.runfile.stream import Coordinate, Stream, Variable
from infoplane.runfile.writer import RunWriter

PROBES = [
    ProbeInfo(f"{site}{suffix}", site, host, 1e-3, 16)
    for suffix, host in (("", "trained"), ("@untrained", "untrained"))
    for site in ("fc1", "fc2")
]
STREAMS = ("plane", "plane_scatter", "activations", "weights", "metrics", "findings", "events")
QUANTITIES_OF_PLANE = len(PLANE_QUANTITIES)
SITES, PARAMETERS = ["fc1", "fc2"], ["fc1.weight", "fc2.weight", "head.weight"]


def streams():
    return run_streams(
        probes=PROBES,
        sites=SITES,
        parameters=PARAMETERS,
        metrics={"loss": "bit", "error": "1"},
        attrs={"draws": 12},
    )


def summaries(names, row):
    found = []
    for k in range(len(names)):
        sketch = LogHistogram()
        sketch.update(np.random.default_rng([k, row]).normal(0, 10.0**k, 500).astype("f4"))
        found.append(sketch.summary())
    return found


def plane(row):
    values = row + np.arange(4.0 * QUANTITIES_OF_PLANE).reshape(4, QUANTITIES_OF_PLANE) / 100
    pairs = row + np.arange(16.0).reshape(4, 4)
    return {
        "epoch": row,
        "n": 50,
        "n_sandwich": 40,
        "updates": row,
        "values": values,
        "covariance_i_zx": pairs,
        "covariance_i_zy": -pairs,
    }


def finding(**given):
    said = {
        "stream": "plane",
        "where": "fc1",
        "code": "odd",
        "text": "",
        "amount": 0.5,
        "unit": "bit",
        "advice": "look",
    }
    return said | given


def append_all(writer, row, step):
    writer.append("plane", step, **plane(row))
    for stream, names in (("activations", SITES), ("weights", PARAMETERS)):
        found = summaries(names, row)
        counts, scalars = np.array([s.counts for s in found]), np.array([s.scalars for s in found])
        writer.append(stream, step, epoch=row, counts=counts, scalars=scalars)
    writer.append("metrics", step, epoch=row, time=1e9 + row, values=[row, 0.5])
    writer.append("findings", None, step=step, **finding(text=f"row {row}: é", amount=row / 4))


def write(path, rows=3, status="finished", **options):
    writer = RunWriter(path, **options)
    writer.start(streams(), {"seed": 3, "configuration": {"rate": 0.1, "hidden": [4, 4]}, "device": "cpu"})
    for row in range(rows):
        append_all(writer, row, 10 * row)
    writer.append("events", None, step=0, time=1e9, text="begun")
    writer.close(status)
    return path


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    return write(tmp_path_factory.mktemp("run") / "run.h5")


# What is written is what is read


def test_every_array_comes_back_as_it_was_appended(finished):
    with ip.open_run(finished) as run:
        view = run.plane()
        assert len(view) == view.committed == 3
        assert view.row_values.tolist() == [0, 10, 20]
        for row in range(3):
            for name, value in plane(row).items():
                np.testing.assert_array_equal(view.read(name, row), value)
        for stream, names in (("activations", SITES), ("weights", PARAMETERS)):
            assert run.sketch_names(stream) == tuple(names)
            for row in (0, 1, 2, -1):
                for name, summary in zip(names, summaries(names, row % 3), strict=True):
                    assert run.sketch(stream, name, row=row) == summary
        assert run.metrics()["values"].tolist() == [[0, 0.5], [1, 0.5], [2, 0.5]]
        assert run.findings()["text"].tolist() == ["row 0: é", "row 1: é", "row 2: é"]
        assert run.events()["text"].tolist() == ["begun"]
        assert (run.status, run.configuration) == ("finished", {"rate": 0.1, "hidden": [4, 4]})
        assert (run.provenance["seed"], run.provenance["device"]) == (3, "cpu")
        assert run.start_time <= run.end_time
        assert run.check() == {
            "plane": (3, 3),
            "plane_scatter": (12, 12),
            "activations": (3, 3),
            "weights": (3, 3),
            "metrics": (3, 3),
            "findings": (3, 3),
            "events": (1, 1),
        }


def test_a_stream_is_walked_by_its_names(finished):
    with ip.open_run(finished) as run:
        view = run.plane()
        assert list(view) == list(view.names)
        assert "values" in view
        assert "absent" not in view
        with pytest.raises(InputError, match="stream 'plane' has no 0; it has"):
            view[0]


def test_plane_table_is_tidy(finished):
    with ip.open_run(finished) as run:
        table = run.plane().to_dataframe()
    assert list(table) == [
        *(
            "step",
            "epoch",
            "n",
            "n_sandwich",
            "updates",
            "probe",
            "site",
            "host",
            "beta",
            "latent",
            "scale",
            "reduction",
            "quantity",
            "value",
            "unit",
            "kind",
        ),
        "standard_error",
    ]
    errors = [name for name in PLANE_QUANTITIES if name.startswith("se_")]
    assert len(table) == 3 * 4 * (QUANTITIES_OF_PLANE - len(errors))
    row = table.query("step == 10 and probe == 'fc2@untrained' and quantity == 'i_zy'").iloc[0]
    assert row[["epoch", "n", "site", "host", "beta", "latent", "unit", "kind"]].tolist() == [
        *(1, 50, "fc2", "untrained", 1e-3, 16, "bit", "lower_bound")
    ]
    assert row["value"] == plane(1)["values"][3, 1]
    assert row["standard_error"] == plane(1)["values"][3, PLANE_QUANTITIES.index("se_i_zy")]
    assert table.query("quantity == 'h_y'")["standard_error"].isna().all()
    assert {f"se_{name}" for name in table.dropna(subset="standard_error")["quantity"]} == set(errors)


def test_other_tables_are_tidy(finished):
    with ip.open_run(finished) as run:
        weights = run.weights().to_dataframe()
        metrics = run.metrics().to_dataframe()
        findings = run.findings().to_dataframe()
        scatter = run.stream("plane_scatter").to_dataframe()
    assert list(weights) == ["step", "epoch", "parameter", "quantity", "value", "unit"]
    counted = weights.query("quantity == 'count_positive' and step == 20")["value"].tolist()
    assert counted == [s["count_positive"] for s in summaries(PARAMETERS, 2)]
    assert metrics.query("quantity == 'error'")["unit"].unique().tolist() == ["1"]
    assert findings.loc[2, ["step", "where", "code"]].tolist() == [20, "fc1", "odd"]
    assert findings.loc[2, ["amount", "unit", "advice"]].tolist() == [0.5, "bit", "look"]
    assert scatter["i_zx"].tolist() == [v for row in range(3) for v in plane(row)["values"][:, 0]]
    assert scatter["step_of_point"].tolist() == [0] * 4 + [10] * 4 + [20] * 4


def without(stream, *names):
    """The stream without some of its variables and companions."""
    kept = {
        part: tuple(v for v in getattr(stream, part) if v.name not in names) for part in ("variables", "companions")
    }
    return dataclasses.replace(stream, **kept)


def plane_of_1_1(stream):
    """The plane before version 1.2: seven quantities, no sandwich, every probe on a plainly flattened activation."""
    old = without(stream, "n_sandwich", "scale", "reduction")
    of_quantity = ("unit", "kind", "standard_error_of")
    return dataclasses.replace(
        old,
        coordinates=(*old.coordinates[:2], dataclasses.replace(old.coordinates[2], values=PLANE_QUANTITIES[:7])),
        companions=tuple(
            dataclasses.replace(c, values=c.values[:7]) if c.name in of_quantity else c for c in old.companions
        ),
    )


def write_old(path, monkeypatch, version, findings_lack=()):
    monkeypatch.setattr("infoplane.runfile.layout.FORMAT_VERSION", version)
    new_plane, *others, findings, events = streams()
    row = {name: value for name, value in plane(0).items() if name != "n_sandwich"}
    said = {name: value for name, value in finding(text="one").items() if name not in findings_lack}
    with RunWriter(path) as writer:
        writer.start([plane_of_1_1(new_plane), *others, without(findings, *findings_lack), events], {})
        writer.append("plane", 10, **row | {"values": row["values"][:, :7]})
        writer.append("findings", None, step=10, **said)


def assert_the_plane_reads_as_it_did(run):
    table = run.plane().to_dataframe()
    assert run.plane()["values"].shape == (1, 4, 7)
    assert table["quantity"].unique().tolist() == ["i_zx", "i_zy", "h_y", "ce", "error"]
    assert list(table)[:9] == ["step", "epoch", "n", "updates", "probe", "site", "host", "beta", "latent"]
    assert table.query("quantity == 'i_zy'")["standard_error"].tolist() == plane(0)["values"][:, 6].tolist()
    drawn = read_paths(run)
    assert [path.probe for path in drawn.paths] == [probe.name for probe in PROBES]
    assert not drawn.others


def test_a_file_of_format_1_0_reads_as_it_did(tmp_path, monkeypatch):
    """Version 1.1 added three variables to the findings, and nothing else."""
    path, added = tmp_path / "old.h5", ("amount", "unit", "advice")
    write_old(path, monkeypatch, "1.0", findings_lack=added)
    with ip.open_run(path) as run:
        assert run.format_version == "1.0"
        assert_the_plane_reads_as_it_did(run)
        assert list(run.findings().to_dataframe()) == ["finding", "step", "stream", "where", "code", "text"]
        (summary,) = ip.reports.findings(run)
    assert (str(summary), summary.text, summary.advice) == ("odd at fc1: 1 of 1 row", "one", "")


def test_a_file_of_format_1_1_reads_as_it_did(tmp_path, monkeypatch):
    """Version 1.2 added quantities and companions to the plane, and streams that an older file does not have."""
    path = tmp_path / "old.h5"
    write_old(path, monkeypatch, "1.1")
    with ip.open_run(path) as run:
        assert run.format_version == "1.1"
        assert_the_plane_reads_as_it_did(run)
        assert run.findings().to_dataframe().loc[0, ["amount", "unit", "advice"]].tolist() == [0.5, "bit", "look"]
        for missing in (run.neurons, run.gradients, lambda: run.raw("fc1")):
            with pytest.raises(RunFileError, match="has no stream"):
                missing()


def test_text_longer_than_its_field_is_cut_between_characters(tmp_path):
    path = tmp_path / "run.h5"
    with RunWriter(path) as writer:
        writer.start(streams(), {})
        writer.append("findings", None, step=0, **finding(where="x" * 99, text="é" * 99 + "xé" + "é"))
    with ip.open_run(path) as run:
        assert run.findings()["where"].tolist() == ["x" * 64]
        assert run.findings()["text"].tolist() == ["é" * 99 + "x"]


def test_same_rows_give_the_same_content_but_for_times(tmp_path):
    contents = []
    for name in ("a", "b"):
        found = {}
        with h5py.File(write(tmp_path / f"{name}.h5")) as file:
            file.visititems(lambda key, thing, found=found: found.update({key: raw(thing)}))
        contents.append({k: v for k, v in found.items() if k not in ("entry/start_time", "entry/end_time")})
    assert contents[0] == contents[1]


def raw(thing):
    kept = [k for k in thing.attrs if thing.attrs.get_id(k).dtype.kind in "iufS"]
    values = np.asarray(thing[()]) if isinstance(thing, h5py.Dataset) else np.empty(0)
    content = values.tolist() if values.dtype.kind == "O" else values.tobytes()
    return {k: np.asarray(thing.attrs[k]).tobytes() for k in kept}, content


def test_open_views_grow_on_refresh_only_and_events_may_stay_empty(tmp_path):
    path = tmp_path / "run.h5"
    with RunWriter(path) as writer:
        writer.start(streams(), {})
        with ip.open_run(path) as run:
            view = run.plane()
            assert (len(view), run.status) == (0, "recording")
            assert view.to_dataframe().empty
            for row in range(40):
                append_all(writer, row, row)
                assert len(view) == row
                run.refresh()
                assert len(view) == row + 1
                np.testing.assert_array_equal(view.read("values", -1), plane(row)["values"])
            assert len(run.events()) == 0
            writer.close()
            run.refresh()
            assert run.status == "finished"
    np.testing.assert_array_equal(ip.open_run(path).plane()["n"], [50] * 40)


def test_leaving_by_an_exception_marks_the_run_interrupted_and_closing_twice_is_nothing(tmp_path):
    path = tmp_path / "run.h5"
    with pytest.raises(ZeroDivisionError), RunWriter(path) as writer:
        writer.start(streams(), {})
        1 / 0  # noqa: B018
    writer.close("finished")
    with ip.open_run(path) as run:
        assert run.status == "interrupted"
        assert run.end_time


# The layout


def test_a_closed_run_says_that_it_is_closed_and_not_that_its_file_is_damaged(finished, tmp_path):
    path = tmp_path / "it's.h5"
    path.write_bytes(finished.read_bytes())
    text = f"{path}: this run is closed; open it again with infoplane.open_run({str(path)!r})"
    run, other = ip.open_run(path), ip.open_run(path)
    view, values = run.plane(), run.plane()["values"]
    run.close()
    asked = [run.plane, run.check, run.refresh, lambda: run.end_time, lambda: run.sketch("weights", "fc1.weight")]
    for ask in asked:  # also while another reader keeps the file open
        with pytest.raises(RunFileError) as error:
            ask()
        assert str(error.value) == text
    np.testing.assert_array_equal(view["values"], values)
    other.close()
    for ask in [*asked, view.refresh, view.to_dataframe, lambda: view["probe"], lambda: view["values"]]:
        with pytest.raises(RunFileError) as error:
            ask()
        assert str(error.value) == text
    assert run.status == "finished"
    assert len(view) == len(values)


def test_every_dimension_has_a_scale_and_is_named(finished):
    with h5py.File(finished) as file:
        assert (file.attrs["format"], file.attrs["format_version"]) == (b"infoplane", b"1.3")
        for group in (file[f"entry/{name}"] for name in STREAMS):
            for dset in group.values():
                names = dset.attrs["dimensions"].decode().split() if dset.ndim else []
                assert dset.ndim == len(names)
                for dim, name, length in zip(dset.dims, names, dset.shape, strict=True):
                    scale = dset if dset.is_scale else dim[0]
                    assert (scale.name, scale.shape) == (f"{group.name}/{name}", (length,))
        np.testing.assert_array_equal(file["entry/activations/bin"], BIN_CENTERS)
        np.testing.assert_array_equal(file["entry/weights/bin_edges"], BIN_EDGES)
        assert [q.decode() for q in file["entry/weights/quantity"]] == list(QUANTITIES)


def test_whatever_is_appended_and_every_attribute_has_fixed_length(finished):
    """Appended text of variable length breaks live readers, and HDF5 can loop for ever on damage to such text."""
    found = set()

    def visit(name, thing):
        found.update(key for key in thing.attrs if thing.attrs.get_id(key).dtype.kind not in "iufS")
        if isinstance(thing, h5py.Dataset) and (thing.chunks or name.endswith("_time")):
            assert thing.dtype.kind in "iufS", name

    with h5py.File(finished) as file:
        file.visititems(visit)
    assert found == {"DIMENSION_LIST", "REFERENCE_LIST"}


def test_xarray_alone_opens_every_stream_of_a_finished_file(finished):
    xr = pytest.importorskip("xarray", reason="xarray is an extra")
    pytest.importorskip("h5netcdf", reason="h5netcdf is an extra")
    for name in STREAMS:
        with xr.open_dataset(finished, group=f"entry/{name}", engine="h5netcdf") as data:
            data.load()
            ours = ip.open_dataset(finished, name)
            assert set(ours.variables) == set(data.variables) - {"committed", "title"}
            for key in ours.variables:
                assert ours[key].dims == data[key].dims
                theirs = data[key].values
                theirs = np.char.decode(theirs, "utf-8") if theirs.dtype.kind == "S" else theirs
                np.testing.assert_array_equal(ours[key].values, theirs)
    with xr.open_dataset(finished, group="entry/plane", engine="h5netcdf") as data:
        value = data["values"].sel(step=20, probe="fc2", quantity="i_zy")
        assert value.item() == plane(2)["values"][1, 1]
        assert (value["site"].item(), value["unit"].item(), value["epoch"].item()) == ("fc2", "bit", 2)
        assert data["covariance_i_zx"].sel(step=0, probe="fc1", probe_="fc2").item() == 1
    with xr.open_dataset(finished, group="entry/metrics", engine="h5netcdf") as data:
        assert data["time"].dt.year.values.tolist() == [2001] * 3


def test_silx_accepts_the_streams_and_opens_on_the_scatter(finished):
    silx_io = pytest.importorskip("silx.io", reason="silx belongs to the test extras")
    nxdata = pytest.importorskip("silx.io.nxdata", reason="silx belongs to the test extras")
    with silx_io.open(str(finished)) as file:
        shown = nxdata.get_default(file)
        assert shown.group.name == "/entry/plane_scatter"
        assert shown.is_valid
        assert shown.is_x_y_value_scatter
        assert shown.axes_dataset_names == ["i_zx", "i_zy"]
        assert "I(Z;Y)" in shown.title
        for name in ("plane", "plane_scatter", "activations", "weights", "metrics"):
            assert nxdata.is_valid_nxdata(file[f"entry/{name}"])
            assert not nxdata.NXdata(file[f"entry/{name}"]).issues


# What the writer refuses


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"values": np.zeros((4, 7))}, r"'values' of stream 'plane' has shape \(4, 7\), but a row needs \(4, 15\)"),
        ({"epochs": 1}, "no variable 'epochs'; did you mean 'epoch'"),
        ({"n": 1.5}, "'n' of stream 'plane' cannot be stored as i8"),
        ({"values": "x"}, "'values' of stream 'plane' cannot be stored"),
        ({"n": ...}, "a row of stream 'plane' lacks 'n'"),
    ],
)
def test_arrays_that_do_not_fit_are_refused_and_nothing_is_written(tmp_path, change, text):
    path = tmp_path / "run.h5"
    arrays = {key: value for key, value in (plane(1) | change).items() if value is not ...}
    with RunWriter(path) as writer:
        writer.start(streams(), {})
        writer.append("plane", 0, **plane(0))
        with pytest.raises(InputError, match=text):
            writer.append("plane", 1, **arrays)
        writer.append("plane", 1, **plane(1))
    with ip.open_run(path) as run:
        np.testing.assert_array_equal(run.plane()["values"][1], plane(1)["values"])


@pytest.mark.parametrize(
    ("stream", "step", "text"),
    [
        ("plane", 5, "is 5, but the last one was 5"),
        ("plane", 4, "is 4, but the last one was 5"),
        ("plane", 5.5, "must be a whole number"),
        ("plane", None, "needs a step, got None"),
        ("findings", 1, "needs None as row value, got 1"),
        ("plain", 6, "no stream 'plain'; did you mean 'plane'"),
        ("plane_scatter", 6, "follows 'plane' by itself"),
    ],
)
def test_rows_out_of_order_are_refused(tmp_path, stream, step, text):
    with RunWriter(tmp_path / "run.h5") as writer:
        writer.start(streams(), {})
        writer.append("plane", 5, **plane(0))
        with pytest.raises(InputError, match=text):
            writer.append(stream, step, **plane(1))


def test_appending_before_the_start_and_after_the_end_is_refused(tmp_path):
    writer = RunWriter(tmp_path / "run.h5")
    with pytest.raises(InputError, match="not started"):
        writer.append("plane", 0, **plane(0))
    writer.start(streams(), {})
    with pytest.raises(InputError, match="was started before"):
        writer.start(streams(), {})
    with pytest.raises(InputError, match="status is 'done'"):
        writer.close("done")
    writer.close()
    with pytest.raises(InputError, match="is closed"):
        writer.append("plane", 0, **plane(0))


def test_existing_files_are_kept_unless_overwritten_and_then_until_the_start(tmp_path):
    path = tmp_path / "run.h5"
    path.write_text("mine")
    with pytest.raises(RunFileError, match=r"run\.h5: is no HDF5 file, so it is not replaced"):
        RunWriter(path, overwrite=True)
    assert path.read_text() == "mine"
    path.unlink()
    mine = write(path, rows=2).read_bytes()
    with pytest.raises(RunFileError, match=r"run\.h5: exists already; overwrite=True"):
        RunWriter(path)
    with RunWriter(path, overwrite=True):
        pass
    assert path.read_bytes() == mine
    write(path, rows=1, overwrite=True)
    assert len(ip.open_run(path).plane()) == 1


def test_a_file_that_was_never_started_holds_its_name_and_goes_again(tmp_path):
    path = tmp_path / "run.h5"
    with RunWriter(path):
        with pytest.raises(RunFileError, match="exists already"):
            RunWriter(path)
        with pytest.raises(RunFileError, match="is empty"):
            ip.open_run(path)
    assert not path.exists()


def test_places_where_no_file_can_be_are_refused(tmp_path):
    with pytest.raises(RunFileError, match="cannot be created"):
        RunWriter(tmp_path / "absent" / "run.h5")
    with pytest.raises(RunFileError, match="is no file"):
        RunWriter(tmp_path, overwrite=True)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: run_streams(probes=[]), "at least one probe"),
        (lambda: run_streams(probes=PROBES + PROBES[:1]), "two probes are named 'fc1'"),
        (lambda: Stream("a", "step", (Variable("x", ("step", "y"), "f8"),)), "others among none"),
        (lambda: Stream("a", "step", (Variable("x", ("step",), "f8"),) * 2), "two data sets named 'x'"),
        (lambda: Stream("a/b", "step", ()), "cannot be a name"),
        (lambda: Stream("a", "step", (), (Coordinate("c", []),)), "coordinate 'c' of stream 'a' is empty"),
    ],
)
def test_streams_that_cannot_be_stored_are_refused(make, text):
    with pytest.raises(InputError, match=text):
        make()


def test_a_start_that_fails_leaves_no_file(tmp_path):
    writer = RunWriter(tmp_path / "run.h5")
    with pytest.raises(InputError, match="cannot be a name in the provenance"):
        writer.start(streams(), {"a/b": 1})
    assert not list(tmp_path.iterdir())


# What the reader refuses


def test_paths_that_are_no_run_file_are_refused_with_path_and_reason(tmp_path):
    (tmp_path / "text").write_text("step,i_zx\n")
    (tmp_path / "empty").touch()
    with h5py.File(tmp_path / "foreign", "w") as file:
        file["entry"] = 1
    with h5py.File(tmp_path / "old", "w", libver="earliest") as file:
        file["entry"] = 1
    os.mkfifo(tmp_path / "pipe")
    for name, reason in {
        "text": "is no HDF5 file",
        "empty": "is empty",
        "foreign": "none that infoplane wrote",
        "old": "none that infoplane wrote",
        "missing": "there is no such file",
        "pipe": "is no regular file",
        ".": "is a directory",
    }.items():
        with pytest.raises(RunFileError, match=reason) as caught:
            ip.open_run(tmp_path / name)
        assert str(caught.value).startswith(f"{tmp_path / name}: ")


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda f: f.attrs.__setitem__("format_version", np.bytes_(b"2.0")), "format version 2.0, but this infoplane"),
        (lambda f: f.attrs.__setitem__("format_version", np.bytes_(b"x")), "format version 'x'"),
        (lambda f: f["entry/status"].__setitem__((), 9), "status 9"),
        (lambda f: f["entry/plane/committed"].__setitem__((), -1), "counts -1 rows"),
        (lambda f: move(f, h5py.SoftLink("/entry/metrics/values")), "link to elsewhere"),
        (lambda f: move(f, h5py.ExternalLink("/etc/passwd", "/")), "link to elsewhere"),
        (lambda f: replace(f, h5py.VirtualLayout((3, 4, 7), "f8")), "in another file"),
        (lambda f: f["entry/plane"].__delitem__("step"), "has the dimensions"),
    ],
)
def test_damaged_and_hostile_files_are_refused(finished, tmp_path, change, text):
    path = tmp_path / "run.h5"
    path.write_bytes(finished.read_bytes())
    with h5py.File(path, "r+") as file:
        change(file)
    with pytest.raises(RunFileError, match=text), ip.open_run(path) as run:
        run.plane()


def move(file, link):
    del file["entry/plane/values"]
    file["entry/plane/values"] = link


def replace(file, layout):
    source = h5py.VirtualSource("elsewhere.h5", "x", (3, 4, 7))
    layout[:] = source
    del file["entry/plane/values"]
    file["entry/plane"].create_virtual_dataset("values", layout)


def test_a_claimed_shape_is_not_allocated(finished, tmp_path):
    path = tmp_path / "run.h5"
    path.write_bytes(finished.read_bytes())
    with h5py.File(path, "r+") as file:
        for name in ("step", "epoch", "n", "n_sandwich", "values", "covariance_i_zx", "covariance_i_zy"):
            file["entry/plane"][name].resize(2**40, 0)
        file["entry/plane/committed"][()] = 2**40
    with pytest.raises(RunFileError, match="more than the file can hold"), ip.open_run(path) as run:
        run.plane()


def test_later_minor_versions_and_unknown_members_are_read(finished, tmp_path):
    path = tmp_path / "run.h5"
    path.write_bytes(finished.read_bytes())
    with h5py.File(path, "r+") as file:
        file.attrs["format_version"] = np.bytes_(b"1.7")
        file["entry"].create_group("neurons")
        file["entry/note"] = 1
    with ip.open_run(path) as run:
        assert run.format_version == "1.7"
        assert len(run.plane()) == 3


def test_names_that_are_not_there_are_refused_with_near_ones(finished):
    with ip.open_run(finished) as run:
        with pytest.raises(RunFileError, match=r"no stream 'wieghts'; did you mean 'weights'"):
            run.stream("wieghts")
        with pytest.raises(InputError, match="no 'vales'; did you mean 'values'"):
            run.plane()["vales"]
        with pytest.raises(InputError, match=r"no 'fc3'; did you mean 'fc"):
            run.sketch("activations", "fc3")
        with pytest.raises(InputError, match="there is no row 3"):
            run.sketch("activations", "fc1", row=3)
        with pytest.raises(InputError, match="holds no sketches"):
            run.sketch("plane", "fc1")
