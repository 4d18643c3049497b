"""How two runs differ: every difference that was made is found, and no other."""

import json
import math
import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest

import infoplane as ip
from infoplane.errors import RunFileError
from infoplane.probes.probe_info import ProbeInfo
from infoplane.runfile.difference import ABSENT, difference
from infoplane.runfile.schema import PLANE_QUANTITIES, run_streams
from infoplane.runfile.writer import RunWriter

PROVENANCE = {
    "seed": 3,
    "device": "cpu",
    "hostname": "one",
    "argv": ["train.py", "--rate", "0.1"],
    "git_commit": None,
    "versions": {"torch": "2.6", "numpy": "2.0"},
    "configuration": {"rate": 0.1, "hidden": [4, 4], "scaling": {"name": "synscaw", "gamma": 1.0}, "note": None},
    "sites": [
        {"name": "fc1", "module": "fc1", "type": "Linear", "shape": [4], "reduction": "flatten", "width": 4},
        {"name": "fc2", "module": "fc2", "type": "Linear", "shape": [4], "reduction": "flatten", "width": 4},
    ],
}
SITES = ("fc1", "fc2")
VERSIONS = Path(__file__).parent / "versions"


def write(path, provenance=PROVENANCE, *, sites=SITES, beta=1e-3, metrics=True, rows=2, status="finished"):
    probes = [ProbeInfo(site, site, "trained", beta, 4) for site in sites]
    count = len(probes)
    writer = RunWriter(path)
    writer.start(run_streams(probes=probes, metrics={"error": "1"} if metrics else {}), provenance)
    for step in range(rows):
        pairs = {f"covariance_{name}": np.zeros((count, count)) for name in ("i_zx", "i_zy")}
        values = np.full((count, len(PLANE_QUANTITIES)), float(step))
        writer.append("plane", step, epoch=step, n=9, n_sandwich=9, updates=step, values=values, **pairs)
    writer.close(status)
    return path


@pytest.fixture
def a(tmp_path):
    return write(tmp_path / "a.h5")


def found(a, b):
    """The differences by part and key, less times: two runs written one after the other may straddle a second."""
    return {
        f"{row.part}.{row.key}": (row.a, row.b)
        for row in difference(a, b).rows
        if row.key not in ("start_time", "end_time")
    }


def test_a_run_does_not_differ_from_its_copy(a, tmp_path):
    shutil.copy(a, tmp_path / "b.h5")
    same = difference(a, tmp_path / "b.h5")
    assert same.rows == ()
    assert same.records() == []
    assert str(same).splitlines() == [
        f"A: {a}",
        f"B: {tmp_path / 'b.h5'}",
        "no difference in configuration, provenance, sites, probes, streams and rows",
    ]


def test_what_was_measured_is_no_difference(a, tmp_path):
    b = tmp_path / "b.h5"
    shutil.copy(a, b)
    with h5py.File(b, "r+") as file:
        file["entry/plane/values"][...] = 7.0
    assert difference(a, b).rows == ()


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"seed": 4}, {"provenance.seed": (3, 4)}),
        ({"hostname": "two"}, {"provenance.hostname": ("one", "two")}),
        ({"argv": ["train.py"]}, {"provenance.argv": (["train.py", "--rate", "0.1"], ["train.py"])}),
        ({"git_commit": "abc"}, {"provenance.git_commit": (None, "abc")}),
        ({"device": None}, {"provenance.device": ("cpu", None)}),
        (
            {"versions": {"torch": "2.7", "h5py": "3"}},
            {
                "provenance.versions.torch": ("2.6", "2.7"),
                "provenance.versions.numpy": ("2.0", ABSENT),
                "provenance.versions.h5py": (ABSENT, "3"),
            },
        ),
        (
            {"configuration": {"rate": 0.1, "hidden": [4, 8], "scaling": None}},
            {
                "configuration.hidden": ([4, 4], [4, 8]),
                "configuration.scaling": (ABSENT, None),
                "configuration.scaling.name": ("synscaw", ABSENT),
                "configuration.scaling.gamma": (1.0, ABSENT),
                "configuration.note": (None, ABSENT),
            },
        ),
        ({"configuration": PROVENANCE["configuration"] | {"rate": "0.1"}}, {"configuration.rate": (0.1, "0.1")}),
        ({"configuration": PROVENANCE["configuration"] | {"rate": True}}, {"configuration.rate": (0.1, True)}),
        (
            {"sites": [PROVENANCE["sites"][0] | {"shape": [8], "width": 8}, PROVENANCE["sites"][1]]},
            {"sites.fc1.shape": ([4], [8]), "sites.fc1.width": (4, 8)},
        ),
        (
            {"sites": PROVENANCE["sites"][:1]},
            {"sites.fc2": ({k: v for k, v in PROVENANCE["sites"][1].items() if k != "name"}, ABSENT)},
        ),
    ],
)
def test_each_change_is_found_and_nothing_else(a, tmp_path, change, expected):
    b = write(tmp_path / "b.h5", PROVENANCE | change)
    assert found(a, b) == expected
    assert found(b, a) == {key: values[::-1] for key, values in expected.items()}


