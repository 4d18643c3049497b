"""Methods at work: their loss, their passes, their hooks."""

import copy
import json

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from infoplane.errors import InputError
from infoplane.models import mlp, vib_mlp
from infoplane.models.recurrent import recurrent_classifier
from infoplane.probes.bottleneck import bottlenecks_of
from infoplane.recorder import record
from infoplane.regularizers import METHODS, parse_method
from infoplane.scaling.synscal import SynScaL
from infoplane.scaling.synscaw import SynScaW

LABELS = torch.tensor([0, 1, 2, 1, 0])
CLASSIFIERS = [name for name in METHODS if name != "synscal-regression"]


def numbers(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def start(name, *, model=None, **given):
    sections = {key: given.pop(key) for key in ("scaling", "regularizers") if key in given}
    method = parse_method(name, **sections)
    model = method.prepare(mlp((7, 6, 3), seed=0) if model is None else model, seed=0)
    return model, method.attach(model, **given)


def entropy(logits):
    return torch.distributions.Categorical(logits=logits).entropy().mean()


def divergence(model, outputs):
    (bottleneck,) = bottlenecks_of(model).values()
    mean, log_std = bottleneck.code_of(outputs)
    law = torch.distributions.Normal(mean, log_std.exp())
    return torch.distributions.kl_divergence(law, torch.distributions.Normal(0.0, 1.0)).sum(dim=1).mean()


def test_loss_of_the_baseline_is_the_cross_entropy_or_the_squared_error():
    model, run = start("baseline")
    logits = model(numbers(5, 7))
    assert torch.equal(run.loss(logits, LABELS), F.cross_entropy(logits, LABELS))
    real = numbers(5, 3, seed=1)
    assert run.loss(logits, real).item() == pytest.approx(F.mse_loss(logits, real).item(), rel=1e-6)


def test_every_term_is_in_the_loss_once():
    model, run = start(
        "synscal+label-smoothing+confidence-penalty+vib",
        scaling={"rate": 0.7},
        regularizers={"smoothing": 0.2, "penalty": 0.3, "vib_beta": 0.05, "vib_latent": 4},
        class_weights=[1.0, 2.0, 3.0],
    )
    caught = []
    model.output.bottleneck.encoder.register_forward_hook(lambda module, args, out: caught.append(out))
    logits = model(numbers(5, 7))
    smoothed = F.cross_entropy(logits, LABELS, weight=torch.tensor([1.0, 2.0, 3.0]), label_smoothing=0.2)
    expected = (
        smoothed
        - 0.3 * entropy(logits)
        + 0.7 * (torch.softmax(logits, 1) - 1 / 3).square().sum(1).mean()
        + 0.05 * divergence(model, caught[0])
    )
    assert run.loss(logits, LABELS).item() == pytest.approx(expected.item(), rel=1e-6)


@pytest.mark.parametrize("name", [name for name in METHODS if name.startswith("synscal")])
def test_scaling_losses_are_added_with_their_labels(name):
    model, run = start(name, scaling={"rate": 0.4})
    outputs = model(numbers(5, 7))
    labels = numbers(5, 3, seed=1) if name == "synscal-regression" else LABELS
    plain = start("baseline")[1].loss(outputs, labels)
    expected = plain + SynScaL(METHODS[name].variant, gamma=0.4)(outputs, labels)
    assert run.loss(outputs, labels).item() == pytest.approx(expected.item(), rel=1e-6)
    assert run.scaling is None


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_every_method_trains_and_says_what_it_was(name):
    model, run = start(name)
    optimizer, x = torch.optim.SGD(model.parameters(), 0.1), numbers(5, 7)
    before = copy.deepcopy(model.state_dict())
    for step in range(1, 3):
        loss = run.loss(model(x), LABELS)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        run.after_step(step)
    run.after_epoch(1)
    assert all(not torch.equal(before[key], value) for key, value in model.state_dict().items() if "weight" in key)
    configuration = json.loads(json.dumps(run.configuration))
    assert configuration["method"] == name
    assert (configuration["scaling"] is None) == (METHODS[name].kind != "scaling")
    run.close()


@pytest.mark.parametrize("name", ["synscaw", "synscaw-official", "synscaw-stable"])
def test_weights_are_scaled_as_synscaw_alone_does_it(name):
    model, run = start(name, scaling={"rate": 0.05}, seed=3)
    other = mlp((7, 6, 3), seed=0)
    report = run.after_epoch(1)
    expected = SynScaW(other, preset=METHODS[name].variant, gamma=0.05, seed=3).apply()
    assert str(report) == str(expected)
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), other.parameters(), strict=True))
    assert not torch.equal(model.output.weight, mlp((7, 6, 3), seed=0).output.weight)


