"""Binned values are what counting gives, and say what the bins did to them."""

import math
from collections import Counter

import numpy as np
import pytest

from infoplane.analysis.bins import Bins
from infoplane.analysis.errors import InputError
from infoplane.analysis.estimate import estimate
from infoplane.analysis.rows import row_symbols

INPUTS = (np.arange(4096)[:, None] >> np.arange(12) & 1) * 2.0 - 1
LABELS = (INPUTS[:, :5].sum(axis=1) + INPUTS[:, 0] * INPUTS[:, 7] > 0).astype(int)


def tanh_layers(gain=1.5, widths=(10, 7, 5, 4, 3, 2)):
    """Activations of an untrained tanh network on all 4096 inputs of 12 bits."""
    rng = np.random.default_rng(1)
    layers, t = [], INPUTS
    for width in widths:
        t = np.tanh(t @ rng.normal(0, gain / math.sqrt(t.shape[1]), (t.shape[1], width)))
        layers.append(t)
    return layers


LAYERS = tanh_layers()


def counted(codes, labels):
    """Return the information in bits by counting tuples."""
    rows = [tuple(row) for row in codes.tolist()]
    n = len(rows)
    of_row, of_label, joint = Counter(rows), Counter(labels), Counter(zip(rows, labels, strict=True))
    return sum(c / n * math.log2(c * n / (of_row[row] * of_label[label])) for (row, label), c in joint.items())


@pytest.mark.parametrize("layer", [0, 3, 5])
@pytest.mark.parametrize(
    "rule",
    [
        {"number": 5},
        {"number": 30, "scope": "fixed", "low": -1, "high": 1},
        {"number": 12, "scope": "neuron"},
        {"rule": "width", "width": 0.07},
        {"rule": "equal_mass", "number": 6},
        {"rule": "equal_mass", "number": 6, "scope": "neuron"},
    ],
)
def test_binned_values_on_a_finite_input_set_equal_counting(layer, rule):
    t = LAYERS[layer]
    codes = Bins.fit(t, **rule).codes(t)
    of_label = estimate(t, LABELS, method="binning", **rule)
    of_input = estimate(t, row_symbols(INPUTS), method="binning", **rule)
    assert of_label.value == pytest.approx(counted(codes, LABELS.tolist()), abs=1e-12)
    assert of_input.value == pytest.approx(counted(codes, list(range(4096))), abs=1e-12)
    assert of_input.parameters["codes"] == len(set(map(tuple, codes.tolist())))


def test_two_continuous_variables_are_binned_by_one_rule():
    x, y = LAYERS[4], LAYERS[5]
    result = estimate(x, y, method="binning", number=4)
    expected = counted(Bins.fit(x, number=4).codes(x), row_symbols(Bins.fit(y, number=4).codes(y)).tolist())
    assert result.value == pytest.approx(expected, abs=1e-12)
    assert result.parameters["y_low"] == y.min()


def test_fine_bins_of_a_saturating_network_read_log_n_and_say_so():
    # Field of 12-bit inputs: the first layer of a tanh net reads 12 bit whatever it does.
    result = estimate(LAYERS[0], row_symbols(INPUTS), method="binning", number=256)
    assert result.value == pytest.approx(12, abs=1e-12)
    assert [finding.code for finding in result.findings] == ["saturated"]
    coarse = [estimate(t, row_symbols(INPUTS), method="binning", number=5).value for t in LAYERS]
    fine = [estimate(t, row_symbols(INPUTS), method="binning", number=30).value for t in LAYERS]
    assert coarse == sorted(coarse, reverse=True)
    assert all(a < b for a, b in zip(coarse[1:], fine[1:], strict=True))


def test_samples_mostly_alone_in_their_code_are_said():
    # Nothing is shared, and yet nearly all of H(Y) is read.
    rng = np.random.default_rng(3)
    x, y = rng.standard_normal((400, 3)), rng.integers(0, 3, 400)
    result = estimate(x, y, method="binning")
    assert result.value > 1.4
    (finding,) = result.findings
    once = sum(count == 1 for count in Counter(map(tuple, Bins.fit(x).codes(x).tolist())).values())
    assert (finding.code, finding.where, finding.amount, finding.unit) == ("undersampled", "x", once / 400, "1")
    assert not estimate(x, y, method="binning", number=3).findings
    of_both = estimate(x[:, 0], x, method="binning", number=30)
    assert [(finding.code, finding.where) for finding in of_both.findings] == [("undersampled", "y")]


def test_half_of_the_samples_alone_is_not_yet_too_few():
    x = np.r_[np.arange(10.0), np.full(10, 12.0)]
    assert not estimate(x, np.arange(20) % 2, method="binning", rule="width", width=0.5).findings
    x[10] = 11.0
    (finding,) = estimate(x, np.arange(20) % 2, method="binning", rule="width", width=0.5).findings
    assert (finding.code, finding.amount) == ("undersampled", 11 / 20)


