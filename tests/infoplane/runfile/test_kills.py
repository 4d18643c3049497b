"""Twenty real recordings killed at random moments: the benchmark's own checks, which end at the first wrong row."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / "benchmarks" / "kills.py"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_after_twenty_kills_every_committed_row_is_read_recovered_and_gone_on_from(tmp_path):
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "--kills", "20"], capture_output=True, text=True, timeout=400, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr[-3000:]
    counts = [int(cell.replace(",", "")) for cell in done.stdout.splitlines()[-1].strip("| ").split(" | ")]
    kills, before, said, read, recovered, resumed, wrong = counts
    assert (kills, resumed, wrong) == (20, 20, 0)
    assert recovered == kills - before > 10
    assert read > said > 500