@pytest.mark.parametrize("pair", [(1, True), (1, 1.0), (0, False), (1, "1"), (None, "null"), ({}, None), ([], {})])
def test_values_that_python_or_a_reader_takes_for_equal_differ(tmp_path, pair):
    a, b = (write(tmp_path / f"{k}.h5", {"configuration": {"x": value}}) for k, value in enumerate(pair))
    (in_a, in_b) = found(a, b)["configuration.x"]
    assert [(type(v), v) for v in (in_a, in_b)] == [(type(v), v) for v in pair]


def test_nan_is_equal_to_nan_and_a_dot_in_a_key_is_no_level(tmp_path):
    a = write(tmp_path / "a.h5", {"configuration": {"x": math.nan, "a.b": 1}})
    assert found(a, write(tmp_path / "b.h5", {"configuration": {"x": math.nan, "a.b": 1}})) == {}
    assert len(found_rows(a, write(tmp_path / "c.h5", {"configuration": {"x": math.nan, "a": {"b": 1}}}))) == 2


def found_rows(a, b):
    return [row for row in difference(a, b).rows if row.part == "configuration"]


def test_streams_rows_status_and_probes_are_compared(a, tmp_path):
    b = write(tmp_path / "b.h5", sites=("fc1", "fc3"), beta=0.01, metrics=False, rows=5, status="interrupted")
    probe = {"site": "fc2", "host": "trained", "beta": 1e-3, "latent": 4, "scale": 1.0, "reduction": "flatten"}
    assert found(a, b) == {
        "file.status": ("finished", "interrupted"),
        "probes.fc2": (probe, ABSENT),
        "probes.fc3": (ABSENT, probe | {"site": "fc3", "beta": 0.01}),
        "probes.fc1.beta": (1e-3, 0.01),
        "rows.plane": (2, 5),
        "rows.plane_scatter": (4, 10),
        "rows.metrics": (0, ABSENT),
    }


def test_open_runs_stay_open(a):
    with ip.open_run(a) as run:
        assert ip.difference(run, run).rows == ()
        assert len(run.plane()) == 2


def test_records_leave_out_what_is_absent_and_the_table_says_so(a, tmp_path):
    change = {"configuration": {"text": "(absent)", "nothing": None}}
    records = difference(a, write(tmp_path / "b.h5", PROVENANCE | change)).records()
    by_key = {record["key"]: record for record in json.loads(json.dumps(records)) if record["part"] == "configuration"}
    assert by_key["text"] == {"part": "configuration", "key": "text", "b": "(absent)"}
    assert by_key["nothing"] == {"part": "configuration", "key": "nothing", "b": None}
    table = difference(a, tmp_path / "b.h5").to_dataframe().set_index("key")
    assert table.loc["text"].tolist() == ["configuration", "(absent)", '"(absent)"']
    assert table.loc["rate"].tolist() == ["configuration", "0.1", "(absent)"]


def test_the_table_fits_the_screen_and_shows_where_long_values_part(a, tmp_path):
    long = "/very/long/path/" * 12
    values = {"folder": f"{long}first/and/more{long}", "same_start": long}
    others = {"folder": f"{long}second/and/more{long}", "same_start": long + "x"}
    a = write(tmp_path / "long_a.h5", {"configuration": values | {"k" * 200: 1}})
    b = write(tmp_path / "long_b.h5", {"configuration": others | {"k" * 200: 2}})
    lines = str(difference(a, b)).splitlines()
    assert max(map(len, lines[2:])) <= 100
    line = next(line for line in lines if "folder" in line)
    assert "first" in line
    assert "second" in line
    _, in_a, in_b = next(line for line in lines if "same_start" in line).split()
    assert in_a != in_b


def test_runs_of_older_formats_are_compared_by_what_they_have(a):
    rows = difference(a, VERSIONS / "1.0.h5").rows
    assert ("file", "format_version") in {(row.part, row.key) for row in rows}


def test_a_file_that_is_no_run_file_is_refused(a, tmp_path):
    (tmp_path / "x.h5").write_text("no")
    with pytest.raises(RunFileError, match=r"x\.h5: is no HDF5 file"):
        difference(a, tmp_path / "x.h5")