def test_passes_come_at_the_steps_that_were_asked_for():
    _, run = start("synscaw", scaling={"every": 3})
    assert [run.after_step(step) is not None for step in range(1, 8)] == [False, False, True, False, False, True, False]
    assert run.after_epoch(1) is None
    _, run = start("synscaw")
    assert run.after_step(1) is None
    assert run.after_epoch(1) is not None


def test_rate_decays_with_the_learning_rate_where_asked_for():
    _, run = start("synscaw", scaling={"rate": 0.08, "gamma_decay": True})
    assert run.after_epoch(1, learning_rate_factor=0.25).gamma == pytest.approx(0.02)
    _, run = start("synscaw", scaling={"rate": 0.08})
    assert run.after_epoch(1, learning_rate_factor=0.25).gamma == pytest.approx(0.08)


def test_method_goes_on_from_its_state_bit_for_bit():
    model, run = start("synscaw", seed=1)
    run.after_epoch(1)
    state, weights = copy.deepcopy(run.state_dict()), copy.deepcopy(model.state_dict())
    run.after_epoch(2)
    other, again = start("synscaw", seed=1)
    other.load_state_dict(weights)
    again.load_state_dict(state)
    again.after_epoch(2)
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), other.parameters(), strict=True))


def test_state_of_another_method_is_refused():
    with pytest.raises(InputError, match="that of another method"):
        start("synscaw")[1].load_state_dict(start("baseline")[1].state_dict())
    start("dropout")[1].load_state_dict({})


def test_combination_is_its_parts_on_one_network():
    x = numbers(40, 7)
    model, run = start("dropout+vib+synscaw", regularizers={"vib_latent": 4})
    assert list(bottlenecks_of(model)) == ["output.bottleneck"]
    assert run.configuration["dropout_at"] == ["input_dropout", "hidden1.activation.dropout"]
    torch.manual_seed(0)
    first = run.loss(model(x), LABELS.repeat(8))
    torch.manual_seed(0)
    second = run.loss(model(x), LABELS.repeat(8))
    assert first.item() == second.item() != run.loss(model(x), LABELS.repeat(8)).item()
    assert "output.bottleneck.encoder" in [layer.layer for layer in run.after_epoch(1)]


def train(mode, sites):
    """Return the host's weights after three steps of method vib, recorded in one mode, and the losses."""
    method = parse_method("vib", regularizers={"vib_latent": 4, "vib_beta": 0.02})
    model = method.prepare(mlp((7, 6, 3), seed=0))
    run = method.attach(model, divergence=mode != "bottleneck")
    optimizer, losses = torch.optim.SGD(model.parameters(), 0.5), []
    torch.manual_seed(0)
    own = {} if mode == "bottleneck" else {"latent": 2}
    with record(model, None, sites=sites, classes=3, mode=mode, beta=0.02, **own) as rec:
        for step in range(3):
            loss = run.loss(model(numbers(5, 7, seed=step)), LABELS) + rec.loss(LABELS)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    assert run.configuration["divergence_in"] == ("recording" if mode == "bottleneck" else "loss")
    return losses, model.state_dict()


