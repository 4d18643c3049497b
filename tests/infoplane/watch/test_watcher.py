"""Watching files: rows once each and in order, new files, ended, killed and replaced ones, and what is no run file."""

import os
import shutil
import warnings

import numpy as np
import pytest

import infoplane as ip
from infoplane.errors import InputError, RunFileError
from infoplane.watch.state import DELETED, STARTING, UNREADABLE, WAITING
from infoplane.watch.watcher import Watcher


def settled(watcher):
    """Return the states once nothing is being made any more: a file is given up when it stands still."""
    watcher.look()
    return watcher.look()


def test_every_row_is_new_once(tmp_path, here):
    training = here(tmp_path / "run.h5")
    seen = []
    with Watcher([tmp_path / "run.h5"], past=None) as watcher:
        for count in (1, 0, 2, 3):
            for _ in range(count):
                training.row()
            (state,) = watcher.look()
            assert len(state.new) == count
            assert state.status == "recording"
            seen += state.new
        training.end()
        (state,) = watcher.look()
        assert state.status == "finished"
        assert state.is_over
        assert not state.new
    assert [row.number for row in seen] == list(range(6))
    with ip.open_run(tmp_path / "run.h5") as run:
        plane = run.plane()
        assert [row.step for row in seen] == plane.row_values.tolist()
        for name in ("i_zx", "i_zy", "se_i_zx"):
            read = [[getattr(probe, name) for probe in row.probes] for row in seen]
            np.testing.assert_array_equal(read, plane.read("values", columns=name))
        np.testing.assert_array_equal([row.error for row in seen], run.metrics().read("values", columns="error"))
        assert state.findings == len(run.findings())


def test_a_watched_training_writes_what_an_unwatched_one_writes(tmp_path, here):
    for name in ("watched.h5", "alone.h5"):
        training = here(tmp_path / name)
        with Watcher([tmp_path / name] if name == "watched.h5" else [tmp_path / "other.h5"]) as watcher:
            for _ in range(3):
                training.row()
                watcher.look()
            training.end()
    with ip.open_run(tmp_path / "watched.h5") as watched, ip.open_run(tmp_path / "alone.h5") as alone:
        assert watched.status == alone.status == "finished"
        np.testing.assert_array_equal(watched.plane()["values"], alone.plane()["values"])


def test_only_the_last_rows_before_the_watch_are_new_where_that_is_asked_for(tmp_path, here):
    training = here(tmp_path / "run.h5")
    for _ in range(4):
        training.row()
    with Watcher([tmp_path / "run.h5"], past=1) as watcher:
        (state,) = watcher.look()
        assert [row.number for row in state.new] == [3]
        assert [row.number for row in state.recent] == [0, 1, 2, 3]
        assert state.rows == 4
        training.row()
        assert [row.number for row in watcher.look()[0].new] == [4]


def test_files_that_appear_join_with_all_their_rows(tmp_path, here):
    with Watcher([str(tmp_path / "*.h5")], past=1) as watcher:
        assert watcher.look() == ()
        for name in ("b.h5", "a.h5"):
            training = here(tmp_path / name)
            training.row()
            training.row()
            state = watcher.look()[-1]
            assert state.path.name == name
            assert len(state.new) == 2
        assert [state.path.name for state in watcher.look()] == ["b.h5", "a.h5"]


def test_a_named_file_is_waited_for(tmp_path, here):
    path = tmp_path / "later.h5"
    with Watcher([path]) as watcher:
        (state,) = watcher.look()
        assert state.status == WAITING
        assert not state.is_over
        here(path).row()
        assert watcher.look()[0].status == "recording"


def test_a_recording_before_its_first_step_is_being_made(tmp_path, here):
    path = tmp_path / "run.h5"
    training = here(path)
    with Watcher([path]) as watcher:
        states = [watcher.look()[0] for _ in range(3)]
        assert [(state.status, state.is_over) for state in states] == [(STARTING, False)] * 3
        training.row()
        assert len(watcher.look()[0].new) == 1


def test_a_file_can_be_overwritten_while_it_is_watched(tmp_path, here):
    path = tmp_path / "run.h5"
    first = here(path)
    first.row()
    with Watcher([path]) as watcher:
        assert watcher.look()[0].rows == 1
        first.end()
        second = here(path, overwrite=True)
        second.row()
        second.row()
        (state,) = watcher.look()
        assert (state.file, state.status, state.is_over) == (1, "replaced", False)
        (state,) = watcher.look()
        assert (state.file, state.status, len(state.new)) == (2, "recording", 2)


