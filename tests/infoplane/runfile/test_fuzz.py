"""Mutants of good run files: every one reads, or is refused with path and reason, in bounded time and memory."""

import importlib.util
import json
import select
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
WATCHDOG = 60  # seconds; a mutant takes some hundredths of one
ANSWERS = {}


def module(name):
    spec = importlib.util.spec_from_file_location(name, HERE / f"{name}.py")
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


mutants = module("mutants")


class Reader:
    """A process with little memory that reads what it is given; see stranger_reader.py."""

    def __init__(self, good):
        command = [sys.executable, str(HERE / "stranger_reader.py"), str(good)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert self.process.stdout.readline() == "ready\n", self.process.stderr.read()

    def read(self, path):
        self.process.stdin.write(f"{path}\n")
        self.process.stdin.flush()
        if not select.select([self.process.stdout], [], [], WATCHDOG)[0]:
            self.close()
            return {"raised": ["it hangs"], "grew": 0}
        line = self.process.stdout.readline()
        return json.loads(line) if line else {"raised": [f"the process died: {self.process.wait()}"], "grew": 0}

    def close(self):
        self.process.kill()
        self.process.communicate()


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return mutants.good_files(tmp_path_factory.mktemp("good"))


@pytest.fixture(scope="module")
def reader(files):
    started = Reader(files["all_finished"])
    yield started
    started.close()


def test_good_files_are_read_in_every_way(files, reader):
    for path in files.values():
        answer = reader.read(path)
        assert not answer["raised"], path
        refused = [text for text in answer["refused"] if "has no stream" not in text]
        assert not refused, path
        assert answer["worked"]


def fuzz(files, reader, tmp_path, state, seeds):
    """Read one mutant per seed, of the parts in turn; return how many were refused."""
    chosen = [files[f"{part}_{state}"] for part in mutants.PARTS]
    known = {path: mutants.checksummed(path.read_bytes()) for path in [*chosen, files[f"all_{state}"]]}
    wrong, refused = [], 0
    for seed in seeds:
        good = chosen[seed % len(chosen)] if seed % 50 else files[f"all_{state}"]
        target = tmp_path / "mutant.h5"
        done = mutants.mutate(good, target, seed, *known[good])
        answer = reader.read(target)
        if answer["raised"] or answer["grew"] > 512:
            wrong.append(f"{good.stem}, seed {seed}, {done}: {answer['raised']}, {answer['grew']} MiB")
        if reader.process.poll() is not None:
            reader.__init__(files["all_finished"])
        refused += bool(answer.get("refused"))
    assert not wrong, "\n".join([f"{len(wrong)} of {len(seeds)} mutants", *wrong])
    return refused


@pytest.mark.parametrize("state", ["finished", "killed", "recovered"])
def test_mutants_read_or_are_refused_with_path_and_reason(files, reader, tmp_path, state):
    seeds = range(700)
    assert len(seeds) // 5 < fuzz(files, reader, tmp_path, state, seeds) < len(seeds)


@pytest.mark.slow
@pytest.mark.parametrize("state", ["finished", "killed", "recovered"])
def test_many_more_mutants_do_as_well(files, reader, tmp_path, state):
    fuzz(files, reader, tmp_path, state, range(1000, 11000))
