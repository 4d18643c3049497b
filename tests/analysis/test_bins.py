"""Bins: where their edges lie, and that codes are what counting by hand gives."""

import math

import numpy as np
import pytest
import torch

from infoplane.analysis.bin_rule import BinRule
from infoplane.analysis.bins import Bins
from infoplane.analysis.errors import InputError

RNG = np.random.default_rng(0)
LAYER = RNG.standard_normal((400, 5)) * [1, 2, 3, 0.1, 10]


def by_hand(value, edges):
    """Return the code of a value: the last edge that is not above it, within the range."""
    return int(min(max(sum(value >= edge for edge in edges) - 1, 0), len(edges) - 2))


def test_equal_widths_over_the_layer_are_those_of_numpy():
    codes = Bins.fit(LAYER, number=7).codes(LAYER)
    edges = np.histogram_bin_edges(LAYER, 7)
    assert codes.tolist() == [[by_hand(value, edges) for value in row] for row in LAYER]


def test_equal_widths_per_neuron_are_those_of_each_column_alone():
    codes = Bins.fit(LAYER, number=7, scope="neuron").codes(LAYER)
    for column in range(5):
        alone = LAYER[:, column : column + 1]
        np.testing.assert_array_equal(codes[:, column : column + 1], Bins.fit(alone, number=7).codes(alone))


def test_width_cuts_from_the_lower_end_on():
    bins = Bins.fit(LAYER, rule="width", width=0.5, scope="fixed", low=-1, high=1)
    assert bins.number.tolist() == [4]
    values = np.array([-1.0, -0.75, -0.5, 0.0, 0.25, 0.5, 0.99, 1.0])
    assert bins.codes(values).ravel().tolist() == [0, 0, 1, 2, 2, 3, 3, 3]


def test_width_that_goes_evenly_makes_no_extra_bin():
    for width, high, number in ((0.1, 0.3, 3), (0.1, 0.7, 7), (0.2, 2.0, 10)):
        assert Bins.fit([0.0], rule="width", width=width, scope="fixed", low=0, high=high).number.tolist() == [number]


@pytest.mark.parametrize(
    ("low", "high", "width", "number"), [(0.1, 0.4, 0.1, 3), (0.0, 0.3, 0.1, 3), (-0.2, 0.1, 0.1, 3)]
)
def test_width_whose_multiple_rounds_beyond_the_range_makes_no_extra_bin(low, high, width, number):
    assert Bins.fit([low, high], rule="width", width=width).number.tolist() == [number]
    beyond = Bins.fit([low, high + 1e-9], rule="width", width=width)
    assert beyond.number.tolist() == [number + 1]


def test_equal_mass_puts_as_many_values_in_each_bin():
    counts = np.bincount(Bins.fit(LAYER, rule="equal_mass", number=8).codes(LAYER).ravel())
    assert counts.tolist() == [250] * 8
    per_neuron = Bins.fit(LAYER, rule="equal_mass", number=8, scope="neuron").codes(LAYER)
    assert all(np.bincount(column).tolist() == [50] * 8 for column in per_neuron.T)


@pytest.mark.parametrize("rule", [{}, {"rule": "width", "width": 0.3}, {"rule": "equal_mass", "number": 10}])
@pytest.mark.parametrize("scope", ["layer", "neuron"])
def test_equal_values_share_a_bin_and_larger_ones_are_never_below(rule, scope):
    rectified = np.maximum(LAYER, 0)
    codes = Bins.fit(rectified, scope=scope, **rule).codes(rectified)
    for column, code in zip(rectified.T, codes.T, strict=True):
        order = np.argsort(column, kind="stable")
        assert (np.diff(code[order]) >= 0).all()
        ties = np.diff(column[order]) == 0
        assert ties.any()
        assert (np.diff(code[order])[ties] == 0).all()


