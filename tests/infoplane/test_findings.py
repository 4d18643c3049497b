import math

import numpy as np
import pytest
import torch

from infoplane.analysis.bounds import BoundSums
from infoplane.analysis.sketch import LogHistogram
from infoplane.findings import findings_of
from infoplane.probes.batches import Batch
from infoplane.probes.measurement import Measurement
from infoplane.probes.probe_info import ProbeInfo

N = 300


def measurement(
    *,
    kl=5.0,
    cross_entropy=0.0,
    enclosed=(1.0, 6.0),
    values=(1.0, 2.0),
    left_out=0,
    loss=None,
    dimensions=(4.0, 3.2),
    duplicates=0,
    probes=1,
    classes=3,
):
    """Probes on 300 inputs of three balanced classes whose label bound is H(Y) = log2 3 less the cross-entropy.

    `kl` and that are in nats, `enclosed`, the lower and the upper bound on the code's information, in bit.
    """
    rng = np.random.default_rng(0)
    sums = BoundSums.zeros(probes, 3)
    rates = kl + rng.normal(0, 0.01, (probes, N))
    sums.update(rates, np.full((probes, N), cross_entropy), np.ones((probes, N), bool), np.arange(N) % classes)
    sketch = LogHistogram()
    sketch.update(np.array(values))
    return Measurement(
        step=1,
        updates=1,
        bounds=sums.compute(),
        i_zx_lower=np.full(probes, enclosed[0]),
        i_zx_upper=np.full(probes, enclosed[1]),
        se_i_zx_lower=np.full(probes, 0.01),
        se_i_zx_upper=np.full(probes, 0.01),
        n_sandwich=N,
        i_ty_chain=np.full(probes, np.nan),
        se_i_ty_chain=np.full(probes, np.nan),
        chain_term=np.full(probes, -1),
        activations={"fc": sketch.summary()},
        weights={},
        neurons={},
        gradients={},
        raw=None,
        each_input=None,
        loss=loss,
        error=None,
        left_out={"fc": left_out, "fc@untrained": 0},
        dimensions=(np.array(dimensions),) * probes,
        input_keys=np.maximum(np.arange(N), duplicates).astype(np.uint64),
    )


def found(rates=(7.0,), **options):
    """Findings of a probe, with ``probes=2`` of its control too, whose rates by row are given."""
    probes = (ProbeInfo("fc", "fc", "trained", 1e-3, 2), ProbeInfo("fc@untrained", "fc", "untrained", 1e-3, 2))
    course = np.column_stack([np.array(rates)] * 2)
    return findings_of(measurement(**options), probes[: options.get("probes", 1)], rates=course, has_classes=True)


def codes(**options):
    return [finding.code for _, finding in found(**options)]


def test_a_sound_measurement_has_no_finding():
    assert codes() == []


@pytest.mark.parametrize(
    ("options", "stream", "code", "amount"),
    [
        ({"values": (1.0, np.nan)}, "activations", "non_finite", 1),
        ({"values": (1.0, np.inf)}, "activations", "non_finite", 1),
        ({"values": (1.0, 2.0**25)}, "activations", "outside_bins", 1),
        ({"values": (1.0, -(2.0**-41))}, "activations", "outside_bins", 1),
        ({"left_out": 2}, "plane", "left_out", 2),
        ({"loss": float("nan")}, "metrics", "non_finite", math.nan),
        ({"kl": np.inf}, "plane", "non_finite_bound", math.nan),
        ({"kl": 1.0}, "plane", "rate_below_label_bound", 0.142),  # 1 nat = 1.443 bit, under log2 3 = 1.585
        ({"enclosed": (3.0, 2.0)}, "plane", "lower_above_upper", 1),
        ({"enclosed": (7.5, 8.0)}, "plane", "lower_above_upper", 0.287),  # above the rate, 5 nat = 7.213 bit
        ({"enclosed": (1.0, 1.4)}, "plane", "lower_above_upper", 0.185),  # below log2 3
        ({"kl": 10.0}, "plane", "rate_above_log_n", 6.198),  # 14.427 bit, above log2 300 = 8.229
        ({"cross_entropy": 1.2}, "plane", "label_bound_below_zero", 0.146),  # 1.731 bit, above log2 3
        ({"dimensions": (7.2, 0.0)}, "plane", "collapsed_dimensions", 1),
        ({"duplicates": 1}, "plane", "duplicate_inputs", 2 * math.log2(2) / N),
    ],
)
def test_each_flaw_gives_its_finding_alone_with_its_size(options, stream, code, amount):
    ((where, finding),) = found(**options)
    assert (where, finding.code) == (stream, code)
    assert finding.amount == pytest.approx(amount, abs=2e-3, nan_ok=True)
    assert finding.advice


