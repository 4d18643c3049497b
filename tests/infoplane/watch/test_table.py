"""The table: it fits the terminal, says what it leaves out, and shows no control character of a file."""

import math

import pytest
from rich.cells import cell_len

from infoplane.watch.sparkline import BLOCKS
from infoplane.watch.table import _shortened, table


def lines_of(states, width=100, height=30, **options):
    return table(states, width=width, height=height, now=1007.0, **options).plain.splitlines()


def test_a_run_shows_what_it_is_and_how_it_stands(state_of):
    lines = lines_of([state_of(findings=5, unusable=2, epochs=9)])
    (run,) = [line for line in lines if line.startswith("run")]
    for part in (
        "recording",
        "epoch 3 of 9",
        "step 30",
        "3 rows",
        "5 s ago",
        "error 25.00 %",
        "5 findings, 2 unusable",
    ):
        assert part in run
    (site,) = [line for line in lines if line.startswith("  hidden1")]
    assert "≤ 7.000 ± 0.050" in site
    assert "≥ 1.500 ± 0.020" in site
    assert f"{BLOCKS[-1]}{BLOCKS[4]}{BLOCKS[0]}" in site
    head = lines[0].split()
    assert head.count("bit") == 2
    assert head.count("control") == 2
    assert any("VIB probe on test, n = 500" in line for line in lines)


def test_a_rate_beyond_log_n_is_marked_and_explained(state_of):
    lines = lines_of([state_of(n=4)])
    assert any("7.000 ± 0.050*" in line for line in lines)
    assert any(line.startswith("* at or above log2 n") for line in lines)
    assert not any("*" in line for line in lines_of([state_of(n=500)]))


@pytest.mark.parametrize("width", [30, 60, 80, 120, 200])
@pytest.mark.parametrize("height", [8, 12, 24, 100])
@pytest.mark.parametrize("count", [1, 4, 40])
def test_it_fits_the_terminal(state_of, width, height, count):
    states = [state_of(f"run{k}.h5", sites=("hidden1", "a" * 300, "層" * 80), rows=30) for k in range(count)]
    lines = lines_of(states, width, height)
    assert all(cell_len(line) <= width for line in lines)
    if width >= 80 and height >= 12:
        assert len(lines) < height
    shown = sum(line.startswith("run") for line in lines)
    if shown < count:
        assert any(f"{count - shown} of {count} runs" in line for line in lines) or width < 60


def test_runs_that_are_alive_are_the_last_to_be_left_out(state_of):
    states = [state_of(f"old{k}.h5", status="finished") for k in range(30)]
    states.insert(11, state_of("alive.h5"))
    lines = lines_of(states, height=12)
    assert any(line.startswith("alive") for line in lines)
    assert any(line.startswith("  hidden1") for line in lines)


def test_statuses_without_rows_are_lines(state_of):
    nothing = {"rows": 0, "new": (), "recent": (), "meaning": None, "counts": {}, "written": math.nan}
    states = [
        state_of("later.h5", status="waiting", **nothing),
        state_of("broken.h5", status="unreadable", reason="is no HDF5 file", **nothing),
        state_of("killed.h5", status="killed"),
    ]
    lines = lines_of(states)
    assert any(line.startswith("later  waiting") for line in lines)
    assert any(line.startswith("broken  unreadable") and "is no HDF5 file" in line for line in lines)
    assert any(line.startswith("killed  killed") for line in lines)


def test_runs_of_one_name_are_told_apart_by_their_paths(state_of):
    lines = lines_of([state_of("a/run.h5"), state_of("b/run.h5")])
    assert {line.split()[0] for line in lines if "recording" in line} == {"a/run.h5", "b/run.h5"}


def test_what_comes_from_a_file_does_not_steer_the_terminal(state_of):
    states = [state_of("\x1b[2J\u202e.h5", sites=("\x1b]0;x\x07[bold]",), reason="\r\x1b[1A")]
    lines = lines_of(states, width=200)
    assert all(line.isprintable() for line in lines)
    assert any("[bold]" in line for line in lines)


def test_terminals_without_blocks_get_plain_signs(state_of):
    lines = lines_of([state_of(), state_of("other.h5", n=4)], ascii_only=True)
    assert all(line.isascii() for line in lines)


def test_patterns_are_named(state_of):
    assert any("runs/*.h5" in line and "Ctrl-C" in line for line in lines_of([state_of()], patterns=["runs/*.h5"]))


def test_long_names_of_sites_keep_the_ends_that_tell_them_apart():
    assert [_shortened(f"hidden{k}", 7) for k in (1, 10, 12)] == ["hidden1", "hid…n10", "hid…n12"]
    assert _shortened("fc", 7) == "fc"