def test_a_tie_over_several_quantiles_makes_one_bin():
    values = np.concatenate([np.zeros(70), np.arange(1, 31)])
    bins = Bins.fit(values, rule="equal_mass", number=10)
    assert bins.number.tolist() == [4]
    assert np.bincount(bins.codes(values).ravel()).tolist() == [70, 10, 10, 10]
    assert Bins.fit([[1.0], [1.0]], rule="equal_mass").number.tolist() == [1]


def test_more_bins_of_equal_mass_than_values_give_each_value_its_own():
    bins = Bins.fit([3.0, 1.0, 2.0, 1.0], rule="equal_mass", number=2**31)
    assert bins.codes([1.0, 2.0, 3.0]).ravel().tolist() == [0, 1, 2]


@pytest.mark.parametrize("scope", ["layer", "neuron"])
@pytest.mark.parametrize("bend", [lambda t: 0.1 * t, lambda t: 10 * t + 3, np.arctan, np.cbrt])
def test_equal_mass_knows_only_the_order(bend, scope):
    def codes(t):
        return Bins.fit(t, rule="equal_mass", number=9, scope=scope).codes(t)

    np.testing.assert_array_equal(codes(bend(LAYER)), codes(LAYER))


def test_absolute_width_sees_the_scale():
    fixed = Bins.fit(LAYER, rule="width", width=0.5)
    assert len(np.unique(fixed.groups(LAYER))) > 2 * len(np.unique(fixed.groups(0.1 * LAYER)))


def test_several_layers_share_one_range():
    small, large = LAYER[:, 3:4], LAYER[:, 4:]
    bins = Bins.fit(small, large, number=6)
    assert bins.scope == "global"
    assert (bins.low, bins.high) == (large.min(), large.max())
    np.testing.assert_array_equal(bins.codes(large), Bins.fit(large, number=6).codes(large))
    assert len(np.unique(bins.codes(small))) < len(np.unique(Bins.fit(small, number=6).codes(small))) == 6
    pooled = Bins.fit(small, large, rule="equal_mass", number=6)
    both = np.concatenate([small, large])
    np.testing.assert_array_equal(pooled.codes(both), Bins.fit(both, rule="equal_mass", number=6).codes(both))


def test_values_outside_go_to_the_end_bins_and_are_counted():
    bins = Bins.fit([0.0], scope="fixed", low=-1, high=1, number=4)
    values = [[-3.0, -1.0], [0.1, 1.0], [1.5, 0.0], [0.0, 0.0]]
    assert bins.codes(values).tolist() == [[0, 0], [2, 3], [3, 2], [2, 2]]
    assert bins.outside(values) == 0.25
    masses = Bins.fit([1.0, 2.0, 3.0, 4.0], rule="equal_mass", number=2)
    assert masses.codes([0.0, 2.0, 2.5, 9.0]).ravel().tolist() == [0, 0, 1, 1]
    assert masses.outside([0.0, 2.0, 2.5, 9.0]) == 0.5


@pytest.mark.parametrize("scope", ["layer", "neuron"])
@pytest.mark.parametrize("rule", [{"number": 3}, {"number": 2**20}, {"rule": "equal_mass", "number": 5}])
def test_groups_part_rows_as_their_codes_do(rule, scope):
    wide = np.repeat(RNG.standard_normal((300, 120)), 2, axis=0)
    bins = Bins.fit(wide, scope=scope, **rule)
    codes, groups = bins.codes(wide), bins.groups(wide)
    known = {}
    pairs = {(known.setdefault(row.tobytes(), len(known)), group) for row, group in zip(codes, groups, strict=True)}
    assert len(pairs) == len(known) == groups.max() + 1


def test_a_constant_layer_has_one_code():
    for rule in ({}, {"rule": "width", "width": 0.1}, {"rule": "equal_mass"}):
        assert Bins.fit(np.full((5, 2), 3.0), **rule).groups(np.full((5, 2), 3.0)).tolist() == [0] * 5