def test_a_bound_that_is_nan_is_said_with_the_activations_that_made_it_so():
    said = {finding.where: finding for _, finding in found(kl=np.nan, values=(1.0, np.nan), probes=2)}
    assert [said[where].code for where in ("fc", "fc@untrained")] == ["non_finite_bound", "non_finite_bound"]
    assert "as are 1 of its site's activations: a mean over all 300 inputs leaves none out" in said["fc"].text
    assert "1 of the trained network's activations" in said["fc@untrained"].text
    assert "held-out inputs" in said["fc"].advice
    ((_, alone),) = found(kl=np.nan)
    assert alone.text == "a bound is NaN or infinite though every activation is finite"


def test_inputs_of_the_same_bytes_are_duplicates_also_where_they_are_nan():
    inputs = torch.rand(6, 4)
    inputs[[1, 2]] = math.nan
    inputs[4:, 0] = math.nan
    assert len(set(Batch((inputs,), {}, torch.zeros(6)).keys().tolist())) == 5


def test_labels_of_one_class_are_said_once_and_no_probe_is_blamed():
    ((stream, finding),) = found(cross_entropy=1.2, classes=1)
    assert (stream, finding.code, finding.where) == ("plane", "one_class", "labels")
    assert "all 300 labels are of one class: H(Y) = 0" in finding.text
    assert finding.advice


def test_real_labels_whose_entropy_is_zero_are_not_taken_for_one_class():
    one = measurement(cross_entropy=1.2, classes=1)
    probe = ProbeInfo("fc", "fc", "trained", 1e-3, 2)
    ((_, finding),) = findings_of(one, (probe,), rates=np.array([[7.0]]), has_classes=False)
    assert finding.code == "label_bound_below_zero"


def test_a_rate_just_above_the_label_bound_is_possible():
    assert codes(kl=1.11) == []  # 1.60 bit


@pytest.mark.parametrize("enclosed", [(2.05, 2.0), (7.23, 8.0), (1.0, 1.56)])
def test_bounds_that_cross_within_their_errors_are_possible(enclosed):
    assert codes(enclosed=enclosed) == []


def test_a_finite_code_without_a_sandwich_is_said():
    assert codes(enclosed=(math.nan, math.nan)) == ["sandwich_missing"]


def test_a_falling_rate_is_said_of_the_control_alone():
    falling = found(rates=(9.0, 8.5, 8.0, 7.5), probes=2)
    assert [(finding.code, finding.where) for _, finding in falling] == [("rate_still_falling", "fc@untrained")]
    assert found(rates=(7.0, 7.01, 7.0, 7.01), probes=2) == []


def test_texts_and_places_fit_the_file():
    flawed = measurement(
        values=(np.nan, 2.0**30, *range(10**5)), left_out=10**9, kl=0.0, dimensions=(0.0, 0.0), duplicates=9
    )
    probe = ProbeInfo("fc", "fc", "untrained", 1e-3, 2)
    said = [
        finding for _, finding in findings_of(flawed, (probe,), rates=np.array([[9.0], [8.0], [7.0]]), has_classes=True)
    ]
    said += [finding for options in ({"kl": 1e6}, {"kl": np.inf}) for _, finding in found(**options)]
    assert len({finding.code for finding in said}) == 10
    for finding in said:
        sizes = [len(text.encode()) for text in (finding.text, finding.advice, finding.code, finding.unit)]
        assert all(size <= limit for size, limit in zip(sizes, (200, 200, 32, 16), strict=True))
