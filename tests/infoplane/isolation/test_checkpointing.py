"""Gradient checkpointing: the recomputation inside backward is no forward, and the numbers are those without it."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from infoplane.errors import CaptureError

# torch says so of every reentrant checkpoint without gradients: in the forward of the control, and in measuring.
pytestmark = pytest.mark.filterwarnings("ignore:None of the inputs have requires_grad:UserWarning")

SITES = ["block1", "block1.fc", "block2.fc", "last@input"]


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc, self.relu, self.dropout = nn.Linear(6, 6), nn.ReLU(inplace=True), nn.Dropout(0.2)

    def forward(self, x):
        return self.dropout(self.relu(self.fc(x)))


class Checkpointed(nn.Module):
    """Two blocks, the second of them perhaps checkpointed; `reentrant` None means none is."""

    def __init__(self, reentrant):
        super().__init__()
        torch.manual_seed(0)
        self.block1, self.block2, self.last = Block(), Block(), nn.Linear(6, 3)
        self.reentrant = reentrant

    def forward(self, x):
        x = self.block1(x)
        if self.reentrant is None:
            return self.last(self.block2(x))
        return self.last(checkpoint(self.block2, x, use_reentrant=self.reentrant))


def steps(model, forward, extra, n=4):
    """Return what a few steps leave: weights and optimizer state."""
    torch.manual_seed(1)
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    generator = torch.Generator().manual_seed(0)
    for _ in range(n):
        inputs = torch.randn(12, 6, generator=generator).requires_grad_()
        labels = torch.arange(12) % 3
        loss = functional.cross_entropy(forward(inputs), labels) + extra(labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return {"model": model.state_dict(), "optimizer": optimizer.state_dict()}


def whole(model, reentrant):
    """Checkpoint the whole network."""
    return lambda inputs: checkpoint(model, inputs, use_reentrant=reentrant)


HELD_OUT = [(torch.randn(12, 6, generator=torch.Generator().manual_seed(9)), torch.arange(12) % 3)]
ALL = {"sites": SITES, "control": True, "sketch_at": 1, "gradients": 1, "scale_twins": (10.0,)}


@pytest.mark.parametrize("reentrant", [True, False])
@pytest.mark.parametrize("place", ["block", "whole"])
def test_a_checkpointed_training_is_bit_identical_and_gives_the_numbers_of_one_without(
    recording, assert_identical, reentrant, place
):
    plain = Checkpointed(None)
    with recording(plain, **ALL) as rec:
        left = steps(plain, plain, rec.loss)
        expected = rec.measure(HELD_OUT).bounds

    model = Checkpointed(reentrant if place == "block" else None)
    bare = steps(model, model if place == "block" else whole(model, reentrant), lambda labels: 0.0)
    model = Checkpointed(reentrant if place == "block" else None)
    with recording(model, **ALL) as rec:
        recorded = steps(model, model if place == "block" else whole(model, reentrant), rec.loss)
        bounds = rec.measure(HELD_OUT).bounds
        assert rec.step == 4
    assert_identical(bare, recorded)
    assert_identical(left, recorded)
    np.testing.assert_array_equal(bounds.i_zx, expected.i_zx)
    np.testing.assert_array_equal(bounds.i_zy, expected.i_zy)


@pytest.mark.parametrize("reentrant", [True, False])
def test_batch_learns_from_the_forward_and_not_from_its_recomputation(recording, reentrant):
    """The backward stands inside the block, and its recomputation is the last thing that happens there."""
    rates = []
    for checkpoints in (False, True):
        model = Checkpointed(None)
        forward = whole(model, reentrant) if checkpoints else model
        torch.manual_seed(1)
        with recording(model, sites=SITES, control=True) as rec:
            for _ in range(3):
                inputs, labels = HELD_OUT[0]
                with rec.batch(labels):
                    functional.cross_entropy(forward(inputs.clone().requires_grad_()), labels).backward()
            assert rec.step == 3
            rates.append(rec.measure(HELD_OUT).bounds.i_zx)
    np.testing.assert_array_equal(*rates)


@pytest.mark.parametrize("sites", [["block2.fc"], ["block2.dropout", "last"]])
def test_joint_through_a_checkpoint_trains_the_host_as_without_one(recording, sites):
    left = []
    for reentrant in (None, False):
        model = Checkpointed(reentrant)
        with recording(model, mode="joint", sites=sites) as rec:
            left.append(torch.cat([v.flatten() for v in steps(model, model, rec.loss)["model"].values()]))
    np.testing.assert_allclose(left[0], left[1], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("reduce", ["projection-4", None])
def test_joint_through_a_checkpoint_serves_every_reduction(recording, reduce):
    """A reduction that saves tensors inside the checkpointed block would break the recomputation's count of them."""
    model = Checkpointed(False)
    with recording(model, mode="joint", sites=["block2.fc"], reduce=reduce) as rec:
        steps(model, model, rec.loss)
        assert rec.step == 4


@pytest.mark.parametrize("place", ["block", "whole"])
def test_joint_through_a_reentrant_checkpoint_is_refused(recording, place):
    """Its forward has no graph: the probes' loss could not reach the host, and nobody would notice."""
    model = Checkpointed(True if place == "block" else None)
    forward = model if place == "block" else whole(model, True)
    with pytest.raises(CaptureError, match="use_reentrant"), recording(model, mode="joint", sites=["block2.fc"]) as rec:
        steps(model, forward, rec.loss)
