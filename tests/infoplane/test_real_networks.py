"""Networks as people have them: torchvision's, recurrent ones, transformers, several heads, shared layers."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.modules import module as torch_module

import infoplane as ip
from infoplane.errors import CaptureError, SiteError

CLASSES = 4


class Recurrent(nn.Module):
    """Two LSTM layers, inputs first or sequence first; the last hidden state is read."""

    def __init__(self, batch_first: bool) -> None:
        super().__init__()
        self.batch_first = batch_first
        self.lstm, self.last = nn.LSTM(6, 8, 2, dropout=0.1, batch_first=batch_first), nn.Linear(8, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.lstm(x if self.batch_first else x.transpose(0, 1))[1][0][-1])


class Encoder(nn.Module):
    """Tokens through torch's transformer, sequence first."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(20, 8)
        layer = nn.TransformerEncoderLayer(8, 2, 16, 0.1)
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.last = nn.Linear(8, CLASSES)

    def forward(self, tokens: Tensor) -> Tensor:
        return self.last(self.encoder(self.embedding(tokens).transpose(0, 1)).mean(0))


class Shared(nn.Module):
    """One layer called three times, and one activation in place for all of them."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.shared, self.last = nn.Linear(12, 8), nn.Linear(8, 8), nn.Linear(8, CLASSES)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu(self.first(x))
        for _ in range(3):
            x = self.relu(self.shared(x))
        return self.last(x)


class Auxiliary(nn.Module):
    """Two heads in training and one in evaluation, as GoogLeNet has them."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.last, self.aside = nn.Linear(12, 8), nn.Linear(8, CLASSES), nn.Linear(8, CLASSES)

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        code = self.body(x).relu()
        return (self.last(code), self.aside(code)) if self.training else self.last(code)


class UShaped(nn.Module):
    """A way down and up again with a shortcut, and a dictionary of outputs."""

    def __init__(self) -> None:
        super().__init__()
        self.down1, self.down2 = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 8, 3, stride=2, padding=1)
        self.up, self.last, self.aside = nn.ConvTranspose2d(8, 4, 2, 2), nn.Linear(4, CLASSES), nn.Linear(8, CLASSES)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        wide = self.down1(x).relu()
        deep = self.down2(wide).relu()
        return {"out": self.last((self.up(deep) + wide).mean((2, 3))), "aside": self.aside(deep.mean((2, 3)))}


