"""A live page reads what has changed alone, and of many runs a few at a time."""

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from infoplane.watch import kept_runs, live_data
from infoplane.watch.kept_runs import key_of
from infoplane.watch.live_data import LiveData
from infoplane.watch.state import RunState
from infoplane.watch.watcher import Watcher


@pytest.fixture
def read(monkeypatch):
    """Return the list to which the name of every run that is read is added; however long that takes, all are."""
    names = []
    made = kept_runs.read_run

    def read_run(path, **options):
        names.append(path.stem)
        return made(path, **options)

    monkeypatch.setattr(kept_runs, "read_run", read_run)
    monkeypatch.setattr(kept_runs, "_SECONDS", 1e9)
    monkeypatch.setattr(live_data, "_REST", 0)
    return names


@pytest.fixture
def trainings(tmp_path, here):
    made = {name: here(tmp_path / f"{name}.h5") for name in "abc"}
    for one in made.values():
        one.row()
    made["a"].end()
    made["b"].end()
    return made


@pytest.fixture
def growing(tmp_path, here):
    made = [here(tmp_path / f"{name}.h5") for name in "ab"]
    for one in made:
        one.row()
    return made


def drawn(data):
    return {run["name"]: run["plane"]["drawn"] for run in data["runs"]}


def said(data):
    return str(data["sections"])


def test_only_the_run_that_has_grown_is_read_again(tmp_path, trainings, read):
    with Watcher([str(tmp_path / "*.h5")]) as watcher:
        live = LiveData(watcher)
        assert drawn(live.data()) == {"a": 1, "b": 1, "c": 1}
        assert sorted(read) == ["a", "b", "c"]
        live.data()
        assert len(read) == 3
        trainings["c"].row()
        assert drawn(live.data()) == {"a": 1, "b": 1, "c": 2}
        assert read[3:] == ["c"]
        trainings["c"].end()
        assert {run["status"] for run in live.data()["runs"]} == {"finished"}
        assert read[4:] == ["c"]
        live.data()
        assert len(read) == 5


def test_of_many_runs_a_few_are_read_at_a_time_and_those_that_lack_are_counted(tmp_path, trainings, read, monkeypatch):
    monkeypatch.setattr(kept_runs, "_SECONDS", 0)
    trainings["c"].end()
    with Watcher([str(tmp_path / "*.h5")]) as watcher:
        live = LiveData(watcher)
        tags = {live.json()[0]}
        assert list(drawn(live._data)) == ["a"]
        assert "2 of them are still to be read" in said(live._data)
        tags.add(live.json()[0])
        assert "1 of them are still to be read" not in said(live._data)
        assert "1 of them is still to be read" in said(live._data)
        assert "Nothing is judged before every run has been read as it is now" in said(live._data)
        tags.add(live.json()[0])
        assert list(drawn(live._data)) == ["a", "b", "c"]
        assert "still to be read" not in said(live._data)
        assert "Nothing is judged before every run has been read as it is now" not in said(live._data)
        assert len(tags) == 3
        assert live.json()[0] in tags
    assert read == ["a", "b", "c"]


def test_those_whose_reading_is_the_oldest_come_first(tmp_path, growing, read, monkeypatch):
    monkeypatch.setattr(kept_runs, "_SECONDS", 0)
    with Watcher([str(tmp_path / "*.h5")]) as watcher:
        live = LiveData(watcher)
        for _ in range(2):
            live.data()
        for _ in range(3):
            for one in growing:
                one.row()
            live.data()
        assert read == ["a", "b", "a", "b", "a"]
        # What was read last stands until a run's turn comes, and is not left out.
        assert drawn(live.data()) == {"a": 4, "b": 4}


def test_a_run_that_is_gone_is_not_kept(tmp_path, trainings, here, read):
    fourth = here(tmp_path / "d.h5")  # of three and of four runs as many histograms are drawn
    fourth.row()
    fourth.end()
    with Watcher([str(tmp_path / "*.h5")]) as watcher:
        live = LiveData(watcher)
        live.data()
        (tmp_path / "a.h5").unlink()
        assert list(drawn(live.data())) == ["b", "c", "d"]
        assert len(read) == 4
        assert {path.stem for path in live._kept._kept} == {"b", "c", "d"}


