"""A file that cannot be written any more: a clear reason, nothing committed lost, and a normal exit of the process."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from torch import nn

import infoplane as ip
from infoplane.errors import InputError

PROGRAM = Path(__file__).with_name("faulty_writer.py")
NOBODY = 65534


def run_cases(folder, cases, *before):
    """Return what became of each case; see faulty_writer.py."""
    command = [*before, sys.executable, str(PROGRAM), str(folder), json.dumps(cases)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def told(outcome, key):
    return [said[key] for said in outcome["said"] if key in said]


def assert_exits_as_without_the_fault(outcome):
    assert (outcome["exit"], outcome["stderr"]) == (0, "")


def assert_nothing_committed_is_lost(outcome):
    committed = max(told(outcome, "committed"), default=0)
    if "read" not in outcome:
        assert not committed
        return
    (read,) = outcome["read"]
    assert read["right"]
    assert min(readable for _, readable in read["found"].values()) >= committed


@pytest.fixture(scope="module")
def limited(tmp_path_factory):
    sizes = [0, 4_000, *range(30_000, 115_000, 8_300)]
    cases = [{"kind": "limit", "size": size, "rows": 25, "flush": (1, 4)[k % 2]} for k, size in enumerate(sizes)]
    return run_cases(tmp_path_factory.mktemp("limit"), cases)


def test_a_limit_on_the_size_of_files_loses_nothing_committed_wherever_it_strikes(limited):
    ends = set()
    for outcome in limited:
        assert_exits_as_without_the_fault(outcome)
        assert_nothing_committed_is_lost(outcome)
        for text in told(outcome, "text") + told(outcome, "close"):
            assert text.endswith("(File too large)")
            assert "run.h5: " in text
        ends.add(outcome["read"][0]["status"] if "read" in outcome else "absent")
    assert ends == {"absent", "killed", "finished"}


def test_after_a_fault_appending_says_the_same_again_and_closing_nothing(limited):
    later = 0
    for outcome in limited:
        if told(outcome, "committed") and told(outcome, "later"):
            assert told(outcome, "later") == told(outcome, "text")
            assert told(outcome, "closed") == [True]
            later += 1
    assert later > 3


def test_a_start_that_fails_leaves_nothing_behind(limited):
    assert limited[0]["left"] == limited[1]["left"] == []
    assert told(limited[1], "text")[0].endswith("run.h5: cannot be written (File too large)")


def test_a_full_disk_loses_nothing_committed(tmp_path):
    if shutil.which("unshare") is None:
        pytest.skip("a small file system needs the program unshare")
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = f'mount -t tmpfs -o size=120k tmpfs {disk} && exec "$@"'
    private = ["unshare", "--mount", "--map-root-user", "sh", "-c", mount, "sh"]
    if subprocess.run([*private, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this system does not let us mount a small file system")
    cases = [{"rows": 60}, {"rows": 6, "on_error": "warn"}]
    full, trained = run_cases(disk, cases, *private)
    assert_exits_as_without_the_fault(full)
    assert_nothing_committed_is_lost(full)
    assert max(told(full, "committed")) >= 3
    assert told(full, "text")[0].endswith("cannot be written (No space left on device)")
    assert full["read"][0]["status"] == "killed"
    assert trained["exit"] == 0
    assert (told(trained, "closed"), told(trained, "sunk")) == ([True], [6])
    assert trained["stderr"].count("(No space left on device); the training goes on without it") == 1


@pytest.fixture(scope="module")
def moved(tmp_path_factory):
    kinds = ("delete", "delete folder", "replace", "move folder")
    outcomes = run_cases(tmp_path_factory.mktemp("moved"), [{"kind": kind, "at": 5, "rows": 9} for kind in kinds])
    return dict(zip(kinds, outcomes, strict=True))


def test_a_file_that_is_gone_is_noticed_at_the_next_row(moved):
    for kind in ("delete", "delete folder", "replace"):
        assert_exits_as_without_the_fault(moved[kind])
        assert told(moved[kind], "text")[0].endswith(
            "run.h5: was deleted or replaced while it was written, so that its rows are lost"
        )
        assert max(told(moved[kind], "committed")) == 4
    assert moved["delete"]["left"] == []
    assert moved["replace"]["left"] == ["run.h5"]


def test_a_file_whose_folder_is_moved_goes_on_there(moved):
    outcome = moved["move folder"]
    assert_exits_as_without_the_fault(outcome)
    assert outcome["read"] == [
        {"status": "finished", "found": {key: [9, 9] for key in ("plain", "packed", "events")}, "right": True}
    ]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    cases = [
        {"kind": "limit", "size": 100_000, "at": 2, "rows": 6, "on_error": "warn"},
        {"kind": "limit", "size": 100_000, "at": 2, "rows": 6, "on_error": "raise"},
        {"kind": "limit", "size": 1000, "at": 0, "rows": 6, "on_error": "warn"},
        {"kind": "limit", "size": 1000, "at": 0, "rows": 6, "on_error": "raise"},
        {"kind": "delete", "at": 3, "rows": 6, "on_error": "warn"},
    ]
    return run_cases(tmp_path_factory.mktemp("trained"), cases)


def test_with_warn_the_training_goes_on_measures_serves_sinks_and_says_it_once(trained):
    for outcome, reason in ((trained[0], "too large"), (trained[2], "too large"), (trained[4], "rows are lost")):
        assert outcome["exit"] == 0
        assert told(outcome, "closed") == [True]
        assert told(outcome, "sunk") == [6]
        (line,) = outcome["stderr"].splitlines()
        assert reason in line
        assert line.endswith("; the training goes on without it")
    assert trained[0]["read"][0]["status"] == "killed"
    assert trained[2]["left"] == []


def test_with_raise_the_training_stops_with_the_reason(trained):
    for outcome, sunk in ((trained[1], range(1, 6)), (trained[3], range(1))):
        assert_exits_as_without_the_fault(outcome)
        assert told(outcome, "fault") == ["RunFileError"]
        assert told(outcome, "text")[0].endswith("cannot be written (File too large)")
        assert told(outcome, "sunk")[0] in sunk
    assert trained[1]["read"][0]["status"] == "killed"


def test_a_folder_that_may_not_be_written_is_said(tmp_path):
    if os.geteuid():
        cases = [{"kind": "no permission", "rows": 3}]
    else:
        for folder in (tmp_path, *tmp_path.parents):
            if not folder.stat().st_mode & 0o001:  # pytest's own are closed to others
                folder.chmod(0o755)
        cases = [{"kind": "no permission", "rows": 3, "uid": NOBODY}]
    (outcome,) = run_cases(tmp_path, cases)
    assert_exits_as_without_the_fault(outcome)
    assert told(outcome, "text")[0].endswith("run.h5: cannot be written (Permission denied)")


def test_a_file_of_ours_is_recovered_after_a_fault(tmp_path):
    run_cases(tmp_path, [{"kind": "limit", "size": 90_000, "rows": 30}])
    recovered = ip.recover(tmp_path / "case0" / "run.h5", tmp_path / "whole.h5")
    with ip.open_run(tmp_path / "case0" / "run.h5") as left, ip.open_run(recovered) as run:
        assert len(run.stream("plain")) == len(left.stream("plain")) > 0
        assert (left.status, run.status) == ("killed", "interrupted")


@pytest.mark.parametrize(
    ("option", "text"),
    [
        ({"flush": 0}, "flush is 0, but it must be a whole number of at least 1"),
        ({"flush": True}, "flush is True"),
        ({"on_error": "ignore"}, "on_error is 'ignore', but it is one of 'raise', 'warn'"),
        ({"on_error": "warns"}, "did you mean 'warn'"),
    ],
)
def test_options_that_cannot_be_used_are_refused(tmp_path, option, text):
    with pytest.raises(InputError, match=text):
        ip.record(nn.Sequential(nn.Linear(2, 2)), tmp_path / "run.h5", classes=2, **option)
