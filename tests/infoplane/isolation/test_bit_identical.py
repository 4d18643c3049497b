"""A training with every probe and recorder on, in mode observe, ends where the same training without them ends."""

import random
from contextlib import nullcontext

import numpy as np
import pytest
import torch
from torch import nn

from infoplane.probes.schedule import log_spaced


def test_training_with_every_recorder_is_bit_identical_to_training_without(host, train, assert_identical, tmp_path):
    """Weights, buffers, gradients, optimizer state, every loss, modes, and the three global random states."""
    assert_identical(train(host).state(), train(host, tmp_path / "run.h5").state())


def test_training_with_the_defaults_is_bit_identical_to_training_without(host, train, assert_identical, tmp_path):
    """`sites=None`: all leaf modules, the ones that are called twice or never included."""
    defaults = {"sites": None, "beta": 1e-3, "control": False, "scale_twins": (), "refit": 0, "raw": 0}
    assert_identical(train(host).state(), train(host, tmp_path / "run.h5", **defaults).state())


def test_the_comparison_sees_a_training_that_is_not_the_same(mlp, train, assert_identical, tmp_path):
    bare = train(mlp).state()
    joint = train(mlp, tmp_path / "run.h5", mode="joint", control=False, scale_twins=(), refit=0).state()
    for part in ("model", "gradients", "optimizer"):
        with pytest.raises(AssertionError):
            assert_identical(bare[part], joint[part])


def test_every_single_draw_from_a_global_generator_would_be_seen(mlp, train, assert_identical):
    bare = train(mlp).state()
    for draw in (lambda: torch.rand(()), np.random.rand, random.random):

        class Drawing(nn.Module):
            def __init__(self, inner, draw=draw):
                super().__init__()
                self.inner, self.draw = inner, draw

            def forward(self, x):
                self.draw()
                return self.inner(x)

        drawn = train(mlp, call=Drawing).state()
        with pytest.raises(AssertionError):
            assert_identical(bare["random"], drawn["random"])


def test_the_same_seed_records_the_same_numbers_whatever_the_global_generators_hold(mlp, train, tmp_path):
    first, second = (train(mlp, tmp_path / f"{k}.h5", epochs=1).measurements for k in range(2))
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a.bounds.i_zx, b.bounds.i_zx)
        np.testing.assert_array_equal(a.bounds.i_zy, b.bounds.i_zy)
        assert a.activations.keys() == b.activations.keys() != set()


def test_a_schedule_decides_when_something_is_recorded_and_never_what_the_host_learns(
    mlp, train, assert_identical, tmp_path
):
    bare = train(mlp, epochs=1).state()
    for k, schedule in enumerate((None, 3, log_spaced(2))):
        recorded = train(mlp, tmp_path / f"{k}.h5", epochs=1, sketch_at=schedule, probe_every=k + 1)
        assert_identical(bare, recorded.state())


@pytest.mark.parametrize("optimizer", [torch.optim.SGD, torch.optim.LBFGS])
def test_an_optimizer_that_calls_the_forward_itself_is_served_by_batch(mlp, recording, assert_identical, optimizer):
    """LBFGS calls a closure several times a step; the last training forward of the block is the one recorded."""
    inputs, labels = mlp.data().tensors

    def run(model, block):
        torch.manual_seed(3)
        update = optimizer(model.parameters(), lr=0.1)
        for _ in range(3):

            def closure():
                update.zero_grad()
                loss = nn.functional.cross_entropy(model(inputs.clone()), labels)
                loss.backward()
                return loss

            with block():
                update.step(closure)
        return model.state_dict()

    bare, model = run(mlp.build(), nullcontext), mlp.build()
    with recording(model, control=True) as rec:
        recorded = run(model, lambda: rec.batch(labels))
        assert rec.step == 3
    assert_identical(bare, recorded)
