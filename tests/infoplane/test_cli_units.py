"""Every command that sums up runs says the network's error in per cent, in JSON as in its tables."""

import json

import numpy as np
import pytest

import infoplane as ip
from infoplane.cli import run


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Return two run files of one sweep, and the errors of their networks as they are stored: shares."""
    folder = tmp_path_factory.mktemp("units")
    for arm in ("one", "two"):
        words = [
            "sweep",
            "--out",
            str(folder / arm),
            "--quiet",
            "--set",
            "training.epochs=1",
            "--set",
            "probes.latent=2",
        ]
        assert run([*words, "--set", f"optimizer.learning_rate={1e-3 if arm == 'one' else 1e-2}"]) == 0
    paths = [folder / arm / "seed=0.h5" for arm in ("one", "two")]
    shares = []
    for path in paths:
        with ip.open_run(path) as opened:
            shares.append(float(opened.metrics().read("values", columns="error")[-1]))
    assert shares[0] != shares[1]
    return paths, shares


def objects(capfd, *words):
    capfd.readouterr()
    assert run([str(word) for word in words]) == 0
    return [json.loads(line) for line in capfd.readouterr().out.splitlines()]


def test_train_says_it_in_per_cent(tmp_path, capfd):
    words = ["train", "--epochs", "1", "--latent", "2", "--json", "--quiet", "--out", tmp_path / "run.h5"]
    line = objects(capfd, *words)[0]
    with ip.open_run(tmp_path / "run.h5") as opened:
        share = opened.metrics().read("values", columns="error")[-1]
    assert (line["error"], line["error_unit"]) == (pytest.approx(100 * share), "%")


def test_sweep_says_it_in_per_cent(files, capfd):
    paths, shares = files
    words = ["--set", "training.epochs=1", "--set", "probes.latent=2", "--set", "optimizer.learning_rate=0.001"]
    (line,) = objects(capfd, "sweep", "--out", paths[0].parent, "--json", "--quiet", *words)
    assert (line["mean"], line["unit"]) == (pytest.approx(100 * shares[0]), "%")


def test_watch_says_it_in_per_cent(files, capfd):
    paths, shares = files
    lines = objects(capfd, "watch", *paths, "--once", "--json")
    np.testing.assert_allclose([line["error"] for line in lines], [100 * share for share in shares])
    assert {line["units"]["error"] for line in lines} == {"%"}


def test_compare_says_it_in_per_cent_and_differences_in_points(files, capfd):
    paths, shares = files
    (line,) = objects(capfd, "compare", *paths, "--json")
    assert line["first"] == [pytest.approx(100 * shares[0])]
    assert line["second"] == [pytest.approx(100 * shares[1])]
    assert line["estimate"] == pytest.approx(100 * (shares[1] - shares[0]))
    assert line["unit"] == "points"


def test_a_table_of_a_run_file_has_what_is_stored(files, tmp_path, capfd):
    paths, shares = files
    assert run(["export", str(paths[0]), "--stream", "metrics", "-o", str(tmp_path / "metrics.json")]) == 0
    lines = [json.loads(line) for line in (tmp_path / "metrics.json").read_text().splitlines()]
    (last,) = [line for line in lines if line["quantity"] == "error"][-1:]
    assert (last["value"], last["unit"]) == (shares[0], "1")
