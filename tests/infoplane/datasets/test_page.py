"""The page on data: its Python blocks run, and its table has every name."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from infoplane.datasets import DATASETS

PAGE = Path(__file__).parents[3] / "docs" / "data.md"

pytestmark = pytest.mark.skipif(not PAGE.is_file(), reason="the page is not installed")


def test_the_table_has_every_name_and_no_other():
    cells = re.findall(r"^\| (`[^|]*) \|", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert sorted(re.findall(r"`([^`]+)`", " ".join(cells))) == sorted(DATASETS)


def test_the_python_blocks_run_and_give_what_they_say(tmp_path):
    text = PAGE.read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    assert len(blocks) == 2
    after = "print(len(few.train_labels), len(fold.test_labels), len(other.test_labels), other.targets)"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", "\n".join([*blocks, after])],
        cwd=tmp_path,
        env=os.environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    first, *_, shown, last = done.stdout.splitlines()
    assert f"# {first}" in text
    assert "<Dataset 'mine': 240 training and 60 test inputs of shape (8,), 3 classes>" in shown
    assert "<Dataset 'houses': 40 training and 10 test inputs of shape (3,), 1 number(s) per label>" in shown
    assert "<Dataset 'parity': 205 training and 51 test inputs of shape (8,), 2 classes>" in shown
    assert last == "500 15 44 1"
