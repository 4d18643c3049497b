"""Sweeps whose seeds train side by side: the files of one by one, groups, failures, what is finished, the command."""

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

import infoplane as ip
from infoplane.cli.sweep import sweep as command
from infoplane.errors import InputError
from infoplane.sweep import plan, sweep
from infoplane.sweep.run import together

app = typer.Typer()
app.command()(command)


def rows_of(path):
    with ip.open_run(path) as run:
        return {
            (name, variable): np.asarray(run.stream(name)[variable])
            for name in run.streams
            for variable in run.stream(name).names
            if variable not in ("time", "counts") and name != "events"
        }


def is_said_to_be_together(path):
    with ip.open_run(path) as run:
        return [text for text in run.stream("events")["text"] if text.startswith("trained side by side")]


def test_groups_are_the_seeds_of_each_setting(small):
    points = plan(small(), seeds=2, grid={"optimizer.learning_rate": [0.1, 0.2]}, metric="error").points
    assert [[point.name for point in lot] for lot in together(points)] == [
        ["learning_rate=0.1,seed=0", "learning_rate=0.1,seed=1"],
        ["learning_rate=0.2,seed=0", "learning_rate=0.2,seed=1"],
    ]


def test_files_and_table_are_those_of_one_by_one(small, tmp_path):
    given = {"seeds": 2, "grid": {"method": ["baseline", "synscaw"]}, "metric": "loss", "quiet": True}
    settings = small(probes__probe_every=3)
    alone = sweep(settings, out=tmp_path / "alone", **given)
    found = sweep(settings, out=tmp_path / "together", vectorize=True, **given)
    assert [o.status for o in found.outcomes] == ["finished"] * 4
    assert [path.name for path in found.paths] == [path.name for path in alone.paths]
    for one, other in zip(alone.paths, found.paths, strict=True):
        mine, theirs = rows_of(one), rows_of(other)
        assert mine.keys() == theirs.keys()
        for name, values in mine.items():
            if values.dtype.kind == "f":
                np.testing.assert_allclose(theirs[name], values, rtol=2e-3, atol=1e-5, err_msg=str(name))
            else:
                np.testing.assert_array_equal(theirs[name], values, err_msg=str(name))
        with ip.open_run(one) as first, ip.open_run(other) as second:
            assert first.configuration == second.configuration
        assert is_said_to_be_together(other) == ["trained side by side, one of 2 seeds"]
    assert not list((tmp_path / "together").glob("*.log"))
    # Either way goes on with what the other has done.
    assert [o.status for o in sweep(settings, out=tmp_path / "alone", vectorize=True, **given).outcomes] == ["kept"] * 4
    assert [o.status for o in sweep(settings, out=tmp_path / "together", **given).outcomes] == ["kept"] * 4


def test_what_is_finished_is_kept_and_the_rest_of_a_group_trains(small, tmp_path):
    sweep(small(), seeds=[1], metric="error", out=tmp_path, quiet=True)
    before = (tmp_path / "seed=1.h5").read_bytes()
    found = sweep(small(), seeds=3, metric="error", out=tmp_path, vectorize=True, quiet=True)
    assert [o.status for o in found.outcomes] == ["finished", "kept", "finished"]
    assert (tmp_path / "seed=1.h5").read_bytes() == before
    assert is_said_to_be_together(tmp_path / "seed=2.h5") == ["trained side by side, one of 2 seeds"]


def test_a_group_that_fails_is_told_point_by_point_and_leaves_other_groups_alone(small, tmp_path):
    rates = {"optimizer.learning_rate": [1e30, 0.001]}
    settings = small(training__epochs=1)
    found = sweep(settings, seeds=2, grid=rates, metric="error", out=tmp_path, vectorize=True, quiet=True)
    assert [o.status for o in found.outcomes] == ["failed", "finished", "failed", "finished"]
    for outcome in found.failed:
        assert "the loss is" in outcome.reason
        assert outcome.path.name in outcome.reason
        assert "the loss is" in outcome.path.with_suffix(".log").read_text()
    assert len(list(tmp_path.glob("*.log"))) == 2


def test_a_network_that_vmap_cannot_take_fails_its_group_with_the_reason(small, tmp_path):
    settings = small(model__name="gru", model__hidden=None)
    found = sweep(settings, seeds=2, metric="error", out=tmp_path, vectorize=True, quiet=True)
    assert [o.status for o in found.outcomes] == ["failed"] * 2
    assert all("torch.vmap does not take" in o.reason for o in found.outcomes)
    assert not list(tmp_path.glob("*.h5"))


def test_what_cannot_be_vectorized_is_refused_before_anything_is_trained(small, tmp_path):
    grid = {"method": ["baseline", "dropout"]}
    with pytest.raises(InputError, match=r"draws random numbers.*leave --vectorize out"):
        sweep(small(), seeds=2, grid=grid, metric="error", out=tmp_path / "runs", vectorize=True, quiet=True)
    assert not (tmp_path / "runs").exists()
    with pytest.raises(InputError, match="vectorize"):
        sweep(small(), out=tmp_path / "runs", vectorize="yes")


def test_the_command(small_file, tmp_path):
    words = [small_file, "--seeds", "2", "--metric", "error", "--out", tmp_path / "runs", "--vectorize"]
    found = CliRunner().invoke(app, [str(word) for word in words])
    assert found.exit_code == 0, found.output
    assert "2 points; 1 at a time, " in found.stderr
    assert "seeds side by side" in found.stderr
    assert found.stdout.startswith("2 points: 2 finished\n")
    assert is_said_to_be_together(tmp_path / "runs" / "seed=1.h5")
    words = [*words[:-2], tmp_path / "others", "--vectorize", "--set", "optimizer.schedule=plateau"]
    refused = CliRunner().invoke(app, [str(word) for word in words])
    assert isinstance(refused.exception, InputError)
