"""JSON in run files: strict, every number comes back, and what older files hold is read."""

import json
import math

import h5py
import numpy as np
import pytest

import infoplane as ip
from infoplane.cli import run as cli
from infoplane.errors import InputError
from infoplane.runfile.json_text import MOST_LEVELS, from_json, to_json
from infoplane.runfile.schema import EVENTS
from infoplane.runfile.writer import RunWriter

CONFIGURATION = {
    "rate": math.nan,
    "limits": [-math.inf, math.inf, 1.5],
    "array": np.array([1.0, math.nan]),
    "scalar": np.float32("inf"),
    "texts": ["NaN", "Infinity", "null"],
    "nothing": None,
}


def strict(text):
    """What a program without Python's additions reads."""
    return json.loads(text, parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))


def write(path, configuration):
    with RunWriter(path) as writer:
        writer.start([EVENTS], {"seed": 0, "configuration": configuration})
    return path


def stored(path):
    with h5py.File(path) as file:
        return file["entry/provenance/configuration"].asstr()[()]


def same(a, b):
    return repr(a) == repr(b)  # NaN is equal to NaN, and 1 is not 1.0


def test_numbers_that_json_lacks_are_strict_json_in_the_file_and_come_back(tmp_path):
    path = write(tmp_path / "run.h5", CONFIGURATION)
    assert strict(stored(path))["rate"] == {"non_finite": "NaN"}
    with ip.open_run(path) as run:
        assert same(
            run.configuration,
            CONFIGURATION | {"array": [1.0, math.nan], "scalar": math.inf},
        )


def test_info_and_diff_print_strict_json_of_such_numbers(tmp_path, capsys):
    a = write(tmp_path / "a.h5", CONFIGURATION)
    b = write(tmp_path / "b.h5", {"rate": math.inf})
    for command in (["info", "--json", str(a)], ["diff", "--json", str(a), str(b)]):
        assert cli(command) == 0
        assert [strict(line) for line in capsys.readouterr().out.splitlines()]


def test_older_files_with_bare_words_are_read(tmp_path):
    path = write(tmp_path / "run.h5", {})
    with h5py.File(path, "r+") as file:
        file["entry/provenance/configuration"][()] = '{"a": NaN, "b": [-Infinity]}'
    with ip.open_run(path) as run:
        assert same(run.configuration, {"a": math.nan, "b": [-math.inf]})


def test_a_recovered_file_keeps_them(tmp_path):
    path = write(tmp_path / "run.h5", CONFIGURATION)
    with ip.open_run(ip.recover(path, tmp_path / "recovered.h5")) as run:
        assert same(run.configuration["limits"], CONFIGURATION["limits"])


@pytest.mark.parametrize(
    "value",
    [
        {"non_finite": "nan"},
        {"non_finite": None},
        {"non_finite": ["NaN"]},
        {"non_finite": "NaN", "more": 1},
        "NaN",
        [True, 1, 1.0, "1", None],
    ],
)
def test_what_only_looks_like_such_a_number_stays_what_it_is(value):
    assert same(from_json(to_json(value)), value)


def test_keys_that_json_lacks_become_text():
    assert strict(to_json({math.inf: 1, (1, 2): 2, np.int64(3): 3})) == {"Infinity": 1, "(1, 2)": 2, "3": 3}


def test_what_nests_too_deep_is_neither_written_nor_read():
    deep = 1
    for _ in range(MOST_LEVELS):
        deep = [deep]
    assert same(from_json(to_json(deep)), deep)
    with pytest.raises(InputError, match="nests deeper than 200 levels"):
        to_json([deep])
    with pytest.raises(ValueError, match="nests deeper than 200 levels"):
        from_json(f"[{json.dumps(deep)}]")
