"""Stability: what every setting of a sweep agrees on, and what belongs to a setting."""

import math

import numpy as np
import pytest

from infoplane.analysis.bins import Bins
from infoplane.analysis.errors import InputError
from infoplane.analysis.estimate import estimate
from infoplane.analysis.stability import stability

RNG = np.random.default_rng(0)
LABELS = RNG.integers(0, 2, 2000)
CLEAR = np.where(LABELS, 1.0, -1.0)[:, None] + 0.6 * RNG.standard_normal((2000, 1))
FAINT = np.where(LABELS, 1.0, -1.0)[:, None] + 2.0 * RNG.standard_normal((2000, 1))
SCALES = {"scale": ["absolute", "layer"]}
BINS = {"method": "binning", "sweep": {"number": [4, 8, 16, 32]}}


def codes_of(found):
    return [finding.code for finding in found.findings]


def test_an_ordering_that_is_there_survives():
    found = stability({"faint": FAINT, "clear": CLEAR}, LABELS, **BINS)
    assert found.ordering_survives is True
    assert found.findings == ()
    assert found.change_survives == {}


def test_an_ordering_that_the_bins_make_is_found_with_its_amount():
    # Coarse bins over the range see `far` (its outlier stretches them) as one code; fine bins see it whole.
    far = CLEAR.copy()
    far[0] = 400.0
    found = stability({"far": far, "faint": FAINT}, LABELS, method="binning", sweep={"number": [8, 4000]})
    assert found.ordering_survives is False
    (finding,) = found.findings
    assert (finding.code, finding.where) == ("ordering_reversed", "far less faint")
    table = found.to_dataframe().pivot_table(index="number", columns="layer", values="value")
    differences = table["far"] - table["faint"]
    assert differences[8] < 0 < differences[4000]
    assert finding.amount == pytest.approx(differences.abs().min())
    assert finding.unit == "bit"
    assert "number=8" in finding.text
    assert "number=4000" in finding.text


def test_shrinkage_reads_as_compression_with_absolute_noise_alone():
    # No information is lost by a factor of 0.1.
    layer = RNG.standard_normal((300, 3))
    times = [{"layer": layer}, {"layer": 0.1 * layer}]
    absolute = stability(times, np.arange(300), method="kde_upper", sweep={"noise_variance": [0.01, 0.1, 1.0]})
    assert absolute.change_survives == {"layer": True}
    assert absolute.findings == ()
    twin = stability(times, np.arange(300), method="kde_upper", sweep={"scale": ["absolute", "layer"]})
    (finding,) = twin.findings  # not said once more as a change that vanishes
    assert (finding.code, finding.where, finding.unit) == ("twins_disagree", "layer", "bit")
    assert "falls" in finding.text
    table = twin.to_dataframe().pivot_table(index="scale", columns="time", values="value")
    assert finding.amount == pytest.approx((table[1] - table[0])["absolute"])
    assert twin.change_survives == {"layer": False}


def test_growth_is_told_by_shared_bins_and_bins_of_the_layer():
    layer = RNG.standard_normal((300, 1))
    times = [{"layer": layer}, {"layer": 8 * layer}]
    sweep = {"bins": [Bins.fit(8 * layer, number=30), None]}
    found = stability(times, np.arange(300), method="binning", sweep=sweep)
    assert codes_of(found) == ["twins_disagree"]
    assert "rises" in found.findings[0].text


@pytest.mark.parametrize("rest", ["ceiling", "floor"])
def test_a_twin_that_can_see_no_change_contradicts_none(rest):
    # The layer does lose information; noise so little, or so much, in units of the layer reads log n, or 0, all along.
    first = RNG.standard_normal((300, 2))
    last = first * [1, 0.01]
    # In activations of other units the absolute noise, of the same number, is one that sees the loss.
    noise = {"ceiling": 1e-14, "floor": 1e6}[rest]
    times = [{"layer": (10 * noise) ** 0.5 * layer} for layer in (first, last)]
    found = stability(times, np.arange(300), method="kde_upper", noise_variance=noise, sweep=SCALES)
    assert codes_of(found) == ["change_vanishes"]
    assert found.change_survives == {"layer": True}


def test_twins_that_move_together_agree():
    first = RNG.standard_normal((300, 2))
    times = [{"layer": first}, {"layer": first * [1, 0.01]}]
    found = stability(times, np.arange(300), method="kde_upper", noise_variance=0.1, sweep=SCALES)
    assert found.findings == ()
    assert found.change_survives == {"layer": True}


def test_two_scale_relative_rules_are_no_twins():
    # An outlier stretches the bins over the layer's range, and those of equal mass do not see it: no scale is absolute.
    first = RNG.standard_normal((300, 1))
    last = np.concatenate([[[40.0]], first[1:]])
    sweep = {"rule": ["count", "equal_mass"]}
    found = stability([{"a": first}, {"a": last}], np.arange(300), method="binning", number=10, sweep=sweep)
    assert codes_of(found) == ["change_vanishes"]


