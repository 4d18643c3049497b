"""Streams in the formats of other tools: what other libraries read back is what the run holds, to the last bit."""

import json
import math
import sys
import zipfile

import h5py
import numpy as np
import pandas as pd
import pytest

import infoplane as ip
from infoplane.errors import InputError, MissingLibraryError, RunFileError
from infoplane.probes.probe_info import ProbeInfo
from infoplane.runfile.export import export
from infoplane.runfile.schema import run_streams
from infoplane.runfile.writer import RunWriter

PROBES = [
    ProbeInfo(f"{s}{mark}", s, host, 1e-3, 4) for mark, host in (("", "trained"), ("@u", "untrained")) for s in "ab"
]
ODD = [1 / 3, 0.1 + 0.2, 5e-324, 1.7976931348623157e308, -0.0, math.nan, math.inf, -math.inf, 123456789.123456789, -1.0]
TABLES = (
    "plane",
    "plane_scatter",
    "activations",
    "weights",
    "step_activations",
    "step_weights",
    "neurons",
    "gradients",
    "metrics",
    "findings",
    "events",
)


def write(path, rows=3, names=("a", "b"), text="é, \"quoted\"; 'so'\nsecond line"):
    """A run with every stream there is, of random numbers with odd ones among them."""
    streams = run_streams(
        probes=PROBES,
        sites=names,
        parameters=names,
        in_steps=True,
        neurons=dict.fromkeys(names, 3),
        gradients=names,
        raw=dict.fromkeys(names, 2),
        raw_inputs=4,
        metrics={"loss": "bit", "error": "1"},
    )
    generator = np.random.default_rng(0)

    def value(stream, variable):
        if variable.dtype.startswith("S"):
            return text
        shape = stream.row_shape(variable)
        if variable.dtype.startswith("i"):
            return generator.integers(-9, 2**62 if variable.name == "counts" else 9, shape)
        numbers = generator.normal(size=shape)
        flat = numbers.reshape(-1)
        flat[: len(ODD)] = ODD[: flat.size]
        with np.errstate(over="ignore"):
            return numbers.astype(variable.dtype)

    with RunWriter(path) as writer:
        writer.start(streams, {"seed": 0})
        for row in range(rows):
            for stream in streams:
                if not stream.derived_from:
                    arrays = {v.name: value(stream, v) for v in stream.variables}
                    writer.append(stream.name, 7 * row if stream.row == "step" else None, **arrays)
    return path


@pytest.fixture(scope="module")
def run_path(tmp_path_factory):
    return write(tmp_path_factory.mktemp("export") / "run.h5")


def table_of(path, stream):
    with ip.open_run(path) as run:
        return run.stream(stream).to_dataframe()


def same(found, expected, *, lost=()):
    """Column for column the same values, bit for bit; numbers in `lost` have become NaN."""
    assert list(found.columns) == list(expected.columns)
    assert len(found) == len(expected)
    for name in expected.columns:
        mine, theirs = expected[name].to_numpy(), found[name].to_numpy()
        if mine.dtype.kind == "f":
            mine, theirs = mine.astype(float), theirs.astype(float)
            mine = np.where(np.isin(mine, lost), np.nan, mine)
            np.testing.assert_array_equal(theirs, mine)
            np.testing.assert_array_equal(np.signbit(theirs[mine == 0]), np.signbit(mine[mine == 0]))
        else:
            assert theirs.tolist() == mine.tolist()


@pytest.mark.parametrize("stream", TABLES)
def test_pandas_reads_from_csv_what_the_run_holds(run_path, tmp_path, stream):
    expected = table_of(run_path, stream)
    out = export(run_path, tmp_path / "table.csv", stream=stream)
    assert out == tmp_path / "table.csv"
    found = pd.read_csv(out, dtype=str, keep_default_na=False)
    for name in expected.columns:
        kind = expected[name].dtype.kind
        if kind in "if":
            read = int if kind == "i" else lambda text: float(text or "nan")
            found[name] = [read(text) for text in found[name]]
    same(found, expected)


