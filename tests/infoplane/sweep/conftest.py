"""Small settings, and processes that stay between tests: each would cost the import of torch."""

import os
from pathlib import Path

import numpy as np
import pytest

import infoplane as ip
from infoplane.sweep import engine, worker
from infoplane.training import Settings

SMALL = {
    "model.hidden": (8,),
    "data.train": 200,
    "training.epochs": 2,
    "training.batch_size": 50,
    "probes.latent": 2,
    "probes.draws": 2,
    "probes.sandwich": 20,
    "probes.control": False,
}


@pytest.fixture(scope="session")
def small():
    """Settings of a training that takes a tenth of a second, with what else is said by dotted name."""
    return lambda **overrides: Settings().changed(SMALL | {k.replace("__", "."): v for k, v in overrides.items()})


@pytest.fixture(scope="session")
def small_file(tmp_path_factory):
    """The same as TOML, with parameters that only some methods have."""
    path = tmp_path_factory.mktemp("settings") / "small.toml"
    path.write_text(
        'method = "synscaw"\n[data]\ntrain = 200\n[model]\nhidden = [8]\n[training]\nepochs = 2\nbatch_size = 50\n'
        "[probes]\nlatent = 2\ndraws = 2\nsandwich = 20\ncontrol = false\n[scaling]\nrate = 0.02\n"
        "[regularizers]\npenalty = 0.5\n"
    )
    return path


@pytest.fixture(autouse=True)
def _kept_processes(monkeypatch):
    monkeypatch.setattr(engine, "end_idle_processes", lambda: None)


@pytest.fixture(autouse=True, scope="session")
def _end_of_processes():
    yield
    worker.end_idle_processes()


def rows_of(path):
    """Every value of every stream of a run file but times and the events, which tell of stops."""
    with ip.open_run(path) as run:
        return {
            (name, variable): run.stream(name)[variable]
            for name in run.streams
            for variable in run.stream(name).names
            if variable != "time" and name != "events"
        }


@pytest.fixture(scope="session")
def assert_same_rows():
    def compare(first, second):
        mine, theirs = rows_of(first), rows_of(second)
        assert mine.keys() == theirs.keys()
        assert len(mine["plane", "step"])
        for name in mine:
            np.testing.assert_array_equal(mine[name], theirs[name], err_msg=str(name))

    return compare


@pytest.fixture(scope="session")
def processes_below():
    """Process ids below one, to any depth, by /proc."""

    def find(pid):
        children = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdecimal():
                try:
                    stat = (entry / "stat").read_text()
                except OSError:
                    continue
                children.setdefault(int(stat.rpartition(")")[2].split()[1]), []).append(int(entry.name))
        found, waiting = [], [pid]
        while waiting:
            below = children.get(waiting.pop(), [])
            found += below
            waiting += below
        return found

    return find


@pytest.fixture(scope="session")
def environment():
    return {**os.environ, "OMP_NUM_THREADS": "1"}


@pytest.fixture(scope="session")
def trainings_below(processes_below):
    """Those of them that train, with the worker above each."""

    def find(pid):
        found = {}
        for below in processes_below(pid):
            try:
                command = Path(f"/proc/{below}/cmdline").read_bytes()
                stat = Path(f"/proc/{below}/stat").read_text()
            except OSError:
                continue
            if b"infoplane.sweep.child" in command:
                found[below] = int(stat.rpartition(")")[2].split()[1])
        return found

    return find
