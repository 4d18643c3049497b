"""The gallery shows every picture, and its cells run."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import infoplane as ip

PAGE = Path(__file__).parents[3] / "docs" / "gallery.md"
CLOSE = "\nimport matplotlib.pyplot\nmatplotlib.pyplot.close('all')\n"  # as a notebook does after every cell
NO_PICTURES = {"COLUMN", "PAGE", "SLIDE", "theme", "save"}


def cells():
    found = re.findall(r"```\{code-cell\} ipython3\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert found
    return found


def test_every_picture_is_in_the_gallery():
    shown = set(re.findall(r"ip\.plots\.(\w+)\(", "".join(cells())))
    assert shown - NO_PICTURES == set(ip.plots.__all__) - NO_PICTURES


@pytest.mark.slow
def test_the_cells_run_in_order(tmp_path):
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", CLOSE.join(cells())],
        cwd=tmp_path,
        env=os.environ | {"MPLBACKEND": "agg", "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
