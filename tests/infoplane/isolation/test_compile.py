"""torch.compile: a recorded network runs as its eager self, whenever it was compiled, and is compiled again afterwards.

A compiled forward that was traced without hooks never calls them, so the sites would stay silent. While a recording is
open, compiled code therefore runs eagerly.
"""

import copy
import warnings

import numpy as np
import pytest
import torch
from torch import nn

from infoplane.errors import CaptureError, InfoplaneError

pytestmark = pytest.mark.filterwarnings("ignore:Using `torch.compile:UserWarning")


@pytest.fixture(autouse=True)
def _fresh_compiler():
    torch.compiler.reset()
    yield
    torch.compiler.reset()
    torch.compiler.set_stance("default")


def counting(backend):
    from torch._dynamo.testing import CompileCounterWithBackend

    return CompileCounterWithBackend(backend)


def as_wrapper(model, backend, **options):
    """`torch.compile(model)`; the loop calls what it returns."""
    return torch.compile(model, backend=backend, **options)


def in_place(model, backend, **options):
    """`model.compile()`; the loop calls the model."""
    model.compile(backend=backend, **options)
    return model


def as_function(model, backend, **options):
    """A compiled function around the network."""
    return torch.compile(lambda x: model(x), backend=backend, **options)


def forward_only(model, backend, **options):
    """The method alone, in the place of the model's own."""
    model.forward = torch.compile(model.forward, backend=backend, **options)
    return model


def one_child(model, backend, **options):
    """One submodule inside a network that is not compiled."""
    child = next(module for module in model.children() if not list(module.children()))
    child.compile(backend=backend, **options)
    return model


WAYS = [as_wrapper, in_place, as_function, forward_only, one_child]


SMALL = {"beta": 1e-3, "control": False, "scale_twins": (10.0,), "refit": 0, "raw": 0, "epochs": 1}


def assert_recorded_as_eager(host, train, assert_identical, folder, call, **options):
    """Compare a compiled training with the eager one: what the host ends as, and what was recorded."""
    eager = train(host, folder / "eager.h5", **SMALL | options)
    compiled = train(host, folder / "compiled.h5", call=call, **SMALL | options)
    assert_identical(eager.state(), compiled.state())
    for a, b in zip(eager.measurements, compiled.measurements, strict=True):
        np.testing.assert_array_equal(a.bounds.i_zx, b.bounds.i_zx)
        np.testing.assert_array_equal(a.bounds.i_zy, b.bounds.i_zy)
        for site in host.sites:
            np.testing.assert_array_equal(a.activations[site].scalars, b.activations[site].scalars)


def called(compiled, model, host):
    """Call once what was compiled, so that it is compiled before the recording begins, and undo what that changed."""
    state = torch.get_rng_state(), copy.deepcopy(model.state_dict())
    compiled(host.data(6).tensors[0])
    torch.set_rng_state(state[0])
    model.load_state_dict(state[1])
    return compiled


@pytest.mark.parametrize("when", ["new", "called before"])
@pytest.mark.parametrize("way", WAYS)
def test_a_compiled_training_records_the_numbers_of_the_eager_one(mlp, train, assert_identical, tmp_path, way, when):
    """Every site is heard, with the same values; the host's training is the eager one."""

    def call(model):
        compiled = way(model, "eager")
        return called(compiled, model, mlp) if when == "called before" else compiled

    assert_recorded_as_eager(mlp, train, assert_identical, tmp_path, call)


def test_a_compiler_that_takes_the_gradient_apart_makes_no_difference(resnet, train, assert_identical, tmp_path):
    def call(model):
        return called(as_wrapper(model, "aot_eager"), model, resnet)

    assert_recorded_as_eager(resnet, train, assert_identical, tmp_path, call)


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["aot_eager", "inductor"])
def test_the_backend_makes_no_difference(host, train, assert_identical, tmp_path, backend):
    if host.name == "lstm":
        pytest.skip("torch.compile does not go into an LSTM")

    def call(model):
        return called(as_wrapper(model, backend), model, host)

    assert_recorded_as_eager(host, train, assert_identical, tmp_path, call, control=True)


@pytest.mark.parametrize("way", [as_wrapper, in_place])
def test_a_full_graph_is_no_obstacle(mlp, recording, way):
    model = mlp.build()
    model.relu.inplace = False
    compiled = way(model, "eager", fullgraph=True)
    inputs, labels = mlp.data(12).tensors
    compiled(inputs)
    with recording(model) as rec:
        compiled(inputs)
        rec.loss(labels)
        assert rec.step == 1


@pytest.mark.parametrize("way", WAYS)
def test_the_compiled_code_is_used_again_after_the_recording_without_a_recompilation(mlp, recording, way):
    backend = counting("eager")
    model = mlp.build()
    compiled = way(model, backend)
    inputs, labels = mlp.data(12).tensors
    compiled(inputs)
    frames = backend.frame_count
    assert frames > 0
    with recording(model) as rec:
        for _ in range(3):
            compiled(inputs)
            rec.loss(labels)
        rec.measure([(inputs, labels)])
    compiled(inputs)
    assert backend.frame_count == frames
    torch.compiler.set_stance("fail_on_recompile")
    compiled(inputs)


def test_two_recordings_that_end_in_the_order_they_began_leave_the_compiler_as_it_was(mlp, recording):
    backend = counting("eager")
    model = mlp.build()
    compiled = torch.compile(model, backend=backend)
    inputs, labels = mlp.data(12).tensors
    first, second = recording(model), recording(model)
    first.__enter__(), second.__enter__()
    compiled(inputs)
    first.loss(labels), second.loss(labels)
    first.__exit__(None, None, None)
    compiled(inputs)
    second.loss(labels)
    second.__exit__(None, None, None)
    assert backend.frame_count == 0
    compiled(inputs)
    assert backend.frame_count > 0