@pytest.mark.parametrize("stream", TABLES)
def test_json_lines_hold_what_the_run_holds_and_null_for_no_number(run_path, tmp_path, stream):
    expected = table_of(run_path, stream)
    out = export(run_path, tmp_path / "table.json", stream=stream)

    def no_constant(name):
        raise AssertionError(f"{name} is no JSON")

    lines = out.read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line, parse_constant=no_constant) for line in lines]
    same(pd.DataFrame(rows, columns=expected.columns), expected, lost=[math.inf, -math.inf])


@pytest.mark.parametrize("stream", TABLES)
def test_pandas_reads_from_parquet_what_the_run_holds(run_path, tmp_path, stream):
    pytest.importorskip("pyarrow", reason="Parquet needs pyarrow")
    expected = table_of(run_path, stream)
    found = pd.read_parquet(export(run_path, tmp_path / "table.parquet", stream=stream))
    same(found, expected)
    assert [d.kind for d in found.dtypes] == [d.kind for d in expected.dtypes]


@pytest.mark.parametrize("stream", [*TABLES, "raw"])
def test_numpy_reads_from_npz_every_array_of_the_file(run_path, tmp_path, stream):
    """Compared with the file itself, read by h5py alone."""
    out = export(run_path, tmp_path / "arrays.npz", stream=stream)
    with h5py.File(run_path) as file, np.load(out, allow_pickle=False) as arrays:
        group = file["entry"][stream]
        assert set(arrays) == set(group) - {"committed", "title"}
        for name, found in arrays.items():
            stored = group[name]
            if found.dtype.kind == "U":
                assert found.tolist() == stored.asstr()[()].tolist()
            else:
                assert found.dtype == stored.dtype
                assert found.tobytes() == stored[()].tobytes()


def test_a_table_of_sketches_has_the_scalars_and_npz_the_counts(run_path, tmp_path):
    table = pd.read_csv(export(run_path, tmp_path / "w.csv", stream="weights"))
    assert {"parameter", "quantity", "value", "unit"} <= set(table.columns)
    assert "counts" not in table.columns
    with np.load(export(run_path, tmp_path / "w.npz", stream="weights")) as arrays:
        assert arrays["counts"].shape[:3] == (3, 2, 2)
        assert arrays["counts"].max() > 2**53


def test_units_and_kinds_are_columns(run_path, tmp_path):
    table = pd.read_csv(export(run_path, tmp_path / "plane.csv"))
    first = table.set_index("quantity").loc["i_zx"].iloc[0]
    assert (first["unit"], first["kind"]) == ("bit", "upper_bound")


@pytest.mark.parametrize("ending", [".csv", ".json", ".npz"])
def test_a_stream_without_rows_has_a_head_and_no_lines(tmp_path, ending):
    path = write(tmp_path / "run.h5", rows=0)
    for stream in ("plane", "findings"):
        out = export(path, tmp_path / f"{stream}{ending}", stream=stream)
        if ending == ".npz":
            with np.load(out) as arrays:
                assert len(arrays["step"]) == 0
        else:
            assert len(out.read_text().splitlines()) == (ending == ".csv")


def test_cells_that_a_spreadsheet_would_run_begin_with_an_apostrophe(tmp_path):
    names = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "a=1", "'=1")
    path = write(tmp_path / "run.h5", names=names, text="=cmd")
    with pytest.warns(UserWarning, match="begin as formulas do"):
        out = export(path, tmp_path / "weights.csv", stream="weights")
    found = pd.read_csv(out)
    assert list(dict.fromkeys(found["parameter"])) == ["'=1+1", "'+1", "'-1", "'@SUM(A1)", "'\t=1", "a=1", "'=1"]
    assert (found["value"] == -1).any()
    out = export(path, tmp_path / "weights.json", stream="weights")
    assert json.loads(out.read_text().splitlines()[0])["parameter"] == "=1+1"