def layer_with_a_dead_neuron(constant):
    """Return 500 samples of two neurons around 3, and of one that never changes."""
    alive = 3 + 0.5 * np.random.default_rng(4).standard_normal((500, 2))
    return np.column_stack([alive, np.full(500, constant)])


@pytest.mark.parametrize("constant", [0.0, 3.0, 50.0])
@pytest.mark.parametrize(
    "rule",
    [
        {"number": 10},
        {"rule": "width", "width": 0.3},
        {"rule": "equal_mass", "number": 10},
        {"number": 10, "scope": "neuron"},
        {"rule": "equal_mass", "number": 10, "scope": "neuron"},
        {"number": 10, "scope": "fixed", "low": 2, "high": 4},
    ],
)
def test_a_dead_neuron_reads_as_in_the_bins_of_its_layer(rule, constant):
    t = layer_with_a_dead_neuron(constant)
    directly = estimate(t, np.arange(500), method="binning", **rule)
    fitted = estimate(t, np.arange(500), method="binning", bins=Bins.fit(t, **rule))
    assert directly.value == fitted.value
    assert directly.value == pytest.approx(counted(Bins.fit(t, **rule).codes(t), range(500)), abs=1e-12)
    assert directly.parameters["low"] == fitted.parameters["low"]
    as_y = estimate(t[:, :2], t, method="binning", **rule)
    assert as_y.parameters["y_low"] == directly.parameters["low"]


def test_a_dead_neuron_counts_among_what_lies_outside():
    t = layer_with_a_dead_neuron(50.0)
    alive = estimate(t[:, :2], LABELS[:500], method="binning", scope="fixed", low=-9, high=9)
    assert alive.parameters["outside"] == 0
    result = estimate(t, LABELS[:500], method="binning", scope="fixed", low=-9, high=9)
    assert result.parameters["outside"] == pytest.approx(1 / 3)
    assert {"constant_columns", "outside_bins"} <= {finding.code for finding in result.findings}


def test_misplaced_fixed_bins_are_a_finding():
    # Rectified layers in bins over [-1, 1] break data processing: what lies above 1 is one code.
    rectified = 5 * np.maximum(LAYERS[3], 0)
    narrow = estimate(rectified, LABELS, method="binning", scope="fixed", low=-1, high=1)
    found = {finding.code: finding for finding in narrow.findings}["outside_bins"]
    assert found.amount == np.mean(rectified > 1)
    assert found.amount > 0.2
    assert narrow.parameters["outside"] == found.amount
    assert "end bins" in found.text
    assert not estimate(rectified, LABELS, method="binning", scope="fixed", low=0, high=5).findings


@pytest.mark.parametrize("factor", [0.1, 10])
def test_equal_mass_is_the_scale_free_twin(factor):
    def read(t, **rule):
        return estimate(t, row_symbols(INPUTS), method="binning", **rule).value

    t = LAYERS[3]
    assert read(factor * t, rule="equal_mass", number=10) == read(t, rule="equal_mass", number=10)
    assert read(t**3, rule="equal_mass", number=10) == read(t, rule="equal_mass", number=10)
    assert abs(read(factor * t, rule="width", width=0.1) - read(t, rule="width", width=0.1)) > 0.5


def test_shared_bins_read_layers_at_one_resolution():
    shared = Bins.fit(*LAYERS, number=30)
    result = estimate(LAYERS[4], LABELS, method="binning", bins=shared)
    assert result.value == pytest.approx(counted(shared.codes(LAYERS[4]), LABELS.tolist()), abs=1e-12)
    assert result.parameters["scope"] == "global"
    assert result.parameters["low"] == min(t.min() for t in LAYERS)
    assert not result.findings
    outside = estimate(2 * LAYERS[4], LABELS, method="binning", bins=shared)
    assert "outside_bins" in [finding.code for finding in outside.findings]


def test_shared_bins_leave_no_other_choice():
    with pytest.raises(InputError, match="number would not be used"):
        estimate(LAYERS[4], LABELS, method="binning", bins=Bins.fit(*LAYERS), number=5)
    with pytest.raises(InputError, match="must come from Bins"):
        estimate(LAYERS[4], LABELS, method="binning", bins=30)


def test_every_choice_is_recorded():
    result = estimate(LAYERS[5], LABELS, method="binning", number=10)
    recorded = {name: result.parameters[name] for name in ("rule", "scope", "low", "high", "number", "width")}
    t = LAYERS[5]
    expected = {"rule": "count", "scope": "layer", "low": t.min(), "high": t.max(), "number": 10}
    assert recorded == {**expected, "width": (t.max() - t.min()) / 10}
