"""Run files of every released format version, written by the code of that version, read as they did then."""

from pathlib import Path

import numpy as np
import pytest

import infoplane as ip
from infoplane.analysis.sketch import BIN_EDGES
from infoplane.cli import run as cli
from infoplane.runfile.recover import recover

FOLDER = Path(__file__).parent / "versions"
FIRST = ("plane", "plane_scatter", "activations", "weights", "metrics", "findings", "events")
SINCE_1_3 = ("inputs", "scaling")
SINCE_1_2 = ("step_activations", "step_weights", "neurons", "gradients", "raw")
# What make.py printed when it wrote the file: i_zx, i_zy, h_y, ce, error, se_i_zx of both probes in the first row.
OF_1_0 = [
    [12.942839778691507, -0.022254729752133606, 1.0, 1.0222547297521336, 0.525, 0.015255356142706376],
    [12.96507582837992, -0.16635619389243805, 1.0, 1.166356193892438, 0.7, 0.02679868962974765],
]
OF_1_2 = [
    [12.99722365099592, 0.02449320314486425, 1.0, 0.9755067968551357, 0.4, 0.02152043546053166],
    [13.060229701518692, 0.14265400971991615, 1.0, 0.8573459902800838, 0.225, 0.03910824004670696],
]
PLANES = {"1.0": OF_1_0, "1.1": OF_1_0, "1.2": OF_1_2, "1.3": OF_1_2}
CODES = {
    "1.0": ["non_finite", "non_finite", "non_finite_bound"],
    "1.1": ["non_finite", "non_finite", "non_finite_bound", "rate_above_log_n"],
    "1.2": ["non_finite", "non_finite", "non_finite_bound", "rate_above_log_n"],
    "1.3": ["non_finite", "non_finite", "non_finite_bound", "rate_above_log_n"],
}


@pytest.fixture(params=sorted(PLANES))
def version(request):
    return request.param


@pytest.fixture
def run(version):
    with ip.open_run(FOLDER / f"{version}.h5") as run:
        yield run


def test_every_stream_reads_without_a_warning(version, run):
    assert (run.format_version, run.status) == (version, "finished")
    assert set(run.streams) == {
        *FIRST,
        *(SINCE_1_2 if version >= "1.2" else ()),
        *(SINCE_1_3 if version >= "1.3" else ()),
    }
    assert run.provenance["data"] == {"name": "two blobs"}
    assert run.configuration == {"learning_rate": 0.1}
    for name, (committed, readable) in run.check().items():
        view = run.stream(name)
        assert committed == readable == len(view) > 0
        table = view.to_dataframe()
        assert len(table)
        if name == "raw":
            activations, labels = run.raw("1")
            assert (activations.shape, labels.shape) == ((3, 3), (3,))


def test_the_plane_holds_the_numbers_that_were_measured_then(version, run):
    np.testing.assert_array_equal(run.plane().read("values", 0, slice(6)), PLANES[version])
    assert run.plane()["step"].tolist() == [2, 4]
    assert run.plane()["probe"].tolist() == ["1", "1@untrained"]
    table = run.plane().to_dataframe().query("step == 2 and quantity == 'i_zy'")
    assert table["value"].tolist() == [row[1] for row in PLANES[version]]


def test_sketches_have_the_bins_of_today_and_count_what_there_was(run):
    np.testing.assert_array_equal(run.weights()["bin_edges"], BIN_EDGES)
    summary = run.sketch("weights", "0.weight")
    assert summary["count_positive"] + summary["count_negative"] + summary["zeros"] == summary["n"] == 12
    assert run.sketch("activations", "1")["nans"] == 3


def test_reports_and_pictures_work_on_it(version, run, tmp_path):
    assert sorted(finding.code for finding in ip.reports.findings(run)) == CODES[version]
    assert {row.name for row in ip.reports.jsd(run).rows} >= {"1", "0.weight", "2.weight"}
    ip.plots.plane(run)


def test_the_command_line_shows_and_exports_it(version, tmp_path, capfd):
    path = FOLDER / f"{version}.h5"
    assert cli(["info", str(path)]) == 0
    out = tmp_path / "plane.csv"
    assert cli(["export", str(path), "-o", str(out)]) == 0
    assert out.stat().st_size


def test_labelled_data_sets_and_recovery_work_on_it(version, run, tmp_path):
    pytest.importorskip("xarray", reason="xarray is an extra")
    data = run.plane().to_xarray()
    assert data["values"].sel(step=2, probe="1", quantity="i_zx").item() == PLANES[version][0][0]
    with ip.open_run(recover(run.path, tmp_path / "again.h5")) as again:
        for name in run.streams:
            view, copy = run.stream(name), again.stream(name)
            assert len(copy) == len(view) + (name == "events")  # that it was recovered is one more
            for variable in view.variables:
                np.testing.assert_array_equal(copy.read(variable, slice(len(view))), view[variable])
