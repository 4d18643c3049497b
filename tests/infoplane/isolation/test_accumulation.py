"""Gradient accumulation: the host's gradients stay its own, and the probes take one step where the host takes one."""

import numpy as np
import pytest
import torch
from torch.nn import functional

PARTS, ROUNDS = 3, 3


def accumulate(model, extra, *, rounds=ROUNDS):
    """Take one step of the optimizer per three batches of eight."""
    torch.manual_seed(5)
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    generator = torch.Generator().manual_seed(0)
    for _ in range(rounds):
        optimizer.zero_grad()
        for _ in range(PARTS):
            inputs, labels = torch.randn(8, 6, generator=generator), torch.arange(8) % 3
            loss = functional.cross_entropy(model(inputs), labels) + extra(labels)
            (loss / PARTS).backward()
        optimizer.step()
    return {"model": model.state_dict(), "optimizer": optimizer.state_dict()}


@pytest.mark.parametrize("probe_every", [1, PARTS])
def test_accumulating_is_bit_identical_with_every_recorder_on(mlp, recording, assert_identical, probe_every):
    bare, model = accumulate(mlp.build(), lambda labels: 0.0), mlp.build()
    options = {"control": True, "gradients": 1, "raw": 4, "sketch_at": 1, "scale_twins": (10.0,)}
    with recording(model, probe_every=probe_every, **options) as rec:
        assert_identical(bare, accumulate(model, rec.loss))
        assert rec.step == PARTS * ROUNDS


def updates(rec):
    """Steps that the probes' optimizer has taken."""
    return rec._observer.updates


def test_probes_take_one_step_per_step_of_the_host_when_told_how_many_batches_make_one(mlp, recording):
    with recording(probe_every=PARTS) as rec:
        accumulate(rec.model, rec.loss)
        rec.measure([mlp.data(8).tensors])
        assert updates(rec) == ROUNDS


def test_joint_probes_take_one_step_per_step_of_the_host(mlp, recording):
    """And its gradient is the mean over the batches, as the host's is: the sum of losses divided by three."""
    with recording(mode="joint", probe_every=PARTS) as rec:
        accumulate(rec.model, rec.loss)
        rec.measure([mlp.data(8).tensors])
        assert updates(rec) == ROUNDS


def test_a_joint_step_over_parts_is_the_joint_step_over_the_whole(mlp, recording):
    """With the draws held equal by a code of no noise left to draw: compare the host's gradients instead.

    The probes' losses are means over inputs, so the mean over equal parts of their gradients has the whole's
    expectation; with many inputs the two agree within the noise of the draws.
    """
    inputs, labels = torch.randn(3000, 6, generator=torch.Generator().manual_seed(1)), torch.arange(3000) % 3
    gradients = []
    for parts in (1, 3):
        model = mlp.build()
        model.dropout.p = 0.0
        with recording(model, mode="joint", probe_every=parts, sites=["tanh"]) as rec:
            for x, y in zip(inputs.chunk(parts), labels.chunk(parts), strict=True):
                ((functional.cross_entropy(model(x), y) + rec.loss(y)) / parts).backward()
        gradients.append(torch.cat([p.grad.flatten() for p in model.parameters()]))
    difference = (gradients[0] - gradients[1]).norm() / gradients[0].norm()
    assert 0 < difference < 0.1


def test_accumulation_does_not_change_what_the_probes_learn_from_the_same_forwards(mlp, recording):
    """In mode observe the host's optimizer has no part in it."""
    inputs, labels = mlp.data(12).tensors
    rates = []
    for accumulates in (False, True):
        model = mlp.build()
        torch.manual_seed(1)
        with recording(model) as rec:
            for _ in range(4):
                loss = functional.cross_entropy(model(inputs), labels) + rec.loss(labels)
                if accumulates:
                    loss.backward()
            rates.append(rec.measure([(inputs, labels)]).bounds.i_zx)
    np.testing.assert_array_equal(*rates)