def test_tensors_are_taken():
    tensor = torch.tensor(LAYER, dtype=torch.float32, requires_grad=True)
    codes = Bins.fit(tensor, number=4).codes(tensor)
    assert codes.shape == (400, 5)
    np.testing.assert_array_equal(codes, Bins.fit(tensor, number=4).codes(tensor.detach().numpy()))


@pytest.mark.parametrize(
    ("number", "smallest"),
    [(1, "int8"), (128, "int8"), (129, "int16"), (2**15, "int16"), (2**15 + 1, "int32"), (2**31, "int32")],
)
def test_codes_are_the_smallest_integers_that_hold_the_last_bin(number, smallest):
    codes = Bins.fit([0.0, 1.0], number=number).codes([0.0, 1.0])
    assert codes.dtype == smallest
    assert codes.ravel().tolist() == [0, number - 1]


def test_description_says_where_the_edges_lie():
    said = Bins.fit([0.0, 4.0], number=8).described()
    assert said == {"rule": "count", "scope": "layer", "low": 0.0, "high": 4.0, "number": 8, "width": 0.5}
    said = Bins.fit([[0.0, 1.0], [4.0, 3.0]], number=2, scope="neuron").described()
    assert (said["low"], said["high"], said["width"]) == ([0.0, 1.0], [4.0, 3.0], [2.0, 1.0])
    said = Bins.fit([1.0, 2.0, 3.0, 4.0], rule="equal_mass", number=2).described()
    assert (said["edges"], said["number"]) == ([2.0], 2)
    assert repr(Bins.fit([0.0, 4.0], number=8)) == "Bins(count, 8 bins, layer, 0 to 4)"


@pytest.mark.parametrize(
    ("choices", "said"),
    [
        ({"rule": "equal_mas"}, "did you mean 'equal_mass'"),
        ({"scope": "neurons"}, "did you mean 'neuron'"),
        ({"number": 0}, "number is 0, but it must be a whole number of at least 1"),
        ({"number": 2.0}, "number is 2.0"),
        ({"rule": "width"}, "width is None, but rule='width' needs a finite number"),
        ({"width": 0.1}, "width is 0.1, but it is only used with rule='width'"),
        ({"rule": "width", "width": -1.0}, "a bin has a width above 0"),
        ({"scope": "fixed", "low": 0.0}, "high is None, but scope='fixed' needs"),
        ({"low": 0.0}, "low is 0.0, but it is only used with scope='fixed'"),
        ({"scope": "fixed", "low": 1, "high": 1}, "low must be below high"),
        ({"scope": "fixed", "low": 0, "high": math.inf}, "high is inf"),
        ({"rule": "equal_mass", "scope": "fixed", "low": 0, "high": 1}, "its range cannot be fixed"),
    ],
)
def test_impossible_rules_are_refused(choices, said):
    with pytest.raises(InputError, match=said):
        BinRule(**choices)


def test_impossible_layers_are_refused():
    with pytest.raises(InputError, match="no layer"):
        Bins.fit()
    with pytest.raises(InputError, match="for several layers use 'layer'"):
        Bins.fit(LAYER, LAYER, scope="neuron")
    with pytest.raises(InputError, match="5 columns, but these bins have ranges for 2"):
        Bins.fit(LAYER[:, :2], scope="neuron").codes(LAYER)
    with pytest.raises(InputError, match="NaN"):
        Bins.fit(LAYER).codes([math.nan])
    with pytest.raises(InputError, match="at most 2\\^31"):
        Bins.fit(LAYER, rule="width", width=1e-12)
    with pytest.raises(InputError, match="too wide"):
        Bins.fit([-1e308, 1e308])


def test_unknown_choice_names_the_near_one():
    with pytest.raises(InputError, match="bins have no 'numbr'; did you mean 'number'"):
        Bins.fit([[0.0], [1.0]], numbr=3)
