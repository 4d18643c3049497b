"""Modes, gradients and captures: what counts as a training forward, and what measuring leaves as it was."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from infoplane.errors import CaptureError

LN2 = 0.6931471805599453


def test_measuring_gives_every_module_its_own_mode_back(resnet, recording):
    model = resnet.build()
    inputs, labels = resnet.data(12).tensors
    model.block1.eval()
    model.block2.bn1.eval()
    modes = [module.training for module in model.modules()]
    with recording(model, sites=["stem", "block2"], control=True, refit=1) as rec:
        model(inputs)
        rec.loss(labels)
        rec.measure([(inputs, labels)], fit=[(inputs, labels)])
        assert [module.training for module in model.modules()] == modes


def test_measuring_leaves_buffers_gradients_and_requires_grad_alone(host, recording, assert_identical):
    """Also between `backward` and the optimizer's step."""
    model = host.build()
    inputs, labels = host.data(12).tensors
    next(model.parameters()).requires_grad_(False)
    with recording(model, sites=list(host.sites), control=True, refit=1, gradients=1) as rec:
        (functional.cross_entropy(model(inputs), labels) + rec.loss(labels)).backward()
        kept = [None if p.grad is None else p.grad.clone() for p in model.parameters()]
        state = {name: value.clone() for name, value in model.state_dict().items()}
        rec.measure([(inputs[:8], labels[:8])], fit=[(inputs, labels)])
        assert_identical(kept, [p.grad for p in model.parameters()])
        assert_identical(state, model.state_dict())
        assert [p.requires_grad for p in model.parameters()] == [k > 0 for k in range(len(kept))]
        assert torch.is_grad_enabled()


def test_measuring_does_not_change_the_batches_it_is_given(host, recording, assert_identical):
    model = host.build()
    batches = [host.data(8).tensors]
    copies = [tuple(t.clone() for t in batches[0])]
    with recording(model, sites=list(host.sites), control=True) as rec:
        model(batches[0][0])
        rec.loss(batches[0][1])
        rec.measure(batches)
    assert_identical(copies, batches)


def test_a_frozen_batch_norm_stays_frozen(resnet, train, assert_identical, tmp_path):
    def frozen(model):
        for module in model.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eval().requires_grad_(False)
        return model

    start = {k: v.clone() for k, v in frozen(resnet.build()).state_dict().items() if "norm" in k or "bn" in k}
    recorded = train(resnet, tmp_path / "run.h5", epochs=1, prepare=frozen)
    assert_identical(train(resnet, epochs=1, prepare=frozen).state(), recorded.state())
    assert_identical(start, {k: v for k, v in recorded.model.state_dict().items() if k in start})
    assert all(not m.training for m in recorded.model.modules() if isinstance(m, nn.BatchNorm2d))


class InPlace(nn.Module):
    """Overwrites what it is given, the output of one site, and the input of another."""

    def __init__(self, *, in_place):
        super().__init__()
        torch.manual_seed(0)
        self.first, self.second, self.last = nn.Linear(6, 5), nn.Linear(5, 5), nn.Linear(5, 3)
        self.in_place = in_place
        self.scale = _Scale(in_place=in_place)

    def forward(self, x):
        x = self.first(x.add_(1) if self.in_place else x + 1)
        x = x.relu_() if self.in_place else x.relu()
        return self.last(self.scale(self.second(x)))


class _Scale(nn.Module):
    def __init__(self, *, in_place):
        super().__init__()
        self.in_place = in_place

    def forward(self, x):
        return x.mul_(-3) if self.in_place else x * -3


def test_what_works_in_place_before_after_or_inside_a_site_does_not_change_what_is_recorded(recording, mlp):
    inputs, labels = mlp.data(12).tensors
    sites = ["first", "second", "scale@input", "scale"]
    rates, sketches = [], []
    for in_place in (False, True):
        model = InPlace(in_place=in_place)
        options = {"sites": sites, "control": True, "sketch_at": 1, "activations": True, "raw": 5}
        with recording(model, **options) as rec:
            for _ in range(3):
                model(inputs.clone())
                rec.loss(labels)
            measured = rec.measure([(inputs, labels)])
            rates.append(list(measured.bounds.i_zx))
            sketches.append(measured.activations)
    assert rates[0] == rates[1]
    for site in sites:
        np.testing.assert_array_equal(sketches[0][site].scalars, sketches[1][site].scalars)
    assert rates[1][1] == pytest.approx(rates[1][2], rel=0.5)  # the input of `scale` is what `second` gave, before * -3


def test_a_forward_that_is_no_training_forward_is_not_captured(recording, mlp):
    inputs, labels = mlp.data(12).tensors
    with recording() as rec:
        rec.model(inputs)
        rec.model.eval()
        rec.model(inputs[:5])
        with torch.no_grad():
            rec.model(inputs[:7])
        rec.model.train()
        rec.loss(labels)
        assert rec.step == 1


