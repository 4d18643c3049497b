"""Files of which a part is damaged or missing: the rest is read, and what is wrong is said once and clearly."""

import json
import math
import re
import warnings

import h5py
import numpy as np
import pytest

import infoplane as ip
from infoplane.cli import run as cli
from infoplane.errors import InputError, RunFileError
from infoplane.probes.probe_info import ProbeInfo
from infoplane.runfile.schema import PLANE_QUANTITIES, run_streams
from infoplane.runfile.writer import RunWriter

ROWS = 4
STEPS = [10 * k for k in range(ROWS)]


@pytest.fixture
def path(tmp_path):
    writer = RunWriter(tmp_path / "run.h5")
    writer.start(
        run_streams(probes=[ProbeInfo("fc", "fc", "trained", 1e-3, 4)], metrics={"error": "1"}),
        {"seed": 1, "argv": ["train.py"], "configuration": {"rate": 0.1}},
    )
    for k, step in enumerate(STEPS):
        values = np.full((1, len(PLANE_QUANTITIES)), k / 3)
        pairs = {f"covariance_{name}": np.zeros((1, 1)) for name in ("i_zx", "i_zy")}
        writer.append("plane", step, epoch=k, n=9, n_sandwich=9, updates=step, values=values, **pairs)
        writer.append("metrics", step, epoch=k, time=0.0, values=[0.5])
    writer.append("events", None, step=STEPS[-1], time=0.0, text="interrupted by SIGINT")
    writer.close("interrupted")
    return tmp_path / "run.h5"


def changed(path, change):
    with h5py.File(path, "r+") as file:
        change(file)
    return path


def spoil(path, old, new):
    """Replace bytes in the file, as a bad sector would."""
    content = path.read_bytes()
    assert content.count(old) == 1
    path.write_bytes(content.replace(old, new))


def whole(run):
    return run.plane()["step"].tolist() == STEPS and len(run.plane().to_dataframe()) > 0


# The provenance


def test_one_bad_byte_in_the_provenance_costs_its_key_alone(path):
    spoil(path, b'["train.py"]', b'["train.py",')
    with pytest.warns(UserWarning, match=r"run\.h5: of the provenance argv cannot be read; Run\.unreadable says why"):
        run = ip.open_run(path)
    with run:
        assert set(run.provenance) == {"seed", "configuration"}
        assert run.configuration == {"rate": 0.1}
        assert list(run.unreadable) == ["argv"]
        assert [text for text in run.damage() if "'argv' of the provenance cannot be read" in text] == list(
            run.damage()
        )
        assert whole(run)