def test_divergence_counts_once_whether_the_loss_or_the_recording_adds_it():
    losses, weights = train("bottleneck", None)
    observed, others = train("observe", "hidden1")
    assert observed == pytest.approx(losses, rel=1e-6)
    for key, value in weights.items():
        torch.testing.assert_close(value, others[key], rtol=1e-5, atol=1e-6)


def test_a_recording_with_a_control_takes_a_prepared_and_attached_network():
    method = parse_method("dropout+vib+synscaw", regularizers={"vib_latent": 4})
    model = method.prepare(mlp((7, 6, 3), seed=0))
    run = method.attach(model)
    batches = [(numbers(5, 7, seed=seed), LABELS) for seed in range(2)]
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    with record(model, None, sites="hidden*", classes=3, latent=2, control=True) as rec:
        for x, y in batches:
            loss = run.loss(model(x), y) + rec.loss(y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        run.after_epoch(1)
        rec.measure(batches)
        run.loss(model(batches[0][0]), LABELS)


def test_divergence_is_in_the_loss_under_compile():
    model, run = start("vib", regularizers={"vib_latent": 4})
    compiled, x = torch.compile(model, backend="aot_eager"), numbers(5, 7)
    torch.manual_seed(0)
    expected = run.loss(model(x), LABELS)
    torch.manual_seed(0)
    found = run.loss(compiled(x), LABELS)
    assert found.item() == pytest.approx(expected.item(), rel=1e-5)
    (wanted,) = torch.autograd.grad(expected, model.output.bottleneck.encoder.weight)
    (gradient,) = torch.autograd.grad(found, model.output.bottleneck.encoder.weight)
    torch.testing.assert_close(gradient, wanted)


def test_own_bottleneck_of_a_network_is_used_and_named():
    model, run = start("vib", model=vib_mlp((7, 6), 5, 3))
    assert list(bottlenecks_of(model)) == ["head.bottleneck"]
    assert run.configuration["regularizers"] == {"vib_beta": 1e-3, "vib_latent": 5}


@pytest.mark.parametrize("options", [{}, {"layers": ["output.*"]}, {"activation": {"hidden*": torch.tanh}}])
def test_encoder_of_a_bottleneck_is_scaled_without_an_activation(options):
    _, run = start("vib+synscaw", scaling=options, regularizers={"vib_latent": 4})
    report = run.after_epoch(1)
    assert report["output.bottleneck.encoder"].activation == report["output.decoder"].activation.lower() == "identity"
    if "activation" in options:
        assert report["hidden1.linear"].activation == "tanh"
    assert len(report) == (2 if "layers" in options else 3)


def test_bottleneck_gets_the_activation_that_is_asked_for_and_that_of_the_published_code():
    _, run = start("vib+synscaw", scaling={"activation": {"*": torch.tanh}}, regularizers={"vib_latent": 4})
    assert {layer.activation for layer in run.after_epoch(1)} == {"tanh"}
    _, run = start("vib+synscaw-official", regularizers={"vib_latent": 4})
    assert {layer.activation for layer in run.after_epoch(1)} == {"relu"}


def test_functions_are_taken_by_name(tmp_path, monkeypatch):
    (tmp_path / "my_own_targets.py").write_text("def sparse(layer, activation, neurons):\n    return 0.125\n")
    monkeypatch.chdir(tmp_path)
    options = {"target": "my_own_targets:sparse", "activation": {"hidden*": "torch:tanh"}}
    _, run = start("synscaw", scaling=options)
    (hidden, output) = run.after_epoch(1)
    assert (hidden.activation, output.activation) == ("tanh", "identity")
    assert hidden.target == output.target == 0.125
    assert json.loads(json.dumps(run.configuration))["scaling"]["target"] == "my_own_targets:sparse"


class Branched(nn.Module):
    """No Sequential, so that its input drops out by a hook."""

    def __init__(self):
        super().__init__()
        self.first, self.relu, self.second = nn.Linear(7, 5), nn.ReLU(), nn.Linear(5, 3)

    def forward(self, x):
        return self.second(self.relu(self.first(x)))


@pytest.mark.parametrize(
    ("make", "shape"),
    [
        (Branched, (5, 7)),
        (lambda: recurrent_classifier("lstm", 4, 3, hidden=(6, 5), seed=0), (5, 8, 4)),
        (lambda: recurrent_classifier("gru", None, 3, hidden=(6,), vocabulary=9, seed=0), None),
    ],
)
def test_dropout_and_scaling_find_each_other_in_any_network(make, shape):
    model, run = start("synscaw+dropout", model=make())
    x = torch.randint(1, 9, (5, 8), generator=torch.Generator().manual_seed(0)) if shape is None else numbers(*shape)
    run.loss(model(x), LABELS).backward()
    found = {layer.layer: layer.activation for layer in run.after_epoch(1)}
    assert found == ({"first": "ReLU", "second": "identity"} if make is Branched else {"output": "identity"})


@pytest.mark.parametrize(("name", "text"), [("vib", "no VIB bottleneck"), ("dropout", "has no dropout")])
def test_a_network_that_was_not_prepared_is_refused(name, text):
    with pytest.raises(InputError, match=text):
        parse_method(name).attach(mlp((7, 6, 3)))


def test_methods_that_change_no_architecture_leave_the_network_alone():
    for name in ("baseline", "label-smoothing", "confidence-penalty", "synscaw", "synscal"):
        model = mlp((7, 6, 3), seed=0)
        before = str(model)
        assert parse_method(name).prepare(model) is model
        assert str(model) == before


def test_closing_leaves_no_hook_on_the_network():
    model, run = start("vib+synscaw")
    run.close()
    run.close()
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())