def test_an_export_that_fails_leaves_nothing_and_what_was_there(run_path, tmp_path, monkeypatch):
    out = export(run_path, tmp_path / "plane.csv")
    before = out.read_bytes()

    def full(*arguments, **options):
        arguments[1].write("half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pd.DataFrame, "to_csv", full)
    for target, options in ((out, {"overwrite": True}), (tmp_path / "new.csv", {})):
        with pytest.raises(RunFileError, match=r"cannot be written \(No space left on device\)"):
            export(run_path, target, **options)
    assert out.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["plane.csv"]


def test_an_existing_file_is_replaced_only_when_asked(run_path, tmp_path):
    out = tmp_path / "plane.csv"
    out.write_text("mine")
    with pytest.raises(RunFileError, match=r"plane\.csv: exists already; overwrite=True"):
        export(run_path, out)
    assert out.read_text() == "mine"
    assert "i_zx" in export(run_path, out, overwrite=True).read_text()


def test_the_run_file_itself_is_never_replaced(run_path, tmp_path):
    link = tmp_path / "link.csv"
    link.symlink_to(run_path)
    before = run_path.read_bytes()
    with pytest.raises(RunFileError, match="is the run file itself"):
        export(run_path, link, overwrite=True)
    assert run_path.read_bytes() == before


@pytest.mark.parametrize(
    ("out", "stream", "kind", "text"),
    [
        ("plane.xlsx", "plane", InputError, r"does not end in \.csv, \.parquet, \.json or \.npz"),
        ("plane", "plane", InputError, "does not end in"),
        ("plane.csv", "plan", RunFileError, "no stream 'plan'; did you mean 'plane'"),
        ("raw.csv", "raw", InputError, r"'raw' holds arrays that have no table; \.npz takes them"),
        ("none/plane.csv", "plane", RunFileError, "there is no folder"),
        ("folder.csv", "plane", RunFileError, "is a folder"),
    ],
)
def test_what_cannot_be_is_refused_and_leaves_nothing(run_path, tmp_path, out, stream, kind, text):
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(kind, match=text):
        export(run_path, tmp_path / out, stream=stream)
    assert [path.name for path in tmp_path.iterdir()] == ["folder.csv"]


def test_without_pyarrow_one_sentence_names_the_extra(run_path, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingLibraryError, match=r"needs pyarrow, .*: pip install 'infoplane\[parquet\]'"):
        export(run_path, tmp_path / "plane.parquet")
    assert list(tmp_path.iterdir()) == []


def test_names_of_data_sets_are_no_keywords_of_numpy(run_path, tmp_path):
    """A file from elsewhere may call its data sets as numpy.savez calls its arguments."""
    path = tmp_path / "run.h5"
    path.write_bytes(run_path.read_bytes())
    with h5py.File(path, "r+") as file:
        for name in ("file", "allow_pickle"):
            dset = file["entry/events"].create_dataset(name, data=np.arange(3))
            dset.attrs["dimensions"] = np.bytes_(b"event")
    out = ip.export(path, tmp_path / "events.npz", stream="events")
    assert {"file.npy", "allow_pickle.npy"} <= set(zipfile.ZipFile(out).namelist())


@pytest.mark.filterwarnings("ignore:.*rows of .* can be read")
def test_what_is_left_of_a_cut_off_file_is_exported(tmp_path):
    path = write(tmp_path / "run.h5", rows=40)
    whole = path.read_bytes()
    for percent in range(95, 20, -5):
        path.write_bytes(whole[: len(whole) * percent // 100])
        with ip.open_run(path) as run:
            committed, readable = run.check()["weights"]
        if 0 < readable < committed:
            break
    assert 0 < readable < committed == 40
    with np.load(export(path, tmp_path / "w.npz", stream="weights")) as arrays:
        assert arrays["counts"].shape[0] == arrays["step"].shape[0] == readable