def test_info_names_the_key_that_cannot_be_read_and_shows_the_others(path, capsys):
    spoil(path, b'["train.py"]', b'["train.py",')
    assert cli(["info", str(path)]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    assert "'argv' of the provenance cannot be read" in captured.out
    assert "rate: 0.1" in captured.out
    assert cli(["info", "--json", str(path)]) == 0
    assert "'argv'" in json.loads(capsys.readouterr().out)["damage"][0]


@pytest.mark.parametrize("kind", ["bad byte", "odd name"])
def test_recover_keeps_the_rest_of_the_provenance_and_says_what_is_lost(path, kind):
    if kind == "bad byte":
        spoil(path, b'["train.py"]', b'["train.py",')
    else:
        changed(path, lambda file: file.move("entry/provenance/argv", "entry/provenance/a rgv!"))
    with pytest.warns(UserWarning, match="cannot be read"):
        out = ip.recover(path, path.with_name("recovered.h5"))
    with ip.open_run(out) as run:
        assert (run.unreadable, run.damage()) == ({}, ())
        assert run.provenance == {"seed": 1, "configuration": {"rate": 0.1}}
        assert whole(run)
        events = run.events()["text"].tolist()
    name = "argv" if kind == "bad byte" else "a rgv!"
    assert [text for text in events if text.startswith(f"not recovered: '{name}' of the provenance (")] == events[-1:]


def test_a_configuration_that_cannot_be_read_is_empty(path):
    spoil(path, b'{"rate": 0.1}', b'{"rate": 0.1,')
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with ip.open_run(path) as run:
            assert run.configuration == {}
            assert run.provenance["argv"] == ["train.py"]


@pytest.mark.parametrize("kind", ["missing", "link", "a data set"])
def test_a_file_without_a_provenance_opens_with_an_empty_one(path, kind):
    def change(file):
        del file["entry/provenance"]
        if kind == "link":
            file["entry/provenance"] = h5py.SoftLink("/entry")
        if kind == "a data set":
            file["entry/provenance"] = 1.0

    changed(path, change)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with ip.open_run(path) as run:
            assert run.provenance == {}
            assert run.configuration == {}
            assert list(run.unreadable) == ([] if kind == "missing" else ["provenance"])
            assert whole(run)
    assert len(caught) == (kind != "missing")


# Times, groups, counters, rows


@pytest.mark.parametrize("name", ["start_time", "end_time"])
def test_a_time_that_is_missing_or_damaged_is_empty(path, name):
    def damage(file):
        del file[f"entry/{name}"]
        file[f"entry/{name}"] = h5py.SoftLink("/entry/status")

    with ip.open_run(changed(path, damage)) as run:
        assert getattr(run, name) == ""
        assert run.damage() == (f"'{name}' cannot be read: '{name}' in /entry is a link to elsewhere",)
    changed(path, lambda file: file["entry"].__delitem__(name))
    with ip.open_run(path) as run:
        assert getattr(run, name) == ""
        assert run.damage() == ()


def test_a_good_file_has_no_damage(path):
    with ip.open_run(path) as run:
        assert run.damage() == ()
        assert run.unreadable == {}


def counter(value):
    def change(file):
        file["entry/plane/committed"][()] = value

    return change


def missing_counter(file):
    del file["entry/plane/committed"]


def step_back(file):
    file["entry/plane/step"][2] = 5


def step_twice(file):
    file["entry/plane/step"][2] = 10


def elsewhere(file):
    file.move("entry/plane", "plane")
    file["entry/plane"] = h5py.SoftLink("/plane")


DAMAGE = {
    missing_counter: "group 'plane' has no counter 'committed', so its rows cannot be read",
    elsewhere: "'plane' is a link to elsewhere, which is not followed",
    counter(-3): "stream 'plane' cannot be read: .*'plane' counts -3 rows",
    counter(9): "4 of 9 rows of 'plane' can be read; its counter says more than its data hold, so it is damaged",
    step_back: "row 2 of 'plane' has the step 5 after 10, but they must increase",
    step_twice: "row 2 of 'plane' has the step 10 after 10, but they must increase",
}


@pytest.mark.parametrize(("change", "sentence"), DAMAGE.items())
def test_what_is_wrong_with_a_stream_is_said_by_the_file_and_by_info(path, change, sentence, capsys):
    changed(path, change)
    with ip.open_run(path) as run:
        (said,) = run.damage()
        assert len(run.metrics()) == ROWS
    assert re.match(sentence, said)
    assert cli(["info", str(path)]) == 0
    assert re.search(sentence, " ".join(capsys.readouterr().out.split()))


def test_a_counter_beyond_the_data_of_a_finished_file_is_not_laid_to_another_library_alone(path):
    changed(path, counter(9))
    with ip.open_run(path) as run, pytest.warns(UserWarning, match="so it is damaged") as caught:
        assert len(run.plane()) == ROWS
    assert len(caught) == 1


def test_a_damaged_group_leaves_the_other_streams(path):
    with h5py.File(path) as file:
        at = h5py.h5o.get_info(file["entry/metrics"].id).addr
    content = bytearray(path.read_bytes())
    content[at : at + 4] = b"\xff\xff\xff\xff"
    path.write_bytes(content)
    with ip.open_run(path) as run:
        assert whole(run)
        with pytest.raises(RunFileError, match=r"run\.h5: cannot be read"):
            run.metrics()
        assert run.check()["metrics"] == (0, 0)
        assert "stream 'metrics' cannot be read" in run.damage()[0]


@pytest.mark.parametrize("name", ["site", "host", "unit", "kind", "standard_error_of", "probe", "values", "epoch"])
def test_a_plane_that_lacks_what_every_plane_has_is_a_matter_of_the_file(path, name):
    changed(path, lambda file: file["entry/plane"].__delitem__(name))
    with ip.open_run(path) as run, pytest.raises(RunFileError, match=rf"run\.h5: .*'{name}'"):
        run.plane()[name]


# What the commands say


def test_info_shows_the_last_event(path, capsys):
    assert cli(["info", str(path)]) == 0
    assert f"last event: step {STEPS[-1]}: interrupted by SIGINT\n" in capsys.readouterr().out
    assert cli(["info", "--json", str(path)]) == 0
    assert json.loads(capsys.readouterr().out)["last_event"] == {"step": STEPS[-1], "text": "interrupted by SIGINT"}


def test_diff_compares_readable_rows_and_says_which_file_is_damaged(path, capsys):
    b = path.with_name("b.h5")
    b.write_bytes(path.read_bytes())
    changed(b, counter(9))
    found = ip.difference(path, b)
    assert not [row for row in found.rows if row.part == "rows"]
    assert found.damage_a == ()
    assert "4 of 9 rows of 'plane' can be read" in found.damage_b[0]
    (row,) = [row for row in found.rows if row.key == "damage"]
    assert (row.part, row.b) == ("file", list(found.damage_b))
    assert cli(["diff", str(path), str(b)]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    a_line, b_line, damaged = captured.out.splitlines()[:3]
    assert (a_line, b_line) == (f"A: {path}", f"B: {b}")
    assert damaged.startswith("   damaged: 4 of 9 rows")


def test_diff_of_a_cut_off_file_counts_what_can_be_read(path):
    cut = path.with_name("cut.h5")
    content = path.read_bytes()
    for size in range(len(content) - 2000, len(content) // 3, -2000):
        cut.write_bytes(content[:size])
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                with ip.open_run(cut) as run:
                    readable = {name: rows for name, (_, rows) in run.check().items()}
        except RunFileError:
            continue
        if readable.get("metrics", ROWS) < ROWS:
            break
    else:
        pytest.fail("no cut loses rows of a file that can be opened")
    by_key = {row.key: row.b for row in ip.difference(path, cut).rows if row.part == "rows"}
    assert by_key["metrics"] == readable["metrics"]


# A part of the rows


def test_parts_are_read_by_numbers_slices_and_labels(path):
    with ip.open_run(path) as run:
        plane = run.plane()
        everything = plane["values"]
        at = {name: k for k, name in enumerate(PLANE_QUANTITIES)}
        asked = [
            (None, 0, everything[..., 0]),
            (-1, -1, everything[-1, :, -1]),
            (np.int64(2), np.int64(3), everything[2, :, 3]),
            (slice(1, 3), slice(None, None, 2), everything[1:3, :, ::2]),
            (None, "i_zy", everything[..., at["i_zy"]]),
            (1, ("ce", "i_zx"), everything[1][:, [at["ce"], at["i_zx"]]]),
            (slice(-2, None), ["i_zx", "i_zx"], everything[-2:][..., [at["i_zx"]] * 2]),
        ]
        for rows, columns, expected in asked:
            found = plane.read("values", rows, columns)
            assert found.shape == expected.shape
            np.testing.assert_array_equal(found, expected)
        assert plane.read("values", columns=["i_zy"]).shape == (ROWS, 1, 1)
        assert run.metrics().read("values", 0, "error") == 0.5


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ({"rows": "2"}, "rows is '2', but it must be a whole number or a slice"),
        ({"rows": [0, 1]}, r"rows is \[0, 1\], but it must be a whole number or a slice"),
        ({"rows": 1.0}, "rows is 1.0, but it must be a whole number or a slice"),
        ({"rows": True}, "rows is True, but it must be"),
        ({"rows": math.nan}, "rows is nan"),
        ({"rows": slice("a")}, "rows is slice.None, 'a', None., but a slice must be of whole numbers"),
        ({"rows": slice(0, 2, -1)}, "its step must be at least 1"),
        ({"rows": 4}, "there is no row 4"),
        ({"columns": 1.5}, "columns is 1.5, but it must be a whole number, a slice, a label or a list of labels"),
        ({"columns": [0, 1]}, "columns is .0, 1., but it must be a whole number, a slice, a label"),
        ({"columns": []}, "columns is .., but it must be"),
        ({"columns": False}, "columns is False, but it must be"),
        ({"columns": slice(0.5)}, "a slice must be of whole numbers"),
        ({"columns": 99}, "there is no column 99: 'values' of stream 'plane' has 15 along 'quantity'"),
        ({"columns": "i_zz"}, "no quantity of stream 'plane' is called 'i_zz'; did you mean 'i_zy' or 'i_zx'"),
        ({"columns": ["ce", "?"]}, "no quantity of stream 'plane' is called '?'; there are i_zx, i_zy"),
    ],
)
def test_rows_and_columns_that_cannot_be_used_are_refused_as_arguments(path, asked, text):
    with ip.open_run(path) as run, pytest.raises(InputError, match=text.replace("?", r"\?")):
        run.plane().read("values", **asked)


# Names


def test_a_name_that_is_not_there_gets_near_ones_of_its_folder(path):
    path.with_name("folder.h5").mkdir()
    with pytest.raises(RunFileError, match=r"rum\.h5: there is no such file; did you mean 'run\.h5'\?$"):
        ip.open_run(path.with_name("rum.h5"))
    with pytest.raises(RunFileError, match=r"run: there is no such file; did you mean 'run\.h5'\?$"):
        ip.open_run(path.with_name("run"))
    with pytest.raises(RunFileError, match=r"there is no such file$"):
        ip.open_run(path.with_name("absent") / "x.h5")
