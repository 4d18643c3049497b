import numpy as np
import pytest

from infoplane.analysis.bounds import BoundSums
from infoplane.analysis.sketch import LogHistogram
from infoplane.findings import findings_of
from infoplane.probes.measurement import Measurement


def measurement(*, kl=5.0, values=(1.0, 2.0), left_out=0, loss=None):
    """One probe on 300 inputs of three balanced classes whose label bound is H(Y) = log2 3."""
    rng = np.random.default_rng(0)
    sums = BoundSums.zeros(1, 3)
    rates = kl + rng.normal(0, 0.01, (1, 300))
    sums.update(rates, np.zeros((1, 300)), np.ones((1, 300), bool), np.arange(300) % 3)
    sketch = LogHistogram()
    sketch.update(np.array(values))
    return Measurement(
        step=1,
        bounds=sums.compute(),
        activations={"fc": sketch.summary()},
        weights={},
        loss=loss,
        error=None,
        left_out={"fc": left_out},
    )


def codes(**options):
    return [finding.code for finding in findings_of(measurement(**options), ("fc",))]


def test_a_sound_measurement_has_no_finding():
    assert codes() == []


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"values": (1.0, np.nan)}, "non_finite"),
        ({"values": (1.0, np.inf)}, "non_finite"),
        ({"values": (1.0, 2.0**25)}, "outside_bins"),
        ({"values": (1.0, -(2.0**-41))}, "outside_bins"),
        ({"left_out": 2}, "left_out"),
        ({"loss": float("nan")}, "non_finite"),
        ({"kl": np.inf}, "non_finite_bound"),
        ({"kl": 1.0}, "rate_below_label_bound"),  # 1 nat = 1.44 bit, under log2 3 = 1.58
    ],
)
def test_each_flaw_gives_its_finding_alone(options, code):
    assert codes(**options) == [code]


def test_a_rate_just_above_the_label_bound_is_possible():
    assert codes(kl=1.11) == []  # 1.60 bit


def test_texts_fit_the_file():
    flawed = measurement(values=(np.nan, 2.0**30, *range(10**5)), left_out=10**9, kl=0.0)
    found = findings_of(flawed, ("fc",))
    assert len(found) == 4
    assert all(len(finding.text.encode()) <= 200 for finding in found)
