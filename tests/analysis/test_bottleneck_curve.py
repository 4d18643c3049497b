import math

import numpy as np
import pytest
from scipy.optimize import brentq

from infoplane.analysis.bottleneck_curve import bottleneck_curve
from infoplane.analysis.errors import InputError
from infoplane.analysis.estimate import estimate
from infoplane.analysis.information import entropy, mutual_information


def binary(p):
    return entropy([p, 1 - p])


def gerber(flip, rate):
    """Return 1 - h(a * flip) with h(a) = 1 - rate: the curve of a binary symmetric channel (Mrs. Gerber's lemma)."""
    if rate >= 1:
        return 1 - binary(flip)
    a = brentq(lambda a: binary(a) - 1 + rate, 0, 0.5, xtol=1e-15)
    return 1 - binary(a * (1 - flip) + (1 - a) * flip)


def random_joint(seed, rows, columns):
    rng = np.random.default_rng(seed)
    return rng.dirichlet(np.ones(rows))[:, None] * rng.dirichlet(0.5 * np.ones(columns), rows)


@pytest.mark.parametrize("flip", [0.01, 0.1, 0.3])
def test_binary_symmetric_channel_follows_mrs_gerber(flip):
    curve = bottleneck_curve(np.array([[1 - flip, flip], [flip, 1 - flip]]) / 2)
    assert curve.i_ty == pytest.approx([gerber(flip, rate) for rate in curve.i_xt], abs=1e-9)
    rates = np.linspace(0, 1, 101)
    assert curve.at(rates) == pytest.approx([gerber(flip, rate) for rate in rates], abs=1e-4)
    assert curve.error < 1e-4
    assert not curve.findings
    # The betas are the inverse slopes of the curve.
    k = np.argmin(np.abs(curve.i_xt - 0.5))
    step = 1e-4
    slope = (gerber(flip, curve.i_xt[k] + step) - gerber(flip, curve.i_xt[k] - step)) / (2 * step)
    assert curve.beta[k] == pytest.approx(1 / slope, rel=1e-3)


def test_binary_erasure_channel_is_a_straight_line():
    # I(T;Y) = (1 - e) I(X;T) for every T.
    curve = bottleneck_curve(np.array([[0.7, 0, 0.3], [0, 0.7, 0.3]]) / 2)
    rates = np.linspace(0, 1, 11)
    assert curve.at(rates) == pytest.approx(0.7 * rates, abs=1e-12)
    assert curve.error < 1e-9


def test_function_of_x_is_a_straight_line_and_then_flat():
    p_x, label = np.array([0.1, 0.3, 0.2, 0.15, 0.25]), [0, 0, 1, 2, 2]
    joint = p_x[:, None] * np.eye(3)[label]
    curve = bottleneck_curve(joint)
    h_y = entropy([0.4, 0.2, 0.4])
    rates = np.linspace(0, entropy(p_x), 21)
    assert curve.at(rates) == pytest.approx(np.minimum(rates, h_y), abs=1e-12)
    assert (curve.h_x, curve.h_y, curve.i_xy) == pytest.approx((entropy(p_x), h_y, h_y), rel=1e-12)
    assert curve.envelope_i_xt[-1] == pytest.approx(entropy(p_x), rel=1e-12)


def test_noisy_function_is_the_curve_of_its_sufficient_statistic():
    # Each of 64 inputs says its class through a binary symmetric channel: the curve of two inputs, flat after 1 bit.
    flip = 0.2
    joint = np.array([[1 - flip, flip], [flip, 1 - flip]])[np.arange(64) % 2] / 64
    curve, two = bottleneck_curve(joint), bottleneck_curve(joint[:2] * 32)
    assert curve.at(two.envelope_i_xt) == pytest.approx(two.envelope_i_ty, abs=1e-8)
    assert curve.at([1.5, 5.0]) == pytest.approx(two.i_xy, rel=1e-12)
    assert (curve.envelope_i_xt[-1], curve.envelope_i_ty[-1]) == pytest.approx((6, 1 - binary(flip)), rel=1e-12)