class Keywords(nn.Module):
    """Everything by keyword."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.last = nn.Linear(12, 8), nn.Linear(8, CLASSES)

    def forward(self, *, features: Tensor, scale: float = 1.0, **others: Any) -> Tensor:
        return self.last(self.body(features).relu()) * scale


def bert() -> nn.Module:
    transformers = pytest.importorskip("transformers", reason="Hugging Face's transformers is an extra")
    sizes = {"hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 16}
    configuration = transformers.BertConfig(vocab_size=20, max_position_embeddings=12, num_labels=CLASSES, **sizes)
    return transformers.BertForSequenceClassification(configuration)


def vision_transformer() -> nn.Module:
    models = pytest.importorskip("torchvision").models
    return models.VisionTransformer(16, 8, 2, 2, 16, 32, num_classes=CLASSES)


def swin() -> nn.Module:
    models = pytest.importorskip("torchvision").models
    return models.SwinTransformer([4, 4], 8, [1, 1], [2, 2], [2, 2], num_classes=CLASSES)


def residual() -> nn.Module:
    models = pytest.importorskip("torchvision").models
    return models.ResNet(models.resnet.BasicBlock, [1, 1, 1, 1], num_classes=CLASSES)


def numbers(*shape: int) -> Callable[[int, Tensor, torch.Generator], Tensor]:
    """Return a maker of inputs of this shape that depend on their labels."""

    def made(n: int, labels: Tensor, generator: torch.Generator) -> Tensor:
        return torch.randn(n, *shape, generator=generator) + labels.view(-1, *[1] * len(shape))

    return made


def tokens(n: int, labels: Tensor, generator: torch.Generator) -> Tensor:
    return torch.randint(5, (n, 7), generator=generator) + 5 * labels[:, None]


def keywords(n: int, labels: Tensor, generator: torch.Generator) -> dict[str, Any]:
    return {"features": numbers(12)(n, labels, generator), "scale": 2.0, "names": [f"input {k}" for k in range(n)]}


def masked(n: int, labels: Tensor, generator: torch.Generator) -> dict[str, Tensor]:
    seen = (torch.arange(7) < torch.randint(3, 8, (n, 1), generator=generator)).long()
    return {"input_ids": tokens(n, labels, generator), "attention_mask": seen}


Code = tuple[str, str, Callable[[Any], Tensor]]  # module, name of the reduction, the code from all it gave


@dataclass(frozen=True)
class Host:
    make: Callable[[], nn.Module]
    inputs: Callable[[int, Tensor, torch.Generator], Any]
    codes: Mapping[str, Code]  # by site, in the order of a recording's; what is expected, written out by hand
    sites: Any = None  # where they are not the names
    options: Mapping[str, Any] = field(default_factory=dict)
    scores: Callable[[Any], Tensor] = lambda output: output
    is_read: bool = True  # whether one can tell the network's scores from its output


def space(output: Tensor) -> Tensor:
    return output.mean((2, 3))


def time_of(batch_first: bool) -> Callable[[Any], Tensor]:
    return lambda output: output[0].mean(1 if batch_first else 0)


HOSTS = {
    "ResNet": Host(
        residual,
        numbers(3, 32, 32),
        {f"layer{k}": (f"layer{k}", "gap", space) for k in (1, 2, 3, 4)} | {"fc": ("fc", "flatten", lambda a: a)},
        sites=["layer?", "fc"],
    ),
    "ViT": Host(
        vision_transformer,
        numbers(3, 16, 16),
        {
            "conv_proj": ("conv_proj", "gap", space),
            "encoder": ("encoder", "cls", lambda a: a[:, 0]),
            "encoder.layers.encoder_layer_0": ("encoder.layers.encoder_layer_0", "cls", lambda a: a[:, 0]),
            "encoder.layers.encoder_layer_1": ("encoder.layers.encoder_layer_1", "cls", lambda a: a[:, 0]),
        },
        sites=["conv_proj", "encoder", "encoder.layers.*"],
        options={"reduce": {"encoder**": "cls"}},
    ),
    "Swin": Host(
        swin,
        numbers(3, 16, 16),
        {
            "features.1": ("features.1", "tokens-mean", lambda a: a.mean((1, 2))),
            "features.3": ("features.3", "tokens-mean", lambda a: a.mean((1, 2))),
            "head": ("head", "tokens-mean", lambda a: a),
        },
        options={"reduce": "tokens-mean"},
    ),
    "LSTM": Host(
        lambda: Recurrent(True),
        numbers(5, 6),
        {
            "lstm[0]": ("lstm", "tokens-mean", time_of(True)),
            "lstm[1][0]": ("lstm", "tokens-mean", lambda a: a[1][0].mean(0)),
        },
    ),
    "LSTM, sequence first": Host(
        lambda: Recurrent(False), numbers(5, 6), {"lstm[0]": ("lstm", "tokens-mean", time_of(False))}
    ),
    "LSTM, sequence as long as the batch": Host(
        lambda: Recurrent(False), numbers(8, 6), {"lstm[0]": ("lstm", "tokens-mean", time_of(False))}
    ),
    "TransformerEncoder": Host(
        Encoder,
        tokens,
        {
            "early": ("encoder.layers.0", "last", lambda a: a[-1]),
            "encoder": ("encoder", "tokens-mean", lambda a: a.mean(0)),
        },
        sites={"encoder": "encoder", "encoder.layers.0": "early"},
        options={"reduce": {"early": "last"}},
    ),
    "shared layer": Host(
        Shared,
        numbers(12),
        {
            "first": ("first", "flatten", lambda a: a),
            **{f"shared:{k}": (f"shared:{k}", "flatten", lambda a: a) for k in range(3)},
        },
        sites=["first", "shared"],
    ),
    "auxiliary head": Host(Auxiliary, numbers(12), {"body": ("body", "flatten", lambda a: a)}),
    "U-shaped": Host(
        UShaped,
        numbers(3, 8, 8),
        {name: (name, "gap", space) for name in ("down1", "down2", "up")},
        scores=lambda output: output["out"],
        is_read=False,
    ),
    "keywords": Host(Keywords, keywords, {"body": ("body", "flatten", lambda a: a)}),
    "BERT": Host(
        bert,
        masked,
        {
            "bert.encoder[last_hidden_state]": ("bert.encoder", "cls", lambda a: a.last_hidden_state[:, 0]),
            "bert.pooler": ("bert.pooler", "flatten", lambda a: a),
        },
        options={"reduce": {"bert.encoder[last_hidden_state]": "cls"}},
        scores=lambda output: output.logits,
    ),
}


@pytest.fixture(params=list(HOSTS))
def host(request: pytest.FixtureRequest) -> Host:
    return HOSTS[request.param]


def batches(host: Host, n: int, seed: int, size: int = 8) -> list[tuple[Any, Tensor]]:
    generator = torch.Generator().manual_seed(seed)
    found = []
    for start in range(0, n, size):
        labels = torch.randint(CLASSES, (min(size, n - start),), generator=generator)
        found.append((host.inputs(len(labels), labels, generator), labels))
    return found


def run(model: nn.Module, inputs: Any) -> Any:
    return model(**inputs) if isinstance(inputs, Mapping) else model(inputs)


def trained(host: Host, **options: Any) -> tuple[nn.Module, Any, Any]:
    """Train from the same start, with a recording where there are options, and return model, measurement, recording."""
    torch.manual_seed(3)
    model = host.make()
    optimizer = torch.optim.Adam(model.parameters(), 1e-3)

    def steps(loss_of_probes: Callable[[Tensor], Tensor | float]) -> None:
        for inputs, labels in batches(host, 32, seed=1):
            output = run(model.train(), inputs)
            scores = output[0] if isinstance(output, tuple) else host.scores(output)
            loss = functional.cross_entropy(scores, labels) + loss_of_probes(labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    if not options:
        steps(lambda labels: 0.0)
        return model, None, None
    with ip.record(model, classes=CLASSES, latent=4, **options) as rec:
        steps(rec.loss)
        return model, rec.measure(batches(host, 43, seed=2)), rec


def test_its_training_is_the_same_and_its_codes_and_its_error_are_those_of_its_own_modules(host, tmp_path):
    bare, _, _ = trained(host)
    drawn = torch.get_rng_state()
    options = {"path": tmp_path / "run.h5", "sites": host.sites or list(host.codes), **host.options}
    model, measured, rec = trained(host, raw=43, control=True, sketch_at=1, gradients=1, **options)

    assert torch.equal(torch.get_rng_state(), drawn)
    was, now = bare.state_dict(), model.state_dict()
    assert list(was) == list(now)
    assert all(torch.equal(was[name], now[name]) for name in was)

    given: dict[str, list[Any]] = {}

    def note(name: str, output: Any) -> None:
        # What follows may work in place on it.
        given.setdefault(name, []).append(output.clone() if isinstance(output, Tensor) else output)

    handles = [
        module.register_forward_hook(lambda _, args, output, name=name: note(name, output))
        for name, module in model.named_modules()
    ]
    codes: dict[str, list[Tensor]] = {site: [] for site in host.codes}
    scores, truth = [], []
    fused = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)  # inside of one kernel nothing could be looked at
    for inputs, labels in batches(host, 43, seed=2):
        given.clear()
        with torch.no_grad():
            scores.append(host.scores(run(model.eval(), inputs)).double())
        truth.append(labels)
        for site, (name, _, code) in host.codes.items():
            module, _, call = name.partition(":")
            codes[site].append(code(given[module][int(call or 0)]))
    torch.backends.mha.set_fastpath_enabled(fused)
    for handle in handles:
        handle.remove()

    assert set(rec.sites) == set(host.codes)
    for site, (_, reduction, _) in host.codes.items():
        np.testing.assert_allclose(measured.raw.values[site], torch.cat(codes[site]).numpy(), rtol=1e-4, atol=1e-5)
        plane = ip.open_run(tmp_path / "run.h5").plane().to_dataframe()
        assert set(plane[plane.site == site].reduction) == {reduction}
    if host.is_read:
        wrong = (torch.cat(scores).argmax(1) != torch.cat(truth)).double().mean()
        assert measured.error == pytest.approx(float(wrong), abs=1e-12)
        nats = functional.cross_entropy(torch.cat(scores), torch.cat(truth))
        assert measured.loss == pytest.approx(float(nats) / math.log(2), rel=1e-5)
    else:
        assert measured.error is None
        assert measured.loss is None
    bounds = measured.bounds
    assert (bounds.i_zx >= bounds.i_zy).all()
    # In expectation only; near 0 bit both are the noise of the draws.
    assert (measured.i_zx_lower <= measured.i_zx_upper + 1e-3).all()
    assert (measured.i_zx_lower <= math.log2(43) + 1e-9).all()


def test_a_loader_of_hugging_face_batches_needs_no_unpacking():
    collected = pytest.importorskip("transformers").BatchEncoding
    host = HOSTS["BERT"]
    given = [collected({**inputs, "labels": labels}) for inputs, labels in batches(host, 16, seed=1)]
    torch.manual_seed(0)
    model = bert()
    options = {"classes": CLASSES, "latent": 4, "sites": "bert.pooler", "epochs": 1, "control": False}
    found = ip.probe_frozen(model, given, given, **options).measurement
    again = ip.probe_frozen(model, batches(host, 16, seed=1), batches(host, 16, seed=1), **options).measurement
    assert found.error is not None
    assert found.error == again.error
    np.testing.assert_array_equal(found.bounds.i_zy, again.bounds.i_zy)


def test_a_site_of_which_there_are_several_tensors_lists_their_paths():
    host = HOSTS["LSTM"]
    with pytest.raises(SiteError, match=r"lstm\[0\] \(8, 5, 8\), lstm\[1\]\[0\] \(2, 8, 8\), lstm\[1\]\[1\]"):
        trained(host, path=None, sites="lstm")


def test_a_site_that_evaluation_does_not_reach_is_named_and_leaves_no_hook():
    hooks = (torch_module._global_forward_hooks, torch_module._global_forward_pre_hooks)
    before = [len(found) for found in hooks]
    with pytest.raises(CaptureError, match="'aside'"):
        trained(HOSTS["auxiliary head"], path=None, sites=["body", "aside"])
    assert [len(found) for found in hooks] == before


@pytest.mark.parametrize("known", [True, False])
def test_a_regression_network_gives_a_bound_only_where_the_entropy_of_its_labels_is_known(known):
    # y = x_1 + x_2 + e with variances 2 and 1/4: h(Y) and I(X;Y) are those of a normal.
    entropy, truth = 0.5 * math.log(2 * math.pi * math.e * 2.25), 0.5 * math.log2(2.25 / 0.25)
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(1600, 6, generator=generator)
    y = x[:, :2].sum(1) + 0.5 * torch.randn(1600, generator=generator)
    train, test = (
        list(zip(a.split(32), b.split(32), strict=True)) for a, b in ((x[:800], y[:800]), (x[800:], y[800:]))
    )
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 1))
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    targets = ip.RealTarget(1, entropy=entropy) if known else 1
    with ip.record(model, None, targets=targets, latent=4, beta=1e-3, learning_rate=1e-2, sites="0") as rec:
        for _ in range(8):
            for inputs, labels in train:
                optimizer.zero_grad()
                (functional.mse_loss(model(inputs)[:, 0], labels) + rec.loss(labels)).backward()
                optimizer.step()
        measured = rec.measure(test)
    with torch.no_grad():
        left = ((model(x[800:])[:, 0] - y[800:]) ** 2).mean() / y[800:].var(correction=0)
    assert measured.error == pytest.approx(float(left), rel=1e-5)
    bounds = measured.bounds
    assert bounds.kind == ("lower_bound" if known else "estimate")
    assert 0.5 * truth < bounds.i_zy[0] < truth + 3 * bounds.se_i_zy[0]


class Positions(nn.Module):
    """Tokens and a table of positions, which has no row per input."""

    def __init__(self) -> None:
        super().__init__()
        self.tokens, self.positions, self.last = nn.Embedding(20, 8), nn.Embedding(7, 8), nn.Linear(8, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        return self.last((self.tokens(x) + self.positions(torch.arange(x.shape[1])[None])).mean(1))


@pytest.mark.parametrize("options", [{}, {"control": True, "refit": 0}, {"mode": "joint"}], ids=str)
@pytest.mark.parametrize("sites", [None, "*", nn.Embedding], ids=["all", "glob", "class"])
def test_a_place_without_a_row_per_input_drops_out_where_it_was_not_named(sites, options):
    _, measured, rec = trained(Host(Positions, tokens, {}), path=None, sites=sites, **options)
    assert set(rec.sites) == {"tokens", "last"} - ({"last"} if sites is nn.Embedding else set())
    assert set(measured.activations) == set(rec.sites)


def test_a_place_without_a_row_per_input_is_refused_where_it_was_named():
    with pytest.raises(SiteError, match=r"'positions' gives \(1, 7, 8\) for 8 inputs"):
        trained(Host(Positions, tokens, {}), path=None, sites=["tokens", "positions"])


class Hidden(nn.Module):
    """As many layers as inputs in a batch."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm, self.last = nn.LSTM(6, 8, 8, batch_first=True), nn.Linear(8, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.lstm(x)[1][0][-1])