def test_after_reading_every_run_it_rests_three_times_as_long_as_that_took(tmp_path, trainings, read, monkeypatch):
    monkeypatch.setattr(live_data, "_REST", 3)
    clock = [100.0]
    made = kept_runs.read_run

    def slow(path, **options):
        clock[0] += 2.0
        return made(path, **options)

    monkeypatch.setattr(kept_runs, "read_run", slow)
    monkeypatch.setattr(live_data.time, "monotonic", lambda: clock[0])
    with Watcher([str(tmp_path / "*.h5")]) as watcher:
        live = LiveData(watcher)
        live.data()  # three runs: 6 s, so that the next reading is 18 s later
        ended = clock[0]
        trainings["c"].row()
        clock[0] = ended + 17.9
        assert drawn(live.data())["c"] == 1
        clock[0] = ended + 18.1
        assert drawn(live.data())["c"] == 2


@pytest.mark.parametrize(
    "change",
    [
        {"path": Path("b.h5")},
        {"status": "killed"},
        {"reason": "lost"},
        {"file": 2},
        {"counts": {"plane": 4}},
        {"written": 6.0},
    ],
)
def test_whatever_can_change_of_an_ended_run_has_it_read_again(change):
    state = RunState(Path("a.h5"), "finished", file=1, counts={"plane": 3}, written=5.0)
    assert key_of(replace(state, rows=9, findings=3)) == key_of(state)
    assert key_of(replace(state, **change)) != key_of(state)


def test_a_growing_run_is_not_read_again_for_a_sketch_alone():
    state = RunState(Path("a.h5"), "recording", file=1, counts={"plane": 3}, written=5.0)
    assert key_of(replace(state, written=6.0)) == key_of(state)


def test_an_ended_run_that_another_is_copied_over_is_read_again(tmp_path, here, read):
    folder = tmp_path / "watched"
    folder.mkdir()
    for seed, path in ((0, folder / "run.h5"), (1, tmp_path / "other.h5")):
        training = here(path, seed=seed)
        training.row()
        training.end()
    with Watcher([folder / "run.h5"]) as watcher:
        live = LiveData(watcher)
        assert [run["seed"] for run in live.data()["runs"]] == [0]
        shutil.copyfile(tmp_path / "other.h5", folder / "run.h5")
        os.utime(folder / "run.h5", (2e9, 2e9))
        assert [run["seed"] for run in live.data()["runs"]] == [1]


def test_where_runs_have_changed_nothing_is_judged_and_it_is_said(tmp_path, growing, read, monkeypatch):
    monkeypatch.setattr(kept_runs, "_SECONDS", 0)
    with Watcher([str(tmp_path / "*.h5")]) as watcher:
        live = LiveData(watcher)
        live.data()
        assert "changed since" not in said(live.data())
        for one in growing:
            one.end()
        behind = said(live.data())
        assert "1 of them has changed since being read" in behind
        assert "Nothing is judged before every run has been read as it is now" in behind
        whole = said(live.data())
        assert "changed since" not in whole
        assert "Nothing is judged before" not in whole


def test_more_runs_have_fewer_histograms_each(tmp_path, trainings, read, monkeypatch):
    asked = []
    made = kept_runs.read_run
    monkeypatch.setattr(kept_runs, "read_run", lambda path, **options: asked.append(options) or made(path, **options))
    with Watcher([str(tmp_path / "*.h5")]) as watcher:
        live = LiveData(watcher)
        live.data()
        assert {one["histograms"] for one in asked} == {400}
        for path in ("a.h5", "b.h5"):
            (tmp_path / path).unlink()
        live.data()
        assert asked[-1]["histograms"] == 1600


def test_it_does_not_rest_while_runs_are_unread(tmp_path, trainings, read, monkeypatch):
    monkeypatch.setattr(kept_runs, "_SECONDS", 0)
    monkeypatch.setattr(live_data, "_REST", 1e9)
    with Watcher([str(tmp_path / "*.h5")]) as watcher:
        live = LiveData(watcher)
        assert [len(live.data()["runs"]) for _ in range(3)] == [1, 2, 3]


def test_a_number_that_json_lacks_takes_no_other_run_off_the_page(tmp_path, trainings, read, monkeypatch):
    made = live_data.data_of

    def broken(runs, **options):
        data = made(runs, **options)
        for run in data["runs"]:
            if run["name"] == "b":
                run["error"] = float("inf")
        return data

    monkeypatch.setattr(live_data, "data_of", broken)
    with Watcher([str(tmp_path / "*.h5")]) as watcher:
        data = LiveData(watcher).data()
    assert [run["name"] for run in data["runs"]] == ["a", "c"]
    assert "it cannot be shown, it is damaged (ValueError)" in said(data)
