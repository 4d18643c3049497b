"""Smoothed labels against their definition written out."""

import math

import pytest
import torch
from torch.nn import functional as F

from infoplane.errors import InputError
from infoplane.regularizers import LabelSmoothing

LOGITS = 2 * torch.randn(6, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
LABELS = torch.tensor([0, 1, 2, 3, 0, 0])


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 1.0])
def test_loss_is_the_cross_entropy_of_the_mixed_labels(smoothing):
    q = (1 - smoothing) * F.one_hot(LABELS, 4).double() + smoothing / 4
    expected = -(q * LOGITS.log_softmax(dim=1)).sum(dim=1).mean().item()
    assert LabelSmoothing(smoothing)(LOGITS, LABELS).item() == pytest.approx(expected, rel=1e-12)


def test_without_smoothing_it_is_the_cross_entropy():
    assert torch.equal(LabelSmoothing(0.0)(LOGITS, LABELS), F.cross_entropy(LOGITS, LABELS))


def test_class_weights_weight_the_mean():
    weights = torch.tensor([1.0, 2.0, 0.5, 3.0])
    costs = -LOGITS.log_softmax(dim=1)[torch.arange(6), LABELS]
    own = weights[LABELS].double()
    found = LabelSmoothing(0.0)(LOGITS, LABELS, class_weights=weights)
    assert found.item() == pytest.approx(((own * costs).sum() / own.sum()).item(), rel=1e-12)


def test_class_weights_of_another_length_are_refused():
    with pytest.raises(InputError, match="there are 4 classes"):
        LabelSmoothing()(LOGITS, LABELS, class_weights=torch.ones(3))


@pytest.mark.parametrize("smoothing", [-0.1, 1.1, math.nan, "0.1", True])
def test_unusable_smoothing_is_refused(smoothing):
    with pytest.raises(InputError, match="smoothing is"):
        LabelSmoothing(smoothing)
