"""The Python blocks of the README and the pages run in order, as a reader would paste them."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def run_blocks(page, *, count, cwd, after=""):
    """Run the `count` Python blocks of a page, then `after`, in one new process; return what it printed."""
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(), flags=re.DOTALL)
    assert len(blocks) == count
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", "\n".join([*blocks, after])],
        cwd=cwd,
        env=os.environ | {"MPLBACKEND": "agg"},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_python_blocks_of_the_readme_run_and_give_what_they_say(tmp_path):
    output = run_blocks("README.md", count=5, cwd=tmp_path)
    for name in ("baseline.h5", "synscaw.h5", "plane.png", "jsd.csv", "surface.png"):
        assert (tmp_path / name).stat().st_size > 1000 or name == "jsd.csv"
    assert "-0.5599" in output
    assert "hidden2" in output
    assert "mutual information" in output
    assert "the ordering of layers does not survive" in output
    assert "saturated" in output


def test_python_blocks_of_the_page_on_estimators_run(tmp_path):
    after = "print(len(forty_tasks()), round(law.mutual_information(), 4), round(curve.i_xy, 2), curve.error < 1e-4)"
    assert run_blocks("docs/estimators.md", count=2, cwd=tmp_path, after=after) == "40 0.4998 0.99 True\n"


def test_python_blocks_of_the_page_on_recording_run_and_give_what_they_say(tmp_path):
    after = "print(rec.sites, activations.shape, frontier.i_zx.is_monotonic_decreasing, error**2 < c[a, a] + c[b, b])"
    output = run_blocks("docs/recording.md", count=12, cwd=tmp_path, after=after)
    assert "not recorded: lstm (not one floating-point tensor)" in output
    assert "['rows' 'sequence' 'last step'] ['tokens-mean' 'last' 'flatten']" in output
    assert "[ 0  1  2  3  4  5  6  8 10 13 16 20 25]" in output
    listed = re.search(r"```\n(site .*?\n)```", (ROOT / "docs/recording.md").read_text(), flags=re.DOTALL)
    assert listed[1] in output
    assert output.endswith("('blocks.0', 'blocks.1') (200, 32) True True\n")


def test_python_blocks_of_the_page_on_run_files_run_and_give_what_they_say(tmp_path):
    output = run_blocks("docs/run-files.md", count=5, cwd=tmp_path)
    assert "finished ('plane', 'plane_scatter'" in output
    assert "[1. 2. 3.] ['recording began', 'finished', 'recording went on at step 28" in output
    assert "configuration.rate" in output
    assert (tmp_path / "plane.csv").stat().st_size > 1000


def test_commands_named_exist():
    commands = set(re.findall(r"^infoplane (\w+)", (ROOT / "README.md").read_text(), flags=re.MULTILINE))
    result = subprocess.run(
        [sys.executable, "-c", "from infoplane.cli import main; main(['--help'])"],
        capture_output=True,
        text=True,
    )
    assert commands
    assert all(command in result.stdout for command in commands)


def test_python_blocks_of_the_page_on_synaptic_scaling_run_and_give_what_they_say(tmp_path):
    output = run_blocks("docs/synaptic-scaling.md", count=6, cwd=tmp_path)
    assert "ReLU given" in output
    assert "['lstm.l0[i]', 'lstm.l0[f]', 'lstm.l0[g]', 'lstm.l0[o]', 'head']" in output
