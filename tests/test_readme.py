"""The README's Python blocks run in order, as a reader would paste them."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_python_blocks_run_and_give_what_they_say(tmp_path):
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), flags=re.DOTALL)
    assert len(blocks) == 5
    environment = os.environ | {"MPLBACKEND": "agg"}
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", "\n".join(blocks)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    for name in ("baseline.h5", "synscaw.h5", "plane.png", "jsd.csv", "surface.png"):
        assert (tmp_path / name).stat().st_size > 1000 or name == "jsd.csv"
    assert "-0.5599" in result.stdout
    assert "hidden2" in result.stdout
    assert "mutual information" in result.stdout
    assert "the ordering of layers does not survive" in result.stdout
    assert "saturated" in result.stdout


def test_commands_named_exist():
    commands = set(re.findall(r"^infoplane (\w+)", (ROOT / "README.md").read_text(), flags=re.MULTILINE))
    result = subprocess.run(
        [sys.executable, "-c", "from infoplane.cli import main; main(['--help'])"],
        capture_output=True,
        text=True,
    )
    assert commands
    assert all(command in result.stdout for command in commands)
