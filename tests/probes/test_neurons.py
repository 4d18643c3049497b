import copy
import math
import pickle

import numpy as np
import pytest
import torch

from infoplane.errors import InputError
from infoplane.probes.errors import SiteError
from infoplane.probes.neurons import NeuronRecorder


def draw(*shape, seed=0, dtype=torch.float32):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed)).relu().to(dtype)


def recorded(*activations, feature_axis=1):
    recorder = NeuronRecorder(["a"])
    for activation in activations:
        recorder.update("a", activation, feature_axis)
    return recorder.result()["a"]


def assert_same(got, values):
    """`values` (m, neurons) in float64."""
    assert got.n == len(values)
    np.testing.assert_allclose(got.mean, values.mean(0), rtol=1e-12)
    np.testing.assert_allclose(got.variance, values.var(0), rtol=1e-11)
    np.testing.assert_array_equal(got.zeros, (values == 0).mean(0))


@pytest.mark.parametrize(
    ("shape", "axis"),
    [((60, 7), 1), ((60, 7, 4), 1), ((60, 4, 7), 2), ((60, 4, 7), -1), ((60, 7, 4, 5), 1), ((60, 7, 2, 3, 4), 1)],
)
def test_statistics_are_those_of_numpy_over_inputs_and_places(shape, axis):
    activation = draw(*shape)
    values = np.moveaxis(activation.double().numpy(), axis, -1).reshape(-1, 7)
    assert_same(recorded(activation, feature_axis=axis), values)
    assert_same(recorded(*activation.split(11), feature_axis=axis), values)


def test_large_activations_are_taken_in_blocks_with_the_same_result():
    activation = draw(40, 16, 60, 60)  # 2.3 million values
    assert_same(recorded(activation), activation.double().movedim(1, -1).reshape(-1, 16).numpy())


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_precisions_are_taken_exactly(dtype):
    activation = draw(50, 6, dtype=dtype)
    assert_same(recorded(*activation.split(8)), activation.double().numpy())


def test_a_small_spread_about_a_large_mean_keeps_its_digits():
    values = 4096 + draw(3000, 3) / 4
    assert_same(recorded(*values.split(128)), values.double().numpy())
    slow = torch.arange(1e5, dtype=torch.float64)[:, None] * 1e-6 + 1e6
    assert recorded(*slow.split(1000)).variance[0] == pytest.approx((1e5**2 - 1) / 12 * 1e-12, rel=1e-6)


def test_nan_and_infinity_touch_their_own_neuron_only():
    activation = draw(20, 5)
    clean = recorded(activation)
    activation[3, 1], activation[7, 4] = math.nan, math.inf
    got = recorded(*activation.split(6))
    assert np.isnan(got.mean[1])
    assert np.isnan(got.variance[[1, 4]]).all()
    for field in ("mean", "variance", "zeros"):
        np.testing.assert_allclose(getattr(got, field)[[0, 2, 3]], getattr(clean, field)[[0, 2, 3]], rtol=1e-12)


def test_parts_of_several_processes_merge_into_the_whole():
    activation = draw(90, 4, 3)
    parts = []
    for r in range(3):
        parts.append(NeuronRecorder(["a", "b"]))
        parts[r].update("a", activation[r::3], 1)
    parts[2].update("b", activation[:, :, 0], 1)
    parts = [pickle.loads(pickle.dumps(part)) for part in parts]
    untouched = copy.deepcopy(parts[1]).result()["a"].mean
    parts[0].merge(parts[1])
    parts[0].merge(parts[2])
    np.testing.assert_array_equal(parts[1].result()["a"].mean, untouched)
    assert_same(parts[0].result()["a"], activation.double().movedim(1, -1).reshape(-1, 4).numpy())
    assert_same(parts[0].result()["b"], activation[:, :, 0].double().numpy())


def test_one_input_has_variance_zero_and_a_site_that_gave_nothing_is_left_out():
    recorder = NeuronRecorder(["a", "b"])
    recorder.update("a", torch.tensor([[2.0, 0.0]]), 1)
    recorder.update("b", torch.zeros(0, 3), 1)
    result = recorder.result()
    assert list(result) == ["a"]
    np.testing.assert_array_equal(result["a"].variance, [0, 0])
    np.testing.assert_array_equal(result["a"].zeros, [0, 1])


def test_gradients_and_inference_mode_do_not_matter():
    activation = draw(20, 5)
    recorder = NeuronRecorder(["a"])
    with torch.inference_mode():
        recorder.update("a", activation[:10] * 1, 1)
    recorder.update("a", activation[10:].clone().requires_grad_(), 1)
    assert_same(recorder.result()["a"], activation.double().numpy())
    kept = activation.clone()
    recorder.update("a", activation.T.contiguous().T, 1)
    assert torch.equal(kept, activation)


def test_results_do_not_change_when_more_is_added():
    recorder = NeuronRecorder(["a"])
    recorder.update("a", draw(20, 5), 1)
    first = recorder.result()["a"]
    mean = first.mean.copy()
    recorder.update("a", draw(20, 5, seed=1) + 3, 1)
    np.testing.assert_array_equal(first.mean, mean)


def test_memory_does_not_grow():
    recorder = NeuronRecorder(["a"])
    recorder.update("a", draw(20, 5), 1)
    size = len(pickle.dumps(recorder))
    for seed in range(50):
        recorder.update("a", draw(20, 5, seed=seed), 1)
    assert len(pickle.dumps(recorder)) <= size + 16


def test_wrong_calls_are_refused_in_one_sentence():
    recorder = NeuronRecorder(["a"])
    with pytest.raises(SiteError, match="there is no site 'b' in this recorder; there are 'a'"):
        recorder.update("b", draw(4, 3), 1)
    for axis in (0, 2, -2):
        with pytest.raises(InputError, match=rf"feature_axis is {axis}, but an activation of shape \(4, 3\)"):
            recorder.update("a", draw(4, 3), axis)
    recorder.update("a", draw(4, 3), 1)
    with pytest.raises(SiteError, match="the site 'a' has 5 neurons now, but it had 3 before"):
        recorder.update("a", draw(4, 5), 1)
    with pytest.raises(InputError, match="cannot take in those of"):
        recorder.merge(NeuronRecorder(["a", "b"]))
    other = NeuronRecorder(["a"])
    other.update("a", draw(4, 5), 1)
    with pytest.raises(InputError, match="the site 'a' has 3 neurons here and 5 there"):
        recorder.merge(other)
