import json
import math

import numpy as np
import pytest

import infoplane as ip
from infoplane.cli import run as cli
from infoplane.errors import RunFileError
from infoplane.probes.probe_info import ProbeInfo
from infoplane.runfile.schema import PLANE_QUANTITIES, run_streams
from infoplane.runfile.writer import RunWriter

SITES = ("a", "b", "c", "d", "e", "f")


def write(path, said, *, rows=10, sites=SITES):
    """A run of `rows` rows and the findings `said`: tuples of step, where, code, amount, unit."""
    probes = [
        ProbeInfo(site if host == "trained" else f"{site}@{host}", site, host, 1e-3, 2)
        for host in ("trained", "untrained")
        for site in sites
    ]
    with RunWriter(path) as writer:
        writer.start(run_streams(probes=probes), {})
        for step in range(rows):
            count = len(probes)
            blocks = {name: np.zeros((count, count)) for name in ("covariance_i_zx", "covariance_i_zy")}
            values = np.ones((count, len(PLANE_QUANTITIES)))
            writer.append("plane", step, epoch=step, n=50, n_sandwich=50, updates=1, values=values, **blocks)
        for step, where, code, amount, unit in said:
            text = f"{code} at step {step}"
            fixed = {"stream": "plane", "text": text, "advice": "look closer"}
            writer.append("findings", None, step=step, where=where, code=code, amount=amount, unit=unit, **fixed)
    return path


@pytest.fixture
def beyond(tmp_path):
    said = [(step, site, "rate_above_log_n", 10.0 * step - 5, "bit") for step in range(10) for site in ("a", "b")]
    return write(tmp_path / "run.h5", [*said, (3, "c", "left_out", 7.0, "1")])


def test_hundreds_of_findings_read_as_one_line_a_kind(beyond):
    found = ip.reports.findings(beyond)
    assert [str(group) for group in found] == [
        "left_out at c: 1 of 10 rows, 7",
        "rate_above_log_n at a, b: 10 of 10 rows, by up to 85 bit",
    ]
    assert found[1].text == "rate_above_log_n at step 9"
    assert found[1].advice == "look closer"


def test_the_largest_amount_is_by_magnitude_and_none_is_left_unsaid(tmp_path):
    said = [(0, "a", "negative", -3.0, "bit"), (1, "a", "negative", 1.0, "bit"), (0, "a", "odd", math.nan, "")]
    negative, odd = ip.reports.findings(write(tmp_path / "run.h5", said))
    assert negative.amount == -3
    assert odd.extent == "a: 1 of 10 rows"


@pytest.mark.parametrize(
    ("places", "text"),
    [
        (("a", "b", "a@untrained", "b@untrained"), "a, b and their controls"),
        (("a", "a@untrained"), "a and its control"),
        (("a@untrained", "b@untrained"), "the control of a, b"),
        (("a", "b@untrained"), "a and the control of b"),
        (SITES, "a, b, c and 3 more"),
    ],
)
def test_places_are_named_shortly(tmp_path, places, text):
    (group,) = ip.reports.findings(write(tmp_path / "run.h5", [(0, place, "odd", 1.0, "bit") for place in places]))
    assert group.extent == f"{text}: 1 of 10 rows, by 1 bit"


def test_a_run_without_findings_has_none(tmp_path):
    path = write(tmp_path / "run.h5", [])
    assert ip.reports.findings(path) == ()
    with ip.open_run(path) as run:
        assert ip.reports.findings(run) == ()
        assert len(run.plane()) == 10  # it stays open
    with pytest.raises(RunFileError):
        ip.reports.findings(tmp_path / "other.h5")


def test_info_counts_codes_and_shows_what_was_said_last(beyond, capfd):
    assert cli(["info", str(beyond)]) == 0
    out = capfd.readouterr().out
    assert "findings: rate_above_log_n (20), left_out (1)" in out
    assert "  rate_above_log_n at a, b: 10 of 10 rows, by up to 85 bit\n" in out
    assert "    rate_above_log_n at step 9; look closer\n" in out


def test_plane_says_findings_on_stderr_and_leaves_stdout_to_the_numbers(beyond, tmp_path, capfd):
    assert cli(["plane", str(beyond), "--json", "-o", str(tmp_path / "plane.png")]) == 0
    captured = capfd.readouterr()
    rows = [json.loads(line) for line in captured.out.splitlines()]
    assert {row["probe"] for row in rows if row["findings"] == ["rate_above_log_n"]} == {"a", "b"}
    assert {(row["probe"], row["step"]) for row in rows if row["findings"] == ["left_out"]} == {("c", 3)}
    assert "finding: rate_above_log_n\n  run: a, b: 10 of 10 rows, by up to 85 bit\n" in captured.err
    assert len(captured.err.splitlines()) <= 8


def test_runs_of_one_name_are_told_apart(tmp_path, capfd):
    paths = [tmp_path / folder / "run.h5" for folder in ("one", "two")]
    for path in paths:
        path.parent.mkdir()
        write(path, [(0, "a", "odd", float(path.parent.name == "one"), "bit")])
    assert cli(["plane", *map(str, paths), "--json"]) == 0
    said = " ".join(capfd.readouterr().err.split())
    assert all(f"{path}: a: 1 of 10 rows" in said for path in paths)


def test_long_findings_and_names_are_wrapped_and_lose_nothing(tmp_path, capfd):
    sites = [f"encoder.layers.{k}.attention-output@beta=0.001" for k in range(6)]
    path = write(tmp_path / "run.h5", [(0, site, "odd", 123.0, "bit") for site in sites], sites=sites)
    assert cli(["info", str(path)]) == cli(["plane", str(path), "-o", str(tmp_path / "p.png")]) == 0
    captured = capfd.readouterr()
    for text in (captured.out, captured.err):
        assert max(len(line) for line in text.splitlines() if str(tmp_path) not in line) <= 100
        assert f"{', '.join(sites[:3])} and 3 more: 1 of 10 rows, by 123 bit" in " ".join(text.split())
    assert f"probes: {', '.join(sites)}, " in " ".join(captured.out.split())


def test_a_finding_cannot_move_the_cursor(tmp_path, capfd):
    path = write(tmp_path / "run.h5", [(0, "a\x1b[2J", "odd", 1.0, "bit")])
    assert cli(["info", str(path)]) == cli(["plane", str(path), "-o", str(tmp_path / "p.png")]) == 0
    captured = capfd.readouterr()
    assert "\x1b" not in captured.out + captured.err