def test_a_resumed_run_goes_on_after_the_last_row_that_was_seen(tmp_path, here):
    path = tmp_path / "run.h5"
    first = here(path, control=False)
    for _ in range(3):
        first.row()
    with Watcher([path]) as watcher:
        assert watcher.look()[0].rows == 3
        first.end()
        with warnings.catch_warnings(action="ignore"):  # that the probes begin anew
            second = here(path, control=False, resume=True)
            second.row()
        assert watcher.look()[0].status == "replaced"
        (state,) = watcher.look()
        assert state.file == 2
        assert [row.number for row in state.new] == [3]


def test_a_deleted_file_is_said_to_be_gone(tmp_path, here):
    path = tmp_path / "run.h5"
    training = here(path)
    training.row()
    training.end()
    with Watcher([path]) as watcher:
        assert watcher.look()[0].status == "finished"
        path.unlink()
        (state,) = watcher.look()
        assert (state.status, state.is_over) == (DELETED, True)


def test_what_is_no_run_file_or_damaged_is_a_state_and_no_exception(tmp_path, here):
    training = here(tmp_path / "a.h5")
    training.row()
    training.end()
    whole = (tmp_path / "a.h5").read_bytes()
    (tmp_path / "b.h5").write_bytes(whole[: len(whole) // 4])
    (tmp_path / "c.h5").write_text("no run file")
    (tmp_path / "d.h5").touch()
    with Watcher([tmp_path / name for name in ("a.h5", "b.h5", "c.h5", "d.h5")]) as watcher:
        states = settled(watcher)
        assert [state.status for state in states] == ["finished", UNREADABLE, UNREADABLE, UNREADABLE]
        assert all(state.is_over for state in states)
        assert ["damaged" in states[1].reason, "no HDF5" in states[2].reason, "empty" in states[3].reason] == [True] * 3
        # A copy that is still under way is read when it is there.
        (tmp_path / "b.h5").write_bytes(whole)
        assert watcher.look()[1].rows == 1


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_a_pipe_is_not_waited_on(tmp_path):
    os.mkfifo(tmp_path / "pipe.h5")
    with Watcher([tmp_path / "pipe.h5"]) as watcher:
        assert settled(watcher)[0].status == UNREADABLE


def test_an_ended_run_is_not_opened_again(tmp_path, here, monkeypatch):
    training = here(tmp_path / "run.h5")
    training.row()
    training.end()
    with Watcher([tmp_path / "run.h5"]) as watcher:
        before = watcher.look()
        monkeypatch.setattr("infoplane.watch.watched_run.open_run", lambda path: pytest.fail("opened"))
        (state,) = watcher.look()
        assert state.recent == before[0].recent
        assert state.new == ()


def test_the_watcher_writes_nothing(tmp_path, here):
    training = here(tmp_path / "run.h5")
    training.row()
    training.end()
    os.chmod(tmp_path / "run.h5", 0o444)
    before = (tmp_path / "run.h5").read_bytes(), sorted(os.listdir(tmp_path))
    with Watcher([str(tmp_path / "*.h5")]) as watcher:
        watcher.look()
    assert before == ((tmp_path / "run.h5").read_bytes(), sorted(os.listdir(tmp_path)))


def test_folders_and_nothing_are_refused(tmp_path):
    with pytest.raises(RunFileError, match="is a folder"):
        Watcher([tmp_path])
    with pytest.raises(InputError, match="no run to watch"):
        Watcher([])


def test_many_rows_at_once_come_in_parts(tmp_path, here, monkeypatch):
    training = here(tmp_path / "run.h5")
    for _ in range(5):
        training.row()
    training.end()
    monkeypatch.setattr("infoplane.watch.watched_run._MOST_AT_ONCE", 2)
    with Watcher([tmp_path / "run.h5"], past=None) as watcher:
        looks = [watcher.look()[0] for _ in range(4)]
    assert [[row.number for row in state.new] for state in looks] == [[0, 1], [2, 3], [4], []]
    assert [state.is_over for state in looks] == [False, False, True, True]


def test_a_copy_in_place_of_a_run_is_another_file(tmp_path, here):
    for name in ("a.h5", "b.h5"):
        training = here(tmp_path / name)
        training.row()
        training.end()
    with Watcher([tmp_path / "a.h5"]) as watcher:
        assert watcher.look()[0].file == 1
        shutil.move(tmp_path / "b.h5", tmp_path / "a.h5")
        (state,) = watcher.look()
        assert (state.file, len(state.new)) == (2, 1)