def test_a_validation_pass_between_steps_changes_nothing_of_what_is_recorded(recording, mlp):
    """The whole pass, at every step: the probes end up the same."""
    inputs, labels = mlp.data(12).tensors
    rates = []
    for validates in (False, True):
        model = mlp.build()
        with recording(model, control=True) as rec:
            torch.manual_seed(1)
            for _ in range(4):
                model(inputs)
                rec.loss(labels)
                if validates:
                    model.eval()
                    model(inputs[:5])
                    model.train()
            rates.append(list(rec.measure([(inputs, labels)]).bounds.i_zx))
    assert rates[0] == rates[1]


def test_two_training_forwards_a_step_are_refused_and_the_next_step_is_clean(recording, mlp):
    inputs, labels = mlp.data(12).tensors
    with recording(control=True) as rec:
        rec.model(inputs)
        rec.model(inputs)
        with pytest.raises(CaptureError, match=r"there were 2.*batch"):
            rec.loss(labels)
        rec.model(inputs)
        rec.loss(labels)
        assert rec.step == 1


def test_loss_without_a_forward_says_what_may_have_happened(recording, mlp):
    inputs, labels = mlp.data(12).tensors
    with recording() as rec:
        rec.model.eval()
        rec.model(inputs)
        with pytest.raises(CaptureError, match=r"there was none.*training mode"):
            rec.loss(labels)


def test_labels_of_another_batch_are_refused(recording, mlp):
    inputs, labels = mlp.data(12).tensors
    with recording(control=True) as rec:
        rec.model(inputs)
        with pytest.raises(CaptureError, match="11"):
            rec.loss(labels[:11])


@pytest.mark.parametrize("context", [torch.no_grad, torch.inference_mode])
def test_probes_learn_from_a_training_forward_without_gradients(recording, mlp, context):
    """As in statistics passes of batch norm; what the probes learn is the same as with gradients."""
    inputs, labels = mlp.data(12).tensors
    rates = []
    for without in (False, True):
        model = mlp.build()
        torch.manual_seed(2)
        with recording(model, control=True, sketch_at=1, gradients=0) as rec:
            for _ in range(3):
                if without:
                    with context():
                        model(inputs)
                        assert rec.loss(labels).item() == 0
                else:
                    model(inputs)
                    rec.loss(labels)
            rates.append(list(rec.measure([(inputs, labels)]).bounds.i_zx))
    assert rates[0] == rates[1]


@pytest.mark.parametrize("context", [torch.no_grad, torch.inference_mode])
def test_mode_joint_without_gradients_is_refused(recording, mlp, context):
    inputs, labels = mlp.data(12).tensors
    with pytest.raises(CaptureError, match="gradient"), recording(mode="joint") as rec, context():
        rec.model(inputs)
        rec.loss(labels)


def test_the_graph_is_the_users_own(recording, mlp, assert_identical):
    """`retain_graph`, a second backward, and gradients with a graph of their own (a gradient penalty)."""
    inputs, labels = mlp.data(12).tensors

    def gradients(model, extra):
        torch.manual_seed(4)
        inputs_with_gradient = inputs.clone().requires_grad_()
        loss = functional.cross_entropy(model(inputs_with_gradient), labels) + extra(labels)
        loss.backward(retain_graph=True)
        loss.backward(retain_graph=True)
        (slope,) = torch.autograd.grad(loss, inputs_with_gradient, create_graph=True)
        slope.square().sum().backward()
        return [p.grad for p in model.parameters()]

    bare, model = gradients(mlp.build(), lambda labels: 0.0), mlp.build()
    with recording(model, control=True, sketch_at=1, gradients=1) as rec:
        assert_identical(bare, gradients(model, rec.loss))


def test_the_added_loss_is_a_constant_zero_without_a_graph(recording, mlp):
    inputs, labels = mlp.data(12).tensors
    with recording() as rec:
        rec.model(inputs)
        added = rec.loss(labels)
        assert (added.item(), added.shape, added.requires_grad) == (0.0, torch.Size([]), False)


def test_probes_see_what_was_computed_in_training_mode_and_measure_in_evaluation_mode(recording, mlp):
    """Recompute the rate of held-out inputs from the probe itself, without dropout."""
    inputs, labels = mlp.data(12).tensors
    model = mlp.build()
    with recording(model, sites=["fc2"]) as rec:
        for _ in range(2):
            model(inputs)
            rec.loss(labels)
        measured = rec.measure([(inputs, labels)]).bounds.i_zx[0]
        model.eval()
        with torch.no_grad():
            mean, std = rec.probe("fc2").encode(model.fc2(model.relu(model.fc1(inputs.clone()))))
        rate = (0.5 * (mean**2 + std**2 - 1) - std.log()).sum(1).mean().item() / LN2
    assert measured == pytest.approx(rate, rel=1e-5)
