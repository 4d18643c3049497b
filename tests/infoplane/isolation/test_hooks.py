"""Hooks: none inside the network, none in its copies, none left behind, and none that hears another's forward."""

import copy
import io
import pickle
import threading
import warnings

import numpy as np
import pytest
import torch
from torch import nn

from infoplane.errors import CaptureError, InfoplaneError


def attributes(model):
    """Names of everything in every module's dictionaries, and how many hooks there are."""
    found = {}
    for name, module in model.named_modules():
        found[name] = sorted(vars(module))
        hooks = {key: len(value) for key, value in vars(module).items() if "hooks" in key and value is not None}
        found[f"{name} hooks"] = hooks
    for name, parameter in model.named_parameters():
        found[f"{name} parameter"] = sorted(vars(parameter)), bool(parameter._backward_hooks)
    return found


def step(rec, model, host, n=12):
    inputs, labels = (t[:n] for t in host.data().tensors)
    loss = nn.functional.cross_entropy(model(inputs), labels) + rec.loss(labels)
    loss.backward()
    return loss


def test_no_module_gets_an_attribute_a_hook_or_a_key_while_it_is_recorded(host, recording):
    model = host.build()
    before, keys = attributes(model), list(model.state_dict())
    with recording(model, sites=list(host.sites), control=True, gradients=1, raw=4) as rec:
        assert attributes(model) == before
        step(rec, model, host)
        rec.measure([host.data(8).tensors])
        assert attributes(model) == before
        assert list(model.state_dict()) == keys
        assert list(dict(model.named_modules())) == list(dict(host.build().named_modules()))
    assert attributes(model) == before
    assert list(model.state_dict()) == keys


def through_pickle(model):
    return pickle.loads(pickle.dumps(model))


def through_a_file(model):
    stream = io.BytesIO()
    torch.save(model, stream)
    stream.seek(0)
    return torch.load(stream, weights_only=False)


@pytest.mark.parametrize("copied", [copy.deepcopy, copy.copy, through_pickle, through_a_file])
def test_a_copy_made_while_recording_carries_no_active_hook(host, recording, copied):
    inputs, labels = host.data(8).tensors
    model = host.build()
    with recording(model, sites=list(host.sites)) as rec:
        step(rec, model, host)
        twin = copied(model)
        assert attributes(twin) == attributes(host.build())
        twin(inputs)
        with pytest.raises(CaptureError, match="there was none"):
            rec.loss(labels)
    twin(inputs)


def test_no_hook_is_left_when_the_recording_ends(recording, mlp, hook_count):
    before = hook_count()
    with recording(control=True, gradients=1) as rec:
        step(rec, rec.model, mlp)
        rec.measure([mlp.data(8).tensors])
        assert hook_count() > before
    assert hook_count() == before


def test_no_hook_is_left_after_an_exception_in_the_loop(recording, mlp, hook_count):
    before = hook_count()
    with pytest.raises(ZeroDivisionError), recording(control=True, gradients=1) as rec:
        step(rec, rec.model, mlp)
        1 / 0  # noqa: B018
    assert hook_count() == before


@pytest.mark.parametrize("steps", [0, 1])
def test_no_hook_is_left_after_an_exception_inside_the_forward(recording, mlp, hook_count, steps):
    before = hook_count()
    with pytest.raises(RuntimeError, match="shapes"), recording(control=True) as rec:
        for _ in range(steps):
            step(rec, rec.model, mlp)
        rec.model(torch.zeros(4, 99))
    assert hook_count() == before


def test_no_hook_is_left_after_an_exception_inside_measure(recording, mlp, hook_count):
    def batches():
        yield mlp.data(8).tensors
        raise OSError("the disk is gone")

    before = hook_count()
    with pytest.raises(OSError, match="disk is gone"), recording(control=True) as rec:
        step(rec, rec.model, mlp)
        rec.measure(batches())
    assert hook_count() == before
    assert rec.model.training


def test_a_site_that_cannot_be_recorded_leaves_no_hook(recording, hook_count):
    class Unused(nn.Module):
        def __init__(self):
            super().__init__()
            self.used, self.unused = nn.Linear(6, 3), nn.Linear(6, 3)

        def forward(self, x):
            return self.used(x)

    before = hook_count()
    with pytest.raises(InfoplaneError, match="unused"), recording(Unused(), sites=["used", "unused"]) as rec:
        rec.model(torch.zeros(4, 6))
    assert hook_count() == before