@pytest.mark.parametrize(
    ("name", "outputs", "labels", "text"),
    [
        ("baseline", torch.zeros(5, 3), torch.full((5,), 3), "a label is 3, but the network has 3 outputs"),
        ("baseline", torch.zeros(5, 3), torch.zeros(4, dtype=torch.int64), r"labels have shape \(4,\)"),
        ("baseline", torch.zeros(5, 3), [0] * 5, "labels are of type list"),
        ("baseline", torch.zeros(5, 1), torch.zeros(4), "outputs have shape"),
        ("confidence-penalty", torch.zeros(5, 1), torch.zeros(5), "about probabilities of classes"),
        ("synscal-regression", torch.zeros(5, 3), LABELS, "is for real labels, but the labels are classes"),
    ],
)
def test_outputs_and_labels_that_do_not_fit_are_refused(name, outputs, labels, text):
    with pytest.raises(InputError, match=text):
        start(name)[1].loss(outputs, labels)


@pytest.mark.parametrize("weights", [[1.0, -1.0, 1.0], [[1.0]], [0.0, 0.0, 0.0], "many", [1.0, float("nan"), 1.0]])
def test_unusable_class_weights_are_refused(weights):
    with pytest.raises(InputError, match="class_weights"):
        start("baseline", class_weights=weights)


def test_class_weights_have_no_meaning_for_real_labels():
    _, run = start("baseline", class_weights=[1.0, 1.0, 1.0])
    with pytest.raises(InputError, match="labels are real numbers"):
        run.loss(torch.zeros(5, 3), torch.zeros(5, 3))


def test_a_module_is_needed():
    for use in (parse_method("baseline").prepare, parse_method("baseline").attach):
        with pytest.raises(InputError, match="accepted: a torch\\.nn\\.Module"):
            use("mlp")


def test_loss_of_a_root_that_is_replaced_whole():
    model, run = start("vib", model=nn.Linear(7, 3), regularizers={"vib_latent": 2})
    assert run.loss(model(numbers(5, 7)), LABELS).requires_grad