def test_draws_of_noise_make_no_twins_disagree():
    layer = RNG.standard_normal((60, 2))
    times = [{"layer": layer}, {"layer": -layer}]
    for seed in range(20):
        found = stability(
            times, np.arange(60), method="sample_propagation", sweep=SCALES, draws=2, seed=seed, tolerance=0.0
        )
        assert "twins_disagree" not in codes_of(found)


# Along a chain

TANH = np.tanh(RNG.uniform(-4, 4, (400, 1)))  # saturated: wide bins see the ends
ATANH = np.arctanh(TANH)  # a function of it, and it of this


def test_estimates_that_rise_along_a_chain_are_found_though_every_setting_agrees():
    found = stability({"first": TANH, "second": ATANH}, np.arange(400), chain=["first", "second"], **BINS)
    assert found.ordering_survives is True
    (finding,) = found.findings
    assert (finding.code, finding.where, finding.unit) == ("resolution_differs", "second after first", "bit")
    table = found.to_dataframe().pivot_table(index="number", columns="layer", values="value")
    rises = table["second"] - table["first"]
    assert (rises > 0.01).all()
    assert finding.amount == pytest.approx(rises.max())
    assert f"number={rises.idxmax()}" in finding.text


def test_what_falls_along_a_chain_or_is_said_to_be_none_has_no_finding():
    layers = {"first": TANH, "second": ATANH}
    assert stability(layers, np.arange(400), chain=["second", "first"], **BINS).findings == ()
    assert stability(layers, np.arange(400), **BINS).findings == ()
    assert stability(layers, np.arange(400), chain=["first", "second"], tolerance=5, **BINS).ordering_survives is None


def test_a_rise_is_said_once_at_the_time_where_it_is_largest():
    times = [{"first": ATANH, "second": ATANH}, {"first": TANH, "second": ATANH}]
    found = stability(times, np.arange(400), chain=["first", "second"], **BINS)
    rises = [finding.where for finding in found.findings if finding.code == "resolution_differs"]
    assert rises == ["second after first at time 1"]


def test_an_order_that_is_reversed_is_not_said_to_rise_as_well():
    far = CLEAR.copy()
    far[0] = 400.0
    layers, sweep = {"far": far, "faint": FAINT}, {"number": [8, 4000]}
    found = stability(layers, LABELS, method="binning", sweep=sweep, chain=["far", "faint"])
    assert codes_of(found) == ["ordering_reversed"]


def test_estimates_without_bins_or_noise_say_nothing_of_resolution():
    layers = {"faint": FAINT[:300], "clear": CLEAR[:300]}
    found = stability(layers, LABELS[:300], method="ross", sweep={"k": [3, 5]}, chain=["faint", "clear"])
    assert found.ordering_survives is True
    assert "resolution_differs" not in codes_of(found)


def test_a_change_whose_sign_depends_on_the_setting_is_found():
    # The layer grows (more bins of fixed width) while its quantiles lose what ties take away.
    first = RNG.standard_normal((1000, 1))
    last = 5 * np.maximum(first, -0.5)
    found = stability(
        [{"a": first, "b": FAINT[:1000]}, {"a": last, "b": FAINT[:1000]}],
        np.arange(1000),
        method="kde_upper",
        sweep={"scale": ["absolute", "layer"]},
        noise_variance=0.001,
    )
    assert found.change_survives == {"a": False, "b": None}  # b stays as it is
    assert sorted(codes_of(found)) == ["change_unseen", "ordering_vanishes", "twins_disagree"]
    assert next(finding for finding in found.findings if finding.code == "twins_disagree").where == "a"


def test_a_change_whose_sign_depends_on_the_bins_is_found():
    # The outlier that the last time gains hides the layer from few bins over its range; many bins see it become clear.
    far = np.concatenate([[[400.0]], CLEAR[1:]])
    found = stability([{"a": FAINT}, {"a": far}], LABELS, method="binning", sweep={"number": [8, 4000]})
    assert found.change_survives == {"a": False}
    assert codes_of(found) == ["change_reversed"]


def test_settings_that_saturate_are_told_from_settings_that_contradict():
    # With 10^6 bins both layers read log n: that setting shows no order, and reverses none.
    x = {"clear": RNG.standard_normal((500, 2)), "coarse": RNG.standard_normal((500, 1))}
    found = stability(x, np.arange(500), method="binning", sweep={"number": [8, 30, 10**6]})
    assert found.ordering_survives is True
    assert codes_of(found) == ["ordering_vanishes"]
    assert "1 of 3 settings" in found.findings[0].text


def test_an_ordering_is_judged_at_every_time():
    found = stability([{"a": CLEAR, "b": FAINT}, {"a": FAINT, "b": CLEAR}], LABELS, **BINS)
    assert found.ordering_survives is True
    assert found.change_survives == {"a": True, "b": True}
    far = np.concatenate([[[400.0]], CLEAR[1:]])
    found = stability(
        [{"a": CLEAR, "b": FAINT}, {"a": far, "b": FAINT}], LABELS, method="binning", sweep={"number": [8, 4000]}
    )
    assert found.ordering_survives is False
    assert "at time 1" in found.findings[0].where


