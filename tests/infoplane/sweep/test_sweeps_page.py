"""The page on sweeps: its block gives what it says, and its configuration and names are what the code makes of them."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

from infoplane.cli.sweep import split_values
from infoplane.sweep import plan

PAGE = (Path(__file__).parents[3] / "docs" / "sweeps.md").read_text()


def test_blocks_run_and_give_what_they_say(tmp_path):
    blocks = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    (printed,) = re.findall(r"```python\n.*?```\n\n```\n(.*?)```", PAGE, flags=re.DOTALL)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", "\n".join(blocks)], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == printed


def test_commands_of_the_page_plan_what_it_says(tmp_path):
    (config,) = re.findall(r"```toml\n(.*?)```", PAGE, flags=re.DOTALL)
    assert tomllib.loads(config)["training"]["epochs"] == 10
    (tmp_path / "config.toml").write_text(config)
    (values,) = re.findall(r"--seeds 3 --grid scaling.rate=(\S+) --metric loss", PAGE)
    made = plan(tmp_path / "config.toml", seeds=3, grid={"scaling.rate": split_values(values)}, metric="loss")
    assert len(made.points) == 9
    assert list(dict.fromkeys(point.group for point in made.points)) == re.findall(r"^(rate=\S+) ", PAGE, flags=re.M)
    assert "rate=0.1,seed=2" in [point.name for point in made.points]
    grid = {"method": ["baseline", "synscaw"], "scaling.rate": ["0.01", "0.03"]}
    groups = [point.group for point in plan(tmp_path / "config.toml", grid=grid, metric="loss").points]
    assert groups == ["baseline", "synscaw,rate=0.01", "synscaw,rate=0.03"]
