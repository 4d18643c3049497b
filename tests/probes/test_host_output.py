from collections import OrderedDict
from types import SimpleNamespace

import pytest
import torch

from infoplane.probes.errors import CaptureError
from infoplane.probes.host_output import output_scores, read_output
from infoplane.probes.target import ClassTarget, RealTarget

SCORES = torch.tensor([[1.0, 2.0, -1.0], [0.0, 0.5, 3.0]])
THREE = ClassTarget(3)


@pytest.mark.parametrize(
    "output",
    [
        SCORES,
        {"loss": torch.tensor(0.1), "logits": SCORES, "hidden": torch.zeros(2, 3)},
        OrderedDict(logits=SCORES),
        SimpleNamespace(logits=SCORES, hidden=torch.zeros(2, 3)),
        (torch.zeros(2, 5), None, SCORES, torch.ones(2, 3)),
        [SCORES.double()],
    ],
)
def test_scores_are_found(output):
    assert output_scores(output, THREE) == "logits"
    read = read_output(output, THREE, "logits")
    assert read.dtype == torch.float32
    torch.testing.assert_close(read, SCORES.log_softmax(1))


@pytest.mark.parametrize(
    "output", [torch.zeros(2, 4), torch.zeros(2, 3, 1), torch.zeros(3), {"x": SCORES}, None, (), SCORES.long()]
)
def test_other_outputs_are_none(output):
    assert output_scores(output, THREE) == ""
    with pytest.raises(CaptureError, match=r"was an \(n, 3\) tensor in training, but is none in evaluation"):
        read_output(output, THREE, "logits")


def test_probabilities_are_told_by_their_sums():
    p = SCORES.softmax(1)
    assert output_scores(p, THREE) == "probabilities"
    torch.testing.assert_close(read_output(p, THREE, "probabilities"), p.log())
    assert output_scores(torch.zeros(0, 3), THREE) == "logits"
    assert output_scores(SCORES - SCORES.sum(1, keepdim=True) / 3 + 1 / 3, THREE) == "logits"  # sums of 1, but negative


def test_predictions_of_real_labels():
    assert output_scores(torch.zeros(5), RealTarget(1)) == "values"
    assert read_output(torch.arange(5.0), RealTarget(1), "values").shape == (5, 1)
    assert output_scores(torch.zeros(5, 2), RealTarget(2)) == "values"
    assert output_scores(torch.zeros(5, 2), RealTarget(3)) == ""


def test_no_graph_is_kept():
    assert not read_output(SCORES.clone().requires_grad_(), THREE, "logits").requires_grad