def test_table_holds_every_estimate():
    found = stability(
        {"a": CLEAR, "b": FAINT}, LABELS, method="binning", sweep={"number": [4, 8], "scope": ["layer", "neuron"]}
    )
    table = found.to_dataframe()
    assert len(table) == 2 * 4
    assert {"time", "layer", "number", "scope", "value", "unit", "standard_error", "kind", "n", "findings"} == set(
        table
    )
    row = table[(table.layer == "b") & (table.number == 8) & (table.scope == "neuron")].iloc[0]
    assert row.value == estimate(FAINT, LABELS, method="binning", number=8, scope="neuron").value
    assert (row.unit, row.n, row.time) == ("bit", 2000, 0)


def test_differences_within_their_errors_say_nothing():
    # Two draws of one layer with few draws of noise: the order is the draws'.
    t = RNG.standard_normal((100, 2))
    x = {"a": t, "b": -t}
    found = stability(
        x, np.arange(100), method="sample_propagation", sweep={"seed": list(range(6))}, draws=2, tolerance=0.0
    )
    values = found.to_dataframe().pivot_table(index="seed", columns="layer", values="value")
    assert (np.sign(values.a - values.b).nunique()) == 2
    assert found.ordering_survives is None
    assert codes_of(found) == ["ordering_unseen"]


def test_a_difference_of_less_than_two_errors_says_nothing():
    # sample_propagation has an error of its draws; the tolerance is taken away so that it alone decides.
    t = RNG.standard_normal((200, 1))
    options = {"method": "sample_propagation", "noise_variance": 0.1, "draws": 2}
    for shrink in (0.97, 0.94, 0.92, 0.88):
        x = {"a": t, "b": shrink * t}
        found = stability(x, np.arange(200), sweep={"seed": [0, 1]}, tolerance=0.0, **options)
        table = found.to_dataframe().pivot_table(index="seed", columns="layer", values=["value", "standard_error"])
        gap = table["value"]["a"] - table["value"]["b"]
        errors = gap / np.hypot(table["standard_error"]["a"], table["standard_error"]["b"])
        assert (found.ordering_survives is None) == (abs(errors) <= 2).all(), shrink


def test_tolerance_is_in_units_of_the_base():
    x = {"a": CLEAR, "b": FAINT}
    difference = estimate(CLEAR, LABELS, method="binning").value - estimate(FAINT, LABELS, method="binning").value
    reads = stability(x, LABELS, **BINS, tolerance=2 * difference)
    assert reads.ordering_survives is None
    assert stability(x, LABELS, **BINS, tolerance=difference / 100).ordering_survives is True
    nats = stability(x, LABELS, **BINS, base=math.e)
    assert set(nats.to_dataframe().unit) == {"nat"}


def test_one_layer_alone_is_swept_without_verdict():
    found = stability(CLEAR, LABELS, **BINS)
    assert found.ordering_survives is None
    assert found.to_dataframe().layer.tolist() == ["x"] * 4
    assert str(found) == "binning"


def test_order_that_no_setting_shows_does_not_survive_by_default():
    # Both layers read log n under every setting: nothing was tested.
    x = {"a": RNG.standard_normal((50, 9)), "b": RNG.standard_normal((50, 9))}
    found = stability(x, np.arange(50), method="binning", sweep={"number": [30, 100]})
    assert found.ordering_survives is None
    assert "shown by no setting" in str(found)


def test_bins_shared_by_all_layers_can_be_swept():
    sweep = {"bins": [Bins.fit(CLEAR, FAINT, number=number) for number in (8, 32)]}
    found = stability({"a": CLEAR, "b": FAINT}, LABELS, method="binning", sweep=sweep)
    assert found.ordering_survives is True
    assert "global" in str(found.to_dataframe().bins[0])


def test_verdicts_are_said_in_words():
    said = str(stability([{"a": CLEAR, "b": FAINT}, {"a": CLEAR, "b": CLEAR}], LABELS, **BINS))
    assert "binning: the ordering of layers survives" in said
    assert "the change of b survives" in said


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"sweep": {"number": [4]}}, "makes 1 of the 2 settings"),
        ({"sweep": {"numbr": [4, 5]}}, "no parameter 'numbr'; did you mean 'number'"),
        ({"sweep": {"number": [4, 0]}}, "number is 0"),
        ({"sweep": {"rule": "count"}}, "must be a list of values"),
        ({"number": 5}, "number is both swept and given as 5"),
        ({"tolerance": -1.0}, "tolerance is -1.0"),
        ({"chain": ["a", "c"]}, "chain names 'c', but the layers are"),
        ({"method": "bining"}, "did you mean 'binning'"),
    ],
)
def test_impossible_sweeps_are_refused(change, said):
    with pytest.raises(InputError, match=said):
        stability({"a": CLEAR}, LABELS, **{**BINS, **change})


def test_times_must_have_the_same_layers():
    with pytest.raises(InputError, match="time 1 of x has the layers"):
        stability([{"a": CLEAR}, {"b": CLEAR}], LABELS, **BINS)
    with pytest.raises(InputError, match="mapping of names to layers"):
        stability([{"a": CLEAR}, {}], LABELS, **BINS)
