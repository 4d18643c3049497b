"""The page on networks: its blocks give what they say, its table has every name, and its numbers are counted."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from infoplane.models import MODELS, build

PAGE = (Path(__file__).parents[3] / "docs" / "models.md").read_text()


def rows() -> dict[str, list[str]]:
    lines = [line for line in PAGE.splitlines() if line.startswith("| `")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {name: row for row in cells for name in re.findall(r"`([^`]+)`", row[0])}


def test_blocks_run_and_give_what_they_say(tmp_path):
    blocks = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    printed = re.findall(r"```\n\n```\n(.*?)```", PAGE, flags=re.DOTALL)
    assert len(blocks) == len(printed) == 2
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", "\n".join(blocks)], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "".join(printed)


def test_the_table_has_every_name():
    assert set(rows()) >= {*MODELS, "resnet50", "package.module:function"}


@pytest.mark.parametrize(
    ("name", "shape", "classes"),
    [
        ("mlp", (784,), 10),
        ("vib-mlp", (784,), 10),
        *((f"resnet{depth}", (3, 32, 32), 10) for depth in (20, 32, 44, 56)),
        ("leaky-mlp", (4,), 3),
        ("frequency-net", (512,), 5),
        ("gru", (28, 28), 10),
        ("lstm", (28, 28), 10),
        ("resnet50", (3, 224, 224), 1000),
    ],
)
def test_the_tables_counts_are_counted(name, shape, classes):
    network = build(name, shape=shape, classes=classes, seed=0)
    counted = f"{sum(parameter.numel() for parameter in network.parameters()):,}"
    assert counted in re.findall(r"[\d,]{5,}", rows()[name][4])