def test_a_hidden_state_has_its_inputs_second_though_there_are_as_many_layers():
    host = Host(Hidden, numbers(5, 6), {})
    model, measured, _ = trained(host, path=None, sites="lstm[1][0]", reduce="last", raw=43)
    with torch.no_grad():
        codes = [model.eval().lstm(x)[1][0][-1] for x, _ in batches(host, 43, seed=2)]
    np.testing.assert_allclose(measured.raw.values["lstm[1][0]"], torch.cat(codes).numpy(), rtol=1e-4, atol=1e-6)


def test_a_network_without_weights_is_probed():
    data = [(x.unflatten(1, (1, 12)), labels) for x, labels in batches(HOSTS["shared layer"], 32, seed=1)]
    model = nn.Sequential(nn.AvgPool1d(2), nn.Flatten())
    found = ip.probe_frozen(model, data, data, sites="1", classes=CLASSES, latent=4, epochs=1, sketch_at=1)
    assert found.measurement.weights == {}
    assert np.isfinite(found.measurement.bounds.i_zy).all()


def test_a_network_without_shapes_is_refused():
    with pytest.raises(SiteError, match=r"'0\.weight' has no shape yet"):
        ip.record(nn.Sequential(nn.LazyLinear(4)), None, classes=CLASSES)


