"""The page on verdicts says what the code does."""

import re
from pathlib import Path

import pytest

from infoplane.analysis.verdicts import detectable_effect, errors_alone, power, seeds_needed

PAGE = (Path(__file__).parents[3] / "docs" / "verdicts.md").read_text()


def row(name):
    return [float(cell) for cell in re.search(rf"\| {name} \|(.*)\|\n", PAGE).group(1).split("|")]


def test_example_of_arrays_prints_what_stands_below_it(capsys):
    block, printed = re.search(r"```python\n(from infoplane.analysis[^`]*judge[^`]*)```\n\n> (.*)\n", PAGE).groups()
    exec(block, {})
    assert capsys.readouterr().out == f"{printed}\n"


@pytest.mark.parametrize(("name", "level"), [("one claim", 0.95), ("strictest of five claims", 0.99)])
def test_table_of_seeds(name, level):
    found = [round(detectable_effect(seeds, level=level), 2) for seeds in row_of_seeds()]
    assert row(name) == found


def row_of_seeds():
    return [int(cell) for cell in re.search(r"\| seeds \| (3 \| 4 .*?) \|\n", PAGE).group(1).split("|")]


def test_numbers_in_the_text():
    assert f"needs {seeds_needed(0.07, deviation=0.08)} seeds" in PAGE
    assert f"three find it in {100 * power(0.07, 3, deviation=0.08):.0f} of 100" in PAGE
    assert f"({seeds_needed(0.035, deviation=0.08)} in this example)" in PAGE
    assert f"> {errors_alone(117, 114, 10000)}\n" in PAGE
