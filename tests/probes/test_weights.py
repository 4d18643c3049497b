import numpy as np
import pytest
import torch
from torch import nn

from infoplane.analysis.sketch import BIN_EDGES
from infoplane.errors import CaptureError
from infoplane.probes.weights import WeightRecorder


def network():
    generator = torch.Generator().manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(16, 8), nn.Linear(8, 2))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
    return model


def test_matrices_and_kernels_are_weights_and_biases_and_norms_are_not():
    assert WeightRecorder(network()).names == ("0.weight", "3.weight", "4.weight")


def test_counts_and_extremes_are_those_of_the_weight():
    model = network()
    summary = WeightRecorder(model).summaries()["3.weight"]
    values = model[3].weight.detach().numpy()
    assert np.array_equal(summary.counts[0], np.histogram(-values[values < 0], BIN_EDGES)[0])
    assert np.array_equal(summary.counts[1], np.histogram(values[values > 0], BIN_EDGES)[0])
    assert summary["minimum_negative"] == -values[values < 0].max()
    assert summary["n"] == 128


def test_every_call_sees_the_weights_as_they_are_then():
    model = network()
    recorder = WeightRecorder(model)
    before = recorder.summaries()
    assert recorder.summaries() == before
    with torch.no_grad():
        model[3].weight.mul_(2)
    model[4] = nn.Linear(8, 3)
    after = recorder.summaries()
    assert after["0.weight"] == before["0.weight"]
    assert after["3.weight"]["maximum_positive"] == 2 * before["3.weight"]["maximum_positive"]
    assert after["4.weight"]["n"] == 24


def test_wrapped_networks_have_the_names_of_the_network_inside():
    model = network()
    recorder = WeightRecorder(nn.DataParallel(model))
    assert recorder.names == WeightRecorder(model).names
    assert recorder.summaries() == WeightRecorder(model).summaries()


def test_a_weight_under_two_names_is_recorded_once():
    model = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    model[1].weight = model[0].weight
    assert WeightRecorder(model).names == ("0.weight",)


def test_a_lost_weight_is_named():
    model = network()
    recorder = WeightRecorder(model)
    model[4] = nn.Identity()
    with pytest.raises(CaptureError, match=r"no longer has the weight '4\.weight'"):
        recorder.summaries()


def test_recording_reads_alone():
    model = network()
    state = {name: value.clone() for name, value in model.state_dict().items()}
    versions = [p._version for p in model.parameters()]
    with torch.inference_mode():
        WeightRecorder(model).summaries()
    assert all(torch.equal(value, state[name]) for name, value in model.state_dict().items())
    assert [p._version for p in model.parameters()] == versions
    assert all(p.grad is None for p in model.parameters())