@pytest.mark.parametrize(("seed", "rows", "columns"), [(0, 3, 3), (1, 5, 4), (2, 8, 2)])
def test_curve_is_what_a_curve_must_be(seed, rows, columns):
    joint = random_joint(seed, rows, columns)
    curve = bottleneck_curve(joint)
    x, y = curve.envelope_i_xt, curve.envelope_i_ty
    assert (x[0], y[0]) == (0, 0)
    assert (x[-1], y[-1]) == pytest.approx((entropy(joint.sum(axis=1)), mutual_information(joint)), rel=1e-12)
    assert (np.diff(x) > 0).all()
    assert (np.diff(y) >= -1e-12).all()
    slopes = np.diff(y) / np.diff(x)
    assert (np.diff(slopes) <= 1e-6).all()
    assert (y <= np.minimum(x, curve.i_xy) + 1e-12).all()
    assert (curve.i_ty <= np.minimum(curve.i_xt, curve.i_xy) + 1e-12).all()
    assert (np.diff(curve.beta) >= 0).all()
    assert (curve.i_ty <= curve.at(curve.i_xt) + 1e-12).all()
    assert curve.error < 1e-4
    assert not curve.findings


def test_no_code_lies_above_it():
    joint = random_joint(3, 6, 3)
    curve, rng, p_x = bottleneck_curve(joint), np.random.default_rng(4), joint.sum(axis=1)
    for sharpness in (0.05, 0.2, 1.0):
        for encoder in rng.dirichlet(np.full(6, sharpness), (300, 6)):
            i_xt, i_ty = mutual_information(p_x[:, None] * encoder), mutual_information(encoder.T @ joint)
            assert i_ty <= curve.at(i_xt) + curve.error + 1e-12
    # Deterministic codes come nearest; those of a network, counted exactly, are among them.
    near = []
    for code in rng.integers(0, 4, (500, 6)):
        encoder = np.eye(4)[code]
        near.append(curve.at(mutual_information(p_x[:, None] * encoder)) - mutual_information(encoder.T @ joint))
    assert min(near) >= -curve.error - 1e-12
    assert min(near) < 0.03


def test_counted_codes_of_a_finite_set_lie_under_it():
    inputs = (np.arange(64)[:, None] >> np.arange(6)) & 1
    label = (inputs.sum(axis=1) > 3).astype(int)
    code = inputs[:, :3].sum(axis=1)
    curve = bottleneck_curve(np.eye(2)[label] / 64)
    point = [estimate(code, target, method="exact").value for target in (np.arange(64), label)]
    assert 0 < point[1] < curve.at(point[0])


def test_inputs_that_differ_by_little_stay_apart():
    # Two classes of inputs whose p(y|x) differ by 2e-5: nearly independent, but not one input.
    step = 1e-5
    joint = np.array([[0.5 + step, 0.5 - step], [0.5 - step, 0.5 + step]]) / 2
    curve = bottleneck_curve(joint, tolerance=1e-12)
    assert curve.i_xt[-1] == pytest.approx(1, rel=1e-9)  # the sufficient statistic is X itself
    assert curve.i_xy == pytest.approx(2 * step**2 / math.log(2), rel=1e-3)


def test_independent_variables_have_a_flat_curve():
    curve = bottleneck_curve(np.outer([0.2, 0.3, 0.5], [0.4, 0.6]))
    assert curve.at([0.0, 0.5, 1.0]) == pytest.approx(0, abs=1e-12)
    assert curve.envelope_i_xt[-1] == pytest.approx(entropy([0.2, 0.3, 0.5]), rel=1e-12)


def test_values_without_probability_and_the_base_change_nothing_else():
    joint = random_joint(5, 3, 3)
    bits = bottleneck_curve(joint, tolerance=1e-3)
    wide = bottleneck_curve(np.pad(joint, 1), tolerance=1e-3)
    assert wide.envelope_i_ty == pytest.approx(bits.envelope_i_ty, rel=1e-9)
    nats = bottleneck_curve(joint, base=math.e, tolerance=1e-3 * math.log(2))
    assert nats.unit == "nat"
    assert nats.at(bits.i_xt * math.log(2)) == pytest.approx(bits.at(bits.i_xt) * math.log(2), abs=1e-6)
    assert math.isnan(bits.at(-0.1))
    assert bits.at(100) == pytest.approx(bits.i_xy, rel=1e-12)


def test_what_is_no_table_is_refused():
    with pytest.raises(InputError, match="joint table has two dimensions"):
        bottleneck_curve([0.5, 0.5])
    with pytest.raises(InputError, match="sums to 2"):
        bottleneck_curve([[1.0, 1.0]])
    with pytest.raises(InputError, match="tolerance is 0"):
        bottleneck_curve([[0.5, 0.5]], tolerance=0)
