"""Autocast, gradient scaling and other types: the host's numbers stay its own, and the probes' stay in float32."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional


class Autocast(nn.Module):
    """Calls the network inside autocast, as a loop does."""

    def __init__(self, model, dtype):
        super().__init__()
        self.model, self.dtype = model, dtype

    def forward(self, x):
        with torch.autocast("cpu", self.dtype):
            return self.model(x)


def test_training_under_autocast_is_bit_identical(host, train, assert_identical, tmp_path):
    def call(model):
        return Autocast(model, torch.bfloat16)

    bare = train(host, epochs=1, call=call)
    assert_identical(bare.state(), train(host, tmp_path / "run.h5", epochs=1, call=call).state())


def test_bounds_under_autocast_are_those_of_float32_within_its_precision(mlp, recording):
    inputs, labels = mlp.data().tensors
    rates = []
    for half in (False, True):
        model = mlp.build()
        torch.manual_seed(1)
        with recording(model) as rec, torch.autocast("cpu", torch.bfloat16, enabled=half):
            for _ in range(4):
                model(inputs)
                rec.loss(labels)
            measured = rec.measure([(inputs, labels)])
            assert {p.dtype for p in rec.probe("fc1").parameters()} == {torch.float32}
        rates.append(measured.bounds.i_zx)
    np.testing.assert_allclose(rates[1], rates[0], rtol=0.03)
    assert (rates[0] != rates[1]).any()


def test_loss_inside_and_outside_of_the_autocast_block_are_one_thing(mlp, recording):
    inputs, labels = mlp.data().tensors
    rates = []
    for inside in (False, True):
        model = mlp.build()
        torch.manual_seed(1)
        with recording(model, control=True) as rec:
            for _ in range(3):
                with torch.autocast("cpu", torch.bfloat16):
                    model(inputs)
                    if inside:
                        rec.loss(labels)
                if not inside:
                    rec.loss(labels)
            rates.append(rec.measure([(inputs, labels)]).bounds.i_zx)
    np.testing.assert_array_equal(*rates)


def test_measuring_inside_autocast_does_not_cost_the_next_forward_its_gradients(mlp, recording):
    inputs, labels = mlp.data().tensors
    with recording(control=True) as rec:
        with torch.autocast("cpu", torch.bfloat16):
            rec.model(inputs)
            rec.loss(labels)
            rec.measure([(inputs, labels)])
            loss = functional.cross_entropy(rec.model(inputs), labels) + rec.loss(labels)
        loss.backward()
        assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in rec.model.parameters())


def scaled_training(model, extra, steps=6):
    """Train in float16 with a scale that overflows at first, as it does in practice."""
    torch.manual_seed(2)
    optimizer, scaler = torch.optim.SGD(model.parameters(), 0.1), torch.amp.GradScaler("cpu", init_scale=2.0**30)
    generator = torch.Generator().manual_seed(0)
    for _ in range(steps):
        inputs, labels = torch.randn(12, 6, generator=generator), torch.arange(12) % 3
        with torch.autocast("cpu", torch.float16):
            loss = functional.cross_entropy(model(inputs), labels)
        optimizer.zero_grad()
        scaler.scale(loss + extra(labels)).backward()
        scaler.step(optimizer)
        scaler.update()
    return model.state_dict(), scaler.state_dict()


def test_training_with_a_gradient_scaler_is_bit_identical(mlp, recording, assert_identical):
    bare, model = scaled_training(mlp.build(), lambda labels: 0.0), mlp.build()
    assert bare[1]["scale"] < 2.0**30
    with recording(model, control=True, sketch_at=1, gradients=1) as rec:
        assert_identical(bare, scaled_training(model, rec.loss))


def test_joint_probes_survive_the_overflow_by_which_a_gradient_scaler_finds_its_scale(mlp, recording):
    model = mlp.build()
    with recording(model, mode="joint") as rec:
        scaled_training(model, rec.loss, steps=20)
        for site in ("fc1", "tanh"):
            assert all(p.isfinite().all() for p in rec.probe(site).parameters())
        rate = rec.measure([mlp.data(12).tensors]).bounds.i_zx
    assert np.isfinite(rate).all()


def test_the_joint_gradient_survives_float16_where_it_is_scaled(mlp, recording):
    """Per input it is some 1e-8 in a batch of thousands: nothing, in float16, unless it is scaled before."""
    generator = torch.Generator().manual_seed(0)
    inputs, labels, scale = torch.randn(8192, 6, generator=generator), torch.arange(8192) % 3, 2.0**12
    gradients = []
    for half in (False, True):
        model = mlp.build()
        model.dropout.p = 0.0
        with recording(model, mode="joint", sites=["tanh"]) as rec:
            with torch.autocast("cpu", torch.float16, enabled=half):
                model(inputs)
                added = rec.loss(labels)
            (scale * added).backward()
        used = [p.grad.flatten() / scale for p in model.parameters() if p.grad is not None]
        gradients.append(torch.cat(used))
    assert (gradients[0] - gradients[1]).norm() < 0.02 * gradients[0].norm()


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_a_network_of_another_type_is_recorded(mlp, recording, dtype):
    inputs, labels = mlp.data(12).tensors
    model = mlp.build().to(dtype)
    with recording(model, control=True, sketch_at=1) as rec:
        for _ in range(2):
            functional.cross_entropy(model(inputs.to(dtype)), labels).backward()
            rec.loss(labels)
        measured = rec.measure([(inputs.to(dtype), labels)])
    assert np.isfinite(measured.bounds.i_zx).all()
    assert all(p.dtype == dtype for p in model.parameters())


def test_the_default_type_is_nobodys_business(mlp, recording):
    """A script that sets float64 as torch's default for other work gets the numbers of one that does not."""
    inputs, labels = mlp.data(12).tensors
    rates = []
    for default in (torch.float32, torch.float64):
        model = mlp.build()
        with recording(model, sketch_at=1, control=True) as rec:
            torch.manual_seed(0)
            torch.set_default_dtype(default)
            try:
                for _ in range(2):
                    model(inputs)
                    rec.loss(labels)
                rates.append(rec.measure([(inputs, labels)]).bounds.i_zx)
            finally:
                torch.set_default_dtype(torch.float32)
    np.testing.assert_allclose(*rates, rtol=1e-5)


def test_deterministic_algorithms_and_anomaly_detection_may_be_on(resnet, recording):
    inputs, labels = resnet.data(12).tensors
    model = resnet.build()
    was = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(True)
    try:
        with recording(model, sites=["stem", "pool"], control=True, sketch_at=1, gradients=1, raw=4) as rec:
            for _ in range(2):
                (functional.cross_entropy(model(inputs), labels) + rec.loss(labels)).backward()
            rec.measure([(inputs, labels)])
    finally:
        torch.use_deterministic_algorithms(was)