def test_a_forward_that_raised_leaves_nothing_behind_for_the_next_step(recording, mlp):
    """Catch the exception, go on, and get the numbers of a recording in which it never happened."""

    class Fragile(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner, self.broken = mlp.build(), False

        def forward(self, x):
            x = self.inner.relu(self.inner.fc1(x))
            if self.broken:
                raise FloatingPointError("broken on purpose")
            return self.inner.last(self.inner.tanh(self.inner.fc2(x)))

    rates = []
    for breaks in (False, True):
        model = Fragile()
        with recording(model, sites=["inner.fc1", "inner.tanh"], control=True) as rec:
            for k in range(3):
                if breaks and k == 1:
                    model.broken = True
                    with pytest.raises(FloatingPointError):
                        model(mlp.data(8).tensors[0])
                    model.broken = False
                    model.inner.fc1(torch.zeros(4, 6))  # a site alone, with no forward of the network around it
                step(rec, model, mlp)
            rates.append(rec.measure([mlp.data(8).tensors]).bounds.i_zx)
    np.testing.assert_array_equal(*rates)


def test_two_recordings_of_one_network_end_in_any_order(recording, mlp, hook_count):
    before, model = hook_count(), mlp.build()
    first, second = recording(model), recording(model)
    first.__enter__(), second.__enter__()
    inputs, labels = mlp.data(12).tensors
    model(inputs)
    first.loss(labels), second.loss(labels)
    first.__exit__(None, None, None)
    model(inputs)
    second.loss(labels)
    rate = second.measure([mlp.data(8).tensors])
    second.__exit__(None, None, None)
    assert np.isfinite(rate.bounds.i_zx).all()
    assert hook_count() == before


def test_a_network_recorded_on_its_own_sees_nothing_of_another_of_the_same_class(recording, mlp):
    other = mlp.build(seed=5)
    inputs, labels = mlp.data(12).tensors
    with recording() as rec:
        rec.model(inputs)
        other(inputs[:7])
        assert rec.loss(labels).item() == 0


def test_a_network_inside_another_is_recorded_when_the_other_is_called(recording, mlp):
    model = mlp.build()
    outer = nn.Sequential(model, nn.Softmax(dim=1))
    inputs, labels = mlp.data(12).tensors
    with recording(model) as rec:
        outer(inputs)
        rec.loss(labels)
        assert rec.step == 1


def test_functional_call_is_recorded_as_a_forward(recording, mlp):
    model = mlp.build()
    inputs, labels = mlp.data(12).tensors
    with recording(model) as rec:
        torch.func.functional_call(model, dict(model.named_parameters()), (inputs,))
        rec.loss(labels)
        assert rec.step == 1


def test_data_parallel_around_the_network_or_as_the_network_is_recorded_on_cpu(recording, mlp):
    inputs, labels = mlp.data(12).tensors
    rates = []
    for wrapped in (False, True):
        model = mlp.build()
        parallel = nn.DataParallel(model)
        torch.manual_seed(0)
        with recording(parallel if wrapped else model) as rec:
            parallel(inputs)
            rec.loss(labels)
            rates.append(rec.measure([(inputs, labels)]).bounds.i_zx)
    np.testing.assert_array_equal(*rates)


def test_calling_forward_directly_is_said_and_not_silent(recording, mlp):
    inputs, labels = mlp.data(12).tensors
    with recording() as rec:
        rec.model.forward(inputs)
        with pytest.raises(CaptureError, match=r"there was none.*forward"):
            rec.loss(labels)


class Recursive(nn.Module):
    """Calls itself once, on its own output, and goes on afterwards."""

    def __init__(self):
        super().__init__()
        self.inner, self.last = nn.Linear(6, 6), nn.Linear(6, 3)

    def forward(self, x, depth=1):
        x = torch.tanh(self.inner(x))
        return self.last(self(x, depth - 1)) if depth else x


def test_a_network_that_calls_itself_is_one_forward(recording, mlp):
    """Its inner site is called twice, so it has two places; its last is called once."""
    inputs, labels = mlp.data(12).tensors
    torch.manual_seed(0)
    model = Recursive()
    with recording(model, sites=["inner:0", "inner:1", "last"]) as rec:
        model(inputs)
        rec.loss(labels)
        measured = rec.measure([(inputs, labels)])
        assert len(measured.bounds.i_zx) == 3
        with torch.no_grad():
            first = model.inner(inputs)
            for place, value in (("inner:0", first), ("inner:1", model.inner(torch.tanh(first)))):
                mean, std = rec.probe(place).encode(value)
                rate = 0.5 * (mean**2 + std**2 - 1) - std.log()
                index = ["inner:0", "inner:1", "last"].index(place)
                expected = rate.sum(1).mean().item() / np.log(2)
                assert measured.bounds.i_zx[index] == pytest.approx(expected, rel=1e-5)


def test_a_site_that_is_called_twice_becomes_two(recording, mlp):
    inputs, labels = mlp.data(12).tensors
    with recording(Recursive(), sites=["inner"]) as rec:
        rec.model(inputs)
        rec.loss(labels)
        assert rec.sites == ("inner:0", "inner:1")


def scripted(model, inputs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch.jit is deprecated
        return torch.jit.trace(model.eval(), inputs).train()


@pytest.mark.parametrize("sites", [["fc1"], "**", None])
def test_inner_modules_of_a_scripted_network_are_refused(recording, mlp, sites):
    """torch calls what is inside a ScriptModule without hooks."""
    inputs, labels = mlp.data(12).tensors
    with (
        pytest.raises(InfoplaneError, match=r"torch\.jit"),
        recording(scripted(mlp.build(), inputs), sites=sites) as rec,
    ):
        rec.model(inputs)
        rec.loss(labels)


def with_a_scripted_part(mlp):
    model = mlp.build()
    model.fc2 = scripted(nn.Sequential(nn.Linear(16, 8), nn.Tanh()), torch.zeros(4, 16))
    return model


@pytest.mark.parametrize("sites", [["fc2.0"], "fc2.*", "**"])
def test_inner_modules_of_a_scripted_part_are_refused(recording, mlp, sites):
    with pytest.raises(InfoplaneError, match=r"torch\.jit"), recording(with_a_scripted_part(mlp), sites=sites) as rec:
        rec.model(mlp.data(12).tensors[0])


def test_a_scripted_part_itself_is_a_site(recording, mlp):
    inputs, labels = mlp.data(12).tensors
    with recording(with_a_scripted_part(mlp), sites="*") as rec:
        rec.model(inputs)
        rec.loss(labels)
        assert "fc2" in rec.sites


def test_an_interrupted_forward_leaves_the_next_one_whole(recording, mlp):
    """Ctrl-C inside a forward runs no hook at its end; a notebook goes on afterwards, in the same recording."""

    class Interrupted(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc1, self.last, self.interrupts = nn.Linear(6, 4), nn.Linear(4, 3), True

        def forward(self, x):
            x = self.fc1(x)
            if self.interrupts:
                raise KeyboardInterrupt
            return self.last(x)

    inputs, labels = mlp.data(12).tensors
    model = Interrupted()
    with recording(model, sites=["fc1"]) as rec:
        with pytest.raises(KeyboardInterrupt):
            model(inputs)
        with pytest.raises(CaptureError):
            rec.loss(labels)
        model.interrupts = False
        model(inputs)
        rec.loss(labels)
        assert rec.step == 1


def test_two_threads_in_one_forward_are_refused(recording, mlp):
    """One capture cannot tell whose activation it holds; the second thread gets an error and the first goes on."""
    inputs, labels = mlp.data(12).tensors
    inside, go_on = threading.Event(), threading.Event()

    class Waiting(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc1, self.last = nn.Linear(6, 4), nn.Linear(4, 3)

        def forward(self, x):
            x = self.fc1(x)
            if threading.current_thread() is not threading.main_thread():
                inside.set()
                assert go_on.wait(20)
            return self.last(x)

    model = Waiting()
    with recording(model, sites=["fc1"]) as rec:
        thread = threading.Thread(target=model, args=(inputs[:5],))
        thread.start()
        assert inside.wait(20)
        try:
            with pytest.raises(CaptureError, match="thread"):
                model(inputs)
        finally:
            go_on.set()
            thread.join()
        rec.loss(labels[:5])
        assert rec.step == 1
