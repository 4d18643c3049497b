import math

import numpy as np
import pytest
import torch

from infoplane.analysis.errors import InputError
from infoplane.analysis.noisy_code.code import GaussianCode
from infoplane.analysis.noisy_code.sandwich import sandwich

NATS = {"base": math.e}


@pytest.mark.parametrize("seed", range(5))
def test_lower_bound_is_the_information_of_these_inputs(codes, seed):
    code = codes.random(seed, n=8)
    truth = codes.information(code)
    reps = [sandwich(code, draws=1, seed=k, **NATS).lower.value for k in range(400)]
    error = np.std(reps) / 20
    assert error < 0.015 * truth
    assert abs(np.mean(reps) - truth) < 3.5 * error


@pytest.mark.parametrize("seed", range(5))
def test_upper_bound_is_above_the_information_of_these_inputs_times_n_over_n_minus_1(codes, seed):
    code = codes.random(seed, n=8)
    reps = [sandwich(code, draws=1, seed=k, **NATS).upper.value for k in range(400)]
    assert np.mean(reps) > 8 / 7 * codes.information(code) - 3 * np.std(reps) / 20


def test_law_of_the_inputs_is_enclosed_for_many_encoders(codes):
    rng = np.random.default_rng(0)
    for seed in range(60):
        n, dimensions = int(rng.integers(50, 300)), int(rng.integers(1, 6))
        code, truth = codes.channel(seed, n, rng.uniform(0.3, 0.95, dimensions))
        low, high = sandwich(code, draws=2, seed=seed, **NATS)
        assert low.value - 3 * low.standard_error < truth < high.value + 3 * high.standard_error
        assert low.value < high.value


def test_each_side_is_strict_in_the_mean_of_small_sets(codes):
    pairs = []
    for seed in range(1500):
        code, truth = codes.channel(seed, 6, [0.5, 0.8])
        pairs.append([side.value for side in sandwich(code, draws=1, seed=seed, **NATS)])
    (low, high), error = np.mean(pairs, axis=0), np.std(pairs, axis=0) / math.sqrt(len(pairs))
    assert low + 5 * error[0] < truth
    assert high - 3 * error[1] > truth


def test_bounds_meet_at_the_truth_for_many_inputs(codes):
    code, truth = codes.channel(3, 2500, [0.4, 0.7, 0.9])
    low, high = sandwich(code, draws=4, **NATS)
    assert high.value - low.value < 0.02 * truth
    assert low.standard_error < 0.02 * truth
    assert abs(low.value - truth) < 3 * low.standard_error


def test_standard_errors_are_the_spread_over_sets_of_inputs(codes):
    runs = [sandwich(codes.channel(k, 200, [0.4])[0], draws=2, seed=k) for k in range(400)]
    values = np.array([[side.value for side in run] for run in runs])
    errors = np.array([[side.standard_error for side in run] for run in runs])
    assert values.std(axis=0) == pytest.approx(errors.mean(axis=0), rel=0.12)


def test_separated_codes_reach_log_n_and_say_so():
    code = GaussianCode(1e3 * np.arange(16.0)[:, None], np.zeros((16, 1)))
    low, high = sandwich(code)
    assert low.value == pytest.approx(4, abs=1e-12)
    assert low.parameters["ceiling"] == 4
    assert [finding.code for finding in low.findings] == ["at_ceiling"]
    assert high.value > 1e4
    assert high.findings[0].code == "above_log_n"
    assert high.findings[0].amount == pytest.approx(high.value - 4)
    assert high.findings[0].unit == "bit"


def test_lower_bound_never_exceeds_log_n_in_any_draw(codes):
    for seed in range(20):
        low = sandwich(codes.random(seed, n=5, dimensions=30, spread=3), draws=1, seed=seed, **NATS).lower
        assert low.value <= math.log(5) + 1e-12


@pytest.mark.parametrize("log_std", [0.0, -8.0, -40.0])
def test_identical_codes_carry_nothing(log_std):
    # With means of 1 and s = 4e-18 the matrix product alone would see nothing but rounding errors.
    code = GaussianCode(np.ones((50, 3)), np.full((50, 3), log_std))
    low, high = sandwich(code)
    assert low.value == pytest.approx(0, abs=1e-6)
    assert high.value == pytest.approx(0, abs=1e-6)
    assert not low.findings


def test_duplicate_inputs_with_little_noise_count_as_one():
    mean = np.repeat(np.arange(8.0), 2)[:, None] + 5
    low, high = sandwich(GaussianCode(mean, np.full((16, 1), -25.0)))
    assert low.value == pytest.approx(3, abs=1e-9)
    assert high.value == pytest.approx(math.log2(15), abs=1e-9)


def test_offset_and_scale_of_the_code_change_nothing(codes):
    code = codes.random(1, n=100, dimensions=4)
    moved = GaussianCode(1e-3 * code.mean + 1e5, code.log_std + math.log(1e-3))
    for one, other in zip(sandwich(code), sandwich(moved), strict=True):
        assert one.value == pytest.approx(other.value, abs=1e-4)


def test_blocks_change_nothing(codes, monkeypatch):
    code = codes.random(2, n=101, dimensions=3)
    expected = sandwich(code)
    monkeypatch.setattr("infoplane.analysis.noisy_code.scaled_squares._ENTRIES", 700)
    assert sandwich(code).upper.value == pytest.approx(expected.upper.value, rel=1e-12)


def test_result_carries_what_belongs_to_it(codes):
    code = codes.random(0, n=10, dimensions=2)
    low, high = sandwich(code, draws=3, seed=7)
    assert (low.kind, high.kind) == ("lower_bound", "upper_bound")
    assert (low.unit, low.n) == ("bit", 10)
    assert low.parameters == {"draws": 3, "seed": 7, "dimensions": 2, "ceiling": pytest.approx(math.log2(10))}
    assert "I(Z;X) of the code" in str(low)
    assert sandwich(code, draws=3, seed=7, **NATS).lower.value == pytest.approx(low.value * math.log(2))


def test_random_states_stay_untouched(codes):
    before = torch.get_rng_state(), np.random.get_state()[1].copy()
    assert sandwich(codes.random(0, n=9)) == sandwich(codes.random(0, n=9))
    assert torch.equal(before[0], torch.get_rng_state())
    assert np.array_equal(before[1], np.random.get_state()[1])


def test_unusable_arguments_are_refused(codes):
    with pytest.raises(InputError, match="there is 1 input"):
        sandwich(codes.random(0, n=1))
    with pytest.raises(InputError, match="draws is 0"):
        sandwich(codes.random(0, n=3), draws=0)
    with pytest.raises(InputError, match="seed is -1"):
        sandwich(codes.random(0, n=3), seed=-1)
