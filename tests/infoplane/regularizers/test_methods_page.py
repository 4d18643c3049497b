"""The page on methods says what the code does."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

from infoplane.regularizers import METHODS, parse_method
from infoplane.scaling.settings import PRESETS
from infoplane.scaling.synscal import SynScaL

PAGE = (Path(__file__).parents[3] / "docs/methods.md").read_text()


def rows():
    """Yield name and parameters of each row of the table."""
    for line in re.findall(r"^\| `.*\|$", PAGE, flags=re.MULTILINE):
        name, _, parameters, _ = (cell.strip() for cell in line.strip("|").split("|"))
        yield name.strip("`"), dict(re.findall(r"`(\w+)` ([\d.]+)", parameters))


def test_table_has_every_method_once_in_the_order_of_the_code():
    assert [name for name, _ in rows()] == list(METHODS)


def test_table_has_the_defaults_that_act():
    for name, written in rows():
        part = METHODS[name]
        expected = part.parameters
        if part.kind == "scaling":
            rate = PRESETS[part.variant].gamma if part.is_synscaw else SynScaL(part.variant).gamma
            expected = {"rate": rate}
        assert {key: float(value) for key, value in written.items()} == dict(expected)


def test_every_option_of_synscaw_is_named():
    (listed,) = re.findall(r"^What SynScaW takes beside `rate`: (.*?)\. ", PAGE, flags=re.MULTILINE | re.DOTALL)
    assert set(re.findall(r"`(\w+)`", listed)) | {"rate"} == set(METHODS["synscaw"].parameters)


def test_configuration_of_the_page_is_a_method():
    (text,) = re.findall(r"```toml\n(.*?)```", PAGE, flags=re.DOTALL)
    table = tomllib.loads(text)
    method = parse_method(table["method"], scaling=table["scaling"], regularizers=table["regularizers"])
    assert method.name == "synscaw+confidence-penalty"
    assert method.parameters == {"penalty": 0.1}


def test_python_blocks_of_the_page_run_and_give_what_they_say(tmp_path):
    blocks = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", "\n".join(blocks)],
        cwd=tmp_path,
        env=os.environ | {"MPLBACKEND": "agg"},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    output = result.stdout.splitlines()
    assert output[0].startswith("synscaw-stable+dropout ['input_dropout', 'hidden1.activation.dropout'")
    assert "recording" in output
    assert "baseline {} {}" in output
    assert "synscal {'rate': 0.03} {}" in output
    assert "synscaw+confidence-penalty {'rate': 0.03, 'rule': 'w2'} {'penalty': 0.1}" in output
    assert output[-3:-1] == ["10.0 bit: error up to 0.0925, vacuous: False", "28.38 bit: error up to 54, vacuous: True"]
    assert output[-1].startswith("below 16.87 bit")
