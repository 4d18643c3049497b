"""The paper's numbers as the project carries them."""

import hashlib
import importlib.resources
import math

import pytest

from infoplane.errors import InputError
from infoplane.experiments import paper
from infoplane.regularizers import parse_method


def test_every_file_names_its_source_and_licence():
    files = [f for f in importlib.resources.files("infoplane.experiments.paper").iterdir() if f.name.endswith(".csv")]
    assert len(files) == 8
    for file in files:
        first = file.read_text(encoding="utf-8").splitlines()[0]
        assert first.startswith("#")
        assert paper.DOI in first
        assert "CC BY 4.0" in first


@pytest.mark.parametrize(
    ("name", "checksum"),
    [
        ("fig4", "75d7373713bc7a53"),
        ("fig5", "8014941c9735ab52"),
        ("fig6", "3d8cf43ff7261852"),
        ("table1", "8e61738ca66160ba"),
        ("table2", "35e08c5782b1d9c7"),
        ("table3", "f658eb66c2e34a25"),
        ("table4", "954c81f522b28af3"),
        ("table5", "b0892035b59d14f7"),
    ],
)
def test_numbers_are_those_that_were_compared_with_the_print(name, checksum):
    file = importlib.resources.files("infoplane.experiments.paper") / f"{name}.csv"
    lines = [line for line in file.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    assert hashlib.sha256(("\n".join(lines) + "\n").encode()).hexdigest().startswith(checksum)


def test_fig4_has_the_ends_of_its_colour_bar_where_they_are_printed():
    cells = paper.fig4()
    assert cells.shape == (99, 99)
    assert cells.max() == cells[0, 0] == 0.4894  # bottom left
    assert cells.min() == cells[0, -1] == -0.5406  # bottom right: half a cell from the end


def test_fig5_has_four_layers_and_the_dot_of_the_caption():
    dots = paper.fig5()
    assert set(dots["layer"]) == {1, 2, 3, 4}
    assert set(dots["run"]) == {"baseline", "scaling"}
    assert dots["i_zy"].max() < 0.9
    its = dots[(dots["i_zx_bit"] == 38.38)]
    assert set(its["run"]) == {"baseline"}
    assert set(its["layer"]) == {1}


def test_fig6_has_its_least_errors_where_they_are_drawn():
    lines = paper.fig6()
    for panel, rate, error in (("b", 0.09, 1.07), ("d", 0.675, 1.09)):
        its = lines[(lines["panel"] == panel) & (lines["curve"] == "error")]
        assert tuple(its.loc[its["y"].idxmin(), ["x", "y"]]) == (rate, error)


@pytest.mark.parametrize(
    ("number", "cell", "value"),
    [
        (1, ("resnet32", "cifar100", "vib"), 51.91),
        (1, ("resnet50", "imagenet", "synscal"), 24.63),
        (2, ("mlp", "mnist", "synscaw+confidence-penalty"), 0.112),
        (3, ("resnet32", "cifar100", "baseline"), 0.691),
        (3, ("mlp", "cifar10", "confidence-penalty"), 0.352),
    ],
)
def test_tables_have_their_cells(number, cell, value):
    table = paper.table(number).set_index(["network", "data", "method"])["value"]
    assert table[cell] == value
    assert table.index.is_unique
    # 7 + 1 columns by 8 rows, less dropout of the ResNets and what ResNet-50 was not trained with
    assert len(table) == {1: 48, 2: 45, 3: 45}[number]


def test_methods_have_the_names_that_the_project_gives_them():
    for number in (1, 2, 3, 5):
        for name in set(paper.table(number)["method"]):
            assert parse_method(name).name == name


def test_table_v_keeps_what_is_not_significant_apart_from_what_was_not_tested():
    table = paper.table(5).set_index(["data", "network", "method"])
    assert len(table) == 17 * 5 - 7  # no confidence penalty for real labels
    assert table.loc[("iris", "leaky-mlp", "synscaw"), "mark"] == "-"
    assert table.loc[("iris", "leaky-mlp", "baseline"), "mark"] == ""
    assert table.loc[("sequential-mnist", "lstm", "confidence-penalty"), "value"] == 98.91


def test_table_iv_differs_from_the_sets_where_the_errata_say_so():
    counts = paper.table(4)
    wrong = counts[counts["printed"] != counts["samples"]].set_index("data")
    assert set(wrong.index) == {
        "uci-parkinson", "uci-red-wine", "uci-white-wine", "diabetes", "life-expectancy", "imdb"
    }  # fmt: skip
    assert wrong.loc["uci-red-wine", "printed"] == wrong.loc["uci-white-wine", "samples"] - 1
    assert wrong.loc["uci-white-wine", "printed"] == wrong.loc["uci-red-wine", "samples"] - 1


@pytest.mark.parametrize("number", [0, 6, "1", math.nan])
def test_there_is_no_other_table(number):
    with pytest.raises(InputError, match="number is"):
        paper.table(number)