def test_a_stance_that_was_set_before_is_given_back(mlp, recording):
    backend = counting("eager")
    compiled = torch.compile(mlp.build(), backend=backend)
    torch.compiler.set_stance("fail_on_recompile")
    with recording():
        pass
    with pytest.raises(RuntimeError, match="recompile"):
        compiled(mlp.data(12).tensors[0])


def test_an_exception_leaves_the_compiler_as_it_was(mlp, recording):
    backend = counting("eager")
    compiled = torch.compile(mlp.build(), backend=backend)
    with pytest.raises(ZeroDivisionError), recording():
        1 / 0  # noqa: B018
    compiled(mlp.data(12).tensors[0])
    assert backend.frame_count > 0


def test_a_recording_that_is_refused_at_its_start_leaves_the_compiler_as_it_was(mlp, recording, hook_count):
    backend, before = counting("eager"), hook_count()
    compiled = torch.compile(mlp.build(), backend=backend)
    inputs, _ = mlp.data(12).tensors
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch.jit is deprecated
        scripted = torch.jit.trace(mlp.build().eval(), inputs)
    with pytest.raises(InfoplaneError), recording(scripted, sites=["fc1"]):
        pass
    assert hook_count() == before
    compiled(inputs)
    assert backend.frame_count > 0


def test_the_compiled_wrapper_itself_may_be_recorded_under_plain_names(mlp, recording):
    inputs, labels = mlp.data(12).tensors
    rates = []
    for wrapped in (False, True):
        model = mlp.build()
        compiled = torch.compile(model, backend="eager")
        torch.manual_seed(0)
        with recording(compiled if wrapped else model, sites=["fc1", "tanh"]) as rec:
            compiled(inputs)
            rec.loss(labels)
            rates.append(rec.measure([(inputs, labels)]).bounds.i_zx)
    np.testing.assert_array_equal(*rates)


def test_the_network_below_a_recorded_wrapper_may_be_called_itself(mlp, recording):
    inputs, labels = mlp.data(12).tensors
    model = mlp.build()
    with recording(torch.compile(model, backend="eager")) as rec:
        model(inputs)
        rec.loss(labels)
        assert rec.step == 1


@pytest.mark.parametrize("sites", [["fc1"], "**", None])
def test_compiled_code_that_calls_no_hook_is_said_and_not_silent(mlp, recording, sites):
    """Somebody sets the stance back inside the recording: named sites or not, nothing is dropped without a word."""
    model = mlp.build()
    compiled = torch.compile(model, backend="eager")
    inputs, labels = mlp.data(12).tensors
    compiled(inputs)
    with pytest.raises(InfoplaneError, match=r"torch\.compile"), recording(model, sites=sites) as rec:
        torch.compiler.set_stance("default")
        compiled(inputs)
        rec.loss(labels)


def test_a_compiled_function_that_hides_the_whole_forward_is_said_and_not_silent(mlp, recording):
    model = mlp.build()
    compiled = as_function(model, "eager")
    inputs, labels = mlp.data(12).tensors
    compiled(inputs)
    with recording(model) as rec:
        torch.compiler.set_stance("default")
        compiled(inputs)
        with pytest.raises(CaptureError, match=r"there was none.*torch\.compile"):
            rec.loss(labels)


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc, self.tanh = nn.Linear(6, 4), nn.Tanh()

    def forward(self, x):
        return self.tanh(self.fc(x)) + 1


def test_sites_inside_a_compiled_child_that_calls_no_hook_are_left_out_and_said(recording, caplog):
    model = nn.Sequential(Block(), nn.Linear(4, 3))
    model[0].compile(backend="eager")
    inputs, labels = torch.randn(12, 6, generator=torch.Generator().manual_seed(0)), torch.arange(12) % 3
    model(inputs)
    with recording(model, sites=None) as rec:
        torch.compiler.set_stance("default")
        model(inputs)
        rec.loss(labels)
        assert rec.sites == ("1",)
    assert "0.fc" in caplog.text
    assert "0.tanh" in caplog.text


def test_that_the_network_runs_eagerly_is_said(recording, mlp, caplog):
    inputs, labels = mlp.data(12).tensors
    for model, is_said in ((mlp.build(), False), (in_place(mlp.build(), "eager"), True)):
        caplog.clear()
        with recording(model) as rec:
            model(inputs)
            rec.loss(labels)
        assert ("torch.compile" in caplog.text) == is_said


def test_a_control_of_a_network_whose_forward_was_replaced_is_refused_and_not_wrong(recording, mlp):
    """The copy would call the forward of the original, and with it the original's modules and buffers."""
    model = forward_only(mlp.build(), "eager")
    with pytest.raises(InfoplaneError, match="control"), recording(model, control=True) as rec:
        rec.model(mlp.data(12).tensors[0])


def test_nothing_warns_of_hooks_when_the_recording_is_over(mlp, recording):
    """torch warns at every call of a compiled wrapper while it believes that there are global hooks."""
    inputs, labels = mlp.data(12).tensors
    model = mlp.build()
    compiled = torch.compile(model, backend="eager")
    with recording(model) as rec:
        compiled(inputs)
        rec.loss(labels)
        rec.measure([(inputs, labels)])
    assert not torch.nn.modules.module._has_any_global_hook()