def test_an_iterator_that_is_used_up_is_no_pass_over_the_data():
    host = HOSTS["shared layer"]
    once, test = iter(batches(host, 32, seed=1)), batches(host, 16, seed=2)
    with pytest.raises(ip.errors.InputError, match="no batches"):
        ip.probe_frozen(host.make(), once, test, sites="first", classes=CLASSES, latent=4, epochs=2)


@pytest.mark.parametrize("options", [{"prior": "learned"}, {"mode": "joint"}, {}], ids=str)
@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16], ids=str)
def test_the_default_type_changes_no_number(dtype, options):
    x = torch.randn(64, 6, generator=torch.Generator().manual_seed(0))
    y = x.sum(1)
    found = []
    for default in (torch.float32, dtype):
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 1))
        torch.set_default_dtype(default)
        try:
            with ip.record(model, None, targets=1, latent=4, sites="0", **options) as rec:
                for inputs, labels in zip(x.split(16), y.split(16), strict=True):
                    model(inputs)
                    rec.loss(labels)
                found.append(rec.measure([(x, y)]))
        finally:
            torch.set_default_dtype(torch.float32)
    for name in ("i_zx", "ce", "error"):
        np.testing.assert_allclose(getattr(found[1].bounds, name), getattr(found[0].bounds, name), rtol=1e-5)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"data": "mnist"}, "data is 'mnist', but it must be a mapping"),
        ({"configuration": [1]}, r"configuration is \[1\], but it must be a mapping"),
        ({"scale_twins": 0.1}, "scale_twins is 0.1, but it must be a sequence"),
        ({"sinks": print}, "sinks is .*, but it must be a sequence"),
    ],
)
def test_options_of_another_kind_are_refused_in_a_sentence(options, text):
    with pytest.raises(ip.errors.InputError, match=text):
        ip.record(Shared(), None, classes=CLASSES, **options)


def test_what_unpack_returns_is_checked():
    with pytest.raises(ip.errors.InputError, match=r"unpack returned a Tensor, but it must return \(inputs, labels\)"):
        ip.probe_frozen(
            Shared(),
            batches(HOSTS["shared layer"], 16, seed=1),
            batches(HOSTS["shared layer"], 16, seed=1),
            unpack=lambda batch: batch[0],
            classes=CLASSES,
        )
